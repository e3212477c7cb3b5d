// @ts-check
// axes.js: the painter's axes: besides frames and bands they know hertz, boxes, and a scroll bar.
import { Axes, clamp, hertzText } from "../web/axes.js";

export const MARGIN = { left: 54, right: 10, top: 10, bottom: 38 };
export const BAR = 8; // pixels of the scroll bar at the bottom
const THUMB = 18; // pixels of its thumb at least
const HERTZ = [125, 250, 500, 1000, 2000, 4000, 8000, 16000];

/** @typedef {{ first: number, last: number, low: number, high: number }} Box cells; last and high are one beyond */
/** @typedef {{ start: number, end: number, low: number, high: number }} Region seconds and hertz */

export class BandAxes extends Axes {
  /**
   * @param {{ mels: number, frames: number, hop: number, rate: number, edges: number[] }} sound
   *   hop in samples; rate and the mels + 2 edges in Hz
   */
  constructor(sound) {
    super({ mels: sound.mels, frames: sound.frames, frameSeconds: sound.hop / sound.rate, ticks: [] }, MARGIN);
    this.edges = sound.edges;
    const shown = HERTZ.filter((hertz) => hertz > this.edges[0] && hertz < 1.1 * this.highest);
    /** @type {import("../web/axes.js").Tick[]} */
    this.ticks = shown.map((hertz) => [this.band(hertz) / this.mels, hertzText(hertz)]);
  }

  get highest() {
    return this.edges[this.edges.length - 1];
  }

  /** Band k reaches from k to k + 1 and its centre, edges[k + 1], lies at k + 0.5. @param {number} band */
  hertz(band) {
    const at = clamp(band + 0.5, 0, this.mels + 1);
    const k = Math.min(this.mels, Math.floor(at));
    return this.edges[k] + (this.edges[k + 1] - this.edges[k]) * (at - k);
  }

  /** The hertz at the lower edge of a band; the outermost edges are those of the whole picture. @param {number} band */
  edge(band) {
    if (band <= 0) return this.edges[0];
    return band >= this.mels ? this.highest : this.hertz(band);
  }

  /** @param {number} hertz */
  band(hertz) {
    if (hertz <= this.edges[0]) return 0;
    if (hertz >= this.highest) return this.mels;
    let k = 0;
    while (this.edges[k + 1] < hertz) k++;
    return clamp(k + (hertz - this.edges[k]) / (this.edges[k + 1] - this.edges[k]) - 0.5, 0, this.mels);
  }

  /**
   * The cells of a region: bands by their centre, at least the nearest one; frames that it touches.
   * @param {Region} region
   * @returns {Box}
   */
  boxOf({ start, end, low, high }) {
    const centres = this.edges.slice(1, -1);
    const inside = centres.flatMap((centre, k) => (centre >= low - 0.5 && centre <= high + 0.5 ? [k] : []));
    if (!inside.length) {
      const far = (/** @type {number} */ k) => Math.abs(centres[k] - (low + high) / 2);
      inside.push(centres.reduce((best, _, k) => (far(k) < far(best) ? k : best), 0));
    }
    const slack = 1e-3; // 2.0 s is frame 125 exactly, whatever the division says
    const first = clamp(Math.floor(start / this.frameSeconds + slack), 0, this.frames - 1);
    const last = clamp(Math.ceil(end / this.frameSeconds - slack), first + 1, this.frames);
    return { first, last, low: inside[0], high: inside[inside.length - 1] + 1 };
  }

  /** The other way round: a box as numbers that name exactly its cells. @param {Box} box @returns {Region} */
  numbersOf(box) {
    const seconds = (/** @type {number} */ frame) => Number((frame * this.frameSeconds).toFixed(3));
    const [low, high] = [box.low, box.high].map((band) => Math.round(this.edge(band)));
    return { start: seconds(box.first), end: seconds(box.last), low, high };
  }

  /** The thumb of the scroll bar, in pixels. */
  thumb() {
    return {
      left: this.left + (this.from / this.frames) * this.width,
      width: Math.max(THUMB, (this.shown / this.frames) * this.width),
      top: this.bottom + this.margin.bottom - BAR - 2,
    };
  }

  /** What a box covers, in words. @param {Box} box */
  spanText(box) {
    const time = (/** @type {number} */ frame) => (frame * this.frameSeconds).toFixed(2);
    const [low, high] = [box.low, box.high].map((band) => hertzText(this.edge(band)));
    return `${time(box.first)} to ${time(box.last)} s, ${low} to ${high}`;
  }
}
