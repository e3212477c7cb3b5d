// chart.js: waveform above spectrogram, with hertz and seconds, a play-head, and a click that goes there.

const SCREEN = "#12151b", INK = "#aeb6c2", WAVE = "#7fb8b2", HEAD = "#ffffff";
const LEFT = 46, RIGHT = 10, TOP = 6, WAVE_HEIGHT = 34, BOTTOM = 18;

class Chart {
  constructor(label, seek) {
    this.canvas = h("canvas", { class: "chart", role: "img", "aria-label": label });
    this.at = 0;
    if (seek) this.canvas.addEventListener("pointerdown", (event) => seek(this.secondsAt(event)));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  // Shown only when it comes into sight: a history holds hundreds.
  whenSeen(load) {
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      load();
    }, { rootMargin: "200px" });
    watcher.observe(this.canvas);
  }

  async load(view) {
    this.view = view;
    this.peaks = view.peaks ? new Int8Array(bytesOf(view.peaks).buffer) : null;
    this.loudest = this.peaks ? this.peaks.reduce((top, one) => Math.max(top, Math.abs(one)), 1) : 1;
    this.draw();
    try {
      this.levels = await levelsOf(view.levels);
      this.show(coloured(this.levels));
    } catch {
      this.canvas.dataset.gone = "true";
    }
  }

  show(bitmap) {
    this.bitmap = bitmap;
    this.canvas.dataset.ready = "true";
    this.draw();
  }

  get seconds() { return this.view ? this.view.seconds : 1; }
  get plotTop() { return TOP + (this.peaks ? WAVE_HEIGHT : 0); }

  secondsAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const part = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
    return Math.max(0, Math.min(1, part)) * this.seconds;
  }

  move(seconds) { this.at = seconds; this.draw(); }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;  // in a closed tab
    const scale = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale)) this.canvas.width = Math.round(width * scale);
    if (this.canvas.height !== Math.round(height * scale)) this.canvas.height = Math.round(height * scale);
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.fillStyle = SCREEN;
    pen.fillRect(0, 0, width, height);
    const area = { x: LEFT, y: this.plotTop, w: width - LEFT - RIGHT, h: height - this.plotTop - BOTTOM };
    if (this.peaks) this.drawWave(pen, area);
    if (this.bitmap) this.drawLevels(pen, area);
    this.drawAxes(pen, area);
    if (this.at > 0) {
      pen.fillStyle = HEAD;
      pen.fillRect(area.x + (area.w * this.at) / this.seconds - 0.75, TOP, 1.5, height - TOP - BOTTOM);
    }
  }

  drawLevels(pen, area) {
    // Only the frames within the sound: the last one may be padded.
    const frame = this.view && this.view.frame;
    const shown = frame ? Math.min(this.bitmap.width, this.seconds / frame) : this.bitmap.width;
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.bitmap, 0, 0, shown, this.bitmap.height, area.x, area.y, area.w, area.h);
  }

  // As high as there is room: a quiet sound should be seen, too.
  drawWave(pen, area) {
    const middle = TOP + (WAVE_HEIGHT - 4) / 2, half = (WAVE_HEIGHT - 6) / 2, count = this.peaks.length / 2;
    pen.fillStyle = WAVE;
    for (let i = 0; i < count; i++) {
      const low = this.peaks[2 * i] / this.loudest, high = this.peaks[2 * i + 1] / this.loudest;
      pen.fillRect(area.x + (area.w * i) / count, middle - high * half, Math.max(1, area.w / count), Math.max(1, (high - low) * half));
    }
  }

  drawAxes(pen, area) {
    pen.fillStyle = INK;
    pen.font = "10.5px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    let last = Infinity;
    for (const [height, text] of (this.view && this.view.ticks) || []) {
      const y = area.y + area.h * (1 - height);
      if (last - y < 12) continue;
      pen.fillText(text, LEFT - 6, Math.max(area.y + 5, y));
      last = y;
    }
    pen.textBaseline = "top";
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120].find((one) => (area.w * one) / this.seconds >= 44) || 300;
    for (let i = 0; i * step <= this.seconds + 1e-6; i++) {
      const x = area.x + (area.w * i * step) / this.seconds;
      pen.textAlign = i === 0 ? "left" : x > area.x + area.w - 14 ? "right" : "center";
      pen.fillText(i === 0 ? "0" : `${Number((i * step).toFixed(2))} s`, x, area.y + area.h + 4);
    }
  }
}
