// @ts-check
// filter.js: the marked part of a sound, and the rest of it: what is heard of a selection. The same mathematics as the
// splice: a short-time spectrum, weighted by the mask with its band edges feathered, and back.

import { clamp } from "../web/axes.js";

/** @typedef {import("./axes.js").BandAxes} BandAxes */

/** In-place complex FFT of a power of two. */
export class Fourier {
  /** @param {number} size */
  constructor(size) {
    this.size = size;
    this.cos = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.sin = Float64Array.from({ length: size / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / size));
    const bits = Math.log2(size);
    this.order = Uint32Array.from({ length: size }, (_, i) => {
      let reversed = 0;
      for (let bit = 0; bit < bits; bit++) if (i & (1 << bit)) reversed |= 1 << (bits - 1 - bit);
      return reversed;
    });
  }

  /** @param {Float64Array} real @param {Float64Array} imag */
  run(real, imag) {
    const { size, cos, sin, order } = this;
    for (let i = 0; i < size; i++) {
      const j = order[i];
      if (j <= i) continue;
      [real[i], real[j]] = [real[j], real[i]];
      [imag[i], imag[j]] = [imag[j], imag[i]];
    }
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const [c, s] = [cos[k * stride], -sin[k * stride]];
          const [a, b] = [start + k, start + k + half];
          const re = real[b] * c - imag[b] * s;
          const im = real[b] * s + imag[b] * c;
          real[b] = real[a] - re;
          imag[b] = imag[a] - im;
          real[a] += re;
          imag[a] += im;
        }
      }
    }
  }
}

/**
 * For every bin of the spectrum the lower of the two bands that it lies between, and how near it is to the upper one.
 * @param {BandAxes} axes @param {number} size @param {number} rate
 * @returns {[number, number][]}
 */
function bandsOfBins(axes, size, rate) {
  return Array.from({ length: size / 2 + 1 }, (_, bin) => {
    const at = clamp(axes.band((bin * rate) / size) - 0.5, 0, axes.mels - 1);
    const low = Math.min(Math.floor(at), axes.mels - 2);
    return [low, at - low];
  });
}

/**
 * What is marked of each channel, silence elsewhere. It lets the page breathe between frames.
 * @param {Float32Array<ArrayBuffer>[]} channels @param {number} rate Hz @param {BandAxes} axes
 * @param {Uint8Array} cells
 */
export async function markedPart(channels, rate, axes, cells) {
  const size = 2 ** Math.round(Math.log2(0.064 * rate));
  const hop = size / 4;
  const fourier = new Fourier(size);
  const window = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  const bins = bandsOfBins(axes, size, rate);
  const marked = new Uint8Array(axes.frames);
  for (let i = 0; i < cells.length; i++) if (cells[i]) marked[i % axes.frames] = 1;
  const [real, imag, weight] = [new Float64Array(size), new Float64Array(size), new Float64Array(size / 2 + 1)];
  const parts = channels.map((channel) => new Float32Array(channel.length));
  const count = channels[0].length;
  let worked = 0;
  for (let centre = 0; centre < count + size; centre += hop) {
    const frame = Math.floor(centre / rate / axes.frameSeconds);
    if (frame >= axes.frames || !marked[frame]) continue;
    bins.forEach(([low, part], bin) => {
      weight[bin] = (1 - part) * cells[low * axes.frames + frame] + part * cells[(low + 1) * axes.frames + frame];
    });
    for (let c = 0; c < channels.length; c++) {
      const start = centre - size / 2;
      for (let i = 0; i < size; i++) {
        const at = start + i;
        real[i] = at >= 0 && at < count ? channels[c][at] * window[i] : 0;
        imag[i] = 0;
      }
      fourier.run(real, imag);
      for (let i = 0; i < size; i++) {
        const w = weight[i <= size / 2 ? i : size - i];
        real[i] *= w;
        imag[i] *= -w; // the conjugate, so that the same transform leads back
      }
      fourier.run(real, imag);
      for (let i = 0; i < size; i++) {
        const at = start + i;
        if (at >= 0 && at < count) parts[c][at] += (real[i] * window[i]) / size / 1.5; // Hann squared at a quarter: 3/2
      }
    }
    if (++worked % 64 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  return parts;
}
