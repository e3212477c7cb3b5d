// @ts-check
// view.js: the spectrogram with the mask, its outlines and its marks. It reads grid and axes and changes neither.
import { levelTable, wordOf } from "../web/colours.js";
import { Spectrogram } from "../web/spectrogram.js";
import { BAR } from "./axes.js";

/** @typedef {import("./axes.js").BandAxes} BandAxes */
/** @typedef {import("./axes.js").Box} Box */
/** @typedef {import("./shapes.js").Spot} Spot */
/**
 * @typedef {object} Marks what is drawn above the mask
 * @property {Box | null} active with handles
 * @property {Box | null} box in the making
 * @property {Box | null} caret to be placed by keys
 * @property {Spot[] | null} lasso
 * @property {{ at: Spot, far: { frames: number, up: number, down: number } } | null} brush
 * @property {number | null} playing frame
 */

const TINT = 90; // opacity of what is marked, of 255
const OUTLINED = 6000; // frames in view up to which outlines are drawn
const HANDLE = 3; // pixels from its middle to its edge

export class View extends Spectrogram {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    super(canvas);
    this.sound = document.createElement("canvas");
    this.mask = document.createElement("canvas");
    this.levels = new Uint8Array();
    this.map = new Uint8Array(); // the colours of the levels
    /** @type {[number, number]} */
    this.decibels = [-100, 0]; // of level 0 and level 255
    this.gain = 0; // decibels
    this.range = 80;
    /** @type {Path2D | null} */
    this.outline = null; // of what is marked
    /** @type {Path2D | null} */
    this.coarse = null; // of the model's cells in it
  }

  /** @param {Uint8Array} levels @param {Uint8Array} map @param {[number, number]} decibels */
  setSound(levels, map, decibels) {
    Object.assign(this, { levels, map, decibels, stale: true });
  }

  /** @param {number} gain @param {number} range decibels */
  setLook(gain, range) {
    Object.assign(this, { gain, range, stale: true });
  }

  /**
   * Call when the mask or what is in view has changed.
   * @param {BandAxes} axes @param {import("./grid.js").Grid} grid @param {number} side of the model's cells
   */
  setMask(axes, grid, side) {
    const tint = Uint32Array.from([0, wordOf(this.numbers("paint"), TINT)]);
    this.paint(this.mask, axes, { mels: grid.mels, frames: grid.frames, data: grid.cells }, tint);
    this.outline = this.coarse = null;
    if (axes.shown > OUTLINED) return;
    const { first, last } = this.columns(axes);
    this.outline = borders(grid.cells, grid.mels, grid.frames, 1, [first, last]);
    const { cells, rows, columns } = grid.touched(side);
    this.coarse = borders(cells, rows, columns, side, [Math.floor(first / side), Math.ceil(last / side)]);
  }

  /** @param {BandAxes | null} axes @param {Marks} marks */
  draw(axes, marks) {
    this.clear();
    if (!axes) return;
    if (this.stale) this.paintSound(axes);
    this.within(axes, () => {
      this.place(axes, this.sound);
      this.place(axes, this.mask);
      this.stroke(axes, this.coarse, this.pen("head", 0.6), 1, [2, 3]);
      this.stroke(axes, this.outline, this.pen("paint"), 1.5, []);
      this.drawMarks(axes, marks);
    });
    this.drawAxes(axes);
    if (axes.zoomed) this.drawBar(axes);
  }

  /** @param {BandAxes} axes */
  paintSound(axes) {
    const [floor, top] = this.decibels;
    const table = levelTable(this.map, [floor + this.gain, top + this.gain], this.range);
    this.paint(this.sound, axes, { mels: axes.mels, frames: axes.frames, data: this.levels }, table);
    this.stale = false;
  }

  /** @param {BandAxes} axes */
  drawBar(axes) {
    const [g, thumb] = [this.context, axes.thumb()];
    g.fillStyle = this.pen("ink", 0.18);
    g.fillRect(axes.left, thumb.top, axes.width, BAR);
    g.fillStyle = this.pen("ink", 0.7);
    g.fillRect(thumb.left, thumb.top, thumb.width, BAR);
  }

  /** @param {BandAxes} axes @param {Marks} marks */
  drawMarks(axes, marks) {
    const g = this.context;
    const white = this.pen("head");
    if (marks.active) this.handles(axes, marks.active);
    if (marks.box) this.rectangle(axes, marks.box, white, [5, 4]);
    if (marks.caret) this.rectangle(axes, marks.caret, this.pen("mark"), []);
    g.strokeStyle = white;
    g.lineWidth = 1;
    if (marks.lasso) {
      g.beginPath();
      for (const point of marks.lasso) g.lineTo(axes.x(point.frame), axes.y(point.band));
      g.stroke();
    }
    if (marks.brush) this.brush(axes, marks.brush);
    if (marks.playing !== null) this.drawHead(axes, axes.x(marks.playing));
  }

  /** @param {BandAxes} axes @param {NonNullable<Marks["brush"]>} brush */
  brush(axes, { at, far }) {
    const g = this.context;
    const [x, y, pixels] = [axes.x(at.frame), axes.y(at.band), axes.height / axes.mels];
    const wide = Math.max(2, (far.frames / axes.shown) * axes.width);
    g.beginPath();
    g.ellipse(x, y, wide, Math.max(2, far.up * pixels), 0, Math.PI, 2 * Math.PI);
    g.ellipse(x, y, wide, Math.max(2, far.down * pixels), 0, 0, Math.PI);
    g.stroke();
  }

  /** @param {BandAxes} axes @param {Box} box */
  handles(axes, box) {
    const g = this.context;
    this.rectangle(axes, box, this.pen("head"), []);
    g.fillStyle = this.pen("head");
    const [left, right, top, bottom] = [axes.x(box.first), axes.x(box.last), axes.y(box.high), axes.y(box.low)];
    const [across, along] = [(left + right) / 2, (top + bottom) / 2];
    for (const x of [left, across, right]) {
      for (const y of [top, along, bottom]) {
        if (x !== across || y !== along) g.fillRect(x - HANDLE, y - HANDLE, 2 * HANDLE, 2 * HANDLE);
      }
    }
  }

  /** @param {BandAxes} axes @param {Box} box @param {string} colour @param {number[]} dashes */
  rectangle(axes, box, colour, dashes) {
    const g = this.context;
    g.strokeStyle = colour;
    g.lineWidth = 1.5;
    g.setLineDash(dashes);
    const [left, top] = [axes.x(box.first), axes.y(box.high)];
    g.strokeRect(left, top, axes.x(box.last) - left, axes.y(box.low) - top);
    g.setLineDash([]);
  }

  /**
   * @param {BandAxes} axes @param {Path2D | null} path
   * @param {string} colour @param {number} width @param {number[]} dashes
   */
  stroke(axes, path, colour, width, dashes) {
    if (!path) return;
    const g = this.context;
    // Cells to pixels, so that the line keeps its width in both directions.
    const wide = axes.width / axes.shown;
    const toPixels = new DOMMatrix([wide, 0, 0, -axes.height / axes.mels, axes.left - axes.from * wide, axes.bottom]);
    const lines = new Path2D();
    lines.addPath(path, toPixels);
    g.strokeStyle = colour;
    g.lineWidth = width;
    g.setLineDash(dashes);
    g.stroke(lines);
    g.setLineDash([]);
  }
}

