// @ts-check
// grid.js: the mask as cells of band x frame, and all that changes it. Row 0 is the lowest band. No drawing here.
// Boxes stay boxes, so that their edges can be moved later; what is painted or erased by hand lies on a layer above
// them (0 nothing, 1 on, 2 off).

/** @typedef {import("./axes.js").Box} Box */
/** @typedef {{ layer: number[], boxes: Box[], active: number }} State one step of the past, the layer as runs */

const STEPS_KEPT = 50;

export class Grid {
  /** @param {number} mels @param {number} frames @param {Uint8Array} cells */
  constructor(mels, frames, cells) {
    this.mels = mels;
    this.frames = frames;
    this.layer = cells;
    this.cells = cells;
    /** @type {Box[]} */
    this.boxes = [];
    this.active = -1; // the box that handles, fields and arrow keys move
    /** @type {State[]} */
    this.past = [];
    /** @type {State[]} */
    this.future = [];
    this.flatten(cells);
  }

  // What is marked, from boxes and layer.
  compose() {
    const cells = new Uint8Array(this.mels * this.frames);
    for (const box of this.boxes) this.fill(cells, box, 1);
    for (let i = 0; i < cells.length; i++) if (this.layer[i]) cells[i] = this.layer[i] & 1;
    this.cells = cells;
  }

  /** @returns {Box | null} */
  get box() {
    return this.boxes[this.active] || null;
  }

  // ---- history

  snapshot() {
    return { layer: runsOf(this.layer), boxes: this.boxes.map((box) => ({ ...box })), active: this.active };
  }

  /** @param {State} state */
  restore(state) {
    this.layer = cellsOf(state.layer, this.mels * this.frames);
    this.boxes = state.boxes.map((box) => ({ ...box }));
    this.active = state.active;
    this.compose();
  }

  // Call before a change, so that undo comes back to here.
  remember() {
    this.past.push(this.snapshot());
    if (this.past.length > STEPS_KEPT) this.past.shift();
    this.future = [];
  }

  // Forget the last `remember`: its change did not happen.
  forget() {
    const state = this.past.pop();
    if (state) this.restore(state);
  }

  undo() {
    return this.travel(this.past, this.future);
  }
  redo() {
    return this.travel(this.future, this.past);
  }

  /** @param {State[]} from @param {State[]} to */
  travel(from, to) {
    const state = from.pop();
    if (!state) return false;
    to.push(this.snapshot());
    this.restore(state);
    return true;
  }

  // ---- changes

  /** @param {Uint8Array} cells @param {Box} box @param {number} value */
  fill(cells, box, value) {
    for (let band = box.low; band < box.high; band++) {
      cells.fill(value, band * this.frames + box.first, band * this.frames + box.last);
    }
  }

  /** @param {Box} box */
  addBox(box) {
    for (let band = box.low; band < box.high; band++) {
      // what was erased there comes back
      for (let i = band * this.frames + box.first; i < band * this.frames + box.last; i++)
        if (this.layer[i] === 2) this.layer[i] = 0;
    }
    this.boxes.push(box);
    this.active = this.boxes.length - 1;
    this.compose();
  }

  /** The active one. @param {Box} box */
  moveBox(box) {
    this.boxes[this.active] = box;
    this.compose();
  }

  removeBox() {
    this.boxes.splice(this.active, 1);
    this.active = -1;
    this.compose();
  }

  /** By hand. @param {Iterable<number>} indices @param {number} value 1 paints, 0 erases */
  put(indices, value) {
    for (const i of indices) {
      this.layer[i] = value || 2;
      this.cells[i] = value;
    }
  }

  /** @param {Box} box @param {number} value */
  putBox(box, value) {
    for (let band = box.low; band < box.high; band++) {
      for (let frame = box.first; frame < box.last; frame++) this.put([band * this.frames + frame], value);
    }
  }

  /**
   * The mask as a whole is another one now: boxes become cells, but a mask that is one box is a box.
   * @param {Uint8Array} cells
   */
  flatten(cells) {
    this.layer = cells;
    this.boxes = [];
    this.active = -1;
    this.compose();
    const { count, box } = this.extent();
    if (!box || count !== (box.last - box.first) * (box.high - box.low)) return;
    this.layer = new Uint8Array(cells.length);
    this.addBox(box);
  }

  clear() {
    this.flatten(new Uint8Array(this.cells.length));
  }
  invert() {
    this.flatten(this.cells.map((cell) => cell ^ 1));
  }

  /**
   * One cell more on every side; or, with value 0, one less. Beyond the edges everything goes on.
   * @param {number} value
   */
  spread(value) {
    const { mels, frames, cells } = this;
    const next = cells.slice();
    for (let band = 0; band < mels; band++) {
      for (let frame = 0; frame < frames; frame++) {
        if (cells[band * frames + frame] !== value) continue;
        for (let b = Math.max(0, band - 1); b <= Math.min(mels - 1, band + 1); b++) {
          next.fill(value, b * frames + Math.max(0, frame - 1), b * frames + Math.min(frames, frame + 2));
        }
      }
    }
    this.flatten(next);
  }

  // ---- questions

  /** How many cells are marked, and the box around them (null when none). */
  extent() {
    let count = 0;
    const box = { first: this.frames, last: 0, low: this.mels, high: 0 };
    for (let band = 0; band < this.mels; band++) {
      for (let frame = 0, i = band * this.frames; frame < this.frames; frame++, i++) {
        if (!this.cells[i]) continue;
        count++;
        if (frame < box.first) box.first = frame;
        if (frame >= box.last) box.last = frame + 1;
        if (band < box.low) box.low = band;
        box.high = band + 1;
      }
    }
    return { count, box: count ? box : null };
  }

  /** The coarser grid of the model: a cell of it counts as soon as one of ours in it is marked. @param {number} side */
  touched(side) {
    const rows = Math.ceil(this.mels / side);
    const columns = Math.ceil(this.frames / side);
    const cells = new Uint8Array(rows * columns);
    for (let band = 0; band < this.mels; band++) {
      const row = Math.floor(band / side) * columns;
      for (let frame = 0, i = band * this.frames; frame < this.frames; frame++, i++) {
        if (this.cells[i]) cells[row + Math.floor(frame / side)] = 1;
      }
    }
    return { rows, columns, cells };
  }
}

/** Cells as lengths of runs of (value, count): a mask is mostly nothing. @param {Uint8Array} cells */
export function runsOf(cells) {
  /** @type {number[]} */
  const runs = [];
  for (let i = 0; i < cells.length; ) {
    let j = i + 1;
    while (j < cells.length && cells[j] === cells[i]) j++;
    runs.push(cells[i], j - i);
    i = j;
  }
  return runs;
}

/** @param {number[]} runs @param {number} count */
export function cellsOf(runs, count) {
  const cells = new Uint8Array(count);
  for (let k = 0, i = 0; k < runs.length; k += 2) {
    cells.fill(runs[k], i, i + runs[k + 1]);
    i += runs[k + 1];
  }
  return cells;
}
