// compare.js: before and after one picture, wiped or subtracted, and heard from the same second. `element`, `props` and
// `watch` are Gradio's.

const DIVIDER = "#ffffff";

class Compare {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(name);
    this.view = new View(this.part("canvas"));
    this.layers = { before: document.createElement("canvas"), after: document.createElement("canvas"), difference: document.createElement("canvas") };
    this.value = null;
    this.show = "wipe";
    this.wipe = 0.5;
    this.take = 0;
    this.buffers = {};
    this.playing = null; // { what, source, began }
    this.at = 0;
  }

  load(value) {
    this.stop();
    this.value = value;
    this.root.classList.toggle("empty", !value);
    this.buffers = {};
    if (!value) return;
    this.axes = new Axes(value);
    this.before = bytesOf(value.before.spec);
    const takes = this.part(".takes");
    takes.replaceChildren(...value.takes.map((_, k) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: `Take ${k + 1}` });
      button.dataset.take = k;
      return button;
    }));
    takes.hidden = value.takes.length < 2;
    this.view.setSound(this.before, bytesOf(value.colours), value.decibels);
    this.choose(0);
  }

  choose(take) {
    this.stop();
    this.take = take;
    delete this.buffers.after;
    delete this.buffers.difference;
    this.after = bytesOf(this.value.takes[take].spec);
    this.part(".note").textContent = this.value.takes[take].note;
    this.press("take", take);
    const { start } = this.span();
    this.at = Math.max(0, start - 1);
    this.fit();
  }

  press(kind, value) {
    for (const button of this.root.querySelectorAll(`[data-${kind}]`)) button.setAttribute("aria-pressed", String(button.dataset[kind] === String(value)));
  }

  span() {
    const { spans, first, frames } = this.value;
    const seconds = this.axes.frameSeconds;
    return spans.length ? { start: spans[0][0], end: spans[spans.length - 1][1] } : { start: first * seconds, end: (first + frames) * seconds };
  }

  fit() {
    if (!this.value || !this.view.fit(this.axes)) return;
    const columns = this.view.columns(this.axes);
    const look = this.view.lookTable();
    this.view.paint(this.layers.before, this.axes, columns, this.before, look);
    this.view.paint(this.layers.after, this.axes, columns, this.after, look);
    // Signed: 128 is no change; 40 dB either way is as far as the colours go.
    const [floor, top] = this.value.decibels;
    const scale = ((top - floor) / 255) * (127 / 40);
    const change = this.before.map((level, i) => clamp(Math.round(128 + (this.after[i] - level) * scale), 1, 255));
    this.view.paint(this.layers.difference, this.axes, columns, change, changeTable());
    this.draw();
  }

  draw() {
    const { view, axes } = this;
    const g = view.context;
    g.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    g.fillStyle = PAPER;
    g.fillRect(0, 0, view.canvas.width, view.canvas.height);
    g.imageSmoothingEnabled = false;
    const place = [MARGIN.left, MARGIN.top, axes.width, axes.height];
    if (this.show === "difference") g.drawImage(this.layers.difference, ...place);
    else {
      const x = this.wipe * axes.width;
      g.drawImage(this.layers.after, ...place);
      g.save();
      g.beginPath();
      g.rect(MARGIN.left, MARGIN.top, x, axes.height);
      g.clip();
      g.drawImage(this.layers.before, ...place);
      g.restore();
      g.fillStyle = DIVIDER;
      g.fillRect(MARGIN.left + x - 1, MARGIN.top, 2, axes.height);
      g.font = FONT;
      g.textBaseline = "top";
      g.textAlign = "right";
      if (x > 48) g.fillText("before", MARGIN.left + x - 6, MARGIN.top + 6);
      g.textAlign = "left";
      if (x < axes.width - 40) g.fillText("after", MARGIN.left + x + 6, MARGIN.top + 6);
    }
    const { first } = this.value;
    g.strokeStyle = "rgba(255, 255, 255, 0.75)";
    g.setLineDash([3, 3]);
    for (const edge of this.value.spans.flat()) {
      const at = axes.x(edge / axes.frameSeconds - first);
      g.beginPath();
      g.moveTo(at, MARGIN.top);
      g.lineTo(at, axes.bottom);
      g.stroke();
    }
    g.setLineDash([]);
    const head = axes.x(this.seconds() / axes.frameSeconds - first);
    if (this.playing && head >= MARGIN.left && head <= MARGIN.left + axes.width) { g.fillStyle = "#ffd84d"; g.fillRect(head - 0.75, MARGIN.top, 1.5, axes.height); }
    drawRulers(view, axes, first);
  }

  // ---- hearing

  seconds() { return this.playing ? this.at + this.context.currentTime - this.playing.began : this.at; }

  async buffer(what) {
    this.context = this.context || new AudioContext();
    if (this.buffers[what]) return this.buffers[what];
    if (what === "difference") {
      const [before, after] = [await this.buffer("before"), await this.buffer("after")];
      const lead = Math.round(this.value.shift * after.sampleRate);
      const made = this.context.createBuffer(after.numberOfChannels, after.length, after.sampleRate);
      for (let c = 0; c < after.numberOfChannels; c++) {
        const old = before.getChannelData(Math.min(c, before.numberOfChannels - 1));
        made.copyToChannel(after.getChannelData(c).map((value, i) => value - (old[i - lead] || 0)), c);
      }
      this.buffers.difference = made;
    } else {
      const url = what === "before" ? this.value.before.audio : this.value.takes[this.take].audio;
      this.buffers[what] = await this.context.decodeAudioData(await (await fetch(url)).arrayBuffer());
    }
    return this.buffers[what];
  }

  // Switching keeps the place, so that the ear compares the same moment.
  async hear(what) {
    if (this.playing && this.playing.what === what) { this.stop(); return; }
    const buffer = await this.buffer(what);
    const { start, end } = this.span();
    const now = this.seconds();
    this.stop();
    this.at = now >= end + 1 || now < start - 1.001 ? Math.max(0, start - 1) : now;
    await this.context.resume();
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    source.start(0, Math.max(0, this.at - (what === "before" ? this.value.shift : 0)));
    this.playing = { what, source, began: this.context.currentTime };
    this.press("hear", what);
    const tick = () => {
      if (!this.playing || this.playing.source !== source) return;
      if (this.seconds() > end + 1) { this.stop(); this.at = Math.max(0, start - 1); }
      this.draw();
      requestAnimationFrame(tick);
    };
    tick();
  }

  stop() {
    if (!this.playing) return;
    this.at = this.seconds();
    this.playing.source.stop();
    this.playing = null;
    this.press("hear", null);
    this.draw();
  }
}

