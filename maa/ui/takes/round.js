// @ts-check
// round.js: a stretch of a sound, once or round and round without a gap. The sound lies decoded at its own rate, so
// that its end is followed by its beginning sample by sample; a browser changes the rate of what it plays as a whole.
import { decoded, pausesForOthers, startsToPlay } from "../web/sound.js";

/** @typedef {{ from: number, to: number, loop: boolean, at?: number }} Part seconds; at: where to begin */

const RATES = [8000, 96000]; // Hz that browsers surely take
const END = 0.005; // seconds: so near to the end it begins anew

export class Round {
  /**
   * @param {import("../web/scope.js").Scope} scope
   * @param {() => void} moved called while it plays, and when it begins, ends, or stands somewhere else
   */
  constructor(scope, moved) {
    this.scope = scope;
    this.moved = moved;
    this.url = "";
    this.rate = 0;
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {Promise<AudioBuffer> | null} */
    this.buffer = null;
    /** @type {AudioBufferSourceNode | null} */
    this.source = null;
    /** @type {Part} */
    this.part = { from: 0, to: 0, loop: false };
    this.stands = 0; // seconds, while it does not play
    this.began = 0; // when `stands` was heard, by the context's clock
    this.asked = 0; // how often it was asked to play, or to be silent
    pausesForOthers(scope, this, () => this.pause());
    scope.onEnd(() => {
      this.pause();
      this.context?.close();
    });
  }

  get playing() {
    return this.source !== null;
  }

  /** Seconds. */
  get at() {
    if (!this.source || !this.context) return this.stands;
    const { from, to, loop } = this.part;
    const passed = this.stands + Math.max(0, this.context.currentTime - this.began);
    if (passed < to) return passed;
    return loop ? from + ((passed - to) % (to - from)) : to;
  }

  /** Another sound; it is fetched when it is needed. @param {string} url @param {number} rate Hz */
  load(url, rate) {
    if (url === this.url) return;
    this.pause();
    this.url = url;
    this.buffer = null;
    this.stands = 0;
    if (rate !== this.rate) this.context?.close();
    if (rate !== this.rate) this.context = null;
    this.rate = rate;
  }

  /** The samples, decoded once. */
  samples() {
    const own = this.rate >= RATES[0] && this.rate <= RATES[1];
    this.context ??= new AudioContext(own ? { sampleRate: this.rate } : {});
    this.buffer ??= decoded(this.context, this.url);
    return this.buffer;
  }

  /** @param {Part} part */
  async play(part) {
    const asked = ++this.asked;
    startsToPlay(this);
    const buffer = await this.samples();
    await this.context?.resume();
    if (asked !== this.asked || !this.context) return; // by now something else plays
    this.halt();
    const to = Math.min(part.to, buffer.duration);
    const begin = part.at ?? part.from;
    this.part = { ...part, to };
    this.stands = begin >= part.from && begin < to - END ? begin : part.from;
    const source = new AudioBufferSourceNode(this.context, {
      buffer,
      loop: part.loop,
      loopStart: part.from,
      loopEnd: to,
    });
    source.connect(this.context.destination);
    source.onended = () => {
      if (this.source === source) this.pause(part.from);
    };
    if (part.loop) source.start(0, this.stands);
    else source.start(0, this.stands, to - this.stands);
    this.began = this.context.currentTime;
    this.source = source;
    this.scope.frames(() => {
      if (this.source === source) this.moved();
      return this.source === source;
    });
  }

  /** @param {number} [at] where it stands then; left out: where it is */
  pause(at = this.at) {
    this.asked++;
    if (!this.source) return;
    this.halt();
    this.stands = at;
    this.moved();
  }

  halt() {
    const { source } = this;
    this.source = null;
    if (!source) return;
    source.onended = null;
    source.stop();
  }

  /** @param {number} seconds */
  seek(seconds) {
    if (this.playing) this.play({ ...this.part, at: seconds }).catch(() => {});
    else {
      this.stands = seconds;
      this.moved();
    }
  }
}
