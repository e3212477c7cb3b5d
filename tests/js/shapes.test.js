// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { BandAxes } from "../../maa/ui/painter/axes.js";
import { boxBetween, dragged, gripOf, insideOf, reach, stamp, stroke } from "../../maa/ui/painter/shapes.js";

const [MELS, FRAMES] = [80, 125];
const edges = Array.from({ length: MELS + 2 }, (_, k) => 100 * k);
const axes = new BandAxes({ mels: MELS, frames: FRAMES, hop: 160, rate: 16_000, edges }); // 10 ms and 100 Hz a cell
axes.resize(54 + 10 + 125 * 4, 10 + 38 + 80 * 4); // four pixels a cell

/** @param {Iterable<number>} cells */
function spots(cells) {
  return [...cells]
    .map((cell) => [Math.floor(cell / FRAMES), cell % FRAMES])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

test("a brush reaches as far as its milliseconds and hertz say", () => {
  const far = reach(axes, { frame: 50.5, band: 40.5 }, { ms: 60, hertz: 400 });
  assert.ok(Math.abs(far.frames - 3) < 1e-9);
  assert.ok(Math.abs(far.up - 2) < 1e-9 && Math.abs(far.down - 2) < 1e-9);
  /** @type {Set<number>} */
  const into = new Set();
  stamp(axes, { frame: 50.5, band: 40.5 }, { ms: 60, hertz: 400 }, into);
  for (const [band, frame] of spots(into)) {
    const [x, y] = [(frame + 0.5 - 50.5) / 3, (band + 0.5 - 40.5) / 2];
    assert.ok(x * x + y * y <= 1 + 1e-9);
  }
  assert.ok(into.has(40 * FRAMES + 53) && into.has(42 * FRAMES + 50));
});

test("the thinnest brush takes the cell that it stands on, at the very edge, too", () => {
  const thin = { ms: 1, hertz: 1 };
  assert.deepEqual(spots(stroke(axes, { frame: 7.9, band: 3.1 }, { frame: 7.9, band: 3.1 }, thin)), [[3, 7]]);
  const corner = { frame: FRAMES, band: MELS };
  assert.deepEqual(spots(stroke(axes, corner, corner, thin)), [[MELS - 1, FRAMES - 1]]);
});

test("a fast stroke has no gaps", () => {
  const cells = stroke(axes, { frame: 10.5, band: 20.5 }, { frame: 90.5, band: 60.5 }, { ms: 1, hertz: 1 });
  const frames = new Set(spots(cells).map(([, frame]) => frame));
  for (let frame = 11; frame <= 90; frame++) assert.ok(frames.has(frame), `frame ${frame}`);
});

test("a lasso takes the cells whose centre it goes around", () => {
  const square = [
    { frame: 20, band: 10 },
    { frame: 60, band: 10 },
    { frame: 60, band: 30 },
    { frame: 20, band: 30 },
  ];
  const inside = insideOf(axes, square);
  assert.equal(inside.size, 40 * 20);
  assert.ok(inside.has(10 * FRAMES + 20) && !inside.has(10 * FRAMES + 60));
  const line = insideOf(axes, [
    { frame: 10.5, band: 20.5 },
    { frame: 40.5, band: 20.5 },
  ]);
  assert.deepEqual([line.has(20 * FRAMES + 10), line.has(20 * FRAMES + 40), line.size], [true, true, 31]);
});

test("a drag is a box, a stretch of time or a band of frequencies", () => {
  const [from, to] = [
    { frame: 59.5, band: 29.5 },
    { frame: 20.5, band: 10.5 },
  ];
  assert.deepEqual(boxBetween(axes, "box", from, to), { first: 20, last: 60, low: 10, high: 30 });
  assert.deepEqual(boxBetween(axes, "time", from, to), { first: 20, last: 60, low: 0, high: MELS });
  assert.deepEqual(boxBetween(axes, "frequency", from, to), { first: 0, last: FRAMES, low: 10, high: 30 });
  assert.deepEqual(boxBetween(axes, "box", from, from), { first: 59, last: 60, low: 29, high: 30 });
});

test("edges are held near them, the box in it, and nothing outside", () => {
  const box = { first: 20, last: 60, low: 10, high: 30 };
  const none = { left: false, right: false, top: false, bottom: false };
  const held = (/** @type {number} */ frame, /** @type {number} */ band) =>
    gripOf(axes, box, axes.x(frame), axes.y(band), 6);
  assert.deepEqual(held(40, 20), none);
  assert.deepEqual(held(60.5, 20), { ...none, right: true });
  assert.deepEqual(held(20, 30), { ...none, left: true, top: true });
  assert.equal(held(63, 20), null);
  const thin = { first: 20, last: 21, low: 10, high: 30 };
  assert.deepEqual(gripOf(axes, thin, axes.x(20.9), axes.y(20), 6), { ...none, right: true }, "never both edges");
});

test("a box that is dragged keeps its size and stays within; an edge does not pass the other", () => {
  const box = { first: 20, last: 60, low: 10, high: 30 };
  assert.deepEqual(dragged(axes, box, {}, 100, -100), { first: 85, last: 125, low: 0, high: 20 });
  assert.deepEqual(dragged(axes, box, { left: true }, 100, 0), { ...box, first: 59 });
  assert.deepEqual(dragged(axes, box, { top: true }, 0, 100), { ...box, high: MELS });
});
