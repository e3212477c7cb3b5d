// keys.js: everything that the pointer can do, by keyboard, while the picture has the focus.

const TOOL_KEYS = { r: "box", t: "time", f: "frequency", b: "brush", l: "lasso", e: "erase" };
const ACT_KEYS = { i: "invert", g: "grow", s: "shrink", o: "loop", " ": "play", "+": "closer", "=": "closer", "-": "farther", "0": "whole" };
const PART_KEYS = { 1: "all", 2: "marked", 3: "rest" };
const STRIDE = { frame: 4, band: 2 }; // of one press of an arrow key on a box that is not marked yet

function listenToKeys(desk) {
  desk.canvas.addEventListener("keydown", (event) => {
    if (desk.grid && pressed(desk, event)) event.preventDefault();
  });
  // Undo and redo from anywhere in the painter but its fields, which undo their own text.
  desk.root.addEventListener("keydown", (event) => {
    const typing = event.target === desk.canvas || event.target.tagName === "INPUT";
    if (!typing && desk.grid && (event.ctrlKey || event.metaKey) && pressed(desk, event)) event.preventDefault();
  });
  desk.canvas.addEventListener("blur", () => { desk.marks.caret = null; desk.draw(); });
}

// True when the key meant something.
function pressed(desk, event) {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") desk.act(event.shiftKey ? "redo" : "undo");
    else if (key === "y") desk.act("redo");
    else return false;
  } else if (TOOL_KEYS[key]) desk.choose(TOOL_KEYS[key]);
  else if (ACT_KEYS[key]) desk.act(ACT_KEYS[key]);
  else if (PART_KEYS[key]) desk.listen({ part: PART_KEYS[key] });
  else if (key === "delete" || key === "backspace") desk.act(desk.grid.box ? "remove" : "clear");
  else if (key === "[") desk.resizeBrush(desk.brush.ms / 1.25, desk.brush.hertz / 1.25);
  else if (key === "]") desk.resizeBrush(desk.brush.ms * 1.25, desk.brush.hertz * 1.25);
  else if (key.startsWith("arrow")) arrow(desk, key, event);
  else if (key === "pageup" || key === "pagedown") turn(desk, key === "pagedown" ? 0.8 : -0.8);
  else if (key === "home" || key === "end") turn(desk, key === "end" ? Infinity : -Infinity);
  else if (key === "enter" && desk.marks.caret) useCaret(desk, event.altKey);
  else if (key === "n") newCaret(desk);
  else if (key === "escape") { desk.marks.caret = null; desk.grid.active = -1; desk.refresh(); }
  else return false;
  return true;
}

function turn(desk, part) {
  const { axes } = desk;
  axes.show(Number.isFinite(part) ? axes.from + part * axes.shown : part < 0 ? 0 : axes.frames, axes.shown);
  desk.look();
}

// Arrows nudge the active box by one cell, with Shift its far corner; without one they move a new box over the picture.
function arrow(desk, key, event) {
  const [right, up] = [(key === "arrowright") - (key === "arrowleft"), (key === "arrowup") - (key === "arrowdown")];
  const grip = { right: event.shiftKey && right !== 0, top: event.shiftKey && up !== 0 };
  if (desk.grid.box && !desk.marks.caret) {
    const box = dragged(desk.axes, desk.grid.box, grip, right, up);
    desk.change((grid) => grid.moveBox(box));
    desk.axes.reveal(box);
    desk.look();
    return;
  }
  if (!desk.marks.caret) newCaret(desk);
  desk.marks.caret = dragged(desk.axes, desk.marks.caret, grip, right * STRIDE.frame, up * STRIDE.band);
  desk.axes.reveal(desk.marks.caret);
  desk.look();
  desk.tell(`Box at ${spanText(desk.axes, desk.marks.caret)}. Enter marks it, Alt+Enter erases.`);
}

// A box to be placed by arrow keys, at the left of what is in view.
function newCaret(desk) {
  const first = Math.floor(desk.axes.from);
  desk.marks.caret = { first, last: Math.min(first + 16, desk.axes.frames), low: 0, high: Math.min(8, desk.axes.mels) };
  desk.draw();
  desk.tell(`Box at ${spanText(desk.axes, desk.marks.caret)}. Enter marks it, Alt+Enter erases.`);
}

function useCaret(desk, erase) {
  const box = { ...desk.marks.caret };
  desk.marks.caret = null;
  if (desk.tool === "time") { box.low = 0; box.high = desk.axes.mels; }
  if (desk.tool === "frequency") { box.first = 0; box.last = desk.axes.frames; }
  desk.change((grid) => { if (erase || desk.tool === "erase") grid.putBox(box, 0); else grid.addBox(box); });
}
