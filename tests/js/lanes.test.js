// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Board } from "../../maa/ui/lanes/board.js";
import {
  alike,
  blocksOf,
  dragged,
  edgesFor,
  gainOf,
  gripAt,
  layered,
  moved,
  nextStretch,
  resized,
  rowsOf,
  saidOf,
  snapped,
  stretch,
  words,
} from "../../maa/ui/lanes/rows.js";
import { Scope } from "../../maa/ui/web/scope.js";

/** @param {...[number, number, string?, number?]} rows */
function some(...rows) {
  let count = 0;
  return blocksOf(
    rows.map(([start, end, text = "a", gain = 0]) => [start, end, text, gain]),
    () => ++count,
  );
}

/** @param {import("../../maa/ui/lanes/rows.js").Block[]} blocks @param {number} [held] */
function lanesOf(blocks, held) {
  const lanes = layered(blocks, held);
  return blocks.map(({ id }) => lanes.get(id));
}

test("rows become blocks and rows again, in their order; what is no row is left out", () => {
  const given = [
    [4, 5, "b", -6],
    [0, 9, "a"],
    "no",
    [1, 2],
    [1, "2", "c"],
    [Number.NaN, 1, "d"],
    null,
    [0, 1, "e", "x"],
  ];
  let count = 0;
  const blocks = blocksOf(given, () => ++count);
  assert.deepEqual(rowsOf(blocks), [
    [4, 5, "b", -6],
    [0, 9, "a", 0],
  ]);
  assert.deepEqual(
    blocksOf({ length: 2 }, () => 0),
    [],
  );
});

test("sounds at once lie in lanes of their own, as few as there are at once", () => {
  assert.deepEqual(lanesOf(some([0, 9], [1, 2], [2, 3], [2.5, 4])), [0, 1, 1, 2]);
  assert.deepEqual(lanesOf(some([0, 1], [1, 2], [2, 3])), [0, 0, 0], "one after the other is one lane");
});

test("the one that is held gives way to the others, wherever it begins", () => {
  const blocks = some([0, 3], [2, 4]);
  assert.deepEqual(lanesOf(blocks, 1), [1, 0]);
  assert.deepEqual(lanesOf(blocks, 2), [0, 1]);
  assert.deepEqual(lanesOf(some([5, 6], [2, 4]), 1), [0, 0], "and stays where there is room");
});

test("a place snaps to an edge nearby, else to a tenth of a second", () => {
  assert.equal(snapped(2.04, [0, 2.08, 9.984], 0.1), 2.08);
  assert.equal(snapped(2.24, [0, 2.08], 0.1), 2.2);
  assert.equal(snapped(9.95, [9.984], 0.1), 9.984);
  assert.equal(snapped(0.30000000000000004, [], 0.1), 0.3);
  assert.deepEqual(edgesFor(some([1, 2], [3, 4]), 1, 10), [0, 10, 3, 4]);
});

test("what is moved keeps its length within the sound", () => {
  const [block] = some([1, 3]);
  assert.deepEqual([moved(block, -4, 10).start, moved(block, -4, 10).end], [0, 2]);
  assert.deepEqual([moved(block, 9.5, 10).start, moved(block, 9.5, 10).end], [8, 10]);
  assert.deepEqual(
    [moved(block, 0, 1).start, moved(block, 0, 1).end],
    [0, 2],
    "longer than the sound: at its beginning",
  );
});

test("what is resized is never shorter than an event may be", () => {
  const [block] = some([1, 3]);
  assert.equal(resized(block, "start", 7, 10).start, 2.9);
  assert.equal(resized(block, "end", 0, 10).end, 1.1);
  assert.equal(resized(block, "end", 99, 10).end, 10);
  assert.equal(resized(block, "start", -1, 10).start, 0);
});

