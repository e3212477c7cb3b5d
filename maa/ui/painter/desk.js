// desk.js: the painter as a whole: sound, mask, tool and what is shown of them.

const OPENING = { narrow: 4, width: 480 }; // seconds in view at first on a screen narrower than so many pixels

class Desk {
  constructor(root, send) {
    this.root = root;
    this.send = send; // (base64 mask) -> to the server with the next request
    this.part = (name) => root.querySelector(name);
    this.canvas = this.part("canvas");
    this.view = new View(this.canvas);
    this.player = new Player(this.part('[data-act="play"]'), () => this.draw());
    this.axes = null;
    this.grid = null;
    this.levels = null;
    this.id = null;
    this.tool = "box";
    this.brush = { ms: 120, hertz: 500 };
    this.listening = { part: "all", loop: false };
    this.marks = {};
  }

  // Show what the server sent; null empties the desk. The same sound keeps its history, its view and its mask's past.
  load(value) {
    this.root.classList.toggle("empty", !value);
    if (value && this.grid && value.id === this.id) { this.take(value); return; }
    this.marks = {};
    this.grid = this.axes = this.id = null;
    this.player.load(value ? value.audio : null);
    if (value) {
      this.id = value.id;
      this.axes = new Axes(value);
      this.grid = new Grid(value.mels, value.frames, unpacked(bytesOf(value.mask), value.mels * value.frames));
      this.levels = bytesOf(value.spec);
      this.decibels = value.decibels;
      this.side = value.cell;
      this.scale = value.scale;
      this.view.setSound(this.levels, bytesOf(value.colours), value.decibels);
      this.opened = false;
    }
    this.fit();
    this.refresh();
  }

  // Another mask for the sound that is here already: one step that undo takes back.
  take(value) {
    const cells = unpacked(bytesOf(value.mask), value.mels * value.frames);
    if (cells.every((cell, i) => cell === this.grid.cells[i])) return;
    this.change((grid) => grid.flatten(cells));
  }

  fit() {
    if (!this.view.fit(this.axes)) return;
    if (this.axes && !this.opened) {
      this.opened = true;
      if (this.canvas.clientWidth < OPENING.width) this.axes.show(0, OPENING.narrow / this.axes.frameSeconds);
    }
    this.look();
  }

  // What is in view has changed.
  look() {
    this.view.stale = true;
    if (this.grid) this.view.setMask(this.axes, this.grid, this.side);
    this.draw();
  }

  draw() {
    const seconds = this.player.seconds;
    this.marks.playing = this.axes && seconds !== null ? seconds / this.axes.frameSeconds : null;
    this.marks.active = this.grid ? this.grid.box : null;
    this.view.draw(this.axes, this.marks);
    if (this.axes) this.root.dataset.view = `${this.axes.from.toFixed(2)} ${this.axes.to.toFixed(2)}`;
  }

  // The mask has changed on the way to something: show it.
  refresh() {
    if (this.grid) this.view.setMask(this.axes, this.grid, this.side);
    this.draw();
    this.tell();
  }

  // The mask has changed for good: show it and let the server have it.
  commit() {
    this.refresh();
    this.player.forget();
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
    const { grid } = this;
    if (name === "undo" || name === "redo") { if (grid[name]()) this.commit(); }
    else if (name === "clear") this.change(() => grid.clear());
    else if (name === "invert") this.change(() => grid.invert());
    else if (name === "grow") this.change(() => grid.spread(1));
    else if (name === "shrink") this.change(() => grid.spread(0));
    else if (name === "remove") { if (grid.box) this.change(() => grid.removeBox()); }
    else if (name === "closer") { this.axes.zoom(1.6); this.look(); }
    else if (name === "farther") { this.axes.zoom(1 / 1.6); this.look(); }
    else if (name === "whole") { this.axes.show(0, this.axes.frames); this.look(); }
    else if (name === "play") this.toggle();
    else if (name === "save") savePng(this);
    else if (name === "loop") this.listen({ loop: !this.listening.loop });
  }

  toggle() { if (this.player.playing) this.player.stop(); else this.play(null); }

  play(from) {
    const { count, box } = this.grid.extent();
    const part = count ? this.listening.part : "all";
    const seconds = (frame) => frame * this.axes.frameSeconds;
    const loop = this.listening.loop && box ? [seconds(box.first), seconds(box.last)] : null;
    // A selection begins where it begins.
    const start = from === null && part === "marked" && !loop && this.player.at === 0 ? seconds(box.first) : from;
    this.player.play({ part, loop, from: start }, this.axes, this.grid.cells)
      .catch(() => this.tell("Your browser cannot play this sound; the tools work all the same."));
  }

  listen(change) {
    Object.assign(this.listening, change);
    for (const button of this.root.querySelectorAll("[data-part]")) {
      button.setAttribute("aria-pressed", String(button.dataset.part === this.listening.part));
    }
    this.part('[data-act="loop"]').setAttribute("aria-pressed", String(this.listening.loop));
    if (this.player.playing) { this.player.stop(); this.play(null); }
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

  resizeBrush(ms, hertz) {
    this.brush = { ms: clamp(Math.round(ms), 1, 5000), hertz: clamp(Math.round(hertz), 1, 8000) };
    this.part('[name="ms"]').value = this.brush.ms;
    this.part('[name="hertz"]').value = this.brush.hertz;
    this.draw();
  }

  // The status line and the fields, and the same facts as attributes of the root for whoever reads the page by program.
  tell(text) {
    const { count, box } = this.grid ? this.grid.extent() : { count: 0, box: null };
    const share = this.grid ? (100 * count) / this.grid.cells.length : 0;
    const facts = box ? `${share.toFixed(share < 10 ? 1 : 0)} % marked, ${spanText(this.axes, box)}` : "Nothing is marked yet.";
    this.part(".facts").textContent = this.grid ? text || facts : "";
    this.root.dataset.count = count;
    this.root.dataset.box = box ? [box.first, box.last, box.low, box.high].join(" ") : "";
    this.root.dataset.effective = this.grid ? this.grid.touched(this.side).cells.reduce((sum, cell) => sum + cell, 0) : 0;
    showNumbers(this);
  }

  // What lies under the pointer.
  readOut(at) {
    let text = "";
    if (at && this.axes) {
      const [frame, band] = [Math.min(this.axes.frames - 1, Math.floor(at.frame)), Math.min(this.axes.mels - 1, Math.floor(at.band))];
      const [floor, top] = this.decibels;
      const level = floor + (this.levels[band * this.axes.frames + frame] / 255) * (top - floor);
      const close = this.axes.shown * this.axes.frameSeconds < 3 ? 3 : 2;
      text = `${(at.frame * this.axes.frameSeconds).toFixed(close)} s   ${hertzText(this.axes.hertz(at.band))}   ${level.toFixed(0).replace("-", "−")} dB`;
    }
    this.part(".readout").textContent = text;
  }
}
