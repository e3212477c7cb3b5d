// @ts-check
// card.js: one take: what it is, what it looks like, how it sounds, and what can be done with it.
import { clamp } from "../web/axes.js";
import { clock, copyText, h, icon, iconButton, press, save, setIcon, textButton } from "../web/dom.js";
import { pausesForOthers, startsToPlay } from "../web/sound.js";
import { Chart } from "./chart.js";
import { fileName } from "./names.js";
import { store } from "./store.js";

/** @typedef {import("../web/sound.js").View} View */
/**
 * @typedef {object} Place where cards lie
 * @property {import("../web/dom.js").Host} host
 * @property {import("../web/scope.js").Scope} scope
 * @property {Uint8Array} map the colours of levels
 * @property {Record<string, string>} tasks their names as people read them
 * @property {string[]} sounds tasks that take a sound: one that was made there may go there again
 * @property {(view: View) => void} compare
 */

const MATCH = "How well CLAP says that it fits the prompt, from -1 to 1";
const UNSEEN = "This browser plays the clip's sound but cannot show its picture; download it to see it.";
const UNKNOWN = "This browser cannot show this clip; download it to see it. Here you hear its sound alone.";
const GONE = "The server does not keep this sound any more; make it again.";

export const ACT = "maa-act"; // told to the root of a card by the keys of the page

export class Card {
  /**
   * @param {View} view
   * @param {Place} place
   * @param {{ id?: string, title?: string, prompt?: string }} [how] title and prompt are for a history
   */
  constructor(view, place, how = {}) {
    this.view = view;
    this.place = place;
    this.scope = place.scope.child();
    this.name = how.title || `Take ${view.number}`;
    this.items = h("div"); // of the menu
    this.media = this.player();
    const seen = `Waveform and mel-spectrogram of ${this.name}`;
    this.chart = new Chart(this.scope, `${seen}: seconds from left to right, low notes at the bottom`, place.map);
    this.chart.onSeek((seconds) => {
      this.media.currentTime = seconds;
      this.tell();
    });
    this.chart.view = view; // its length is known before the picture is
    this.scope.onceSeen(this.chart.canvas, () => this.chart.load(view));
    this.playing = iconButton("play", `Play ${this.name}`, () => this.toggle(), { class: "icon main" });
    this.time = h("span", { class: "time" }, `${clock(view.seconds)} s`);
    this.said = h("p", { class: "said", role: "status", "aria-live": "polite" });
    this.starred = Boolean(store.get(view.id)?.star);
    this.star = iconButton("star", "", () => this.setStar(!this.starred));
    this.showStar();
    const parts = [this.head(how.prompt), view.clip ? this.media : null, this.chart.canvas, this.bar(), this.said];
    const props = { class: "take", id: how.id, "data-id": view.id, "aria-label": this.name };
    this.root = h("article", props, parts);
    this.follow();
  }

  /** What a key of the page means for this card. @param {string} name @param {number} [seconds] */
  act(name, seconds = 0) {
    const { media } = this;
    if (name === "play") media.play().catch(() => {});
    else if (name === "toggle") this.toggle();
    else if (name === "star" && !this.view.example) this.setStar(!this.starred);
    else if (name === "seek") {
      media.currentTime = clamp(media.currentTime + seconds, 0, this.view.seconds);
      this.tell();
    }
  }

  /** It is not shown any more: once it is silent, it is let go. */
  leave() {
    if (this.media.paused) this.scope.end();
    else this.scope.listen(this.media, "pause", () => this.scope.end());
  }

  /** @returns {HTMLMediaElement} */
  player() {
    const { clip, url } = this.view;
    if (!clip) return Object.assign(new Audio(), { preload: "none", src: url });
    const label = `${this.name} on the clip`;
    return h("video", { controls: true, src: clip, preload: "metadata", playsinline: true, "aria-label": label });
  }

  /** @param {string} [prompt] */
  head(prompt) {
    const { view } = this;
    const facts = (view.facts || []).map(([label, value]) => h("span", { class: "fact" }, `${label} ${value}`));
    if (view.best) facts.unshift(h("span", { class: "badge" }, "best match"));
    if (typeof view.score === "number") {
      facts.push(h("span", { class: "fact", title: MATCH }, `CLAP ${view.score.toFixed(2)}`));
    }
    facts.push(h("span", { class: "fact" }, `seed ${view.seed}`));
    return h(
      "header",
      null,
      h("div", { class: "facts" }, h("strong", null, this.name), facts),
      view.example ? null : this.star,
      prompt === undefined ? null : h("p", { class: "prompt" }, prompt),
    );
  }

  showStar() {
    setIcon(this.star, "star", `${this.starred ? "Unstar" : "Star"} ${this.name}`);
    press(this.star, this.starred);
  }

  /** @param {boolean} on */
  setStar(on) {
    this.starred = on;
    store.star(this.view, on);
    this.showStar();
  }