test("either end of what is dragged snaps", () => {
  const [block] = some([1, 3]);
  const grid = { edges: [0, 5.03], near: 0.1, end: 10 };
  assert.deepEqual([dragged(block, "body", 2, grid).start, dragged(block, "body", 2, grid).end], [3.03, 5.03]);
  assert.deepEqual([dragged(block, "body", -0.95, grid).start, dragged(block, "body", -0.95, grid).end], [0, 2]);
  assert.equal(dragged(block, "end", 1.98, grid).end, 5.03);
  assert.equal(dragged(block, "start", 0.52, grid).start, 1.5);
});

test("edges are held near them, and a narrow block keeps a middle", () => {
  assert.deepEqual(
    [3, 50, 97].map((x) => gripAt(x, 100, 7)),
    ["start", "body", "end"],
  );
  assert.deepEqual(
    [2, 6, 10].map((x) => gripAt(x, 12, 16)),
    ["start", "body", "end"],
  );
});

test("new events: drawn, either way round, or where there is room", () => {
  assert.deepEqual(stretch(4, 2, 10), { start: 2, end: 4 });
  assert.deepEqual(stretch(9, null, 10), { start: 9, end: 10 });
  assert.deepEqual(stretch(10, null, 10), { start: 9.9, end: 10 });
  assert.deepEqual(nextStretch([], 10), { start: 0, end: 2 });
  assert.deepEqual(nextStretch(some([0, 4]), 10), { start: 4, end: 6 });
  assert.deepEqual(nextStretch(some([0, 9.984]), 9.984), { start: 0, end: 2 });
});

test("a gain may be said behind the words", () => {
  assert.deepEqual(saidOf("  rain  @ -6 dB "), { text: "rain", gain: -6 });
  assert.deepEqual(saidOf("rain @ -99dB"), { text: "rain", gain: -40 });
  assert.deepEqual(saidOf("mail@home -6 dB"), { text: "mail@home -6 dB" });
  assert.equal(gainOf(2.345), 2.3);
});

test("a block in words", () => {
  const [one, two] = some([0, 9.984, "rain", -6], [1, 2, ""]);
  assert.equal(words(one), "rain, from 0 to 9.984 s, −6 dB");
  assert.equal(words(two), "a sound without words, from 1 to 2 s");
});

test("the same events in the same order are alike, whatever their numbers", () => {
  assert.ok(alike(some([0, 1], [2, 3]), some([4, 5], [0, 1], [2, 3]).slice(1)));
  assert.ok(!alike(some([0, 1], [2, 3]), some([2, 3], [0, 1])), "a file has them in its own order");
  assert.ok(!alike(some([0, 1]), some([0, 1, "a", 3])));
});

// ---- the board

/** @typedef {import("../../maa/ui/lanes/board.js").Value} Value */

function board() {
  const scope = new Scope();
  /** @type {Value[]} */
  const sent = [];
  /** @type {any[]} */
  const asked = [];
  const ways = {
    send: (/** @type {Value} */ value) => sent.push(value),
    ask: (/** @type {any} */ what) => asked.push(what),
    show() {},
  };
  return { board: new Board(scope, ways, 10), sent, asked, scope };
}

const SAID = { prompt: "a, then b", seconds: 10, literal: false };
const ROWS = [
  [0, 5, "a"],
  [5, 10, "b"],
];

/** @param {Board} one @param {Partial<import("../../maa/ui/lanes/board.js").Told>} [more] */
function hear(one, more = {}) {
  one.load({ asked: { ...SAID, ...more } });
  one.load({ told: { ...SAID, rows: ROWS, auto: true, ...more } });
}

test("lanes follow the sentence until somebody places something, and again when they say so", () => {
  const { board: one, sent } = board();
  hear(one);
  assert.deepEqual([one.own, one.open, one.blocks.length], [false, true, 2]);
  one.put({ ...one.blocks[0], start: 1 });
  assert.deepEqual(sent.at(-1), {
    rows: [
      [1, 5, "a", 0],
      [5, 10, "b", 0],
    ],
    own: true,
  });
  hear(one, { prompt: "c, then d", rows: [[0, 1, "c"]] });
  assert.deepEqual([one.own, one.blocks.length], [true, 2], "the person's own win");
  one.clear();
  assert.deepEqual(sent.at(-1), { rows: [[0, 1, "c", 0]], own: false });
  one.undo();
  assert.deepEqual([one.own, one.blocks.length], [true, 2]);
});

