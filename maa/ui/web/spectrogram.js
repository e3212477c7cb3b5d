// @ts-check
// spectrogram.js: the one drawing of a mel-spectrogram: levels as a picture, hertz and seconds beside it, a play-head.
// What a page adds (a mask, a waveform, a divider) is drawn by the classes that extend this one.
import { coloursAt } from "./colours.js";
import { gathered } from "./levels.js";

/** @typedef {import("./axes.js").Axes} Axes */
/** @typedef {import("./levels.js").Levels} Levels */

const FONT = '11px "IBM Plex Sans", system-ui, sans-serif';
const MARK = 4; // pixels of the line at a number

export class Spectrogram {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.ratio = 1; // device pixels in a CSS pixel
    /** @type {ReturnType<typeof coloursAt> | null} */
    this.colours = null; // once the canvas is in the page
    this.stale = true; // the pictures are not of what is in view
  }

  /** Match the canvas to its place on the screen. False while it is not visible. @param {Axes} [axes] */
  fit(axes) {
    const place = this.canvas.getBoundingClientRect();
    if (!place.width || !place.height) return false;
    this.colours ??= coloursAt(this.canvas);
    this.ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(place.width * this.ratio), Math.round(place.height * this.ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
      this.stale = true;
    }
    axes?.resize(place.width, place.height);
    return true;
  }

  /** An empty screen to draw on, in CSS pixels. */
  clear() {
    const g = this.context;
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.fillStyle = this.pen("screen");
    g.fillRect(0, 0, this.canvas.width, this.canvas.height);
    g.font = FONT;
    return g;
  }

  /** @param {string} name @param {number} [opacity] */
  pen(name, opacity) {
    this.colours ??= coloursAt(this.canvas);
    return this.colours.pen(name, opacity);
  }

  /** @param {string} name */
  numbers(name) {
    this.colours ??= coloursAt(this.canvas);
    return this.colours.numbers(name);
  }

  /** One column a frame, or a device pixel where there are more frames than that. @param {Axes} axes */
  columns(axes) {
    const first = Math.floor(axes.from);
    const last = Math.min(axes.frames, Math.ceil(axes.to));
    const most = Math.max(1, Math.round(axes.width * this.ratio));
    const count = Math.min(last - first, most);
    /** @type {(column: number) => number} */
    const edge = (column) => first + Math.floor((column * (last - first)) / count);
    return { first, last, count, edge };
  }

  /**
   * What is in view of some levels, as a picture with one pixel a cell.
   * @param {HTMLCanvasElement} onto
   * @param {Axes} axes
   * @param {Levels} levels
   * @param {Uint32Array} table the colour of each level
   * @param {number} [rest] the level that says nothing: of the frames in a column the one farthest from it is seen
   */
  paint(onto, axes, levels, table, rest = 0) {
    const columns = this.columns(axes);
    const image = new ImageData(columns.count, levels.mels);
    const pixels = new Uint32Array(image.data.buffer);
    gathered(levels, columns, rest, (row, column, level) => {
      pixels[(levels.mels - 1 - row) * columns.count + column] = table[level];
    });
    Object.assign(onto, { width: columns.count, height: levels.mels });
    /** @type {CanvasRenderingContext2D} */ (onto.getContext("2d")).putImageData(image, 0, 0);
  }

  /**
   * Draw within the picture's frame.
   * @param {Axes} axes
   * @param {() => void} draw
   * @param {number} [from] @param {number} [to] the pixels from left to right that may be drawn on
   */
  within(axes, draw, from = axes.left, to = axes.right) {
    const g = this.context;
    g.save();
    g.beginPath();
    g.rect(from, axes.top, to - from, axes.height);
    g.clip();
    draw();
    g.restore();
  }

  /** A picture that `paint` made. @param {Axes} axes @param {HTMLCanvasElement} picture */
  place(axes, picture) {
    const { first, last } = this.columns(axes);
    const [left, right] = [axes.x(first), axes.x(last)];
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(picture, left, axes.top, right - left, axes.height);
  }

  /** @param {Axes} axes */
  drawAxes(axes) {
    const g = this.context;
    g.fillStyle = this.pen("ink");
    g.textBaseline = "middle";
    g.textAlign = "right";
    for (const { y, text } of axes.hertzTicks()) {
      g.fillRect(axes.left - MARK - 1, y - 0.5, MARK, 1);
      g.fillText(text, axes.left - MARK - 4, Math.max(y, axes.top + 4));
    }
    g.textBaseline = "top";
    for (const { x, text } of axes.secondTicks()) {
      g.textAlign = x + g.measureText(text).width / 2 > axes.right + axes.margin.right ? "right" : "center";
      g.fillRect(x - 0.5, axes.bottom + 1, 1, MARK);
      g.fillText(text, x, axes.bottom + MARK + 3);
    }
  }

  /** A line over the picture and what is above it. @param {Axes} axes @param {number} x @param {number} [top] */
  drawHead(axes, x, top = axes.top, colour = this.pen("head")) {
    this.context.fillStyle = colour;
    this.context.fillRect(x - 0.75, top, 1.5, axes.bottom - top);
  }
}
