// @ts-check
// board.js: the events of one sound, whose they are, what was before, and what the server has to know of them.
import { alike, blocksOf, LATEST, layered, MOST, nextStretch, rowsOf, SLACK, stretch } from "./rows.js";

const QUIET = 400; // milliseconds without a change until the sentence is looked at
const STEPS = 100; // of undo
const FULL = `There is room for ${MOST} sounds.`;

/** @typedef {import("./rows.js").Block} Block */
/** @typedef {{ prompt: string, seconds: number, literal: boolean }} Asked what the controls say */
/** @typedef {Asked & { rows: unknown, auto: boolean }} Told what a sentence tells of; auto: a take of it is made so */
/** @typedef {{ rows?: unknown, own?: boolean, asked?: Asked, told?: Told }} Value */
/** @typedef {{ blocks: Block[], own: boolean }} State */

export class Board {
  /**
   * @param {import("../web/scope.js").Scope} scope
   * @param {{ send: (value: Value) => void, ask: (asked: Asked) => void, show: () => void }} ways to the server, and
   *   to the page
   * @param {number} seconds of the sound; 0 = it is a clip's, and as long as that
   */
  constructor(scope, ways, seconds) {
    this.scope = scope;
    this.ways = ways;
    this.seconds = seconds; // 0 while there is no clip
    this.ofClip = !seconds;
    /** @type {Block[]} */
    this.blocks = [];
    this.own = false; // a person has placed them
    /** @type {number | null} */
    this.chosen = null;
    /** @type {Asked} */
    this.asked = { prompt: "", seconds, literal: false };
    /** @type {Told | null} */
    this.told = null;
    /** @type {State[]} */
    this.past = [];
    /** @type {State[]} */
    this.future = [];
    this.opened = false; // by the person
    this.shut = false; // by the person
    this.note = "";
    this.count = 0;
    this.sent = JSON.stringify([[], false]);
    /** @type {import("../web/scope.js").Scope | null} */
    this.waiting = null;
  }

  number() {
    this.count += 1;
    return this.count;
  }

  /** @param {number | null} id */
  find(id) {
    return this.blocks.find((block) => block.id === id) || null;
  }

  /** Whether the lanes are seen: once there is something in them, unless the person has other wishes. */
  get open() {
    return !this.shut && (this.opened || this.blocks.length > 0);
  }

  /** Seconds that the lanes show: those of the sound, and beyond it what lies there. */
  get length() {
    return Math.max(this.seconds, ...this.blocks.map(({ end }) => end)) || 1;
  }

  /** Whether there is anything to place sounds in. */
  get there() {
    return this.seconds > 0 || this.blocks.length > 0;
  }

  /** Events that end too late for the sound. */
  get late() {
    return this.seconds ? this.blocks.filter(({ end }) => end > this.seconds + SLACK) : [];
  }

  /** @param {number | null} [held] */
  lanes(held = this.chosen) {
    return layered(this.blocks, held);
  }

  /** What lies behind all events: the prompt, where it is a sound of its own. */
  get behind() {
    const { prompt } = this.asked;
    const said = prompt.split(/\s+/).join(" ").trim();
    const tells = this.told?.prompt === prompt && Array.isArray(this.told.rows) && this.told.rows.length > 0;
    const sounds = !this.ofClip && this.own && this.blocks.length > 0 && this.told?.prompt === prompt && !tells;
    return sounds && !this.blocks.some(({ text }) => text === said) ? said : "";
  }

  // ---- what comes from outside

  /** @param {Value | null} value */
  load(value) {
    const { rows = value ? undefined : [], own = false, asked, told } = value || {};
    if (asked) this.listen(asked);
    if (told) this.hear(told);
    if (rows !== undefined && JSON.stringify([rows, own]) !== this.sent) this.take(rows, own);
    if (told || JSON.stringify([rowsOf(this.blocks), this.own]) !== this.sent) this.commit();
    this.ways.show();
  }

  /** Events that were made before. @param {unknown} rows @param {boolean} own */
  take(rows, own) {
    const blocks = blocksOf(rows, () => this.number());
    this.remember();
    this.replace(blocks, own && blocks.length > 0);
    if (!this.own) this.follow();
    this.sent = ""; // what is written otherwise there goes back as it is written here
  }

  /** The prompt or the length is another one. @param {Asked} asked */
  listen(asked) {
    if (JSON.stringify(asked) === JSON.stringify(this.asked)) return;
    this.asked = { ...asked, prompt: String(asked.prompt || "") };
    if (Number.isFinite(asked.seconds) && asked.seconds > 0) this.seconds = Math.min(asked.seconds, LATEST);
    if (this.ofClip) {
      if (!this.own) this.follow();
      return;
    }
    this.waiting?.end();
    if (!this.asked.prompt.trim()) {
      this.hear({ ...this.asked, rows: [], auto: true });
      return;
    }
    const waiting = this.scope.child();
    this.waiting = waiting;
    waiting.timeout(QUIET, () => this.ways.ask(this.asked));
  }

