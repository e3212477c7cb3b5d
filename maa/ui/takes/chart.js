// @ts-check
// chart.js: waveform above spectrogram, with a play-head and a click that goes there; or two pictures with a divider.
import { Axes, clamp } from "../web/axes.js";
import { peaksOf } from "../web/codec.js";
import { changeTable, levelTable } from "../web/colours.js";
import { clock, h } from "../web/dom.js";
import { onDrag } from "../web/drag.js";
import { difference, LEVELS_PER_DB, loudest } from "../web/levels.js";
import { drawWave, levelsOf } from "../web/sound.js";
import { Spectrogram } from "../web/spectrogram.js";
import { drawEvents, eventsOf } from "./events.js";

/** @typedef {import("../web/levels.js").Levels} Levels */
/** @typedef {import("../web/sound.js").View} View */
/** @typedef {{ levels: Levels, table: Uint32Array, rest: number }} Layer a picture before it is one */

const MARGIN = { left: 46, right: 10, top: 6, bottom: 20 };
const WAVE_HEIGHT = 34;
/** @type {Record<string, number>} */
const STEPS = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowUp: 1,
  PageDown: -5,
  PageUp: 5,
  Home: -Infinity,
  End: Infinity,
}; // seconds; with Shift a tenth
const RANGE = 80; // decibels below the loudest cell that are seen

export class Chart extends Spectrogram {
  /**
   * @param {import("../web/scope.js").Scope} scope
   * @param {string} label
   * @param {Uint8Array} map the colours of the levels
   */
  constructor(scope, label, map) {
    super(h("canvas", { class: "chart", role: "img", "aria-label": label }));
    this.scope = scope;
    this.map = map;
    /** @type {Pick<View, "seconds" | "frame" | "ticks"> | null} */
    this.view = null;
    /** @type {Int8Array | null} */
    this.peaks = null;
    /** @type {[number, number] | null} */
    this.stretch = null; // seconds in view, where that is not the whole sound
    /** @type {[number, number][]} */
    this.spans = []; // seconds that are marked by their edges
    /** @type {import("./events.js").Block[]} */
    this.events = []; // that were asked for
    /** @type {number | null} */
    this.divider = null; // from 0 to 1: the first picture is left of it, the second right
    this.names = ["A", "B"]; // of both, beside the divider
    this.at = 0; // seconds
    this.slides = false; // whether a visitor can go to a second
    /** @type {Layer[]} */
    this.layers = [];
    this.pictures = [h("canvas"), h("canvas")];
    this.axes = new Axes({ mels: 1, frames: 1, frameSeconds: 1, ticks: [] }, MARGIN);
    scope.onResize(this.canvas, () => this.draw());
  }

  /**
   * A press on the picture goes to that second, and so do the keys of a slider.
   * @param {(seconds: number) => void} seek
   */
  onSeek(seek) {
    const { canvas } = this;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "slider");
    canvas.setAttribute("aria-valuemin", "0");
    canvas.setAttribute("aria-valuenow", "0");
    this.slides = true;
    this.scope.listen(canvas, "keydown", (/** @type {KeyboardEvent} */ event) => {
      const step = STEPS[event.key];
      if (step === undefined || !this.view || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      seek(clamp(this.at + (event.shiftKey ? 0.1 : 1) * step, 0, this.view.seconds));
    });
    /** @type {(at: { x: number }) => boolean} */
    const go = (at) => {
      seek(this.axes.secondAt(at.x));
      return false;
    };
    onDrag(this.scope, this.canvas, { start: go });
  }

  /** The sound of a view. A history holds hundreds, so call it when the chart comes into sight. @param {View} view */
  async load(view) {
    this.view = view;
    this.peaks = view.peaks ? peaksOf(view.peaks) : null;
    this.events = eventsOf(view.settings);
    this.draw();
    this.tell();
    try {
      this.showLevels(await levelsOf(view.levels));
    } catch {
      this.canvas.dataset.gone = "true";
    }
  }

  /** @param {Levels[]} sounds one picture, or both sides of the divider, on one scale */
  showLevels(...sounds) {
    const top = loudest(...sounds);
    /** @type {[number, number]} */
    const decibels = [-top / LEVELS_PER_DB, (255 - top) / LEVELS_PER_DB];
    const table = levelTable(this.map, decibels, RANGE);
    this.show(sounds.map((levels) => ({ levels, table, rest: 0 })));
  }

