// @ts-check
// pair.js: two sounds, and what they differ by, on one play-head. All of them run all the time and the switch only
// turns their volumes, so the change is heard within a few milliseconds.
import { decoded, pausesForOthers, startsToPlay, subtracted } from "../web/sound.js";

const LEAD = 0.02; // seconds from the press to the sound, so that all of them begin together
const FADE = 0.005; // seconds from one sound to the other
const END = 0.01; // seconds: so near to the end it begins anew

/** @typedef {{ sources: AudioBufferSourceNode[], volumes: GainNode[], began: number }} Running */

export class Pair {
  /**
   * @param {import("../web/scope.js").Scope} scope
   * @param {() => void} moved called while it plays, and when it begins, ends, or stands somewhere else
   */
  constructor(scope, moved) {
    this.scope = scope;
    this.moved = moved;
    /** @type {AudioContext | null} */
    this.audio = null;
    /** @type {string[]} */
    this.urls = [];
    /** @type {Promise<AudioBuffer[]> | null} */
    this.buffers = null;
    /** @type {Running | null} */
    this.running = null;
    this.side = 0; // what is heard: 0 and 1 are the sounds, 2 is their difference
    this.gains = [1, 1, 1];
    this.from = 0; // seconds that are played
    this.to = 0;
    this.stands = 0; // seconds, while it does not play
    this.asked = 0; // how often it was asked to play, or told that another one plays
    pausesForOthers(scope, this, () => {
      this.asked++;
      this.pause();
    });
    scope.onEnd(() => {
      this.pause();
      this.audio?.close();
    });
  }

  get playing() {
    return this.running !== null;
  }

  /** Seconds. */
  get at() {
    if (!this.running || !this.audio) return this.stands;
    return Math.min(this.to, this.stands + Math.max(0, this.audio.currentTime - this.running.began));
  }

  /**
   * Other sounds; they are fetched when they are first played.
   * @param {string[]} urls @param {number} from @param {number} to seconds that are played
   */
  load(urls, from, to) {
    this.pause();
    this.urls = urls;
    this.buffers = null;
    [this.from, this.to, this.stands] = [from, to, from];
    this.moved();
  }

  /** @param {AudioContext} audio */
  async decode(audio) {
    const [a, b] = await Promise.all(this.urls.map((url) => decoded(audio, url)));
    return [a, b, subtracted(audio, a, b)];
  }

  async play() {
    const asked = ++this.asked;
    startsToPlay(this);
    this.audio ??= new AudioContext();
    this.buffers ??= this.decode(this.audio);
    const wanted = this.buffers;
    const [buffers] = await Promise.all([wanted, this.audio.resume()]);
    // Pressed twice, other sounds by now, or something else plays.
    if (this.running || this.buffers !== wanted || asked !== this.asked) return;
    if (this.stands >= this.to - END) this.stands = this.from;
    const { audio, stands } = this;
    const began = audio.currentTime + LEAD;
    const volumes = buffers.map(() => new GainNode(audio));
    const sources = buffers.map((buffer, i) => {
      const source = new AudioBufferSourceNode(audio, { buffer });
      source.connect(volumes[i]).connect(audio.destination);
      source.start(began, Math.min(stands, buffer.duration));
      return source;
    });
    const running = { sources, volumes, began };
    this.running = running;
    this.turn(0);
    this.scope.frames(() => {
      if (this.running !== running) return false;
      if (this.at >= this.to) {
        this.pause();
        this.stands = this.from;
      }
      this.moved();
      return this.playing;
    });
  }

  pause() {
    if (!this.running) return;
    this.stands = this.at;
    for (const source of this.running.sources) source.stop();
    this.running = null;
    this.moved();
  }

  /** @param {number} seconds */
  seek(seconds) {
    const { playing } = this;
    this.pause();
    this.stands = seconds;
    this.moved();
    return playing ? this.play() : Promise.resolve();
  }

  /** @param {number} side @param {number[]} gains what to multiply both sounds by */
  hear(side, gains) {
    this.side = side;
    this.gains = [...gains, 1];
    this.turn();
  }

  /** Within a few milliseconds, as a step in the volume would be a click. @param {number} [during] seconds */
  turn(during = FADE) {
    const now = this.audio?.currentTime || 0;
    this.running?.volumes.forEach(({ gain }, i) => {
      const wanted = i === this.side ? this.gains[i] : 0;
      gain.cancelScheduledValues(now);
      gain.setValueAtTime(during ? gain.value : wanted, now);
      gain.linearRampToValueAtTime(wanted, now + during);
    });
  }
}
