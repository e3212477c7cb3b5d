// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { cellsOf, Grid, runsOf } from "../../maa/ui/painter/grid.js";

const [MELS, FRAMES] = [8, 20];

function emptyGrid() {
  return new Grid(MELS, FRAMES, new Uint8Array(MELS * FRAMES));
}

/** @param {Grid} grid */
function marked(grid) {
  return grid.extent().count;
}

const BOX = { first: 4, last: 9, low: 2, high: 5 };

test("a box marks its cells and no other", () => {
  const grid = emptyGrid();
  grid.addBox({ ...BOX });
  for (let band = 0; band < MELS; band++) {
    for (let frame = 0; frame < FRAMES; frame++) {
      const inside = frame >= 4 && frame < 9 && band >= 2 && band < 5;
      assert.equal(grid.cells[band * FRAMES + frame], Number(inside));
    }
  }
  assert.deepEqual(grid.extent(), { count: 15, box: BOX });
});

test("what is painted by hand lies above boxes and stays where it is when they move", () => {
  const grid = emptyGrid();
  grid.addBox({ ...BOX });
  const at = 3 * FRAMES + 5;
  grid.put([at], 0);
  assert.equal(marked(grid), 14);
  grid.moveBox({ ...BOX, first: 5, last: 10 });
  assert.equal(grid.cells[at], 0, "erased still");
  grid.addBox({ ...BOX });
  assert.equal(grid.cells[at], 1, "a new box brings it back");
});

test("undo and redo go back and forth through fifty steps, and a new step ends the future", () => {
  const grid = emptyGrid();
  for (let step = 0; step < 60; step++) {
    grid.remember();
    grid.put([step], 1);
  }
  let undone = 0;
  while (grid.undo()) undone++;
  assert.equal(undone, 50);
  assert.equal(marked(grid), 10);
  assert.equal(grid.redo(), true);
  assert.equal(marked(grid), 11);
  grid.remember();
  grid.clear();
  assert.equal(grid.redo(), false);
});

test("a step that did not happen is forgotten", () => {
  const grid = emptyGrid();
  grid.remember();
  grid.putBox(BOX, 1);
  grid.forget();
  assert.equal(marked(grid), 0);
  assert.equal(grid.undo(), false);
});

test("a mask that is one box is a box, any other is cells", () => {
  const cells = new Uint8Array(MELS * FRAMES);
  for (let band = 2; band < 5; band++) cells.fill(1, band * FRAMES + 4, band * FRAMES + 9);
  assert.deepEqual(new Grid(MELS, FRAMES, cells.slice()).box, BOX);
  cells[0] = 1;
  const grid = new Grid(MELS, FRAMES, cells);
  assert.equal(grid.box, null);
  assert.equal(marked(grid), 16);
});

test("growing and shrinking are by one cell, and beyond the edges everything goes on", () => {
  const grid = emptyGrid();
  grid.addBox({ ...BOX });
  grid.spread(1);
  assert.deepEqual(grid.extent().box, { first: 3, last: 10, low: 1, high: 6 });
  grid.spread(0);
  assert.deepEqual(grid.extent().box, BOX);
  grid.flatten(new Uint8Array(MELS * FRAMES).fill(1));
  grid.spread(0);
  assert.equal(marked(grid), MELS * FRAMES);
});

test("inverting twice changes nothing", () => {
  const grid = emptyGrid();
  grid.addBox({ ...BOX });
  grid.invert();
  assert.equal(marked(grid), MELS * FRAMES - 15);
  grid.invert();
  assert.deepEqual(grid.extent(), { count: 15, box: BOX });
});

test("the model's coarser cells count as soon as one of ours is marked", () => {
  const grid = emptyGrid();
  grid.put([0, 3 * FRAMES + 7, 7 * FRAMES + 19], 1);
  const { rows, columns, cells } = grid.touched(4);
  assert.deepEqual([rows, columns], [2, 5]);
  assert.deepEqual([...cells], [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
});

test("runs are the cells again", () => {
  for (const text of ["", "1", "0001110", "2221100000000012"]) {
    const cells = Uint8Array.from(text, Number);
    assert.deepEqual(cellsOf(runsOf(cells), cells.length), cells);
  }
});
