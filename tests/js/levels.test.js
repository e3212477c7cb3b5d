// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeTable, levelTable, wordOf } from "../../maa/ui/web/colours.js";
import { difference, gathered, LEVELS_PER_DB, loudest } from "../../maa/ui/web/levels.js";

/** @param {number[][]} rows the lowest band first */
function levels(...rows) {
  return { mels: rows.length, frames: rows[0].length, data: Uint8Array.from(rows.flat()) };
}

test("the loudest of several", () => {
  assert.equal(loudest(levels([1, 5], [2, 3]), levels([4, 9])), 9);
  assert.equal(loudest(), 0);
});

test("a difference is that of the common part, cell by cell", () => {
  const made = difference(levels([100, 100, 0], [100, 100, 0]), levels([100, 160], [40, 255]));
  assert.deepEqual([made.mels, made.frames], [2, 2]);
  const change = 127 / (30 * LEVELS_PER_DB);
  assert.deepEqual([...made.data], [128, 128 + Math.round(60 * change), 128 + Math.round(-60 * change), 255]);
});

test("more frames than columns: what is farthest from nothing is seen", () => {
  const sound = levels([1, 9, 2, 3], [0, 0, 0, 0]);
  /** @type {number[][]} */
  const seen = [];
  const columns = { count: 2, edge: (/** @type {number} */ column) => 2 * column };
  gathered(sound, columns, 0, (...cell) => seen.push(cell));
  assert.deepEqual(seen, [
    [0, 0, 9],
    [0, 1, 3],
    [1, 0, 0],
    [1, 1, 0],
  ]);
});

test("quieter is seen like louder", () => {
  /** @type {number[]} */
  const seen = [];
  const columns = { count: 1, edge: (/** @type {number} */ column) => 3 * column };
  gathered(levels([128, 20, 150]), columns, 128, (_row, _column, level) => seen.push(level));
  assert.deepEqual(seen, [20]);
});

const GREYS = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));

test("a table goes from the last colour at 0 dB down its range", () => {
  const table = levelTable(GREYS, [-100, 0], 80);
  assert.equal(table[255], wordOf([255, 255, 255]));
  assert.equal(table[0], wordOf([0, 0, 0]));
  assert.equal(table[51], wordOf([0, 0, 0]), "80 dB down");
  assert.equal(table[153], wordOf([128, 128, 128]), "40 dB down");
});

test("a table of changes is dark where there is none", () => {
  const table = changeTable([1, 2, 3], [0, 0, 255], [255, 0, 0]);
  assert.equal(table[128], wordOf([1, 2, 3]));
  assert.equal(table[1], wordOf([0, 0, 255]));
  assert.equal(table[255], wordOf([255, 0, 0]));
});

test("a word is little-endian RGBA", () => {
  const bytes = new Uint8Array(Uint32Array.of(wordOf([1, 2, 3], 4)).buffer);
  assert.deepEqual([...bytes], [1, 2, 3, 4]);
});
