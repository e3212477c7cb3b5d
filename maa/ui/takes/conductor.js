// @ts-check
// conductor.js: what belongs to the page as a whole: a file dropped anywhere, keys, what is kept over a load of the
// page, one sound at a time, and pressing Generate when the server has filled a tab in.
import { clean, followTabs, placeOf } from "../web/address.js";
import { find, h, textButton } from "../web/dom.js";
import { Keeper } from "../web/keep.js";
import { limitsAreSaid } from "../web/limits.js";
import { scopeOf } from "../web/scope.js";
import { freeSeeds } from "../web/seed.js";
import { watchPlayers } from "../web/sound.js";
import { titleTells } from "../web/title.js";
import { awaitShaped } from "./awaited.js";
import { help } from "./help.js";
import { listenToKeys } from "./hotkeys.js";
import { settingsMenu } from "./menu.js";

const ACCEPTED = ".wav,.flac,.mp4,.mov,.mkv,.webm,audio/*,video/*";
const TITLE = "A WAV, FLAC or video that was made here has its settings inside. You may also drop it on the page.";
// Upload fields take what is dropped on them.
const OWN_DROPS = "[data-testid='file-upload'], .upload-container, button.center, [id$='-input'], input, textarea";
const SETTLE = 200; // milliseconds until the controls that the server has filled in are there
const READY = 300; // milliseconds until the page takes requests

/** @param {import("../web/dom.js").Host} host */
export function start({ element, props, trigger, upload, watch }) {
  const root = find(element, ".maa-root");
  const scope = scopeOf(element);
  const names = { ...props.tasks, batch: "Batch", history: "History" };
  const linked = (/** @type {import("../web/address.js").Place} */ { tab, settings }) => {
    trigger("linked", { task: tab, settings });
  };
  const tabs = followTabs(scope, names, linked);
  const keeper = new Keeper(scope, tabs.open);
  const { button: keys, dialog, open } = help();
  const file = filePicker(take);
  const offer = h("div", { class: "offer", role: "status", hidden: true });
  const veil = h("div", { class: "veil", hidden: true });
  root.append(
    textButton("Restore settings from a file", () => file.click(), { title: TITLE }),
    settingsMenu(scope, keeper, props.tasks, (tab, settings) => linked({ tab, settings })),
    keys,
    file,
    offer,
    veil,
    dialog,
  );

  /** @param {File | null} [one] */
  async function take(one) {
    if (!one) return;
    const { path } = await upload(one);
    trigger("dropped", { path, name: one.name, tab: tabs.open() });
  }

  listenToDrops(scope, veil, () => names[tabs.open()], take);
  freeSeeds(scope);
  watchPlayers(scope);
  titleTells(scope);
  limitsAreSaid(scope);
  listenToKeys(scope, open);
  listenToGenerate(scope);

  /** A file without settings: what may be done with it. @param {{ upload: string, name: string, to: string[] }} what */
  function ask({ upload: path, name, to }) {
    const give = (/** @type {string} */ task) => {
      offer.hidden = true;
      trigger("given", { path, name, to: task });
    };
    const buttons = to.map((task) => textButton(`${props.tasks[task]} it`, () => give(task)));
    const leave = textButton("Leave it", () => {
      offer.hidden = true;
    });
    offer.replaceChildren(h("span", null, `“${name}” holds no settings.`), ...buttons, leave);
    offer.hidden = false;
    buttons[0]?.focus();
  }

  scope.listen(document, "click", (event) => {
    const link = event.target instanceof Element && event.target.closest('a[href$="#model-panel"]');
    if (!link) return;
    event.preventDefault();
    const fold = document.querySelector("#model-panel button");
    if (fold && !document.querySelector("#model-card")?.checkVisibility()) /** @type {HTMLElement} */ (fold).click();
    document.getElementById("model-panel")?.scrollIntoView();
  });
  watch("value", () => {
    const { value } = props;
    if (value?.go) scope.timeout(SETTLE, () => document.getElementById(`${value.go}-generate`)?.click());
    if (value?.show) scope.timeout(SETTLE, () => document.getElementById(value.show)?.scrollIntoView());
    if (value?.offer) ask(value.offer);
    if (value?.shaped) awaitShaped(value.shaped);
    if (value?.recalled) keeper.begin();
  });
  scope.timeout(READY, () => recall(keeper, tabs.back, trigger, linked));
  root.dataset.ready = "true";
}

/**
 * What was kept of this page, or what its address carries.
 * @param {Keeper} keeper
 * @param {(tab: string | undefined) => void} back opens a tab
 * @param {(event: string, data: any) => void} trigger
 * @param {(place: import("../web/address.js").Place) => void} linked
 */
function recall(keeper, back, trigger, linked) {
  const place = placeOf(location.hash);
  if (place?.settings) {
    keeper.begin();
    clean(place.tab);
    linked(place);
    return;
  }
  const before = keeper.before();
  back(place?.tab || before?.tab);
  if (before) trigger("recall", { tasks: before.tasks });
  else keeper.begin();
}

/** @param {(file: File | null | undefined) => void} take */
function filePicker(take) {
  const hidden = { class: "away", tabindex: "-1", "aria-hidden": "true" };
  const file = h("input", { type: "file", accept: ACCEPTED, ...hidden });
  file.addEventListener("change", () => {
    take(file.files?.[0]);
    file.value = "";
  });
  return file;
}

/**
 * @param {import("../web/scope.js").Scope} scope
 * @param {HTMLElement} veil
 * @param {() => string} tab the name of the open one
 * @param {(file: File | null | undefined) => void} take
 */
function listenToDrops(scope, veil, tab, take) {
  /** Whether files are dragged to a place that does not take them itself. @param {DragEvent} event */
  const ours = (event) => {
    const target = /** @type {Partial<Element>} */ (event.target);
    return event.dataTransfer?.types.includes("Files") && !target.closest?.(OWN_DROPS);
  };
  scope.listen(document, "dragover", (/** @type {DragEvent} */ event) => {
    veil.hidden = !ours(event);
    veil.textContent = `Drop a sound made here to get its settings back, or any other for ${tab()}`;
    if (!veil.hidden) event.preventDefault();
  });
  scope.listen(document, "dragleave", (/** @type {DragEvent} */ event) => {
    if (!event.relatedTarget) veil.hidden = true;
  });
  scope.listen(document, "drop", (/** @type {DragEvent} */ event) => {
    veil.hidden = true;
    if (!ours(event)) return;
    event.preventDefault();
    take(event.dataTransfer?.files[0]);
  });
}

/** Ctrl+Enter presses the open tab's button. @param {import("../web/scope.js").Scope} scope */
function listenToGenerate(scope) {
  scope.listen(document, "keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const generate = [...document.querySelectorAll("[id$='-generate']")].find(visible);
    if (!generate) return;
    event.preventDefault();
    /** @type {HTMLElement} */ (generate).click();
  });
}

/** @param {Element} node */
function visible(node) {
  return /** @type {HTMLElement} */ (node).offsetParent !== null;
}
