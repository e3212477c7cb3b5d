// @ts-check
// hotkeys.js: keys that hold everywhere in the page but where somebody types or a control has the key for itself.
import { ACT } from "./card.js";

const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [role=textbox]";
const OWN = "[role=application], [role=slider], .painter canvas, .lanes, .compare"; // they know these keys themselves
const PRESSED = "button, a[href], summary, [role=button], [role=tab], [role=option]"; // by the space bar
const STEP = 1; // second that J, L and the arrows go

/** What the keys do, for the list of them; the last ones are an opened take's and the painter's own. */
export const KEYS = [
  ["Ctrl + Enter", "generate"],
  ["Space, K", "play or pause the take"],
  ["J, L or \u2190, \u2192", "a second back, a second on"],
  ["1 to 8", "play that take"],
  ["S", "star the take"],
  ["X", "switch between both sounds of a comparison"],
  ["Escape", "close what is open"],
  ["?", "this list"],
];
export const CLIP_KEYS = [
  ["\u2190, \u2192, Home, End", "move; with Shift select"],
  ["[, ], A", "start here, end here, all"],
  ["+, \u2212, 0, Z", "closer, farther, the whole sound, the selection"],
  ["Space, O", "play the selection, loop"],
];
export const PAINTER_KEYS = [
  ["R, T, F, B, L, E", "box, time, band, brush, lasso, eraser"],
  ["N, arrows, Enter", "a new box, moved (with Shift: its size), marked (with Alt: erased)"],
  ["Arrows", "nudge the marked box; with Shift its far corner"],
  ["+, \u2212, 0, Z", "closer, farther, the whole sound, what is marked"],
  ["Space, O, 1, 2, 3", "play, loop; hear all, what is marked, the rest"],
  ["G, S, I, Delete", "grow, shrink, invert, remove"],
  ["[, ]", "smaller and larger brush"],
  ["H", "mark the harmonics of the box"],
  ["Ctrl + Z, Ctrl + Shift + Z", "undo, redo (of the mask)"],
  ["Alt + Z, Alt + Shift + Z", "a step of the edits back, forward (anywhere in the tab)"],
];

/**
 * @param {import("../web/scope.js").Scope} scope
 * @param {() => void} help opens the list of keys
 */
export function listenToKeys(scope, help) {
  /** @type {Element | null} */
  let latest = null; // the take that was played or pressed last
  const remember = (/** @type {Event} */ event) => {
    if (event.target instanceof Element) latest = event.target.closest(".take") || latest;
  };
  for (const name of ["pointerdown", "focusin"]) scope.listen(document, name, remember);

  scope.listen(document, "keydown", (/** @type {KeyboardEvent} */ event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !(target instanceof Element))
      return;
    if (target.closest(TYPING) || target.closest(OWN) || document.querySelector("dialog[open]")) return;
    if (key === " " && target.closest(PRESSED)) return;
    if (key.startsWith("Arrow") && target.closest("[role=tab], [role=radio], input")) return;
    if (key === "?") help();
    else if (!pressed(key.toLowerCase())) return;
    event.preventDefault();
  });

  /** True when the key meant something. @param {string} key */
  function pressed(key) {
    const cards = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".take")]).filter(seen);
    const [playing] = cards.filter((card) => card.querySelector("[data-playing=true]"));
    const card = playing || cards.find((one) => one === latest) || cards[0];
    if (!card) return false;
    const numbered = /^[1-8]$/.test(key) ? cards[Number(key) - 1] : undefined;
    if (numbered) {
      latest = numbered;
      tell(numbered, "play");
      numbered.scrollIntoView({ block: "nearest" });
    } else if (key === " " || key === "k") tell(card, "toggle");
    else if (key === "s") tell(card, "star");
    else if (key === "j" || key === "arrowleft") tell(card, "seek", -STEP);
    else if (key === "l" || key === "arrowright") tell(card, "seek", STEP);
    else return false;
    return true;
  }
}

/** @param {Element} card @param {string} name @param {number} [seconds] */
function tell(card, name, seconds) {
  card.dispatchEvent(new CustomEvent(ACT, { detail: { name, seconds } }));
}

/** @param {HTMLElement} node */
function seen(node) {
  return node.offsetParent !== null;
}