  /** What b has more than a. @param {Levels} a @param {Levels} b */
  showDifference(a, b) {
    const colours = ["screen", "quieter", "louder"].map((name) => this.numbers(name));
    const table = changeTable(colours[0], colours[1], colours[2]);
    this.show([{ levels: difference(a, b), table, rest: 128 }]);
  }

  /** @param {Layer[]} layers */
  show(layers) {
    this.layers = layers;
    this.stale = true;
    this.canvas.dataset.ready = "true";
    this.draw();
  }

  /** @param {number} seconds */
  move(seconds) {
    this.at = seconds;
    this.draw();
    this.tell();
  }

  /** Where it stands, for screen readers. */
  tell() {
    if (!this.slides || !this.view) return;
    const whole = this.view.seconds;
    this.canvas.setAttribute("aria-valuemax", whole.toFixed(2));
    this.canvas.setAttribute("aria-valuenow", this.at.toFixed(2));
    this.canvas.setAttribute("aria-valuetext", `${clock(this.at)} of ${clock(whole)} seconds`);
  }

  /** The axes of what is shown now. Only the frames within the sound count: the last one may be padded. */
  measure() {
    const { seconds, ticks, frame } = this.view || { seconds: 1, ticks: [], frame: undefined };
    const { mels, frames } = this.layers[0]?.levels || { mels: 1, frames: 1 };
    const frameSeconds = this.layers.length ? frame || seconds / frames : seconds;
    const margin = { ...MARGIN, top: MARGIN.top + (this.peaks ? WAVE_HEIGHT : 0) };
    this.axes = new Axes({ mels, frames, frameSeconds, ticks }, margin);
    const [from, to] = this.stretch || [0, seconds];
    this.axes.from = Math.max(0, from / frameSeconds);
    this.axes.to = Math.max(this.axes.from + 1e-6, Math.min(frames, to / frameSeconds));
  }

  draw() {
    this.measure();
    const { axes } = this;
    if (!this.fit(axes)) return; // in a closed tab
    const g = this.clear();
    if (this.peaks) this.drawPeaks(this.peaks);
    const [left, right] = this.layers.map(({ levels, table, rest }, i) => {
      if (this.stale) this.paint(this.pictures[i], axes, levels, table, rest);
      return this.pictures[i];
    });
    this.stale = false;
    if (right && this.divider !== null) this.drawBoth(left, right, axes.left + this.divider * axes.width);
    else if (left) this.within(axes, () => this.place(axes, left));
    this.drawSpans(g);
    drawEvents(this, axes, this.events);
    this.drawAxes(axes);
    const head = axes.xOf(this.at);
    if (this.at > 0 && head >= axes.left && head <= axes.right + 1) {
      this.drawHead(axes, head, MARGIN.top, this.pen(this.divider === null ? "head" : "mark"));
    }
  }

  /** As high as there is room: a quiet sound should be seen, too. @param {Int8Array} peaks */
  drawPeaks(peaks) {
    const loudest = peaks.reduce((top, one) => Math.max(top, Math.abs(one)), 1);
    const [middle, half] = [MARGIN.top + (WAVE_HEIGHT - 4) / 2, (WAVE_HEIGHT - 6) / 2];
    this.context.fillStyle = this.pen("wave");
    drawWave(this.context, peaks, { left: this.axes.left, width: this.axes.width, middle, half }, loudest);
  }

  /** @param {HTMLCanvasElement} left @param {HTMLCanvasElement} right @param {number} x of the divider */
  drawBoth(left, right, x) {
    const { axes, context: g } = this;
    this.within(axes, () => this.place(axes, right), x);
    this.within(axes, () => this.place(axes, left), axes.left, x);
    g.fillStyle = this.pen("head");
    g.fillRect(x - 1, axes.top, 2, axes.height);
    g.textBaseline = "top";
    g.textAlign = "right";
    if (x > axes.left + 48) g.fillText(this.names[0], x - 6, axes.top + 6);
    g.textAlign = "left";
    if (x < axes.right - 40) g.fillText(this.names[1], x + 6, axes.top + 6);
  }

  /** @param {CanvasRenderingContext2D} g */
  drawSpans(g) {
    const { axes } = this;
    g.strokeStyle = this.pen("head", 0.75);
    g.lineWidth = 1;
    g.setLineDash([3, 3]);
    for (const edge of this.spans.flat()) {
      const x = axes.xOf(edge);
      if (x < axes.left - 1 || x > axes.right + 1) continue;
      g.beginPath();
      g.moveTo(x, axes.top);
      g.lineTo(x, axes.bottom);
      g.stroke();
    }
    g.setLineDash([]);
  }
}
