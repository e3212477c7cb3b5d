// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { peaksBetween } from "../../maa/ui/takes/clipchart.js";
import { downloadUrl } from "../../maa/ui/takes/dragout.js";
import { around, panned, revealed, selected, stretchText, zoomed } from "../../maa/ui/takes/stretch.js";

test("zooming keeps a second in its place, within the sound", () => {
  assert.deepEqual(zoomed([0, 10], 10, 2, 5), [2.5, 7.5]);
  assert.deepEqual(zoomed([2.5, 7.5], 10, 2, 2.5), [2.5, 5]);
  assert.deepEqual(zoomed([0, 10], 10, 2, 10), [5, 10]);
  assert.deepEqual(zoomed([4, 6], 10, 0.01, 5), [0, 10], "never farther than the whole");
  const [from, to] = zoomed([4, 6], 10, 1e9, 5);
  assert.ok(Math.abs(to - from - 0.05) < 1e-9, "never closer than 50 ms");
  assert.deepEqual(zoomed([0, 0.02], 0.02, 3), [0, 0.02], "a sound that is shorter than that stays whole");
});

test("what is in view stays within the sound", () => {
  assert.deepEqual(panned([2, 4], 10, 3), [5, 7]);
  assert.deepEqual(panned([2, 4], 10, -30), [0, 2]);
  assert.deepEqual(panned([2, 4], 10, 30), [8, 10]);
  assert.deepEqual(revealed([2, 4], 10, 3), [2, 4]);
  assert.deepEqual(revealed([2, 4], 10, 7), [6, 8]);
  assert.deepEqual(
    around([4, 5], 10).map((one) => Number(one.toFixed(6))),
    [3.9, 5.1],
  );
  assert.deepEqual(around([0, 10], 10), [0, 10]);
});

test("a selection has an order, an end, and some length", () => {
  assert.deepEqual(selected(3.00049, 1, 10), [1, 3]);
  assert.deepEqual(selected(-5, 4, 10), [0, 4]);
  assert.deepEqual(selected(4, 50, 10), [4, 10]);
  assert.equal(selected(4, 4.005, 10), null);
  assert.equal(selected(0, 10, 10), null, "everything is no selection");
  assert.equal(selected(Number.NaN, 4, 10), null);
  assert.equal(stretchText([1, 3], 10), "Selected: 1.00 to 3.00 s (2.00 s)");
  assert.equal(stretchText(null, 10), "The whole sound: 10.00 s");
});

test("peaks of a part are those of its samples", () => {
  const samples = Float32Array.from({ length: 100 }, (_, i) => (i % 2 ? i : -i));
  assert.deepEqual([...peaksBetween(samples, 0, 1, 2)], [-48, 49, -98, 99]);
  assert.deepEqual([...peaksBetween(samples, 0.5, 0.54, 2)], [-50, 51, -52, 53]);
  assert.equal(peaksBetween(samples, 0.5, 0.51, 8).length, 16, "more columns than samples");
  assert.ok(peaksBetween(samples, 0.5, 0.51, 8).every(Number.isFinite));
});

test("what is dragged out says its kind, its name and its whole address", () => {
  assert.equal(downloadUrl("rain_seed-7.wav", "http://a/b.wav"), "audio/wav:rain_seed-7.wav:http://a/b.wav");
  assert.equal(downloadUrl("a:b.MP4", "http://a/c.mp4"), "video/mp4:a-b.MP4:http://a/c.mp4");
  assert.equal(downloadUrl("a", "http://a/c"), "application/octet-stream:a:http://a/c");
});
