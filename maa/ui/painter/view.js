// view.js: drawing. It reads grid and axes and changes neither.

const PAPER = "#12151b";
const INK = "#aeb6c2";
const PAINT = [64, 224, 255]; // cyan: not a colour of the map, told from it by people who see few colours, too
const FONT = '11px "IBM Plex Sans", system-ui, sans-serif';
const OUTLINED = 6000; // frames in view up to which outlines are drawn

class View {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.sound = document.createElement("canvas");
    this.mask = document.createElement("canvas");
    this.gain = 0;
    this.range = 80;
    this.ratio = 1;
    this.stale = true; // the picture of the sound is not what is in view
  }

  // Match the canvas to its place on the screen. False while it is not visible.
  fit(axes) {
    const place = this.canvas.getBoundingClientRect();
    if (!place.width || !place.height) return false;
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(place.width * this.ratio);
    this.canvas.height = Math.round(place.height * this.ratio);
    if (axes) axes.resize(place.width, place.height);
    this.stale = true;
    return true;
  }

  setSound(levels, colours, decibels) {
    this.levels = levels;
    this.colours = colours;
    this.decibels = decibels; // of level 0 and level 255
    this.stale = true;
  }

  setLook(gain, range) {
    this.gain = gain;
    this.range = range;
    this.stale = true;
  }

  // One column a frame, or a device pixel where there are more frames than that.
  columns(axes) {
    const first = Math.floor(axes.from);
    const last = Math.min(axes.frames, Math.ceil(axes.to));
    const most = Math.max(1, Math.round(axes.width * this.ratio));
    const count = Math.min(last - first, most);
    return { first, last, count, edge: (column) => first + Math.floor((column * (last - first)) / count) };
  }

  // A picture with one pixel a cell: the strongest of the frames in each column, coloured by `colour`.
  paint(onto, axes, columns, strongest, colour) {
    const { mels, frames } = axes;
    const image = new ImageData(columns.count, mels);
    const pixels = new Uint32Array(image.data.buffer);
    for (let band = 0; band < mels; band++) {
      const row = (mels - 1 - band) * columns.count;
      for (let column = 0; column < columns.count; column++) {
        const end = columns.edge(column + 1);
        let value = 0;
        for (let i = band * frames + columns.edge(column), last = band * frames + end; i < last; i++) if (strongest[i] > value) value = strongest[i];
        pixels[row + column] = colour[value];
      }
    }
    onto.width = columns.count;
    onto.height = mels;
    onto.getContext("2d").putImageData(image, 0, 0);
  }

  // RGBA (little-endian) of every level at the present gain and range.
  lookTable() {
    const [floor, top] = this.decibels;
    return Uint32Array.from({ length: 256 }, (_, level) => {
      const decibels = floor + (level / 255) * (top - floor) + this.gain;
      const index = 3 * Math.round(255 * clamp(1 + decibels / this.range, 0, 1));
      return (255 << 24 | this.colours[index + 2] << 16 | this.colours[index + 1] << 8 | this.colours[index]) >>> 0;
    });
  }

  // Call when the mask or what is in view has changed.
  setMask(axes, grid, side) {
    const columns = this.columns(axes);
    const tint = Uint32Array.from([0, (90 << 24 | PAINT[2] << 16 | PAINT[1] << 8 | PAINT[0]) >>> 0]);
    this.paint(this.mask, axes, columns, grid.cells, tint);
    this.outline = this.coarse = null;
    if (axes.shown > OUTLINED) return;
    this.outline = borders(grid.cells, grid.mels, grid.frames, 1, columns.first, columns.last);
    const touched = grid.touched(side);
    this.coarse = borders(touched.cells, touched.rows, touched.columns, side, Math.floor(columns.first / side), Math.ceil(columns.last / side));
  }

  // marks: { box, grip, lasso, caret, brush: { at, far }, playing: frame }, each optional.
  draw(axes, marks) {
    const g = this.context;
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.fillStyle = PAPER;
    g.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (!axes) return;
    const columns = this.columns(axes);
    if (this.stale) this.paint(this.sound, axes, columns, this.levels, this.lookTable());
    this.stale = false;
    const [left, right] = [axes.x(columns.first), axes.x(columns.last)];
    g.save();
    g.beginPath();
    g.rect(MARGIN.left, MARGIN.top, axes.width, axes.height);
    g.clip();
    g.imageSmoothingEnabled = false;
    g.drawImage(this.sound, left, MARGIN.top, right - left, axes.height);
    g.drawImage(this.mask, left, MARGIN.top, right - left, axes.height);
    this.stroke(axes, this.coarse, "rgba(255, 255, 255, 0.6)", 1, [2, 3]);
    this.stroke(axes, this.outline, `rgb(${PAINT})`, 1.5, []);
    this.drawMarks(axes, marks);
    g.restore();
    this.drawAxes(axes);
  }

  drawAxes(axes) {
    const g = this.context;
    g.font = FONT;
    g.fillStyle = INK;
    g.textBaseline = "middle";
    g.textAlign = "right";
    for (const hertz of axes.hertzTicks()) {
      const y = axes.y(axes.band(hertz));
      g.fillRect(MARGIN.left - 5, y - 0.5, 4, 1);
      g.fillText(hertzText(hertz), MARGIN.left - 8, Math.max(y, MARGIN.top + 4));
    }
    g.textBaseline = "top";
    for (const second of axes.secondTicks()) {
      const x = axes.x(second / axes.frameSeconds);
      const text = secondText(second);
      g.textAlign = x + g.measureText(text).width / 2 > MARGIN.left + axes.width + MARGIN.right ? "right" : "center";
      g.fillRect(x - 0.5, axes.bottom + 1, 1, 4);
      g.fillText(text, x, axes.bottom + 7);
    }
    if (!axes.zoomed) return;
    const thumb = axes.thumb();
    g.fillStyle = "rgba(174, 182, 194, 0.18)";
    g.fillRect(MARGIN.left, thumb.top, axes.width, BAR);
    g.fillStyle = "rgba(174, 182, 194, 0.7)";
    g.fillRect(thumb.left, thumb.top, thumb.width, BAR);
  }

  drawMarks(axes, marks) {
    const g = this.context;
    if (marks.active) this.handles(axes, marks.active);
    if (marks.box) this.rectangle(axes, marks.box, "#ffffff", [5, 4]);
    if (marks.caret) this.rectangle(axes, marks.caret, "#ffd84d", []);
    g.strokeStyle = "#ffffff";
    g.lineWidth = 1;
    if (marks.lasso) {
      g.beginPath();
      for (const point of marks.lasso) g.lineTo(axes.x(point.frame), axes.y(point.band));
      g.stroke();
    }
    if (marks.brush) {
      const { at, far } = marks.brush;
      const [x, y] = [axes.x(at.frame), axes.y(at.band)];
      const pixels = axes.height / axes.mels;
      const wide = Math.max(2, (far.frames / axes.shown) * axes.width);
      g.beginPath();
      g.ellipse(x, y, wide, Math.max(2, far.up * pixels), 0, Math.PI, 2 * Math.PI);
      g.ellipse(x, y, wide, Math.max(2, far.down * pixels), 0, 0, Math.PI);
      g.stroke();
    }
    if (marks.playing !== null) {
      g.fillStyle = "#ffffff";
      g.fillRect(axes.x(marks.playing) - 0.75, MARGIN.top, 1.5, axes.height);
    }
  }

  handles(axes, box) {
    this.rectangle(axes, box, "#ffffff", []);
    const g = this.context;
    g.fillStyle = "#ffffff";
    const [xs, ys] = [[axes.x(box.first), axes.x(box.last)], [axes.y(box.low), axes.y(box.high)]];
    for (const x of [...xs, (xs[0] + xs[1]) / 2]) {
      for (const y of [...ys, (ys[0] + ys[1]) / 2]) {
        if (x !== (xs[0] + xs[1]) / 2 || y !== (ys[0] + ys[1]) / 2) g.fillRect(x - 3, y - 3, 6, 6);
      }
    }
  }

  rectangle(axes, box, colour, dashes) {
    const g = this.context;
    g.strokeStyle = colour;
    g.lineWidth = 1.5;
    g.setLineDash(dashes);
    const [left, top] = [axes.x(box.first), axes.y(box.high)];
    g.strokeRect(left, top, axes.x(box.last) - left, axes.y(box.low) - top);
    g.setLineDash([]);
  }

  stroke(axes, path, colour, width, dashes) {
    if (!path) return;
    const g = this.context;
    // Cells to pixels, so that the line keeps its width in both directions.
    const wide = axes.width / axes.shown;
    const toPixels = new DOMMatrix([wide, 0, 0, -axes.height / axes.mels, MARGIN.left - axes.from * wide, axes.bottom]);
    const lines = new Path2D();
    lines.addPath(path, toPixels);
    g.strokeStyle = colour;
    g.lineWidth = width;
    g.setLineDash(dashes);
    g.stroke(lines);
    g.setLineDash([]);
  }
}

// The lines between marked and unmarked cells of some columns, in long runs. Cells are `side` wide and high.
function borders(cells, rows, columns, side, first, last) {
  const path = new Path2D();
  const at = (row, column) => (row < 0 || column < 0 || row >= rows || column >= columns ? 0 : cells[row * columns + column]);
  const line = (horizontal, fixed, from, to) => {
    const [a, b, c] = [fixed * side, from * side, to * side];
    if (horizontal) { path.moveTo(b, a); path.lineTo(c, a); } else { path.moveTo(a, b); path.lineTo(a, c); }
  };
  const scan = (horizontal, outer, inner) => {
    for (let i = outer[0]; i <= outer[1]; i++) {
      let from = -1;
      for (let j = inner[0]; j <= inner[1]; j++) {
        const edge = j < inner[1] && (horizontal ? at(i - 1, j) !== at(i, j) : at(j, i - 1) !== at(j, i));
        if (edge && from < 0) from = j;
        if (!edge && from >= 0) { line(horizontal, i, from, j); from = -1; }
      }
    }
  };
  const across = [Math.max(0, first), Math.min(columns, last)];
  scan(true, [0, rows], across);
  scan(false, across, [0, rows]);
  return path;
}
