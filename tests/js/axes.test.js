// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { BandAxes } from "../../maa/ui/painter/axes.js";
import { Axes, clamp, hertzText, secondText } from "../../maa/ui/web/axes.js";

const MARGIN = { left: 10, right: 10, top: 5, bottom: 5 };
/** @type {[number, string][]} */
const TICKS = [
  [0.1, "low"],
  [0.12, "touches it"],
  [0.9, "high"],
];

function axesOf(frames = 100) {
  const axes = new Axes({ mels: 80, frames, frameSeconds: 0.016, ticks: TICKS }, MARGIN);
  axes.resize(220, 170); // 200 x 160 of picture
  return axes;
}

/** 80 bands of 100 Hz each: band k lies around 100 (k + 1) Hz. */
function bandAxes() {
  const edges = Array.from({ length: 82 }, (_, k) => 100 * k);
  return new BandAxes({ mels: 80, frames: 125, hop: 256, rate: 16_000, edges });
}

test("pixels and frames, bands and seconds lead into each other", () => {
  const axes = axesOf();
  axes.show(25, 50);
  for (const frame of [25, 40.5, 75]) assert.ok(Math.abs(axes.frameAt(axes.x(frame)) - frame) < 1e-9);
  for (const band of [0, 17.25, 80]) assert.ok(Math.abs(axes.bandAt(axes.y(band)) - band) < 1e-9);
  assert.equal(axes.y(0), 165);
  assert.equal(axes.y(80), 5);
  assert.ok(Math.abs(axes.secondAt(axes.xOf(0.8)) - 0.8) < 1e-9);
});

test("outside of the picture is its edge", () => {
  const axes = axesOf();
  assert.equal(axes.frameAt(-50), 0);
  assert.equal(axes.frameAt(5000), 100);
  assert.equal(axes.bandAt(5000), 0);
});

test("zooming keeps what lies under the pointer, and what is in view stays within the sound", () => {
  const axes = axesOf();
  const x = 70;
  const under = axes.frameAt(x);
  axes.zoom(2, x);
  assert.equal(axes.shown, 50);
  assert.ok(Math.abs(axes.frameAt(x) - under) < 1e-9);
  axes.pan(1000);
  assert.deepEqual([axes.from, axes.to], [50, 100]);
  axes.zoom(1000);
  assert.equal(axes.shown, 24, "not closer than that");
  axes.zoom(1e-6);
  assert.deepEqual([axes.from, axes.to, axes.zoomed], [0, 100, false]);
});

test("what lies outside is brought into view", () => {
  const axes = axesOf();
  axes.show(0, 30);
  axes.reveal({ first: 80, last: 90 });
  assert.deepEqual([axes.from, axes.to], [70, 100]);
  axes.reveal({ first: 75, last: 80 });
  assert.equal(axes.from, 70, "what is seen already does not move");
});

test("marks do not touch each other", () => {
  assert.deepEqual(
    axesOf()
      .hertzTicks()
      .map(({ text }) => text),
    ["high", "touches it"],
    "from the top down",
  );
  const axes = axesOf(1000);
  const seconds = axes.secondTicks();
  assert.equal(seconds[0].text, "0");
  for (let i = 1; i < seconds.length; i++) assert.ok(seconds[i].x - seconds[i - 1].x >= 52);
  assert.ok(seconds.length > 2);
});

test("numbers are written as people write them", () => {
  assert.deepEqual([125, 999.6, 1500, 8000, 12_345].map(hertzText), [
    "125 Hz",
    "1000 Hz",
    "1.5 kHz",
    "8 kHz",
    "12.3 kHz",
  ]);
  assert.deepEqual([0, 0.25, 59.5, 60, 65.5, 600].map(secondText), [
    "0",
    "0.25 s",
    "59.5 s",
    "1:00",
    "1:05.5",
    "10:00",
  ]);
  assert.deepEqual([clamp(-1, 0, 2), clamp(1, 0, 2), clamp(3, 0, 2)], [0, 1, 2]);
});

test("hertz and bands are each other's inverse, between the lowest centre and the highest", () => {
  const axes = bandAxes();
  for (const band of [0.5, 10, 41.3, 79.5]) assert.ok(Math.abs(axes.band(axes.hertz(band)) - band) < 1e-9);
  assert.equal(axes.hertz(0.5), 100, "the centre of the lowest band");
  assert.equal(axes.band(-5), 0);
  assert.equal(axes.band(1e6), 80);
  assert.deepEqual(
    axes.ticks.map(([, text]) => text),
    ["125 Hz", "250 Hz", "500 Hz", "1 kHz", "2 kHz", "4 kHz", "8 kHz"],
  );
});

test("a region takes the bands whose centre lies in it and the frames that it touches", () => {
  const axes = bandAxes();
  const box = { first: 10, last: 20, low: 4, high: 10 };
  assert.deepEqual(axes.boxOf({ start: 0.16, end: 0.32, low: 500, high: 1000 }), box, "whole frames stay whole");
  assert.deepEqual(axes.boxOf({ start: 0.161, end: 0.321, low: 500, high: 1000 }), { ...box, last: 21 });
  const thin = axes.boxOf({ start: 0, end: 0.001, low: 740, high: 741 });
  assert.deepEqual(thin, { first: 0, last: 1, low: 6, high: 7 }, "the nearest band, one frame");
});

test("the numbers of a box name exactly its cells", () => {
  const axes = bandAxes();
  for (const box of [
    { first: 0, last: 1, low: 0, high: 1 },
    { first: 31, last: 63, low: 5, high: 40 },
    { first: 0, last: 125, low: 0, high: 80 },
  ]) {
    assert.deepEqual(axes.boxOf(axes.numbersOf(box)), box);
  }
});

test("the thumb of the scroll bar stands where the view does", () => {
  const axes = bandAxes();
  axes.resize(164, 148);
  axes.show(50, 75);
  const { left, width } = axes.thumb();
  assert.equal(width, 60);
  assert.equal(left + width, axes.right);
});
