// keys.js: everything that the pointer can do, by keyboard, while the picture has the focus.

const TOOL_KEYS = { r: "box", t: "time", f: "frequency", b: "brush", e: "erase" };
const STRIDE = { frame: 4, band: 2 }; // of one press of an arrow key

function listenToKeys(desk) {
  desk.canvas.addEventListener("keydown", (event) => {
    if (desk.grid && pressed(desk, event)) event.preventDefault();
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
  else if (key === "i") desk.act("invert");
  else if (key === "delete" || key === "backspace") desk.act("clear");
  else if (key === " ") desk.act("play");
  else if (key === "[") desk.resizeBrush(desk.bands - 1);
  else if (key === "]") desk.resizeBrush(desk.bands + 1);
  else if (key.startsWith("arrow")) moveCaret(desk, key, event.shiftKey);
  else if (key === "enter" && desk.marks.caret) useCaret(desk, event.altKey);
  else if (key === "escape") { desk.marks.caret = null; desk.refresh(); }
  else return false;
  return true;
}

// Arrows move a box over the picture, with Shift they change its far corner.
function moveCaret(desk, key, grow) {
  const { frames, mels } = desk.axes;
  const box = desk.marks.caret || { first: 0, last: Math.min(16, frames), low: 0, high: Math.min(8, mels) };
  const right = STRIDE.frame * ((key === "arrowright") - (key === "arrowleft"));
  const up = STRIDE.band * ((key === "arrowup") - (key === "arrowdown"));
  const [width, height] = [box.last - box.first, box.high - box.low];
  const first = grow ? box.first : clamp(box.first + right, 0, frames - width);
  const low = grow ? box.low : clamp(box.low + up, 0, mels - height);
  desk.marks.caret = {
    first,
    low,
    last: grow ? clamp(box.last + right, first + 1, frames) : first + width,
    high: grow ? clamp(box.high + up, low + 1, mels) : low + height,
  };
  desk.draw();
  desk.tell(`Box at ${spanText(desk.axes, desk.marks.caret)}. Enter marks it, Alt+Enter erases.`);
}

function useCaret(desk, erase) {
  const box = { ...desk.marks.caret };
  if (desk.tool === "time") { box.low = 0; box.high = desk.axes.mels; }
  if (desk.tool === "frequency") { box.first = 0; box.last = desk.axes.frames; }
  desk.change((grid) => grid.fill(box, erase || desk.tool === "erase" ? 0 : 1));
}