test("one sound has no lanes; an answer that comes late is not shown", () => {
  const { board: one } = board();
  hear(one, { prompt: "rain", rows: [] });
  assert.equal(one.open, false);
  one.load({ asked: { ...SAID, prompt: "rain falls" } });
  one.load({ told: { ...SAID, rows: ROWS, auto: true } });
  assert.equal(one.blocks.length, 0);
});

test("a model that takes sentences as they are has lanes only when they are wanted", () => {
  const { board: one, sent } = board();
  hear(one, { auto: false });
  assert.deepEqual([one.open, one.blocks.length], [false, 0]);
  one.turn(true);
  assert.equal(one.own, true);
  assert.equal(sent.at(-1)?.own, true);
});

test("events that come back are a person's own, unless the sentence says the same", () => {
  const { board: one, sent } = board();
  one.load({
    rows: [
      [0, 5, "a"],
      [5, 10, "b"],
    ],
    own: true,
    asked: SAID,
  });
  assert.equal(one.own, true);
  one.load({ told: { ...SAID, rows: ROWS, auto: true } });
  assert.equal(one.own, false);
  assert.deepEqual(sent.at(-1), {
    rows: [
      [0, 5, "a", 0],
      [5, 10, "b", 0],
    ],
    own: false,
  });
});

test("nothing placed is nothing of one's own: the sentence is followed", () => {
  const { board: one } = board();
  hear(one);
  for (const { id } of [...one.blocks]) one.remove(id);
  assert.deepEqual([one.own, one.blocks.length], [false, 2]);
});

test("what lies behind is said, unless it is one of them or tells of several", () => {
  const { board: one } = board();
  hear(one, { prompt: "rain", rows: [] });
  assert.equal(one.behind, "");
  const block = one.add();
  assert.equal(one.behind, "rain");
  if (block) one.put({ ...block, text: "rain" });
  assert.equal(one.behind, "");
  hear(one);
  assert.equal(one.behind, "");
});

test("what ends after the sound is late, and the lanes are long enough to show it", () => {
  const { board: one } = board();
  one.load({
    rows: [
      [0, 12, "a"],
      [0, 10.2, "b"],
    ],
    own: true,
  });
  assert.equal(one.length, 12);
  assert.deepEqual(
    one.late.map(({ text }) => text),
    ["a"],
  );
  one.load({ asked: { ...SAID, seconds: 15 } });
  assert.deepEqual([one.length, one.late.length], [15, 0]);
});

test("every change is one step back, and a step back is one forward", () => {
  const { board: one } = board();
  const block = one.add({ start: 1, end: 2 }, { text: "a", gain: 0 });
  assert.ok(block);
  one.put({ ...block, gain: -3 });
  const copy = one.copy(block);
  assert.deepEqual([copy?.start, copy?.end], [2, 3]);
  one.undo();
  one.undo();
  assert.deepEqual(rowsOf(one.blocks), [[1, 2, "a", 0]]);
  one.redo();
  assert.deepEqual(rowsOf(one.blocks), [[1, 2, "a", -3]]);
  one.remove(block.id);
  assert.equal(one.future.length, 0, "another way was taken");
});

test("there is room for so many and no more", () => {
  const { board: one } = board();
  for (let k = 0; k < 40; k++) one.add({ start: 0, end: 1 }, { text: "a", gain: 0 });
  assert.equal(one.blocks.length, 32);
  assert.match(one.note, /32/);
});

test("the sentence is asked about once, when nobody types any more, and not after the end", async () => {
  const { board: one, asked, scope } = board();
  for (const prompt of ["a", "a, ", "a, then b"]) one.load({ asked: { ...SAID, prompt } });
  await new Promise((done) => setTimeout(done, 600));
  assert.deepEqual(asked, [SAID]);
  one.load({ asked: { ...SAID, prompt: "another" } });
  scope.end();
  await new Promise((done) => setTimeout(done, 600));
  assert.equal(asked.length, 1);
});
