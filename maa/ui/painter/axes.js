// axes.js: where a frame and a band lie on the screen, and which hertz and seconds belong to them.

const MARGIN = { left: 54, right: 10, top: 10, bottom: 26 };
const HERTZ = [125, 250, 500, 1000, 2000, 4000, 8000, 16000];
const SPACING = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60];

class Axes {
  constructor(sound) {
    this.mels = sound.mels;
    this.frames = sound.frames;
    this.edges = sound.edges;
    this.frameSeconds = sound.hop / sound.rate;
    this.width = 0;
    this.height = 0;
  }

  resize(width, height) {
    this.width = Math.max(1, width - MARGIN.left - MARGIN.right);
    this.height = Math.max(1, height - MARGIN.top - MARGIN.bottom);
  }

  get seconds() { return this.frames * this.frameSeconds; }
  x(frame) { return MARGIN.left + (frame / this.frames) * this.width; }
  y(band) { return MARGIN.top + (1 - band / this.mels) * this.height; }
  frameAt(x) { return clamp(((x - MARGIN.left) / this.width) * this.frames, 0, this.frames); }
  bandAt(y) { return clamp((1 - (y - MARGIN.top) / this.height) * this.mels, 0, this.mels); }

  // A brush that is round on the screen, from its width in bands.
  radius(bands) {
    const pixels = (bands / 2 / this.mels) * this.height;
    return { bands: bands / 2, frames: (pixels / this.width) * this.frames };
  }

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
    const inside = centres.flatMap((centre, k) => (centre >= low && centre <= high ? [k] : []));
    if (!inside.length) {
      const middle = (low + high) / 2;
      inside.push(centres.reduce((best, c, k) => (Math.abs(c - middle) < Math.abs(centres[best] - middle) ? k : best), 0));
    }
    const slack = 1e-6; // 2.0 s is frame 125 exactly, whatever the division says
    return {
      first: clamp(Math.floor(start / this.frameSeconds + slack), 0, this.frames - 1),
      last: clamp(Math.ceil(end / this.frameSeconds - slack), 1, this.frames),
      low: inside[0],
      high: inside[inside.length - 1] + 1,
    };
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
    const wanted = SPACING.find((step) => (step / this.seconds) * this.width >= 48) || 120;
    const ticks = [];
    for (let i = 0; i * wanted <= this.seconds + 1e-9; i++) ticks.push(i * wanted);
    return ticks;
  }
}

function clamp(value, low, high) { return Math.min(high, Math.max(low, value)); }

function hertzText(hertz) {
  if (hertz < 1000) return `${Math.round(hertz)} Hz`;
  return `${Number((hertz / 1000).toFixed(hertz < 10000 ? 2 : 1))} kHz`;
}

function spanText(axes, box) {
  const time = (frame) => (frame * axes.frameSeconds).toFixed(2);
  return `${time(box.first)} to ${time(box.last)} s, ${hertzText(axes.hertz(box.low))} to ${hertzText(axes.hertz(box.high))}`;
}
