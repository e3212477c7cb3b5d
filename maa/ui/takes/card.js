// card.js: one take: what it is, what it looks like, how it sounds, and what can be done with it.

const TASKS = props.tasks;  // their labels, by name
const WEIGHED = "How well CLAP says that it fits the prompt, from -1 to 1";

class Card {
  // host: {name, compare(view)}; how: {title, prompt} for a history.
  constructor(view, host, how = {}) {
    this.view = view;
    this.host = host;
    this.name = how.title || `Take ${view.number}`;
    this.media = onlyOne(view.clip ? this.video() : new Audio());
    if (!view.clip) { this.media.preload = "none"; this.media.src = view.url; }
    this.chart = new Chart(`Waveform and mel-spectrogram of ${this.name}: seconds from left to right, low notes at the bottom`, (seconds) => { this.media.currentTime = seconds; this.chart.move(seconds); });
    this.chart.whenSeen(() => this.chart.load(view));
    this.playing = iconButton("play", `Play ${this.name}`, () => this.toggle(), { class: "icon main" });
    this.time = h("span", { class: "time" }, `${clock(view.seconds)} s`);
    this.follow();
    this.said = h("p", { class: "said", role: "status", "aria-live": "polite" });
    this.root = h("article", { class: "take", id: how.id, "data-id": view.id, "aria-label": this.name },
      this.head(how), view.clip ? this.media : null, this.chart.canvas, this.bar(), this.said);
  }

  video() {
    return h("video", { controls: true, src: this.view.clip, preload: "metadata", playsinline: true, "aria-label": `${this.name} on the clip` });
  }

  head(how) {
    const { view } = this, facts = [];
    if (view.best) facts.push(h("span", { class: "badge" }, "best match"));
    for (const [label, value] of view.facts || []) facts.push(h("span", { class: "fact" }, `${label} ${value}`));
    if (view.score !== null && view.score !== undefined) facts.push(h("span", { class: "fact", title: WEIGHED }, `CLAP ${view.score.toFixed(2)}`));
    facts.push(h("span", { class: "fact" }, `seed ${view.seed}`));
    const kept = store.get(view.id);
    this.starred = Boolean(kept && kept.star);
    this.star = iconButton("star", "", () => this.setStar(!this.starred));
    this.showStar();
    return h("header", null, h("div", { class: "facts" }, h("strong", null, this.name), ...facts), view.example ? null : this.star,
      how.prompt === undefined ? null : h("p", { class: "prompt" }, how.prompt));
  }

  showStar() {
    setIcon(this.star, "star", `${this.starred ? "Unstar" : "Star"} ${this.name}`);
    this.star.setAttribute("aria-pressed", String(this.starred));
  }

  setStar(on) { this.starred = on; store.star(this.view, on); this.showStar(); }

  bar() {
    const { view } = this, media = view.clip || view.url;
    const down = h("a", { class: "icon", href: media, download: decodeURIComponent(media.split("/").pop()), "aria-label": `Download ${this.name}`, title: `Download ${this.name}` }, icon("down"));
    const compare = h("button", { type: "button", class: "icon", "aria-label": `A/B: compare ${this.name}`, title: `Compare ${this.name}`, onclick: () => this.host.compare(view) }, "A/B");
    const send = h("select", { "aria-label": `Send ${this.name} to another tab`, onchange: () => { trigger("take_send", this.asked({ to: send.value })); send.value = ""; } },
      h("option", { value: "" }, "Send to …"),
      Object.entries(TASKS).filter(([task]) => task !== view.task || task === "personalize" || task === "inpaint").map(([task, name]) => h("option", { value: task }, name)));
    const more = textButton("More like this", () => trigger("take_more", this.asked()), { "aria-label": `More like this: ${this.name}` });
    return h("footer", { class: "bar" }, this.playing, this.time, h("span", { class: "gap" }), down, compare, this.menu(), h("div", { class: "acts" }, more, send));
  }

  asked(more) { return { id: this.view.id, settings: this.view.settings, ...more }; }

  menu() {
    const { view } = this;
    const items = [textButton("Use these settings", () => trigger("take_use", this.asked()))];
    items.push(textButton("Same again, new seed", () => trigger("take_again", this.asked())));
    if (view.command) items.push(textButton("Copy as command", async () => { await copyText(view.command); this.say("Copied. Paste it into a terminal."); }));
    if (view.bundle) items.push(textButton("Command, input and mask as zip", () => this.bundle()));
    items.push(textButton("Show the settings", () => this.settings()));
    const menu = h("details", { class: "menu" }, h("summary", { "aria-label": `More for ${this.name}`, title: "More" }, icon("more")), h("div", { class: "items" }, items));
    menu.addEventListener("click", (event) => { if (event.target.closest("button")) menu.open = false; });
    menu.addEventListener("keydown", (event) => { if (event.key === "Escape") { menu.open = false; menu.firstChild.focus(); } });
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    return menu;
  }

  async bundle() {
    const made = await server.bundle(this.view.id);
    if (made.error) this.say(made.error); else save(made.url, made.file);
  }

  settings() {
    const shown = this.root.querySelector("pre");
    if (shown) shown.remove(); else this.root.append(h("pre", { tabindex: "0" }, JSON.stringify(this.view.settings, null, 1), "\n\n", this.view.command || ""));
  }

  say(text) { this.said.textContent = text; }

  follow() {
    const { media } = this;
    const tick = () => { this.tell(); if (!media.paused) requestAnimationFrame(tick); };
    media.addEventListener("play", () => { setIcon(this.playing, "pause", `Pause ${this.name}`); tick(); });
    media.addEventListener("pause", () => { setIcon(this.playing, "play", `Play ${this.name}`); this.tell(); });
    media.addEventListener("seeked", () => this.tell());
    media.addEventListener("ended", () => { media.currentTime = 0; });
    media.addEventListener("error", () => this.say("The server does not keep this sound any more; make it again."));
  }

  tell() {
    this.chart.move(this.media.currentTime);
    this.time.textContent = this.media.currentTime > 0 ? `${clock(this.media.currentTime)} / ${clock(this.view.seconds)} s` : `${clock(this.view.seconds)} s`;
  }

  toggle() { if (this.media.paused) this.media.play().catch(() => {}); else this.media.pause(); }
}
