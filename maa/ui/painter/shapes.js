// @ts-check
// shapes.js: which cells a brush, a stroke or a lasso takes.
import { clamp } from "../web/axes.js";

/** @typedef {import("./axes.js").BandAxes} BandAxes */
/** @typedef {import("./axes.js").Box} Box */
/** @typedef {{ frame: number, band: number }} Spot fractions of cells */
/** @typedef {{ ms: number, hertz: number }} Brush its width and its height */
/** @typedef {{ left: boolean, right: boolean, top: boolean, bottom: boolean }} Grip edges that are held */

/**
 * An ellipse of the brush's size around a point: how far it reaches in frames and bands.
 * @param {BandAxes} axes @param {Spot} at @param {Brush} brush
 */
export function reach(axes, at, brush) {
  const hertz = axes.hertz(at.band);
  return {
    frames: Math.max(brush.ms / 2000 / axes.frameSeconds, 1e-6),
    up: Math.max(axes.band(hertz + brush.hertz / 2) - at.band, 1e-6),
    down: Math.max(at.band - axes.band(hertz - brush.hertz / 2), 1e-6),
  };
}

/**
 * Every cell whose centre lies within the ellipse, and the cell that it stands on.
 * @param {BandAxes} axes @param {Spot} at @param {Brush} brush @param {Set<number>} into
 */
export function stamp(axes, at, brush, into) {
  const { frames, mels } = axes;
  const far = reach(axes, at, brush);
  const first = Math.max(0, Math.floor(at.frame - far.frames));
  const last = Math.min(frames - 1, Math.floor(at.frame + far.frames));
  const low = Math.max(0, Math.floor(at.band - far.down));
  const high = Math.min(mels - 1, Math.floor(at.band + far.up));
  for (let band = low; band <= high; band++) {
    const above = band + 0.5 - at.band;
    const y = above / (above > 0 ? far.up : far.down);
    for (let frame = first; frame <= last; frame++) {
      const x = (frame + 0.5 - at.frame) / far.frames;
      if (x * x + y * y <= 1) into.add(band * frames + frame);
    }
  }
  into.add(Math.min(mels - 1, Math.floor(at.band)) * frames + Math.min(frames - 1, Math.floor(at.frame)));
}

/**
 * From one point to the next without gaps, whatever the brush and however fast the hand.
 * @param {BandAxes} axes @param {Spot} from @param {Spot} to @param {Brush} brush
 */
export function stroke(axes, from, to, brush) {
  /** @type {Set<number>} */
  const into = new Set();
  const steps = Math.max(1, Math.ceil(2 * Math.max(Math.abs(to.frame - from.frame), Math.abs(to.band - from.band))));
  for (let i = 1; i <= steps; i++) {
    const part = i / steps;
    const at = { frame: from.frame + (to.frame - from.frame) * part, band: from.band + (to.band - from.band) * part };
    stamp(axes, at, brush, into);
  }
  return into;
}

/**
 * Every cell whose centre lies inside a closed line; a line too thin for that takes the cells under it.
 * @param {BandAxes} axes @param {Spot[]} points
 */
export function insideOf(axes, points) {
  /** @type {Set<number>} */
  const into = new Set();
  for (let band = 0; band < axes.mels; band++) {
    const y = band + 0.5;
    /** @type {number[]} */
    const crossings = [];
    points.forEach((a, i) => {
      const b = points[(i + 1) % points.length];
      if (a.band > y !== b.band > y) crossings.push(a.frame + ((y - a.band) / (b.band - a.band)) * (b.frame - a.frame));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const last = Math.min(axes.frames - 1, Math.ceil(crossings[i + 1] - 0.5) - 1);
      for (let frame = Math.max(0, Math.ceil(crossings[i] - 0.5)); frame <= last; frame++)
        into.add(band * axes.frames + frame);
    }
  }
  if (into.size) return into;
  points.forEach((point, i) => {
    for (const cell of stroke(axes, points[Math.max(0, i - 1)], point, { ms: 0, hertz: 0 })) into.add(cell);
  });
  return into;
}

/**
 * The cells that a drag between two points touches, as the tool means it.
 * @param {BandAxes} axes @param {string} tool @param {Spot} from @param {Spot} to
 * @returns {Box}
 */
export function boxBetween(axes, tool, from, to) {
  const { frames, mels } = axes;
  /** @type {(a: number, b: number, most: number) => [number, number]} */
  const span = (a, b, most) => {
    const first = Math.min(Math.floor(Math.min(a, b)), most - 1);
    return [first, Math.min(most, Math.max(first + 1, Math.ceil(Math.max(a, b))))];
  };
  const [first, last] = tool === "frequency" ? [0, frames] : span(from.frame, to.frame, frames);
  const [low, high] = tool === "time" ? [0, mels] : span(from.band, to.band, mels);
  return { first, last, low, high };
}

/**
 * What of a box lies within `slack` pixels of a point on the screen.
 * @param {BandAxes} axes @param {Box} box @param {number} x @param {number} y @param {number} slack
 * @returns {Grip | null}
 */
export function gripOf(axes, box, x, y, slack) {
  const [left, right, top, bottom] = [axes.x(box.first), axes.x(box.last), axes.y(box.high), axes.y(box.low)];
  if (x < left - slack || x > right + slack || y < top - slack || y > bottom + slack) return null;
  /** @type {(a: number, b: number) => boolean} */
  const near = (a, b) => Math.abs(a - b) <= slack;
  const grip = { left: near(x, left), right: near(x, right), top: near(y, top), bottom: near(y, bottom) };
  if (grip.left && grip.right) {
    grip.right = x > (left + right) / 2;
    grip.left = !grip.right;
  }
  if (grip.top && grip.bottom) {
    grip.bottom = y > (top + bottom) / 2;
    grip.top = !grip.bottom;
  }
  return grip;
}

/**
 * A box moved or stretched by whole cells from where it was, within the picture.
 * @param {BandAxes} axes @param {Box} box @param {Partial<Grip>} grip @param {number} frames @param {number} bands
 * @returns {Box}
 */
export function dragged(axes, box, grip, frames, bands) {
  const whole = !(grip.left || grip.right || grip.top || grip.bottom);
  if (whole) {
    const across = clamp(frames, -box.first, axes.frames - box.last);
    const up = clamp(bands, -box.low, axes.mels - box.high);
    return { first: box.first + across, last: box.last + across, low: box.low + up, high: box.high + up };
  }
  return {
    first: grip.left ? clamp(box.first + frames, 0, box.last - 1) : box.first,
    last: grip.right ? clamp(box.last + frames, box.first + 1, axes.frames) : box.last,
    low: grip.bottom ? clamp(box.low + bands, 0, box.high - 1) : box.low,
    high: grip.top ? clamp(box.high + bands, box.low + 1, axes.mels) : box.high,
  };
}
