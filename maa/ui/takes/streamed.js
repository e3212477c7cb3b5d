// @ts-check
// streamed.js: a long take that is heard while the rest of it is made. Its stretches follow one another sample by
// sample; where the next one is not there yet it waits, and goes on by itself.
import { clamp } from "../web/axes.js";
import { clock, h, iconButton, setIcon } from "../web/dom.js";
import { decoded, pausesForOthers, startsToPlay } from "../web/sound.js";

/**
 * @typedef {object} Heard what there is of it (maa/ui/streamed.py)
 * @property {number} seed
 * @property {number} rate Hz
 * @property {number} seconds of the whole
 * @property {[string, number, number][]} parts address, second where it begins, seconds
 */

const LABEL = "Play what is there";
const BEFORE = `${LABEL}: the take before its finish, which may make it louder or softer as a whole`;
const LEAD = 0.03; // seconds from the decision to play to the first sample
const NEAR = 1e-4; // seconds: less than two samples

/** Plays the stretches; it knows no page. */
export class Early {
  /** @param {import("../web/scope.js").Scope} scope @param {() => void} moved when it stands somewhere else */
  constructor(scope, moved) {
    this.scope = scope.child();
    this.moved = moved;
    /** @type {Heard} */
    this.heard = { seed: -1, rate: 0, seconds: 0, parts: [] };
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {Map<string, Promise<AudioBuffer>>} */
    this.buffers = new Map();
    /** @type {Set<AudioBufferSourceNode>} */
    this.sources = new Set();
    this.playing = false; // or waiting for more
    this.stands = 0; // seconds, while it does not play
    this.began = 0; // when `stands` is heard, by the context's clock
    this.ready = 0; // seconds that are given to the context
    this.asked = 0; // how often it was asked to play, or to be silent
    pausesForOthers(this.scope, this, () => this.pause());
    this.scope.onEnd(() => {
      this.pause();
      this.context?.close();
    });
  }

  /** Seconds from the beginning that are there. */
  get made() {
    const last = this.heard.parts.at(-1);
    return last ? last[1] + last[2] : 0;
  }

  /** Seconds. */
  get at() {
    if (!this.playing || !this.context) return this.stands;
    return clamp(this.stands + this.context.currentTime - this.began, this.stands, this.ready);
  }

  /** Whether it has played all there is and more is on its way. */
  get waiting() {
    return this.playing && this.at >= this.made - NEAR && this.made < this.heard.seconds - NEAR;
  }

  /** There is more. @param {Heard} heard */
  show(heard) {
    this.heard = heard;
    if (this.playing) this.fill(this.asked);
    this.moved();
  }

  /** @param {number} [from] seconds */
  async play(from = this.stands) {
    startsToPlay(this);
    this.halt();
    const asked = ++this.asked;
    this.playing = true;
    const ended = from >= this.heard.seconds - NEAR;
    this.stands = this.ready = ended ? 0 : clamp(from, 0, this.made);
    this.context ??= new AudioContext({ sampleRate: this.heard.rate });
    await this.context.resume();
    if (asked !== this.asked) return;
    this.began = this.soon();
    this.scope.frames(() => {
      if (asked === this.asked) this.moved();
      return asked === this.asked && this.playing;
    });
    this.fill(asked);
  }

  /** The next moment that a sample can begin at, by the context's clock. */
  soon() {
    const { currentTime, sampleRate } = /** @type {AudioContext} */ (this.context);
    return Math.ceil((currentTime + LEAD) * sampleRate) / sampleRate;
  }

  /** Give the context what is there, in its order. @param {number} asked */
  async fill(asked) {
    for (const [url, from, seconds] of this.heard.parts) {
      if (from + seconds < this.ready + NEAR) continue;
      const buffer = await this.buffer(url);
      if (asked !== this.asked || !this.context) return; // by now it is silent
      if (!buffer && this.made >= this.heard.seconds - NEAR) this.pause(); // what is left is gone: there is a file
      if (!buffer) return;
      if (from + seconds < this.ready + NEAR) continue; // another call has been faster
      let when = this.began + this.ready - this.stands;
      if (when < this.context.currentTime) {
        this.stands = this.ready; // it came late: there was silence
        when = this.began = this.soon();
      }
      const source = new AudioBufferSourceNode(this.context, { buffer });
      source.connect(this.context.destination);
      source.start(when, Math.max(0, this.ready - from));
      this.ready = from + seconds;
      this.sources.add(source);
      const last = this.ready >= this.heard.seconds - NEAR;
      source.onended = () => {
        this.sources.delete(source);
        if (last && asked === this.asked) this.pause(0);
      };
    }
  }

