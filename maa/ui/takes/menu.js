// @ts-check
// menu.js: settings to take along: presets that this browser keeps, and a link that carries them.
import { hashOf } from "../web/address.js";
import { copyText, h, iconButton, textButton } from "../web/dom.js";

/** @typedef {{ name: string, task: string, settings: Record<string, any> }} Preset */

const PRESETS = "maa-presets"; // their place in the browser
const MOST = 40;
const WHAT = ["prompt", "heard", "events", "words", "seed"]; // a preset says how, and not what

/** @returns {Preset[]} */
function presets() {
  try {
    const found = JSON.parse(localStorage.getItem(PRESETS) || "[]");
    return Array.isArray(found) ? found.filter((one) => one?.name && one.task && one.settings) : [];
  } catch {
    return [];
  }
}

/** @param {Preset[]} all */
function write(all) {
  localStorage.setItem(PRESETS, JSON.stringify(all.slice(0, MOST)));
}

/**
 * @param {import("../web/scope.js").Scope} scope
 * @param {import("../web/keep.js").Keeper} keeper
 * @param {Record<string, string>} tasks their names as people read them
 * @param {(task: string, settings: Record<string, any>) => void} use
 */
export function settingsMenu(scope, keeper, tasks, use) {
  const told = h("p", { class: "told", role: "status" });
  const list = h("div", { class: "presets" });
  const name = h("input", { type: "text", maxlength: "60", placeholder: "Name", "aria-label": "Name of the preset" });
  const items = h("div", { class: "items" });
  const summary = h("summary", { "aria-label": "Presets and link" }, "Presets");
  const menu = h("details", { class: "menu settings" }, summary, items);

  function show() {
    const rows = presets().map((preset) => {
      const label = `${preset.name} (${tasks[preset.task] || preset.task})`;
      const go = textButton(label, () => {
        menu.open = false;
        use(preset.task, preset.settings);
      });
      const drop = iconButton("close", `Delete the preset ${preset.name}`, () => {
        write(presets().filter((one) => one.name !== preset.name || one.task !== preset.task));
        show();
        name.focus();
      });
      return h("div", { class: "preset" }, go, drop);
    });
    list.replaceChildren(...rows);
  }

  function save() {
    const [task, text] = [keeper.tab(), name.value.trim()];
    if (!(task in tasks)) told.textContent = "Open the tab whose settings you want to keep.";
    else if (!text) told.textContent = "Give it a name first.";
    else {
      const rest = presets().filter((one) => one.name !== text || one.task !== task);
      write([{ name: text, task, settings: keeper.settings(task, WHAT) }, ...rest]);
      told.textContent = `Kept in this browser: ${text}.`;
      name.value = "";
      show();
    }
  }

  async function link() {
    const task = keeper.tab();
    if (!(task in tasks)) {
      told.textContent = "Open the tab whose settings the link should carry.";
      return;
    }
    const { origin, pathname } = location;
    await copyText(`${origin}${pathname}${hashOf(task, keeper.settings(task))}`, menu);
    told.textContent = "Copied. The link carries words and settings; sounds, pictures and clips it does not.";
  }

  name.addEventListener("keydown", (event) => {
    if (event.key === "Enter") save();
  });
  items.append(
    textButton("Copy a link with these settings", link),
    h("div", { class: "preset" }, name, textButton("Keep as preset", save)),
    list,
    told,
  );
  menu.addEventListener("toggle", () => {
    told.textContent = "";
    if (menu.open) show();
  });
  scope.listen(document, "click", (event) => {
    if (!event.composedPath().includes(menu)) menu.open = false;
  });
  scope.listen(menu, "keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    summary.focus();
  });
  return menu;
}