/**
 * The lines between marked and unmarked cells of some columns, in long runs.
 * @param {Uint8Array} cells @param {number} rows @param {number} columns
 * @param {number} side how wide and high a cell is
 * @param {[number, number]} seen the first column and one beyond the last
 */
function borders(cells, rows, columns, side, [first, last]) {
  const path = new Path2D();
  /** @type {(row: number, column: number) => number} */
  const at = (row, column) => {
    const outside = row < 0 || column < 0 || row >= rows || column >= columns;
    return outside ? 0 : cells[row * columns + column];
  };
  /** @type {(horizontal: boolean, fixed: number, from: number, to: number) => void} */
  const line = (horizontal, fixed, from, to) => {
    const [a, b, c] = [fixed * side, from * side, to * side];
    path.moveTo(...(horizontal ? /** @type {const} */ ([b, a]) : /** @type {const} */ ([a, b])));
    path.lineTo(...(horizontal ? /** @type {const} */ ([c, a]) : /** @type {const} */ ([a, c])));
  };
  /** @type {(horizontal: boolean, outer: [number, number], inner: [number, number]) => void} */
  const scan = (horizontal, outer, inner) => {
    for (let i = outer[0]; i <= outer[1]; i++) {
      let from = -1;
      for (let j = inner[0]; j <= inner[1]; j++) {
        const edge = j < inner[1] && (horizontal ? at(i - 1, j) !== at(i, j) : at(j, i - 1) !== at(j, i));
        if (edge && from < 0) from = j;
        if (!edge && from >= 0) {
          line(horizontal, i, from, j);
          from = -1;
        }
      }
    }
  };
  /** @type {[number, number]} */
  const across = [Math.max(0, first), Math.min(columns, last)];
  scan(true, [0, rows], across);
  scan(false, across, [0, rows]);
  return path;
}
