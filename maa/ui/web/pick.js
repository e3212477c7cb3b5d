// @ts-check
// pick.js: whatever the reader reads can be picked and dropped; the upload fields' own lists of types know too little.
//
// A browser calls a recording in a WebM or MP4 file a video, and a CAF, W64 or AU file nothing at all; the fields then
// refuse it before the server has seen it. Here their files are given a type that they take. What is no sound or clip
// is told by the server, with the file's name.

import { say } from "./say.js";
import { Scope } from "./scope.js";

/** @type {Record<string, string>} by the class of a field */
const TYPES = { "maa-reads-sound": "audio/wav", "maa-reads-clip": "video/mp4", "maa-reads-picture": "image/png" };
const UNSEEN = "This browser cannot show this clip; what can be read of it is used all the same.";
const FIELDS = Object.keys(TYPES)
  .map((name) => `.${name}`)
  .join(", ");

/** Listens as long as the page is there. @returns {Scope} whose end takes the listeners away */
export function start() {
  const scope = new Scope();
  const first = { capture: true };
  scope.listen(document, "change", relabel, first);
  scope.listen(document, "drop", pickDropped, first);
  scope.listen(document, "error", unseen, first);
  for (const name of ["pointerdown", "keydown"]) scope.listen(document, name, showAll, first);
  return scope;
}

/**
 * The upload field around what an event happened to; null where there is none of ours.
 * @param {Event} event
 * @returns {HTMLElement | null}
 */
function fieldOf(event) {
  return event.target instanceof Element ? event.target.closest(FIELDS) : null;
}

/** @param {HTMLElement} field */
function typeOf(field) {
  const name = Object.keys(TYPES).find((one) => field.classList.contains(one));
  return name ? TYPES[name] : "";
}

/**
 * @param {HTMLElement | null} field
 * @returns {HTMLInputElement | null}
 */
function inputOf(field) {
  return field?.querySelector("input[type=file]") ?? null;
}

/**
 * The same files, each of the kind that the field takes.
 * @param {FileList} files
 * @param {string} type
 */
function taken(files, type) {
  const list = new DataTransfer();
  for (const file of files) {
    const fits = file.type.startsWith(type.split("/")[0]);
    list.items.add(fits ? file : new File([file], file.name, { type }));
  }
  return list.files;
}

/**
 * A file was picked: its type is set before the field looks at it.
 * @param {Event} event
 */
function relabel(event) {
  const field = fieldOf(event);
  const input = event.target;
  if (field && input instanceof HTMLInputElement && input.files) input.files = taken(input.files, typeOf(field));
}

/**
 * A file was dropped, whose type cannot be changed there: it goes the way of picked ones.
 * @param {DragEvent} event
 */
function pickDropped(event) {
  const field = fieldOf(event);
  const input = inputOf(field);
  const files = event.dataTransfer?.files;
  if (!field || !input || !files?.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  input.files = taken(files, typeOf(field));
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/**
 * A clip that the browser cannot show is no error: the server reads more than browsers do. Gradio would say that it is.
 * @param {Event} event
 */
function unseen(event) {
  if (!(event.target instanceof HTMLVideoElement) || !fieldOf(event)) return;
  event.stopImmediatePropagation();
  say(UNSEEN);
}

/**
 * The browser's own window is about to open: it should show every file.
 * @param {Event} event
 */
function showAll(event) {
  inputOf(fieldOf(event))?.removeAttribute("accept");
}