  /** What the sentence tells of. @param {Told} told */
  hear(told) {
    const late = told.prompt !== this.asked.prompt || told.literal !== this.asked.literal;
    if (late && !this.ofClip) return; // another one is on its way
    if (this.ofClip) this.seconds = told.seconds;
    this.told = told;
    if (!this.own) this.follow();
    else if (
      told.auto &&
      alike(
        this.blocks,
        blocksOf(told.rows, () => 0),
      )
    )
      this.own = false;
  }

  /** As the sentence says, or the clip, which a prompt takes the place of. */
  follow() {
    const unsaid = this.ofClip && this.asked.prompt.trim();
    this.replace(this.told?.auto && !unsaid ? blocksOf(this.told.rows, () => this.number()) : [], false);
  }

  /** @param {Block[]} blocks @param {boolean} own */
  replace(blocks, own) {
    if (!alike(blocks, this.blocks)) {
      const before = this.find(this.chosen);
      this.blocks = blocks;
      this.chosen = blocks.find(({ text }) => text === before?.text)?.id ?? null;
    }
    this.own = own;
  }

  // ---- what a person does

  /** @param {boolean} open */
  turn(open) {
    this.opened = open;
    this.shut = !open;
    const offered = blocksOf(this.told?.rows, () => this.number());
    if (open && !this.blocks.length && !this.told?.auto && offered.length) {
      this.change(() => offered); // a model that takes sentences as they are: placing them is the person's wish
    } else this.ways.show();
  }

  remember() {
    this.past = [...this.past.slice(-STEPS), { blocks: this.blocks, own: this.own }];
    this.future = [];
  }

  /** One change that undo can take back. @param {(blocks: Block[]) => Block[]} what */
  change(what) {
    this.remember();
    this.blocks = what(this.blocks);
    this.settle();
  }

  /** A change is done. */
  settle() {
    this.own = true;
    this.note = "";
    if (!this.find(this.chosen)) this.chosen = null;
    if (!this.blocks.length) this.follow(); // nothing placed is nothing of one's own
    this.commit();
    this.ways.show();
  }

  /** @param {Block} block */
  put(block) {
    this.change((blocks) => blocks.map((one) => (one.id === block.id ? block : one)));
  }

  /** While a hand holds it: not a step of its own. @param {Block} block */
  hold(block) {
    this.blocks = this.blocks.map((one) => (one.id === block.id ? block : one));
    this.ways.show();
  }

  /**
   * @param {{ start: number, end: number }} [span] seconds; else where there is room
   * @param {{ text: string, gain: number }} [what]
   */
  add(span = nextStretch(this.blocks, this.seconds || this.length), what = { text: "", gain: 0 }) {
    if (this.blocks.length >= MOST) return this.say(FULL);
    const block = { id: this.number(), ...span, ...what };
    this.chosen = block.id;
    this.change((blocks) => [...blocks, block]);
    return block;
  }

  /** The same once more, behind itself where there is room. @param {Block} block */
  copy({ start, end, text, gain }) {
    const lasts = end - start;
    const begin = end + lasts <= this.length + SLACK ? end : start;
    return this.add(stretch(begin, begin + lasts, Math.max(this.length, begin + lasts)), { text, gain });
  }

  /** @param {number} id */
  remove(id) {
    this.change((blocks) => blocks.filter((block) => block.id !== id));
  }

  /** The sentence's own events again. */
  clear() {
    this.remember();
    this.follow();
    this.commit();
    this.ways.show();
  }

  undo() {
    this.step(this.past, this.future);
  }

  redo() {
    this.step(this.future, this.past);
  }

  /** @param {State[]} from @param {State[]} to */
  step(from, to) {
    const state = from.pop();
    if (!state) return;
    to.push({ blocks: this.blocks, own: this.own });
    this.blocks = state.blocks;
    this.own = state.own;
    if (!this.find(this.chosen)) this.chosen = null;
    if (!this.own) this.follow();
    this.commit();
    this.ways.show();
  }

  /** @param {number | null} id */
  choose(id) {
    if (this.chosen === id) return;
    this.chosen = id;
    this.ways.show();
  }

  /** @param {string} text @returns {null} */
  say(text) {
    this.note = text;
    this.ways.show();
    return null;
  }

  commit() {
    const [rows, own] = [rowsOf(this.blocks), this.own];
    this.sent = JSON.stringify([rows, own]);
    this.ways.send({ rows, own });
  }
}
