// desk.js: the painter as a whole: sound, mask, tool and what is shown of them.

class Desk {
  constructor(root, send) {
    this.root = root;
    this.send = send; // (base64 mask) -> to the server with the next request
    this.part = (name) => root.querySelector(name);
    this.canvas = this.part("canvas");
    this.view = new View(this.canvas);
    this.player = new Player(this.part("audio"), this.part('[data-act="play"]'), () => this.draw());
    this.axes = null;
    this.grid = null;
    this.levels = null;
    this.tool = "box";
    this.bands = 6;
    this.marks = { box: null, caret: null, brush: null, playing: null };
  }

  // Show what the server sent; null empties the desk.
  load(value) {
    this.marks = { box: null, caret: null, brush: null, playing: null };
    this.root.classList.toggle("empty", !value);
    this.grid = this.axes = null;
    this.player.load(value ? value.audio : null);
    if (value) {
      this.axes = new Axes(value);
      this.grid = new Grid(value.mels, value.frames, unpacked(bytesOf(value.mask), value.mels * value.frames));
      this.levels = bytesOf(value.spec);
      this.decibels = value.decibels;
      this.side = value.cell;
      this.view.setSound(this.levels, bytesOf(value.colours), value.mels, value.frames);
    }
    this.refresh();
    this.fit();
  }

  fit() { if (this.view.fit(this.axes)) this.draw(); }

  draw() {
    const seconds = this.player.seconds;
    this.marks.playing = this.axes && seconds !== null ? seconds / this.axes.frameSeconds : null;
    this.view.draw(this.axes, this.marks);
  }

  // The mask has changed on the way to something: show it.
  refresh() {
    if (this.grid) this.view.setMask(this.grid, this.side);
    this.draw();
    this.tell();
  }

  // The mask has changed for good: show it and let the server have it.
  commit() {
    this.refresh();
    this.send(base64Of(packed(this.grid.cells)));
  }

  // One change that undo can take back.
  change(what) {
    if (!this.grid) return;
    this.grid.remember();
    what(this.grid);
    this.commit();
  }

  act(name) {
    if (!this.grid) return;
    if (name === "undo" || name === "redo") { if (this.grid[name]()) this.commit(); }
    else if (name === "clear") this.change((grid) => grid.clear());
    else if (name === "invert") this.change((grid) => grid.invert());
    else if (name === "play") this.player.toggle();
  }

  choose(tool) {
    this.tool = tool;
    this.marks.brush = null;
    for (const button of this.root.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    }
    this.draw();
  }

  get brushes() { return this.tool === "brush" || this.tool === "erase"; }

  resizeBrush(bands) {
    const slider = this.part(".size");
    this.bands = clamp(bands, Number(slider.min), Number(slider.max));
    slider.value = this.bands;
    this.draw();
  }

  // The status line, and the same facts as attributes of the root for whoever reads the page by program.
  tell(text) {
    const { count, box } = this.grid ? this.grid.extent() : { count: 0, box: null };
    const share = this.grid ? (100 * count) / this.grid.cells.length : 0;
    const facts = box ? `${share.toFixed(share < 10 ? 1 : 0)} % marked, ${spanText(this.axes, box)}` : "Nothing is marked yet.";
    this.part(".facts").textContent = this.grid ? text || facts : "";
    this.root.dataset.count = count;
    this.root.dataset.box = box ? [box.first, box.last, box.low, box.high].join(" ") : "";
  }

  // What lies under the pointer.
  readOut(at) {
    let text = "";
    if (at && this.axes) {
      const [frame, band] = [Math.min(this.axes.frames - 1, Math.floor(at.frame)), Math.min(this.axes.mels - 1, Math.floor(at.band))];
      const [floor, top] = this.decibels;
      const level = floor + (this.levels[band * this.axes.frames + frame] / 255) * (top - floor);
      text = `${(at.frame * this.axes.frameSeconds).toFixed(2)} s   ${hertzText(this.axes.hertz(at.band))}   ${level.toFixed(0).replace("-", "−")} dB`;
    }
    this.part(".readout").textContent = text;
  }
}
