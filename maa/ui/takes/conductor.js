// @ts-check
// conductor.js: what belongs to the page as a whole: a file dropped anywhere, Ctrl+Enter, and pressing Generate when
// the server has filled a tab in.
import { find, h, textButton } from "../web/dom.js";
import { scopeOf } from "../web/scope.js";

const ACCEPTED = ".wav,.flac,.mp4,.mov,.mkv,.webm,audio/*,video/*";
const TITLE = "Its settings come back. You may also drop the file anywhere on the page.";
// Upload fields take what is dropped on them.
const OWN_DROPS = "[data-testid='file-upload'], .upload-container, button.center, [id$='-input'], input, textarea";
const SETTLE = 200; // milliseconds until the controls that the server has filled in are there

/** @param {import("../web/dom.js").Host} host */
export function start({ element, props, trigger, upload, watch }) {
  const root = find(element, ".maa-root");
  const scope = scopeOf(element);
  const hidden = { class: "away", tabindex: "-1", "aria-hidden": "true" };
  const file = h("input", { type: "file", accept: ACCEPTED, ...hidden });
  file.addEventListener("change", () => {
    take(file.files?.[0]);
    file.value = "";
  });
  const button = textButton("Open a sound made here", () => file.click(), { title: TITLE });
  const veil = h("div", { class: "veil", hidden: true }, "Drop a sound made here to get its settings back");
  root.append(button, file, veil);

  /** @param {File | null} [one] */
  async function take(one) {
    if (!one) return;
    const { path } = await upload(one);
    trigger("dropped", { path, name: one.name });
  }

  /** Whether files are dragged to a place that does not take them itself. @param {DragEvent} event */
  const ours = (event) => {
    const target = /** @type {Partial<Element>} */ (event.target);
    return event.dataTransfer?.types.includes("Files") && !target.closest?.(OWN_DROPS);
  };
  scope.listen(document, "dragover", (/** @type {DragEvent} */ event) => {
    veil.hidden = !ours(event);
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

  scope.listen(document, "keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const generate = [...document.querySelectorAll("[id$='-generate']")].find(visible);
    if (!generate) return;
    event.preventDefault();
    /** @type {HTMLElement} */ (generate).click();
  });

  watch("value", () => {
    const task = props.value?.go;
    if (task) scope.timeout(SETTLE, () => document.getElementById(`${task}-generate`)?.click());
  });
  root.dataset.ready = "true";
}

/** @param {Element} node */
function visible(node) {
  return /** @type {HTMLElement} */ (node).offsetParent !== null;
}
