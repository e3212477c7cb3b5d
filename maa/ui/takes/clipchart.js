// @ts-check
// clipchart.js: the picture of a take from which a stretch is chosen: closer and farther, by hand and by keyboard.
import { clamp } from "../web/axes.js";
import { onDrag } from "../web/drag.js";
import { drawWave } from "../web/sound.js";
import { Chart } from "./chart.js";
import { around, panned, revealed, selected, zoomed } from "./stretch.js";

/** @typedef {import("./stretch.js").Stretch} Stretch */
/**
 * @typedef {object} Acts what the picture asks for
 * @property {() => void} changed the selection is another one
 * @property {() => void} toggle play or pause
 * @property {() => void} loop
 * @property {(seconds: number) => void} seek
 */

const CLOSER = 1.5; // at every press
const NEAR = { mouse: 6, touch: 16 }; // pixels around an edge that hold it
const STILL = 4; // pixels that a press may move and be no drag
const STEPS = 100; // of an arrow key over what is in view
const FADES = ["fade_in", "fade_out"];

export class ClipChart extends Chart {
  /**
   * @param {import("../web/scope.js").Scope} scope @param {string} label @param {Uint8Array} map
   * @param {Acts} acts
   */
  constructor(scope, label, map, acts) {
    super(scope, label, map);
    this.acts = acts;
    /** @type {Stretch | null} */
    this.chosen = null; // what is selected; null is everything
    /** @type {Record<string, any>} */
    this.shaping = {}; // whose fades are drawn
    /** @type {Float32Array | null} */
    this.samples = null; // of the first channel, once they are there
    this.anchor = 0; // second at which the selection was begun
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.classList.add("clipped");
    scope.listen(this.canvas, "keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey && this.key(event)) event.preventDefault();
    });
    scope.listen(this.canvas, "wheel", (event) => this.wheel(event), { passive: false });
    this.listenToHand();
  }

  get whole() {
    return this.view?.seconds || 0;
  }
  /** @returns {Stretch} */
  get seen() {
    return this.stretch || [0, this.whole];
  }

  /** @param {Stretch} stretch seconds that are in view */
  look(stretch) {
    const whole = stretch[1] - stretch[0] >= this.whole - 1e-6;
    this.stretch = whole ? null : stretch;
    this.canvas.dataset.view = stretch.map((one) => one.toFixed(3)).join(" ");
    this.stale = true;
    this.draw();
  }

  /** @param {number} factor @param {number} [at] second that stays where it is */
  zoom(factor, at = this.chosen ? (this.chosen[0] + this.chosen[1]) / 2 : undefined) {
    this.look(zoomed(this.seen, this.whole, factor, at));
  }

  all() {
    this.look([0, this.whole]);
  }

  toChosen() {
    if (this.chosen) this.look(around(this.chosen, this.whole));
  }

  /** @param {Stretch | null} stretch */
  choose(stretch) {
    this.chosen = stretch;
    this.draw();
    this.acts.changed();
  }

  // ---- by hand

  listenToHand() {
    let [begun, moved] = [0, false];
    const secondAt = (/** @type {{ x: number }} */ at) => this.axes.secondAt(at.x);
    onDrag(this.scope, this.canvas, {
      start: (at, event) => {
        this.canvas.focus({ preventScroll: true });
        [begun, moved] = [at.x, false];
        const edge = this.edgeAt(at.x, event.pointerType === "touch" ? NEAR.touch : NEAR.mouse);
        this.anchor = edge === null || !this.chosen ? secondAt(at) : this.chosen[1 - edge];
        moved = edge !== null;
        return true;
      },
      move: (at) => {
        moved ||= Math.abs(at.x - begun) >= STILL;
        if (moved) this.choose(selected(this.anchor, secondAt(at), this.whole));
      },
      end: (at) => {
        if (!moved) this.acts.seek(secondAt(at));
      },
      pinch: (before, after) => this.pinch(before, after),
      hover: (at) => {
        this.canvas.style.cursor = this.edgeAt(at.x, NEAR.mouse) === null ? "text" : "ew-resize";
      },
    });
  }

  /** Which end of the selection lies here. @param {number} x @param {number} near pixels */
  edgeAt(x, near) {
    const apart = (this.chosen || []).map((second) => Math.abs(this.axes.xOf(second) - x));
    const least = apart.indexOf(Math.min(...apart));
    return apart.length && apart[least] <= near ? least : null;
  }

  /** @param {number[]} before @param {number[]} after */
  pinch(before, after) {
    if (before.length < 2 || after.length < 2) return;
    const factor = Math.abs(after[1] - after[0]) / Math.max(1, Math.abs(before[1] - before[0]));
    this.zoom(factor, this.axes.secondAt((before[0] + before[1]) / 2));
    const pixels = (before[0] + before[1] - after[0] - after[1]) / 2;
    this.look(panned(this.seen, this.whole, (pixels / this.axes.width) * (this.seen[1] - this.seen[0])));
  }

  /** With Ctrl, or where the picture has the focus, the wheel zooms; sideways it moves. @param {WheelEvent} event */
  wheel(event) {
    const across = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    const [from, to] = this.seen;
    const x = event.clientX - this.canvas.getBoundingClientRect().left;
    if (Math.abs(across) > Math.abs(event.deltaY) || event.shiftKey) {
      if (!this.stretch) return;
      this.look(panned(this.seen, this.whole, (across / this.axes.width) * (to - from)));
    } else if (event.ctrlKey || event.metaKey || document.activeElement === this.canvas) {
      this.zoom(Math.exp(-event.deltaY / 300), this.axes.secondAt(x));
    } else return; // the page scrolls
    event.preventDefault();
  }

  // ---- by keyboard

  /** True when the key meant something. @param {KeyboardEvent} event */
  key(event) {
    const { key, shiftKey } = event;
    const { chosen, whole } = this;
    /** @type {Record<string, () => void>} */
    const acts = {
      " ": this.acts.toggle,
      o: this.acts.loop,
      "+": () => this.zoom(CLOSER),
      "=": () => this.zoom(CLOSER),
      "-": () => this.zoom(1 / CLOSER),
      0: () => this.all(),
      z: () => this.toChosen(),
      "[": () => this.choose(selected(this.at, chosen ? chosen[1] : whole, whole)),
      "]": () => this.choose(selected(chosen ? chosen[0] : 0, this.at, whole)),
      a: () => this.choose(null),
      escape: () => this.choose(null),
    };
    const act = acts[key.toLowerCase()];
    const to = this.target(key);
    if (act) act();
    else if (to === null) return false;
    else this.go(to, shiftKey);
    return true;
  }

  /** The second that a key leads to. @param {string} key */
  target(key) {
    const [from, to] = this.seen;
    const step = (to - from) / STEPS;
    const by = { ArrowLeft: -step, ArrowRight: step, PageUp: -10 * step, PageDown: 10 * step }[key];
    if (by !== undefined) return clamp(this.at + by, 0, this.whole);
    return key === "Home" ? 0 : key === "End" ? this.whole : null;
  }

  /** @param {number} to second @param {boolean} select from where it stands */
  go(to, select) {
    if (select && !this.chosen?.some((edge) => Math.abs(edge - this.at) < 0.002)) this.anchor = this.at;
    else if (select && this.chosen) this.anchor = this.chosen[Math.abs(this.chosen[0] - this.at) < 0.002 ? 1 : 0];
    this.acts.seek(to);
    this.stretch &&= revealed(this.stretch, this.whole, to);
    this.look(this.seen);
    if (select) this.choose(selected(this.anchor, to, this.whole));
  }

  // ---- drawing

  draw() {
    super.draw();
    if (!this.chosen && !FADES.some((name) => this.shaping?.[name])) return;
    const { axes, context: g } = this;
    if (axes.width <= 1) return;
    const [from, to] = this.chosen || [0, this.whole];
    const [left, right] = [axes.xOf(from), axes.xOf(to)].map((x) => clamp(x, axes.left, axes.right));
    const top = 6;
    const height = axes.bottom - top;
    g.fillStyle = this.pen("shade", 0.62);
    g.fillRect(axes.left, top, left - axes.left, height);
    g.fillRect(right, top, axes.right - right, height);
    g.fillStyle = this.pen("mark");
    if (this.chosen) for (const edge of this.chosen) this.drawEdge(edge, top, height);
    this.drawFades([from, to], top, height);
  }

  /** @param {number} second @param {number} top @param {number} height */
  drawEdge(second, top, height) {
    const x = this.axes.xOf(second);
    if (x < this.axes.left - 1 || x > this.axes.right + 1) return;
    this.context.fillRect(x - 1, top, 2, height);
    this.context.fillRect(x - 4, top, 8, 5);
  }

  /** @param {Stretch} stretch @param {number} top @param {number} height */
  drawFades([from, to], top, height) {
    const { axes, context: g } = this;
    const { fade_in = 0, fade_out = 0, reverse } = this.shaping || {};
    const [rise, fall] = reverse ? [fade_out, fade_in] : [fade_in, fade_out];
    g.strokeStyle = this.pen("mark");
    g.lineWidth = 1.5;
    const lines = [
      [from, rise, 1],
      [to, fall, -1],
    ];
    g.save();
    g.beginPath();
    g.rect(axes.left, top, axes.width, height);
    g.clip();
    for (const [edge, seconds, sign] of lines) {
      if (!seconds) continue;
      g.beginPath();
      for (let i = 0; i <= 24; i++) {
        const y = top + height * (1 - Math.sin((Math.PI / 2) * (i / 24)) ** 2);
        g.lineTo(axes.xOf(edge + (sign * seconds * i) / 24), y);
      }
      g.stroke();
    }
    g.restore();
  }

  /** What is in view of the waveform: of the samples, once they are there. @param {Int8Array} peaks of all of it */
  drawPeaks(peaks) {
    const { axes } = this;
    const [from, to] = this.seen.map((second) => second / this.whole);
    const place = { left: axes.left, width: axes.width, middle: 21, half: 14 };
    this.context.fillStyle = this.pen("wave");
    const loudest = peaks.reduce((top, one) => Math.max(top, Math.abs(one)), 1);
    if (this.samples) {
      drawWave(this.context, peaksBetween(this.samples, from, to, Math.round(axes.width)), place, loudest / 127);
      return;
    }
    const count = peaks.length / 2;
    const part = peaks.subarray(2 * Math.floor(from * count), 2 * Math.ceil(to * count));
    drawWave(this.context, part, place, loudest);
  }
}

/**
 * Lowest and highest value of equal stretches of a part of some samples.
 * @param {Float32Array} samples @param {number} from @param {number} to parts of all, 0 to 1 @param {number} count
 */
export function peaksBetween(samples, from, to, count) {
  const made = new Float32Array(2 * Math.max(1, count));
  const [first, last] = [from * samples.length, to * samples.length];
  for (let i = 0; i < made.length / 2; i++) {
    const begin = Math.floor(first + (i * (last - first)) / count);
    const end = Math.min(samples.length, Math.max(begin + 1, Math.floor(first + ((i + 1) * (last - first)) / count)));
    let [low, high] = [Infinity, -Infinity];
    for (let k = begin; k < end; k++) {
      if (samples[k] < low) low = samples[k];
      if (samples[k] > high) high = samples[k];
    }
    made[2 * i] = low === Infinity ? 0 : low;
    made[2 * i + 1] = high === -Infinity ? 0 : high;
  }
  return made;
}
