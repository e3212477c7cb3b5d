// fields.js: the box as four numbers. They follow the picture, and the picture follows them.

const NAMES = ["start", "end", "low", "high"];

// Write the active box into the fields; leave the one alone that somebody is typing in.
function showNumbers(desk) {
  const box = desk.grid && desk.grid.box;
  const numbers = box ? desk.axes.numbersOf(box) : {};
  for (const name of NAMES) {
    const field = desk.part(`[name="${name}"]`);
    if (field !== document.activeElement) field.value = box ? numbers[name] : "";
  }
}

function listenToFields(desk) {
  for (const name of NAMES) {
    const field = desk.part(`[name="${name}"]`);
    field.addEventListener("change", () => {
      const done = useNumbers(desk, name);
      if (done && desk.grid && desk.grid.box) field.value = desk.axes.numbersOf(desk.grid.box)[name];
    });
  }
  desk.part('[name="ms"]').addEventListener("change", (event) => desk.resizeBrush(Number(event.target.value) || desk.brush.ms, desk.brush.hertz));
  desk.part('[name="hertz"]').addEventListener("change", (event) => desk.resizeBrush(desk.brush.ms, Number(event.target.value) || desk.brush.hertz));
  const look = () => {
    desk.view.setLook(Number(desk.part('[name="gain"]').value), Number(desk.part('[name="range"]').value));
    desk.draw();
  };
  desk.part('[name="gain"]').addEventListener("input", look);
  desk.part('[name="range"]').addEventListener("input", look);
}

// True when the numbers made a box. An empty field means the edge of the picture.
function useNumbers(desk, changed) {
  if (!desk.grid) return false;
  const { axes, grid } = desk;
  const typed = NAMES.map((name) => desk.part(`[name="${name}"]`).value);
  const [start, end, low, high] = typed.map(Number);
  const top = axes.edges[axes.edges.length - 1];
  const region = [start, typed[1] === "" ? axes.seconds : end, low, typed[3] === "" ? top : high];
  if (region[1] <= region[0] || region[3] <= region[2] || region[0] >= axes.seconds || region[2] >= top || region[0] < 0) {
    desk.tell("That box is empty: its end should lie after its start, its top above its bottom, and both in the sound.");
    return false;
  }
  const box = axes.boxOf(...region);
  if (grid.box) { // what was not typed stays to the cell
    const now = grid.box;
    if (changed === "start" || changed === "end") { box.low = now.low; box.high = now.high; }
    if (changed === "low" || changed === "high") { box.first = now.first; box.last = now.last; }
  }
  desk.change(() => { if (grid.box) grid.moveBox(box); else grid.addBox(box); });
  axes.reveal(box);
  desk.look();
  return true;
}
