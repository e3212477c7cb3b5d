// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { BandAxes } from "../../maa/ui/painter/axes.js";
import { Fourier, markedPart } from "../../maa/ui/painter/filter.js";

const RATE = 8000;
const [MELS, FRAMES] = [39, 100];
const edges = Array.from({ length: MELS + 2 }, (_, k) => 100 * k);
const axes = new BandAxes({ mels: MELS, frames: FRAMES, hop: 80, rate: RATE, edges }); // one second

/** @param {number} hertz */
function tone(hertz) {
  return Float32Array.from({ length: RATE }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / RATE));
}

/** @param {Float32Array} wave @param {number} from @param {number} to seconds */
function rms(wave, from, to) {
  const part = wave.subarray(from * RATE, to * RATE);
  return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);
}

/** @param {(band: number, frame: number) => boolean} test */
function cellsWhere(test) {
  return Uint8Array.from({ length: MELS * FRAMES }, (_, i) => Number(test(Math.floor(i / FRAMES), i % FRAMES)));
}

test("the transform is that of its definition", () => {
  const size = 16;
  const [real, imag] = [new Float64Array(size), new Float64Array(size)];
  for (let i = 0; i < size; i++) {
    real[i] = Math.sin(i * i);
    imag[i] = Math.cos(3 * i);
  }
  const [re, im] = [real.slice(), imag.slice()];
  new Fourier(size).run(re, im);
  for (let k = 0; k < size; k++) {
    let [a, b] = [0, 0];
    for (let i = 0; i < size; i++) {
      const [c, s] = [Math.cos((2 * Math.PI * k * i) / size), -Math.sin((2 * Math.PI * k * i) / size)];
      a += real[i] * c - imag[i] * s;
      b += real[i] * s + imag[i] * c;
    }
    assert.ok(Math.abs(re[k] - a) < 1e-9 && Math.abs(im[k] - b) < 1e-9);
  }
});

test("everything marked is everything", async () => {
  const [part] = await markedPart(
    [tone(1000)],
    RATE,
    axes,
    cellsWhere(() => true),
  );
  assert.ok(Math.abs(rms(part, 0.2, 0.8) - Math.SQRT1_2) < 0.01);
});

test("a stretch of time is heard in that time only", async () => {
  const cells = cellsWhere((_, frame) => frame >= 30 && frame < 60);
  const [part] = await markedPart([tone(1000)], RATE, axes, cells);
  assert.ok(rms(part, 0.38, 0.52) > 0.95 * Math.SQRT1_2);
  assert.ok(rms(part, 0.05, 0.2) < 1e-3);
  assert.ok(rms(part, 0.75, 0.95) < 1e-3);
});

test("a band is heard and what lies beside it is not", async () => {
  const cells = cellsWhere((band) => band >= 5 && band < 15); // 600 to 1,500 Hz
  const [inside] = await markedPart([tone(1000)], RATE, axes, cells);
  const [beside] = await markedPart([tone(2500)], RATE, axes, cells);
  assert.ok(rms(inside, 0.2, 0.8) > 0.95 * Math.SQRT1_2);
  assert.ok(rms(beside, 0.2, 0.8) < 0.01);
});

test("channels do not mix", async () => {
  const cells = cellsWhere(() => true);
  const [left, right] = await markedPart([tone(1000), new Float32Array(RATE)], RATE, axes, cells);
  assert.ok(rms(left, 0.2, 0.8) > 0.7);
  assert.equal(rms(right, 0, 1), 0);
});
