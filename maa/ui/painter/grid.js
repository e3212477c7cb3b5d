// grid.js: the mask as cells of band x frame, and all that changes it. Row 0 is the lowest band. No drawing here.
// A box is { first, last, low, high } in frames and bands; last and high are one beyond.

const STEPS_KEPT = 50;

class Grid {
  constructor(mels, frames, cells) {
    this.mels = mels;
    this.frames = frames;
    this.cells = cells;
    this.past = [];
    this.future = [];
  }

  // Call before a change, so that undo comes back to here.
  remember() {
    this.past.push(this.cells.slice());
    if (this.past.length > STEPS_KEPT) this.past.shift();
    this.future = [];
  }

  // Forget the last `remember`: its change did not happen.
  forget() { this.cells = this.past.pop(); }

  undo() { return this.travel(this.past, this.future); }
  redo() { return this.travel(this.future, this.past); }

  travel(from, to) {
    if (!from.length) return false;
    to.push(this.cells);
    this.cells = from.pop();
    return true;
  }

  fill(box, value) {
    for (let band = box.low; band < box.high; band++) {
      this.cells.fill(value, band * this.frames + box.first, band * this.frames + box.last);
    }
  }

  clear() { this.cells.fill(0); }
  invert() { for (let i = 0; i < this.cells.length; i++) this.cells[i] ^= 1; }

  // Every cell whose centre lies within the ellipse, and the cell that it stands on.
  stamp(at, radius, value) {
    const first = Math.max(0, Math.floor(at.frame - radius.frames));
    const last = Math.min(this.frames - 1, Math.floor(at.frame + radius.frames));
    const low = Math.max(0, Math.floor(at.band - radius.bands));
    const high = Math.min(this.mels - 1, Math.floor(at.band + radius.bands));
    for (let band = low; band <= high; band++) {
      for (let frame = first; frame <= last; frame++) {
        const x = (frame + 0.5 - at.frame) / radius.frames;
        const y = (band + 0.5 - at.band) / radius.bands;
        if (x * x + y * y <= 1) this.cells[band * this.frames + frame] = value;
      }
    }
    const band = Math.min(this.mels - 1, Math.floor(at.band));
    const frame = Math.min(this.frames - 1, Math.floor(at.frame));
    this.cells[band * this.frames + frame] = value;
  }

  stroke(from, to, radius, value) {
    const x = (to.frame - from.frame) / radius.frames;
    const y = (to.band - from.band) / radius.bands;
    const stamps = Math.max(1, Math.ceil(4 * Math.hypot(x, y)));
    for (let i = 1; i <= stamps; i++) {
      const part = i / stamps;
      this.stamp({
        frame: from.frame + (to.frame - from.frame) * part,
        band: from.band + (to.band - from.band) * part,
      }, radius, value);
    }
  }

  // How many cells are painted, and the box around them (null when none).
  extent() {
    let count = 0;
    const box = { first: this.frames, last: 0, low: this.mels, high: 0 };
    for (let band = 0; band < this.mels; band++) {
      for (let frame = 0; frame < this.frames; frame++) {
        if (!this.cells[band * this.frames + frame]) continue;
        count++;
        box.first = Math.min(box.first, frame);
        box.last = Math.max(box.last, frame + 1);
        box.low = Math.min(box.low, band);
        box.high = Math.max(box.high, band + 1);
      }
    }
    return { count, box: count ? box : null };
  }

  // The coarser grid that the model works on: a cell of it counts as soon as one of ours in it is painted.
  touched(side) {
    const rows = Math.ceil(this.mels / side);
    const columns = Math.ceil(this.frames / side);
    const cells = new Uint8Array(rows * columns);
    this.cells.forEach((cell, i) => {
      if (!cell) return;
      const band = Math.floor(i / this.frames);
      cells[Math.floor(band / side) * columns + Math.floor((i - band * this.frames) / side)] = 1;
    });
    return { rows, columns, cells };
  }
}
