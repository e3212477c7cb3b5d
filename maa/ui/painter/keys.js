// @ts-check
// keys.js: everything that the pointer can do, by keyboard, while the picture has the focus.
import { dragged } from "./shapes.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./desk.js").Open} Open */

/** @type {Record<string, string>} */
const TOOL_KEYS = { r: "box", t: "time", f: "frequency", b: "brush", l: "lasso", e: "erase" };
/** @type {Record<string, string>} */
const ACT_KEYS = {
  i: "invert",
  g: "grow",
  s: "shrink",
  o: "loop",
  " ": "play",
  "+": "closer",
  "=": "closer",
  "-": "farther",
  0: "whole",
  z: "marked",
  h: "harmonics",
};
/** @type {Record<string, import("./player.js").Part>} */
const PART_KEYS = { 1: "all", 2: "marked", 3: "rest" };
const STRIDE = { frame: 4, band: 2 }; // of one press of an arrow key on a box that is not marked yet
const CARET = { frames: 16, bands: 8 }; // of such a box at first
const PAGE = 0.8; // of what is in view

/** @param {Desk} desk */
export function listenToKeys(desk) {
  const { canvas, scope } = desk;
  scope.listen(canvas, "keydown", (event) => {
    if (desk.open && pressed(desk, desk.open, event)) event.preventDefault();
  });
  // Undo and redo from anywhere in the painter but its fields, which undo their own text.
  scope.listen(desk.root, "keydown", (event) => {
    const typing = event.target === canvas || event.target.tagName === "INPUT";
    if (typing || !desk.open || !(event.ctrlKey || event.metaKey)) return;
    if (pressed(desk, desk.open, event)) event.preventDefault();
  });
  scope.listen(canvas, "blur", () => {
    desk.marks.caret = null;
    desk.draw();
  });
}

/** True when the key meant something. @param {Desk} desk @param {Open} open @param {KeyboardEvent} event */
function pressed(desk, open, event) {
  const key = event.key.toLowerCase();
  const { brush, marks } = desk;
  if (event.altKey && key === "z") return false; // a step of the chain
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") desk.act(event.shiftKey ? "redo" : "undo");
    else if (key === "y") desk.act("redo");
    else return false;
  } else if (TOOL_KEYS[key]) desk.choose(TOOL_KEYS[key]);
  else if (ACT_KEYS[key]) desk.act(ACT_KEYS[key]);
  else if (PART_KEYS[key]) desk.listen({ part: PART_KEYS[key] });
  else if (key === "delete" || key === "backspace") desk.act(open.grid.box ? "remove" : "clear");
  else if (key === "[") desk.resizeBrush(brush.ms / 1.25, brush.hertz / 1.25);
  else if (key === "]") desk.resizeBrush(brush.ms * 1.25, brush.hertz * 1.25);
  else if (key.startsWith("arrow")) arrow(desk, open, key, event);
  else if (key === "pageup" || key === "pagedown") turn(desk, open, key === "pagedown" ? PAGE : -PAGE);
  else if (key === "home" || key === "end") turn(desk, open, key === "end" ? Infinity : -Infinity);
  else if (key === "enter" && marks.caret) useCaret(desk, open, event.altKey);
  else if (key === "n") newCaret(desk, open);
  else if (key === "escape") {
    marks.caret = null;
    open.grid.active = -1;
    desk.refresh();
  } else return false;
  return true;
}

/** @param {Desk} desk @param {Open} open @param {number} part of what is in view */
function turn(desk, { axes }, part) {
  const edge = part < 0 ? 0 : axes.frames;
  axes.show(Number.isFinite(part) ? axes.from + part * axes.shown : edge, axes.shown);
  desk.look();
}

/**
 * Arrows nudge the active box by one cell, with Shift its far corner; without one they move a new box over the picture.
 * @param {Desk} desk @param {Open} open @param {string} key @param {KeyboardEvent} event
 */
function arrow(desk, open, key, event) {
  const { axes, grid } = open;
  const right = Number(key === "arrowright") - Number(key === "arrowleft");
  const up = Number(key === "arrowup") - Number(key === "arrowdown");
  const grip = { right: event.shiftKey && right !== 0, top: event.shiftKey && up !== 0 };
  if (grid.box && !desk.marks.caret) {
    const box = dragged(axes, grid.box, grip, right, up);
    desk.change(() => grid.moveBox(box));
    axes.reveal(box);
    desk.look();
    return;
  }
  const caret = desk.marks.caret || newCaret(desk, open);
  const moved = dragged(axes, caret, grip, right * STRIDE.frame, up * STRIDE.band);
  desk.marks.caret = moved;
  axes.reveal(moved);
  desk.look();
  tell(desk, open, moved);
}

/** A box to be placed by arrow keys, at the left of what is in view. @param {Desk} desk @param {Open} open */
function newCaret(desk, open) {
  const { axes } = open;
  const first = Math.floor(axes.from);
  const last = Math.min(first + CARET.frames, axes.frames);
  const caret = { first, last, low: 0, high: Math.min(CARET.bands, axes.mels) };
  desk.marks.caret = caret;
  desk.draw();
  tell(desk, open, caret);
  return caret;
}

/** @param {Desk} desk @param {Open} open @param {import("./axes.js").Box} caret */
function tell(desk, { axes }, caret) {
  desk.tell(`Box at ${axes.spanText(caret)}. Enter marks it, Alt+Enter erases.`);
}

/** @param {Desk} desk @param {Open} open @param {boolean} erase */
function useCaret(desk, { axes, grid }, erase) {
  const { caret } = desk.marks;
  if (!caret) return;
  const box = { ...caret };
  desk.marks.caret = null;
  if (desk.tool === "time") Object.assign(box, { low: 0, high: axes.mels });
  if (desk.tool === "frequency") Object.assign(box, { first: 0, last: axes.frames });
  desk.change(() => {
    if (erase || desk.tool === "erase") grid.putBox(box, 0);
    else grid.addBox(box);
  });
}
