// @ts-check
// trying.js: a box to tick; then what is typed into the prompt, and where a slider is let go, is heard at once.
import { find, h } from "./dom.js";
import { scopeOf } from "./scope.js";
import { pausesForOthers, startsToPlay } from "./sound.js";

const PAUSE = 300; // milliseconds without a change until it is tried
const SLIDERS = ["t0", "density"];

/** @param {import("./dom.js").Host} host */
export function start({ element, props, trigger, watch }) {
  const scope = scopeOf(element);
  const player = new Audio();
  const box = h("input", { type: "checkbox" });
  const line = h("span", { class: "line", role: "status" });
  let waiting = scope.child();
  let running = false;
  find(element, ".trying").append(h("label", null, box, "Hear it while I type"), line);
  pausesForOthers(scope, player, () => player.pause());
  scope.onEnd(() => player.pause());

  function quiet() {
    waiting.end();
    waiting = scope.child();
    if (running) trigger("hush");
    running = false;
    player.pause();
    line.textContent = "";
  }

  function attempt() {
    const area = /** @type {HTMLTextAreaElement | null} */ (document.querySelector(`#${props.task}-prompt textarea`));
    if (!area?.value.trim()) return;
    running = true;
    line.textContent = "Making a short one …";
    trigger("attempt");
  }

  /** Something else is wanted: what is on its way is dropped, and the new one follows after a pause. */
  function changed() {
    if (!box.checked) return;
    quiet();
    waiting.timeout(PAUSE, attempt);
  }

  /** Whether an event comes from one of these controls. @param {Event} event @param {string[]} names */
  function comes({ target }, names) {
    return target instanceof Element && names.some((name) => target.closest(`#${props.task}-${name}`));
  }
  scope.listen(document, "input", (event) => {
    if (comes(event, ["prompt"])) changed();
  });
  scope.listen(document, "change", (event) => {
    if (comes(event, SLIDERS)) changed();
  });
  scope.listen(document, "click", (event) => {
    if (comes(event, ["generate"])) quiet();
  });
  box.addEventListener("change", () => (box.checked ? changed() : quiet()));
  watch("value", () => {
    const { value } = props;
    if (!running || !value) return;
    running = false;
    line.textContent = value.failed || "";
    if (!value.url) return;
    player.src = value.url;
    startsToPlay(player);
    player.play().catch(() => {});
  });
}
