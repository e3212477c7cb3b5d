// @ts-check
// axes.js: where a frame and a band lie on a screen, which of them are in view, and what is written beside them.

const SPACING = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120]; // seconds between two marks
const APART = { seconds: 52, hertz: 14 }; // pixels between two marks at least
const NEAREST = 24; // frames in view at the closest

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Margin pixels around the picture */
/** @typedef {[height: number, text: string]} Tick a frequency: its height from 0 to 1, and what to write there */

export class Axes {
  /**
   * @param {{ mels: number, frames: number, frameSeconds: number, ticks: Tick[] }} grid ticks from low to high
   * @param {Margin} margin
   */
  constructor(grid, margin) {
    this.mels = grid.mels;
    this.frames = grid.frames;
    this.frameSeconds = grid.frameSeconds;
    this.ticks = grid.ticks;
    this.margin = margin;
    this.width = 1; // of the picture, in pixels
    this.height = 1;
    this.from = 0; // first and last frame in view, may be fractions
    this.to = grid.frames;
  }

  /** @param {number} width @param {number} height of the whole screen, in pixels */
  resize(width, height) {
    this.width = Math.max(1, width - this.margin.left - this.margin.right);
    this.height = Math.max(1, height - this.margin.top - this.margin.bottom);
  }

  get shown() {
    return this.to - this.from;
  }
  get seconds() {
    return this.frames * this.frameSeconds;
  }
  get zoomed() {
    return this.shown < this.frames - 1e-6;
  }
  get left() {
    return this.margin.left;
  }
  get right() {
    return this.margin.left + this.width;
  }
  get top() {
    return this.margin.top;
  }
  get bottom() {
    return this.margin.top + this.height;
  }

  /** @param {number} frame */
  x(frame) {
    return this.left + ((frame - this.from) / this.shown) * this.width;
  }
  /** @param {number} second */
  xOf(second) {
    return this.x(second / this.frameSeconds);
  }
  /** @param {number} band */
  y(band) {
    return this.top + (1 - band / this.mels) * this.height;
  }
  /** @param {number} x */
  frameAt(x) {
    return clamp(this.from + ((x - this.left) / this.width) * this.shown, 0, this.frames);
  }
  /** @param {number} x */
  secondAt(x) {
    return this.frameAt(x) * this.frameSeconds;
  }
  /** @param {number} y */
  bandAt(y) {
    return clamp((1 - (y - this.top) / this.height) * this.mels, 0, this.mels);
  }

  // ---- what is in view

  /** @param {number} from @param {number} shown frames */
  show(from, shown) {
    const width = clamp(shown, Math.min(NEAREST, this.frames), this.frames);
    this.from = clamp(from, 0, this.frames - width);
    this.to = this.from + width;
  }

  /** Closer by a factor, with the frame under x staying where it is. @param {number} factor */
  zoom(factor, x = this.left + this.width / 2) {
    const frame = this.from + ((x - this.left) / this.width) * this.shown;
    const width = clamp(this.shown / factor, Math.min(NEAREST, this.frames), this.frames);
    this.show(frame - ((frame - this.from) / this.shown) * width, width);
  }

  /** @param {number} frames */
  pan(frames) {
    this.show(this.from + frames, this.shown);
  }

  /** @param {{ first: number, last: number }} box frames */
  reveal(box) {
    if (box.first < this.from || box.last > this.to) this.show((box.first + box.last - this.shown) / 2, this.shown);
  }

  // ---- what is written beside it

  /** From the top down, leaving out what would touch the one above it. @returns {{ y: number, text: string }[]} */
  hertzTicks() {
    /** @type {{ y: number, text: string }[]} */
    const kept = [];
    for (const [height, text] of [...this.ticks].reverse()) {
      const y = this.y(height * this.mels);
      if (!kept.length || y - kept[kept.length - 1].y >= APART.hertz) kept.push({ y, text });
    }
    return kept;
  }

  /** @returns {{ x: number, text: string }[]} */
  secondTicks() {
    const pixels = this.width / (this.shown * this.frameSeconds); // of a second
    const step = SPACING.find((one) => one * pixels >= APART.seconds) || 300;
    const last = this.to * this.frameSeconds + 1e-9;
    const ticks = [];
    for (let i = Math.ceil((this.from * this.frameSeconds) / step - 1e-9); i * step <= last; i++) {
      ticks.push({ x: this.xOf(i * step), text: secondText(i * step) });
    }
    return ticks;
  }
}

/** @param {number} value @param {number} low @param {number} high */
export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/** @param {number} hertz */
export function hertzText(hertz) {
  if (hertz < 1000) return `${Math.round(hertz)} Hz`;
  return `${Number((hertz / 1000).toFixed(hertz < 10000 ? 2 : 1))} kHz`;
}

/** @param {number} second */
export function secondText(second) {
  if (second < 60) return second ? `${Number(second.toFixed(2))} s` : "0";
  const rest = Number((second % 60).toFixed(2));
  return `${Math.floor(second / 60)}:${rest < 10 ? "0" : ""}${rest}`;
}