  bar() {
    const { view, name } = this;
    const downs = [this.down(view.clip || view.url, `Download ${name}`, icon("down"))];
    if (view.clip) downs.push(this.down(view.url, `WAV: download the sound of ${name} alone`, "WAV"));
    const compare = h(
      "button",
      {
        type: "button",
        class: "icon",
        "aria-label": `A/B: compare ${name}`,
        title: `Compare ${name}`,
        onclick: () => this.place.compare(view),
      },
      "A/B",
    );
    const again = { "aria-label": `More like this: ${name}` };
    const more = textButton("More like this", () => this.ask("take_more"), again);
    const acts = h("div", { class: "acts" }, more, this.sender());
    const gap = h("span", { class: "gap" });
    return h("footer", { class: "bar" }, this.playing, this.time, gap, downs, compare, this.menu(), acts);
  }

  /** @param {string} url @param {string} label @param {Node | string} what */
  down(url, label, what) {
    const props = { class: "icon", href: url, download: fileName(this.view, url), "aria-label": label, title: label };
    return h("a", props, what);
  }

  sender() {
    const { tasks, sounds } = this.place;
    const tabs = Object.entries(tasks).filter(([task]) => task !== this.view.task || sounds.includes(task));
    const send = h(
      "select",
      { "aria-label": `Send ${this.name} to another tab` },
      h("option", { value: "" }, "Send to …"),
      tabs.map(([task, name]) => h("option", { value: task }, name)),
    );
    send.addEventListener("change", () => {
      this.ask("take_send", { to: send.value });
      send.value = "";
    });
    return send;
  }

  /** Ask the server for something about this take. @param {string} what @param {object} [more] */
  ask(what, more) {
    this.place.host.trigger(what, { id: this.view.id, settings: this.view.settings, ...more });
  }

  menu() {
    const { view } = this;
    const items = [
      textButton("Use these settings", () => this.ask("take_use")),
      textButton("Same again, new seed", () => this.ask("take_again")),
    ];
    if (view.command) items.push(textButton("Copy as command", () => this.copy(view.command || "")));
    if (view.bundle) items.push(textButton("Command, input and mask as zip", () => this.bundle()));
    items.push(textButton("Show the settings", () => this.settings()));
    const summary = h("summary", { "aria-label": `More for ${this.name}`, title: "More" }, icon("more"));
    this.items = h("div", { class: "items" }, items);
    const menu = h("details", { class: "menu" }, summary, this.items);
    menu.addEventListener("click", (event) => {
      if (/** @type {Element} */ (event.target).closest("button")) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      menu.open = false;
      summary.focus();
    });
    this.scope.listen(document, "click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    return menu;
  }

  /** @param {string} command */
  async copy(command) {
    await copyText(command, this.root);
    this.say("Copied. Paste it into a terminal.");
  }

  async bundle() {
    const made = await this.place.host.server.bundle(this.view.id);
    if (made.error) this.say(made.error);
    else save(made.url, made.file, this.root);
  }

  settings() {
    const { settings, command } = this.view;
    const shown = this.root.querySelector("pre");
    if (shown) shown.remove();
    else this.root.append(h("pre", { tabindex: "0" }, JSON.stringify(settings, null, 1), "\n\n", command || ""));
  }

  /** @param {string} text */
  say(text) {
    this.said.textContent = text;
  }

  follow() {
    const { media, scope, name } = this;
    pausesForOthers(scope, media, () => media.pause());
    scope.listen(this.root, ACT, (event) => this.act(event.detail.name, event.detail.seconds));
    scope.onEnd(() => media.pause());
    scope.listen(media, "play", () => {
      startsToPlay(media);
      setIcon(this.playing, "pause", `Pause ${name}`);
      this.playing.dataset.playing = "true";
      scope.frames(() => {
        this.tell();
        return !media.paused;
      });
    });
    scope.listen(media, "pause", () => {
      setIcon(this.playing, "play", `Play ${name}`);
      this.playing.dataset.playing = "false";
      this.tell();
    });
    scope.listen(media, "seeked", () => this.tell());
    scope.listen(media, "ended", () => {
      media.currentTime = 0;
    });
    scope.listen(media, "error", () => this.fail());
    scope.listen(media, "loadedmetadata", () => {
      if (media instanceof HTMLVideoElement && !media.hidden && !media.videoWidth) this.say(UNSEEN);
    });
  }

  /** The file cannot be played: it is gone, or a clip that this browser does not know, whose sound it does know. */
  async fail() {
    const { media, view } = this;
    const there = view.clip && !media.hidden && (await fetch(view.clip, { method: "HEAD" }).catch(() => null))?.ok;
    this.say(there ? UNKNOWN : GONE);
    if (!there) return;
    media.hidden = true;
    media.src = view.url;
  }

  tell() {
    const { currentTime } = this.media;
    const whole = `${clock(this.view.seconds)} s`;
    this.chart.move(currentTime);
    this.time.textContent = currentTime > 0 ? `${clock(currentTime)} / ${whole}` : whole;
  }

  toggle() {
    if (this.media.paused) this.media.play().catch(() => {});
    else this.media.pause();
  }
}