// Axes whose seconds begin at a frame of the whole sound.
function drawRulers(view, axes, first) {
  const g = view.context;
  const shifted = Object.create(axes, { from: { value: axes.from + first }, to: { value: axes.to + first }, frames: { value: axes.frames + first } });
  Object.defineProperty(shifted, "zoomed", { value: false });
  g.fillStyle = INK;
  view.drawAxes(shifted);
}

// Blue is quieter, orange louder, black as before.
function changeTable() {
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const change = (level - 128) / 127;
    const [r, g, b] = change > 0 ? [255, 150, 40] : [70, 150, 255];
    const part = Math.min(1, Math.abs(change));
    return (255 << 24 | Math.round(b * part) << 16 | Math.round(g * part) << 8 | Math.round(r * part)) >>> 0;
  });
}

const compare = new Compare(element.querySelector(".compare"));

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || !compare.value) return;
  if (button.dataset.take) compare.choose(Number(button.dataset.take));
  if (button.dataset.show) {
    compare.show = button.dataset.show;
    compare.press("show", compare.show);
    compare.part(".wipe").hidden = compare.show !== "wipe";
    compare.draw();
  }
  if (button.dataset.hear) compare.hear(button.dataset.hear).catch(() => { compare.part(".note").textContent = "Your browser cannot play this sound."; });
});

const wipeTo = (part) => { compare.wipe = clamp(part, 0, 1); compare.part(".wipe").value = 100 * compare.wipe; compare.draw(); };
compare.part(".wipe").addEventListener("input", (event) => wipeTo(Number(event.target.value) / 100));
compare.part("canvas").addEventListener("pointerdown", (event) => event.target.setPointerCapture(event.pointerId));
for (const kind of ["pointerdown", "pointermove"]) {
  compare.part("canvas").addEventListener(kind, (event) => {
    if (!compare.value || compare.show !== "wipe" || !event.buttons) return;
    wipeTo((event.clientX - event.target.getBoundingClientRect().left - MARGIN.left) / compare.axes.width);
  });
}

new ResizeObserver(() => compare.fit()).observe(compare.part("canvas"));
watch("value", () => compare.load(props.value));
compare.load(props.value);
