// compare.js: two sounds on one play-head. Both run all the time and the switch only turns their volumes, so the
// change is heard within one sample; both are brought to the loudness of the quieter one.

class Compare {
  constructor(name) {
    this.name = name;
    this.choices = [];
    this.side = 1;
    this.shift = 0;
    this.root = h("section", { class: "compare", hidden: true, "aria-label": "Compare two sounds", tabindex: "-1" });
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("maa-play", (event) => { if (event.detail !== this) this.pause(); });
  }

  // choices: [{label, view}]; a and b are indices.
  open(choices, a, b) {
    this.pause();
    this.choices = choices;
    this.picked = [a, b];
    this.side = 1;
    this.shift = 0;
    this.root.hidden = false;
    this.build();
    this.root.scrollIntoView({ block: "nearest", behavior: "smooth" });
    this.root.focus({ preventScroll: true });
    return this.load();
  }

  close() { this.pause(); this.root.hidden = true; }

  build() {
    const pick = (side) => h("select", { "aria-label": side ? "Second sound" : "First sound", onchange: (event) => { this.picked[side] = Number(event.target.value); this.load(); } },
      this.choices.map((choice, i) => h("option", { value: String(i), selected: i === this.picked[side] }, choice.label)));
    this.sides = ["A", "B"].map((letter, side) => h("button", { type: "button", class: "side", onclick: () => this.choose(side) }, letter));
    this.chart = new Chart("Spectrogram of the sound that is heard, or the difference of both", (seconds) => this.seek(seconds));
    this.playing = iconButton("play", "Play both (space)", () => this.toggle());
    this.matched = h("input", { type: "checkbox", checked: true, onchange: () => this.level() });
    this.differing = h("input", { type: "checkbox", onchange: () => this.paint() });
    this.line = h("p", { class: "line", role: "status", "aria-live": "polite" });
    this.root.replaceChildren(
      h("header", null, h("strong", null, "Compare"), h("span", { class: "hint" }, "x switches, space plays"), iconButton("close", "Close the comparison", () => this.close())),
      h("div", { class: "pair" }, this.sides[0], pick(0), this.sides[1], pick(1)),
      this.chart.canvas,
      h("div", { class: "bar" }, this.playing, this.clock = h("span", { class: "time" }, "0.0 s"),
        h("label", null, this.matched, "Same loudness"), h("label", null, this.differing, "Show the difference")),
      this.line,
    );
  }

  get views() { return this.picked.map((i) => this.choices[i].view); }

  async load() {
    this.pause();
    this.shift = 0;
    this.buffers = null;
    const views = this.views;
    this.say("Loading …");
    try {
      this.levels = await Promise.all(views.map((view) => levelsOf(view.levels)));
      this.audio = this.audio || new AudioContext();
      this.buffers = await Promise.all(views.map(async (view) => this.audio.decodeAudioData(await (await fetch(view.url)).arrayBuffer())));
    } catch {
      this.say("One of these sounds cannot be loaded any more.");
      return;
    }
    this.paint();
    this.level();
    this.root.dataset.loaded = String(Number(this.root.dataset.loaded || 0) + 1);
  }

  // What to multiply each side by so that both are as loud as the quieter one.
  get gains() {
    const loud = this.views.map((view) => view.lufs);
    if (!this.matched.checked || loud.includes(null)) return [1, 1];
    const target = Math.min(...loud);
    return loud.map((one) => 10 ** ((target - one) / 20));
  }

  level() {
    const gains = this.gains;
    if (this.nodes) this.nodes.forEach((node, side) => { node.gain.value = side === this.side ? gains[side] : 0; });
    const told = gains.map((gain, side) => `${"AB"[side]} ${gain === 1 ? "as it is" : `${(20 * Math.log10(gain)).toFixed(1)} dB`}`);
    this.say(`Hearing ${"AB"[this.side]}. ${told.join(", ")}.`);
    this.sides.forEach((button, side) => button.setAttribute("aria-pressed", String(side === this.side)));
  }

  choose(side) { this.side = side; this.level(); this.paint(); }

  paint() {
    if (!this.levels) return;
    const [a, b] = this.levels, view = this.views[this.side];
    this.chart.view = { ...view, seconds: Math.max(...this.views.map((one) => one.seconds)) };
    this.chart.peaks = null;
    this.chart.levels = this.levels[this.side];
    if (this.differing.checked) this.chart.view = { ...view, seconds: Math.min(...this.views.map((one) => one.seconds)) };
    this.chart.show(this.differing.checked ? difference(a, b) : coloured(this.levels[this.side]));
  }

  get at() {
    const length = this.length || 0;
    return this.started === undefined ? this.shift : Math.min(length, this.shift + this.audio.currentTime - this.started);
  }

  play() {
    if (!this.buffers) return;
    document.dispatchEvent(new CustomEvent("maa-play", { detail: this }));
    this.audio.resume();
    this.length = Math.max(...this.buffers.map((buffer) => buffer.duration));
    if (this.shift >= this.length - 0.01) this.shift = 0;
    this.nodes = this.buffers.map(() => new GainNode(this.audio));
    const when = this.audio.currentTime + 0.02;
    this.sources = this.buffers.map((buffer, side) => {
      const source = new AudioBufferSourceNode(this.audio, { buffer });
      source.connect(this.nodes[side]).connect(this.audio.destination);
      source.start(when, Math.min(this.shift, buffer.duration));
      return source;
    });
    this.started = when;
    this.level();
    setIcon(this.playing, "pause", "Pause (space)");
    const tick = () => {
      if (this.started === undefined) return;
      this.tell();
      if (this.at >= this.length) { this.pause(); this.shift = 0; this.tell(); return; }
      requestAnimationFrame(tick);
    };
    tick();
  }

  pause() {
    if (this.started === undefined) return;
    this.shift = this.at;
    this.started = undefined;
    this.sources.forEach((source) => source.stop());
    this.nodes = null;
    setIcon(this.playing, "play", "Play both (space)");
  }

  toggle() { if (this.started === undefined) this.play(); else this.pause(); }
  tell() { this.chart.move(this.at); this.clock.textContent = `${Math.max(0, this.at).toFixed(1)} s`; }

  seek(seconds) {
    const running = this.started !== undefined;
    this.pause();
    this.shift = seconds;
    this.tell();
    if (running) this.play();
  }

  key(event) {
    if (this.root.hidden || !this.root.offsetParent || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, [contenteditable]")) return;
    if (event.key === "x") this.choose(1 - this.side);
    else if (event.key === " " && this.root.contains(event.target) && !event.target.closest("button, select, input")) { event.preventDefault(); this.toggle(); }
  }

  say(text) { this.line.textContent = text; }
}
