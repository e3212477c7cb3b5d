// @ts-check
// player.js: hearing the sound, all of it, what is marked, or the rest; once or round and round.
import { decoded, pausesForOthers, startsToPlay } from "../web/sound.js";
import { markedPart } from "./filter.js";

/** @typedef {"all" | "marked" | "rest"} Part */
/** @typedef {import("./axes.js").BandAxes} BandAxes */

const ROLL = 0.5; // seconds before and behind a selection that is looped

export class Player {
  /**
   * @param {import("../web/scope.js").Scope} scope
   * @param {HTMLElement} button
   * @param {() => void} moved called while it plays and whenever it stands somewhere else
   */
  constructor(scope, button, moved) {
    this.scope = scope;
    this.button = button;
    this.moved = moved;
    /** @type {string | null} */
    this.url = null;
    this.at = 0; // seconds, where it stands while it does not play
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {AudioBufferSourceNode | null} */
    this.source = null;
    /** @type {Partial<Record<Part, AudioBuffer>>} */
    this.buffers = {};
    /** @type {[number, number] | null} */
    this.loop = null; // seconds
    this.began = 0; // when the sound's beginning would have been, by the context's clock
    this.length = 0; // seconds
    this.asked = 0; // how often it was asked to play, or told that another one plays
    pausesForOthers(scope, this, () => {
      this.asked++;
      this.stop();
    });
    scope.onEnd(() => {
      this.stop();
      this.context?.close();
    });
    this.label();
  }

  get playing() {
    return this.source !== null;
  }

  /** @param {string | null} url */
  load(url) {
    this.stop();
    if (url === this.url) return;
    this.url = url;
    this.at = 0;
    this.buffers = {};
    this.button.hidden = !url;
  }

  // The mask is another one: what was filtered for it is of no use.
  forget() {
    this.buffers = { all: this.buffers.all };
  }

  label() {
    this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.button.dataset.playing = String(this.playing);
  }

  /**
   * The sound as this part of it, decoded and filtered when first asked for.
   * @param {AudioContext} context @param {string} url @param {Part} part
   * @param {BandAxes} axes @param {Uint8Array} cells
   */
  async buffer(context, url, part, axes, cells) {
    const buffers = this.buffers;
    buffers.all ??= await decoded(context, url);
    const { all } = buffers;
    const known = buffers[part];
    if (known) return known;
    const channels = Array.from({ length: all.numberOfChannels }, (_, c) => all.getChannelData(c));
    const marked = await markedPart(channels, all.sampleRate, axes, cells);
    const rest = marked.map((wave, c) => wave.map((value, i) => channels[c][i] - value));
    const made = { marked: bufferOf(context, marked, all.sampleRate), rest: bufferOf(context, rest, all.sampleRate) };
    Object.assign(buffers, made);
    return part === "marked" ? made.marked : made.rest;
  }

  /**
   * @param {{ part: Part, loop: [number, number] | null, from: number | null }} what seconds to repeat, and to begin at
   * @param {BandAxes} axes @param {Uint8Array} cells
   */
  async play(what, axes, cells) {
    if (!this.url) return;
    const asked = ++this.asked;
    startsToPlay(this);
    this.context ??= new AudioContext();
    const { context } = this;
    const buffer = await this.buffer(context, this.url, what.part, axes, cells);
    if (asked !== this.asked) return; // by now something else plays
    this.stop();
    const end = buffer.duration;
    if (what.from !== null) this.at = what.from;
    this.loop = what.loop ? [Math.max(0, what.loop[0] - ROLL), Math.min(end, what.loop[1] + ROLL)] : null;
    if (this.loop && !(this.at >= this.loop[0] && this.at < this.loop[1])) this.at = this.loop[0];
    if (this.at >= end - 0.01) this.at = 0;
    await context.resume();
    if (asked !== this.asked) return;
    const source = context.createBufferSource();
    source.buffer = buffer;
    if (this.loop) [source.loop, source.loopStart, source.loopEnd] = [true, ...this.loop];
    source.connect(context.destination);
    source.onended = () => {
      if (this.source !== source) return;
      this.at = 0;
      this.stop();
    };
    source.start(0, this.at);
    [this.source, this.began] = [source, context.currentTime - this.at];
    this.length = end;
    this.label();
    this.scope.frames(() => {
      if (this.source === source) this.moved();
      return this.source === source;
    });
  }

  stop() {
    if (this.source) {
      if (this.at !== 0 || this.passed < this.length) this.at = this.seconds || 0;
      const { source } = this;
      this.source = null;
      source.onended = null;
      source.stop();
    }
    this.label();
    this.moved();
  }

  /** Seconds since the sound's beginning would have been. */
  get passed() {
    return (this.context?.currentTime || 0) - this.began;
  }

  /** Where the play-head stands, in seconds; null at the very start. */
  get seconds() {
    if (!this.source) return this.at > 0 ? this.at : null;
    const { passed, loop } = this;
    if (!loop || passed < loop[1]) return Math.min(passed, this.length);
    return loop[0] + ((passed - loop[0]) % (loop[1] - loop[0]));
  }
}

/** @param {AudioContext} context @param {Float32Array<ArrayBuffer>[]} channels @param {number} rate Hz */
function bufferOf(context, channels, rate) {
  const buffer = context.createBuffer(channels.length, channels[0].length, rate);
  channels.forEach((wave, c) => {
    buffer.copyToChannel(wave, c);
  });
  return buffer;
}
