// axes.js: where a frame and a band lie on the screen, which hertz and seconds belong to them, and what is in view.

const MARGIN = { left: 54, right: 10, top: 10, bottom: 38 };
const BAR = 8; // pixels of the scroll bar at the bottom
const HERTZ = [125, 250, 500, 1000, 2000, 4000, 8000, 16000];
const SPACING = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120];
const NEAREST = 24; // frames in view at the closest

class Axes {
  constructor(sound) {
    this.mels = sound.mels;
    this.frames = sound.frames;
    this.edges = sound.edges;
    this.frameSeconds = sound.hop / sound.rate;
    this.width = 1;
    this.height = 1;
    this.from = 0; // first and last frame in view, may be fractions
    this.to = sound.frames;
  }

  resize(width, height) {
    this.width = Math.max(1, width - MARGIN.left - MARGIN.right);
    this.height = Math.max(1, height - MARGIN.top - MARGIN.bottom);
  }

  get shown() { return this.to - this.from; }
  get seconds() { return this.frames * this.frameSeconds; }
  get zoomed() { return this.shown < this.frames - 1e-6; }
  get bottom() { return MARGIN.top + this.height; }

  x(frame) { return MARGIN.left + ((frame - this.from) / this.shown) * this.width; }
  y(band) { return MARGIN.top + (1 - band / this.mels) * this.height; }
  frameAt(x) { return clamp(this.from + ((x - MARGIN.left) / this.width) * this.shown, 0, this.frames); }
  bandAt(y) { return clamp((1 - (y - MARGIN.top) / this.height) * this.mels, 0, this.mels); }

  // ---- what is in view

  show(from, shown) {
    const width = clamp(shown, Math.min(NEAREST, this.frames), this.frames);
    this.from = clamp(from, 0, this.frames - width);
    this.to = this.from + width;
  }

  // Closer by a factor, with the frame under x staying where it is.
  zoom(factor, x = MARGIN.left + this.width / 2) {
    const frame = this.from + ((x - MARGIN.left) / this.width) * this.shown;
    const width = clamp(this.shown / factor, Math.min(NEAREST, this.frames), this.frames);
    this.show(frame - ((frame - this.from) / this.shown) * width, width);
  }

  pan(frames) { this.show(this.from + frames, this.shown); }

  reveal(box) {
    if (box.first < this.from || box.last > this.to) this.show((box.first + box.last - this.shown) / 2, this.shown);
  }

  // The thumb of the scroll bar, in pixels.
  thumb() {
    const left = MARGIN.left + (this.from / this.frames) * this.width;
    return { left, width: Math.max(18, (this.shown / this.frames) * this.width), top: this.bottom + MARGIN.bottom - BAR - 2 };
  }

  // ---- units

  // Band k reaches from k to k + 1 and its centre, edges[k + 1], lies at k + 0.5.
  hertz(band) {
    const at = clamp(band + 0.5, 0, this.mels + 1);
    const k = Math.min(this.mels, Math.floor(at));
    return this.edges[k] + (this.edges[k + 1] - this.edges[k]) * (at - k);
  }

  band(hertz) {
    const top = this.edges.length - 1;
    if (hertz <= this.edges[0]) return 0;
    if (hertz >= this.edges[top]) return this.mels;
    let k = 0;
    while (this.edges[k + 1] < hertz) k++;
    return clamp(k + (hertz - this.edges[k]) / (this.edges[k + 1] - this.edges[k]) - 0.5, 0, this.mels);
  }

  // The cells of a region in seconds and hertz: bands by their centre, at least the nearest one; frames that it touches.
  boxOf(start, end, low, high) {
    const centres = this.edges.slice(1, -1);
    const inside = centres.flatMap((centre, k) => (centre >= low - 0.5 && centre <= high + 0.5 ? [k] : []));
    if (!inside.length) {
      const middle = (low + high) / 2;
      inside.push(centres.reduce((best, c, k) => (Math.abs(c - middle) < Math.abs(centres[best] - middle) ? k : best), 0));
    }
    const slack = 1e-3; // 2.0 s is frame 125 exactly, whatever the division says
    const first = clamp(Math.floor(start / this.frameSeconds + slack), 0, this.frames - 1);
    return {
      first,
      last: clamp(Math.ceil(end / this.frameSeconds - slack), first + 1, this.frames),
      low: inside[0],
      high: inside[inside.length - 1] + 1,
    };
  }

  // The other way round: a box as numbers that name exactly its cells.
  numbersOf(box) {
    const seconds = (frame) => Number((frame * this.frameSeconds).toFixed(3));
    return { start: seconds(box.first), end: seconds(box.last), low: Math.round(this.hertz(box.low)), high: Math.round(this.hertz(box.high)) };
  }

  hertzTicks() {
    const [bottom, top] = [this.edges[0], this.edges[this.edges.length - 1]];
    const ticks = HERTZ.filter((hertz) => hertz > bottom && hertz < 1.1 * top);
    // From the top down, leaving out what would touch the one above it.
    return ticks.reverse().reduce((kept, hertz) => {
      const above = kept.length ? this.y(this.band(kept[kept.length - 1])) : -Infinity;
      return this.y(this.band(hertz)) - above < 15 ? kept : [...kept, hertz];
    }, []);
  }

  secondTicks() {
    const pixels = this.width / (this.shown * this.frameSeconds); // of a second
    const wanted = SPACING.find((step) => step * pixels >= 52) || 300;
    const ticks = [];
    for (let i = Math.ceil((this.from * this.frameSeconds) / wanted - 1e-9); i * wanted <= this.to * this.frameSeconds + 1e-9; i++) {
      ticks.push(i * wanted);
    }
    return ticks;
  }
}

function clamp(value, low, high) { return Math.min(high, Math.max(low, value)); }

function hertzText(hertz) {
  if (hertz < 1000) return `${Math.round(hertz)} Hz`;
  return `${Number((hertz / 1000).toFixed(hertz < 10000 ? 2 : 1))} kHz`;
}

function secondText(second) {
  if (second < 60) return second ? `${Number(second.toFixed(2))} s` : "0";
  const rest = Number((second % 60).toFixed(2));
  return `${Math.floor(second / 60)}:${rest < 10 ? "0" : ""}${rest}`;
}

function spanText(axes, box) {
  const time = (frame) => (frame * axes.frameSeconds).toFixed(2);
  return `${time(box.first)} to ${time(box.last)} s, ${hertzText(axes.hertz(box.low))} to ${hertzText(axes.hertz(box.high))}`;
}
