// view.js: drawing. It reads grid and axes and changes neither.

const PAPER = "#12151b";
const INK = "#aeb6c2";
const PAINT = [64, 224, 255]; // cyan: not a colour of the map, told from it by people who see few colours, too
const FONT = '11px "IBM Plex Sans", system-ui, sans-serif';

class View {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.sound = document.createElement("canvas");
    this.mask = document.createElement("canvas");
    this.outline = null;
    this.cells = null;
    this.ratio = 1;
  }

  // Match the canvas to its place on the screen. False while it is not visible.
  fit(axes) {
    const place = this.canvas.getBoundingClientRect();
    if (!place.width || !place.height) return false;
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(place.width * this.ratio);
    this.canvas.height = Math.round(place.height * this.ratio);
    if (axes) axes.resize(place.width, place.height);
    return true;
  }

  setSound(levels, colours, mels, frames) {
    const image = new ImageData(frames, mels);
    for (let i = 0; i < levels.length; i++) {
      const band = Math.floor(i / frames);
      const to = 4 * ((mels - 1 - band) * frames + (i - band * frames));
      image.data.set(colours.subarray(3 * levels[i], 3 * levels[i] + 3), to);
      image.data[to + 3] = 255;
    }
    this.sound.width = frames;
    this.sound.height = mels;
    this.sound.getContext("2d").putImageData(image, 0, 0);
  }

  // Call when the mask has changed.
  setMask(grid, side) {
    const image = new ImageData(grid.frames, grid.mels);
    grid.cells.forEach((cell, i) => {
      if (!cell) return;
      const band = Math.floor(i / grid.frames);
      image.data.set([...PAINT, 90], 4 * ((grid.mels - 1 - band) * grid.frames + (i - band * grid.frames)));
    });
    this.mask.width = grid.frames;
    this.mask.height = grid.mels;
    this.mask.getContext("2d").putImageData(image, 0, 0);
    this.outline = borders(grid.cells, grid.mels, grid.frames, 1);
    const coarse = grid.touched(side);
    this.cells = borders(coarse.cells, coarse.rows, coarse.columns, side);
  }

  // marks: { box, caret, brush: { at, radius }, playing: frame }, each optional.
  draw(axes, marks) {
    const g = this.context;
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.fillStyle = PAPER;
    g.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (!axes) return;
    const place = [MARGIN.left, MARGIN.top, axes.width, axes.height];
    g.imageSmoothingEnabled = axes.frames > axes.width * this.ratio;
    g.drawImage(this.sound, ...place);
    g.imageSmoothingEnabled = false;
    g.drawImage(this.mask, ...place);
    this.drawAxes(axes);
    g.save();
    g.beginPath();
    g.rect(...place);
    g.clip();
    this.stroke(axes, this.cells, "rgba(255, 255, 255, 0.6)", 1, [2, 3]);
    this.stroke(axes, this.outline, `rgb(${PAINT})`, 1.5, []);
    this.drawMarks(axes, marks);
    g.restore();
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
    const bottom = MARGIN.top + axes.height;
    for (const second of axes.secondTicks()) {
      const x = axes.x(second / axes.frameSeconds);
      const text = second ? `${Number(second.toFixed(1))} s` : "0";
      g.textAlign = x + g.measureText(text).width / 2 > MARGIN.left + axes.width + MARGIN.right ? "right" : "center";
      g.fillRect(x - 0.5, bottom + 1, 1, 4);
      g.fillText(text, x, bottom + 8);
    }
  }

  drawMarks(axes, marks) {
    const g = this.context;
    if (marks.box) this.rectangle(axes, marks.box, "#ffffff", [5, 4]);
    if (marks.caret) this.rectangle(axes, marks.caret, "#ffd84d", []);
    if (marks.brush) {
      const { at, radius } = marks.brush;
      g.beginPath();
      g.ellipse(axes.x(at.frame), axes.y(at.band), (radius.frames / axes.frames) * axes.width,
        (radius.bands / axes.mels) * axes.height, 0, 0, 7);
      g.strokeStyle = "#ffffff";
      g.lineWidth = 1;
      g.stroke();
    }
    if (marks.playing !== null) {
      g.fillStyle = "#ffffff";
      g.fillRect(axes.x(marks.playing) - 0.75, MARGIN.top, 1.5, axes.height);
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
    const toPixels = new DOMMatrix([axes.width / axes.frames, 0, 0, -axes.height / axes.mels, MARGIN.left, MARGIN.top + axes.height]);
    const lines = new Path2D();
    lines.addPath(path, toPixels);
    g.strokeStyle = colour;
    g.lineWidth = width;
    g.setLineDash(dashes);
    g.stroke(lines);
    g.setLineDash([]);
  }
}

// The lines between painted and unpainted cells, in long runs. Cells are `side` wide and high.
function borders(cells, rows, columns, side) {
  const path = new Path2D();
  const at = (row, column) => (row < 0 || column < 0 || row >= rows || column >= columns ? 0 : cells[row * columns + column]);
  const line = (horizontal, fixed, from, to) => {
    const [a, b, c] = [fixed * side, from * side, to * side];
    if (horizontal) { path.moveTo(b, a); path.lineTo(c, a); } else { path.moveTo(a, b); path.lineTo(a, c); }
  };
  const scan = (horizontal, outer, inner) => {
    for (let i = 0; i <= outer; i++) {
      let from = -1;
      for (let j = 0; j <= inner; j++) {
        const edge = j < inner && (horizontal ? at(i - 1, j) !== at(i, j) : at(j, i - 1) !== at(j, i));
        if (edge && from < 0) from = j;
        if (!edge && from >= 0) { line(horizontal, i, from, j); from = -1; }
      }
    }
  };
  scan(true, rows, columns);
  scan(false, columns, rows);
  return path;
}