  /** @param {string} url */
  async buffer(url) {
    const context = /** @type {AudioContext} */ (this.context);
    if (!this.buffers.has(url)) this.buffers.set(url, decoded(context, url));
    try {
      return await this.buffers.get(url);
    } catch {
      this.buffers.delete(url); // it is asked for again when there is more
      return null;
    }
  }

  /** @param {number} [at] where it stands then; left out: where it is */
  pause(at = this.at) {
    this.asked++;
    if (!this.playing) return;
    this.playing = false;
    this.stands = at;
    this.halt();
    this.moved();
  }

  halt() {
    for (const source of this.sources) {
      source.onended = null;
      source.stop();
    }
    this.sources.clear();
  }

  /** Go there, but not beyond what there is. @param {number} seconds */
  seek(seconds) {
    const at = clamp(seconds, 0, this.made);
    if (this.playing) this.play(at);
    else {
      this.stands = at;
      this.moved();
    }
  }
}

/** The line under the spectrogram of a sound in the making. */
export class Streamed {
  /** @param {import("../web/scope.js").Scope} scope */
  constructor(scope) {
    this.scope = scope;
    /** @type {Early | null} */
    this.early = null;
    this.button = iconButton("play", LABEL, () => this.toggle(), { class: "icon main", title: BEFORE });
    const seek = () => this.early?.seek(Number(this.bar.value));
    this.bar = h("input", { type: "range", min: "0", step: "0.01", value: "0", oninput: seek });
    this.bar.setAttribute("aria-label", "Where it plays");
    this.line = h("span", { class: "time", role: "status" });
    this.root = h("div", { class: "streamed", hidden: true }, this.button, this.bar, this.line);
  }

  /** @param {Heard | undefined} heard */
  show(heard) {
    this.root.hidden = !heard;
    if (!heard) return;
    this.early ??= new Early(this.scope, () => this.tell());
    this.early.show(heard);
  }

  toggle() {
    const { early } = this;
    if (early?.playing) early.pause();
    else early?.play().catch(() => {});
  }

  /** Where it stands. The bar is as long as the whole sound, and only filled as far as there is any. */
  tell() {
    const { early, bar, button } = this;
    if (!early) return;
    const { at, made, playing, waiting } = early;
    const whole = early.heard.seconds;
    bar.max = String(whole);
    bar.value = String(at);
    bar.style.setProperty("--made", `${(100 * made) / whole}%`);
    bar.setAttribute("aria-valuetext", `${clock(at)} of ${clock(made)} seconds that are there, ${clock(whole)} in all`);
    const line = `${clock(made)} of ${clock(whole)} s are there${waiting ? "; waiting for more" : ""}`;
    if (this.line.textContent !== line) this.line.textContent = line;
    if (String(playing) === (button.dataset.playing || "false")) return;
    setIcon(button, playing ? "pause" : "play", playing ? "Pause" : LABEL);
    if (!playing) button.title = BEFORE;
    button.dataset.playing = String(playing);
  }

  /**
   * The take is done: if it is being heard, its card has the player from now on.
   * @param {Heard | undefined} heard all of it @param {import("./card.js").Card[]} cards
   */
  pass(heard, cards) {
    const { early } = this;
    const card = cards.find(({ view }) => view.seed === heard?.seed && (view.settings?.candidate || 1) === 1);
    if (!early?.playing || !heard || !card) return this.end();
    early.show(heard);
    this.early = null;
    card.adopt(early);
  }

  /** Nothing is in the making any more. */
  end() {
    this.early?.scope.end();
    this.early = null;
    this.root.hidden = true;
  }
}
