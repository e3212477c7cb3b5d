// @ts-check
// card.js: one take: what it is, what it looks like, how it sounds, and what can be done with it.
import { clamp } from "../web/axes.js";
import { clock, h, icon, iconButton, press, setIcon, textButton } from "../web/dom.js";
import { pausesForOthers, startsToPlay } from "../web/sound.js";
import { acts } from "./acts.js";
import { Chart } from "./chart.js";
import { Clip } from "./clip.js";
import { draggable } from "./dragout.js";
import { moreOf } from "./more.js";
import { fileName } from "./names.js";
import { Round } from "./round.js";
import { store } from "./store.js";

/** @typedef {import("../web/sound.js").View} View */
/** @typedef {import("./streamed.js").Early} Early */
/**
 * @typedef {object} Place where cards lie
 * @property {import("../web/dom.js").Host} host
 * @property {import("../web/scope.js").Scope} scope
 * @property {Uint8Array} map the colours of levels
 * @property {Record<string, string>} tasks their names as people read them
 * @property {string[]} sounds tasks that take a sound: one that was made there may go there again
 * @property {(view: View) => void} compare
 * @property {boolean} [edits] whether what was made here can be edited further
 */

const EDIT = "Select, trim, fade, level, reverse; write it in any format";
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
    this.round = new Round(this.scope, () => this.tell()); // which plays it in a loop
    this.looping = false;
    /** @type {Early | null} */
    this.early = null; // which plays what was heard before it was done, until it is silent
    this.left = false; // not shown any more, and let go when it is silent
    /** @type {Clip | null} */
    this.clip = null; // once it was opened
    const seen = `Waveform and mel-spectrogram of ${this.name}`;
    this.chart = new Chart(this.scope, `${seen}: seconds from left to right, low notes at the bottom`, place.map);
    this.chart.onSeek((seconds) => {
      this.seek(seconds);
    });
    this.chart.view = view; // its length is known before the picture is
    this.scope.onceSeen(this.chart.canvas, () => this.chart.load(view));
    this.playing = iconButton("play", `Play ${this.name}`, () => this.toggle(), { class: "icon main" });
    const alone = view.clip ? " (the sound alone)" : "";
    this.loop = iconButton("loop", `Loop ${this.name}${alone}`, () => this.setLoop(!this.looping));
    press(this.loop, false);
    const opens = { "aria-label": `Edit ${this.name}`, "aria-expanded": "false", title: EDIT };
    this.opener = textButton("Edit", () => this.edit(null), opens);
    this.time = h("span", { class: "time" }, `${clock(view.seconds)} s`);
    this.said = h("p", { class: "said", role: "status", "aria-live": "polite" });
    this.starred = Boolean(store.get(view.id)?.star);
    this.star = iconButton("star", "", () => this.setStar(!this.starred));
    this.showStar();
    const parts = [this.head(how.prompt), view.clip ? this.media : null, this.chart.canvas, this.bar(), this.said];
    const props = { class: "take", id: how.id, "data-id": view.id, "aria-label": this.name };
    this.root = h("article", props, parts);
    this.showShaped(this.shaped());
    this.follow();
  }

  /** What a key of the page means for this card. @param {string} name @param {number} [seconds] */
  act(name, seconds = 0) {
    if (name === "play") this.play();
    else if (name === "toggle") this.toggle();
    else if (name === "star" && !this.view.example) this.setStar(!this.starred);
    else if (name === "seek") this.seek(clamp(this.at + seconds, 0, this.view.seconds));
  }

  /** It is not shown any more: once it is silent, it is let go. */
  leave() {
    this.left = true;
    if (!this.sounding) this.scope.end();
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
    const gap = h("span", { class: "gap" });
    return h(
      "footer",
      { class: "bar" },
      this.playing,
      this.loop,
      this.time,
      gap,
      downs,
      compare,
      moreOf(this),
      acts(this),
    );
  }

  /** @param {string} url @param {string} label @param {Node | string} what */
  down(url, label, what) {
    const props = { class: "icon", href: url, download: fileName(this.view, url), "aria-label": label, title: label };
    return draggable(h("a", props, what));
  }

  /** Ask the server for something about this take. @param {string} what @param {object} [more] */
  ask(what, more) {
    this.place.host.trigger(what, { id: this.view.id, settings: this.view.settings, ...more });
  }

  /** @param {string} text */
  say(text) {
    this.said.textContent = text;
  }

  follow() {
    const { media, scope } = this;
    pausesForOthers(scope, media, () => media.pause());
    scope.listen(this.root, ACT, (event) => this.act(event.detail.name, event.detail.seconds));
    scope.onEnd(() => media.pause());
    scope.listen(media, "play", () => {
      startsToPlay(media);
      scope.frames(() => {
        this.tell();
        return !media.paused;
      });
    });
    scope.listen(media, "pause", () => this.tell());
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

  /** Where it stands, and whether it plays. */
  tell() {
    if (this.early?.playing === false) this.settle();
    const { at, sounding } = this;
    const whole = `${clock(this.view.seconds)} s`;
    this.chart.move(at);
    this.time.textContent = at > 0 ? `${clock(at)} / ${whole}` : whole;
    if (String(sounding) !== (this.playing.dataset.playing || "false")) {
      setIcon(this.playing, sounding ? "pause" : "play", `${sounding ? "Pause" : "Play"} ${this.name}`);
      this.playing.dataset.playing = String(sounding);
    }
    if (this.left && !sounding) this.scope.end();
  }

  // ---- what is heard: the file by the browser's own player, or in a loop without a gap

  get sounding() {
    return !this.media.paused || this.round.playing || this.early !== null;
  }

  /** Seconds. */
  get at() {
    return this.early?.at ?? (this.looping ? this.round.at : this.media.currentTime);
  }

  play() {
    const { media, round, view } = this;
    if (!this.looping) media.play().catch(() => {});
    else {
      const part = { from: 0, to: view.seconds, loop: true, at: round.at };
      round.play(part).catch(() => this.say(GONE));
    }
  }

  toggle() {
    if (!this.sounding) this.play();
    else if (this.early) this.early.pause();
    else if (this.looping) this.round.pause();
    else this.media.pause();
  }

  /** @param {number} seconds */
  seek(seconds) {
    const goes = this.early?.playing;
    this.early?.pause();
    if (this.looping) this.round.seek(seconds);
    else this.media.currentTime = seconds;
    if (goes) this.play();
    this.tell();
  }

  /** It is being heard already: that goes on, and at the next press it is the finished file. @param {Early} early */
  adopt(early) {
    this.early = early;
    early.moved = () => this.tell();
    this.scope.onEnd(() => early.scope.end());
    this.tell();
  }

  settle() {
    const { early } = this;
    this.early = null;
    this.seek(early?.at || 0);
    early?.scope.end();
  }

  /** @param {boolean} on */
  setLoop(on) {
    const { at, sounding } = this;
    this.media.pause();
    this.round.load(this.view.url, this.view.rate || 0);
    this.round.pause();
    this.looping = on;
    press(this.loop, on);
    this.seek(at);
    if (sounding) this.play();
  }

  // ---- what is made of it

  /** Open the take up, or close it. @param {Record<string, any> | null} asked what to open it with; {} is no wish */
  edit(asked) {
    if (asked && !Object.keys(asked).length) {
      this.showShaped(this.shaped());
      return;
    }
    const open = asked !== null || !this.clip || this.clip.root.hidden;
    if (open && !this.clip) {
      this.clip = new Clip(this, asked || this.shaped());
      this.root.append(this.clip.root);
      if (asked) this.clip.changed();
    }
    if (!this.clip) return;
    this.clip.root.hidden = !open;
    this.chart.canvas.hidden = open; // the same, larger
    if (!open) this.clip.stop();
    this.opener.setAttribute("aria-expanded", String(open));
    if (open && !asked) this.clip.chart.canvas.focus();
  }

  shaped() {
    return store.get(this.view.id)?.shaping || {};
  }

  /** Say on the button whether something is done to the take. @param {Record<string, any>} shaping */
  showShaped(shaping) {
    this.opener.toggleAttribute("data-shaped", Object.keys(shaping).length > 0);
  }
}
