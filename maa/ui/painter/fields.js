// @ts-check
// fields.js: the box as four numbers. They follow the picture, and the picture follows them.

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./desk.js").Open} Open */
/** @typedef {keyof import("./axes.js").Region} Name */

/** @type {Name[]} */
const NAMES = ["start", "end", "low", "high"];
const NEAR = { start: 0.0006, end: 0.0006, low: 0.6, high: 0.6 }; // what is shown is rounded
const WRONG = "That box is empty: its end should lie after its start, its top above its bottom, and both in the sound.";

/** Write the active box into the fields; leave the one alone that somebody is typing in. @param {Desk} desk */
export function showNumbers(desk) {
  const { open } = desk;
  const numbers = open?.grid.box ? open.axes.numbersOf(open.grid.box) : null;
  for (const name of NAMES) {
    const field = desk.field(name);
    if (field !== document.activeElement) field.value = numbers ? String(numbers[name]) : "";
  }
}

/** @param {Desk} desk */
export function listenToFields(desk) {
  const { scope } = desk;
  for (const name of NAMES) {
    const field = desk.field(name);
    scope.listen(field, "change", () => {
      const { open } = desk;
      const typed = Number(field.value);
      if (!open || !useNumbers(desk, open, name) || !open.grid.box) return;
      const got = open.axes.numbersOf(open.grid.box)[name];
      if (field.value !== "" && Math.abs(got - typed) > NEAR[name]) {
        const unit = name === "start" || name === "end" ? "s" : "Hz";
        desk.tell(`${typed} ${unit} lies inside one of the model's cells, whose edge is ${got} ${unit}.`);
      }
      field.value = String(got);
    });
  }
  const [ms, hertz] = [desk.field("ms"), desk.field("hertz")];
  const resize = () => desk.resizeBrush(Number(ms.value) || desk.brush.ms, Number(hertz.value) || desk.brush.hertz);
  scope.listen(ms, "change", resize);
  scope.listen(hertz, "change", resize);
  const [gain, range] = [desk.field("gain"), desk.field("range")];
  const look = () => {
    desk.view.setLook(Number(gain.value), Number(range.value));
    desk.draw();
  };
  scope.listen(gain, "input", look);
  scope.listen(range, "input", look);
}

/**
 * True when the numbers made a box. An empty field means the edge of the picture.
 * @param {Desk} desk @param {Open} open @param {Name} changed
 */
function useNumbers(desk, { axes, grid }, changed) {
  const typed = (/** @type {Name} */ name, /** @type {number} */ edge) => {
    const { value } = desk.field(name);
    return value === "" ? edge : Number(value);
  };
  const { seconds, highest } = axes;
  const region = {
    start: typed("start", 0),
    end: typed("end", seconds),
    low: typed("low", 0),
    high: typed("high", highest),
  };
  const empty = region.end <= region.start || region.high <= region.low;
  if (empty || region.start >= seconds || region.low >= highest || region.start < 0) {
    desk.tell(WRONG);
    return false;
  }
  const box = axes.boxOf(region);
  const now = grid.box;
  if (now) {
    // what was not typed stays to the cell
    if (changed === "start" || changed === "end") Object.assign(box, { low: now.low, high: now.high });
    else Object.assign(box, { first: now.first, last: now.last });
  }
  desk.change(() => {
    if (now) grid.moveBox(box);
    else grid.addBox(box);
  });
  axes.reveal(box);
  desk.look();
  return true;
}
