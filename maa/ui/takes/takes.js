// @ts-check
// takes.js: the results column of one tab.
import { bytesOf } from "../web/codec.js";
import { find, h, textButton } from "../web/dom.js";
import { kept } from "../web/kept.js";
import { scopeOf } from "../web/scope.js";
import { levelsOf } from "../web/sound.js";
import { shapedFor } from "./awaited.js";
import { Card } from "./card.js";
import { Chart } from "./chart.js";
import { Compare } from "./compare.js";
import { store } from "./store.js";
import { Streamed } from "./streamed.js";

/** @typedef {import("../web/sound.js").View} View */

const LEGEND = "CLAP: how well it fits the prompt, −1 to 1. 1 − MSE: how near it is to your sound, 1 is the same.";
const SEEN = 160; // pixels that are enough to be noticed
const MARGIN = 12; // pixels above what the page goes to
const EARLIER = 30; // sounds of the history that a take can be compared with

/** @param {import("../web/dom.js").Host} host */
export function start(host) {
  new Takes(host);
}

class Takes {
  /** @param {import("../web/dom.js").Host} host */
  constructor(host) {
    const { element, props, watch } = host;
    const { tasks, sounds } = props;
    this.host = host;
    this.task = props.task;
    this.scope = scopeOf(element);
    this.map = bytesOf(props.colours);
    /** @type {Card[]} */
    this.cards = [];
    /** @type {Card[]} */
    this.earlier = []; // still playing from before
    /** @type {View | null} */
    this.original = null;
    this.seen = "";
    this.kept = kept(`takes-${props.task}`); // so that a page that is loaded anew shows them again
    const compare = (/** @type {View} */ view) => this.compare(view);
    this.place = { host, scope: this.scope, map: this.map, tasks, sounds, compare, edits: props.edits };
    this.comparison = new Compare(this.scope, this.map);
    this.chart = new Chart(this.scope, "The spectrogram as it is now, while the noise is being removed", this.map);
    this.line = h("span");
    const caption = h("figcaption", null, h("strong", null, "In the making"), this.line);
    this.streamed = new Streamed(this.scope);
    this.live = h("figure", { class: "live", hidden: true }, caption, this.chart.canvas, this.streamed.root);
    this.empty = h("div", { class: "empty", id: `${props.task}-empty` }, h("p", null, props.hint));
    const repeat = () => this.cards.length && this.cards[0].ask("take_again");
    this.legend = h("span", { class: "legend", hidden: true }, LEGEND);
    this.again = textButton("Same again, new seeds", repeat, { hidden: true });
    const label = "Frames of the clip that were looked at";
    this.frames = h("div", { class: "frames", hidden: true, tabindex: "0", "aria-label": label });
    this.list = h("div", { class: "list" });
    this.before = h("div", { class: "list before" });
    this.lay(find(element, ".maa-root"));
    watch("value", () => this.update());
    const before = props.value || this.kept.get();
    if (before?.takes) this.showTakes(before);
    else this.update();
  }

  /** @param {HTMLElement} root */
  lay(root) {
    const { list, comparison } = this;
    // An edit is compared with its source at once, above the takes; elsewhere the comparison opens below them.
    const middle = this.host.props.edits ? [comparison.root, list] : [list, comparison.root];
    root.append(
      this.live,
      this.empty,
      h("div", { class: "tools" }, this.again, this.legend),
      this.frames,
      ...middle,
      this.before,
    );
    root.dataset.ready = "true";
  }

  /** @param {View} view */
  compare(view) {
    const choices = this.choices();
    const b = choices.findIndex((choice) => choice.view === view);
    const a = choices.findIndex((_, i) => i !== b);
    const card = this.cards.find((one) => one.view === view);
    if (a < 0) card?.say("Make another take to compare this one with.");
    else this.comparison.open(choices, a, b, { edit: this.edited });
  }

  /** Whether the takes are what became of the original: the same sound but for some stretches. */
  get edited() {
    return Boolean(this.host.props.edits && this.original);
  }

  choices() {
    const choices = this.cards.map((card) => ({ label: card.name, view: card.view }));
    if (this.original) choices.unshift({ label: "Your sound", view: this.original });
    for (const item of store.all().slice(0, EARLIER)) {
      if (this.cards.some((card) => card.view.id === item.id)) continue;
      const words = (item.settings.prompt || this.place.tasks[item.task]).slice(0, 40);
      choices.push({ label: `Before: seed ${item.seed}, ${words}`, view: item });
    }
    return choices;
  }

  /** @param {{ takes: View[], original?: View, frames?: { url: string, at: number, window?: number }[] }} value */
  showTakes(value) {
    this.comparison.close();
    this.keepPlaying();
    this.original = value.original || null;
    this.cards = value.takes.map((view, i) => new Card(view, this.place, { id: `${this.task}-take-${i + 1}` }));
    this.list.replaceChildren(...this.cards.map((card) => card.root));
    this.again.hidden = !this.cards.length || Boolean(this.cards[0].view.example);
    this.legend.hidden = !value.takes.some((view) => typeof view.score === "number");
    this.showFrames(value.frames || []);
    if (this.edited && this.cards.length) this.comparison.open(this.choices(), 0, 1, { edit: true, quiet: true });
    store.add(value.takes);
    for (const card of this.cards) card.edit(shapedFor(card.view));
  }

  /** A take that is being heard goes on; it moves below the new ones. */
  keepPlaying() {
    const leave = (/** @type {Card} */ card) => {
      card.root.remove();
      card.leave();
    };
    const heard = this.cards.filter((card) => card.sounding);
    for (const card of [...this.earlier, ...this.cards]) if (!card.sounding) leave(card);
    for (const card of heard) {
      card.root.removeAttribute("id");
      this.before.append(card.root);
    }
    this.earlier = [...this.earlier.filter((card) => card.sounding), ...heard];
  }

  /** @param {{ url: string, at: number, window?: number }[]} pictures window counts from 1 where there are several */
  showFrames(pictures) {
    this.frames.hidden = !pictures.length;
    const inOrder = [...pictures].sort((one, other) => one.at - other.at); // windows overlap
    const shown = inOrder.map(({ url, at, window }) => {
      const picture = h("img", { src: url, alt: `The clip at ${at.toFixed(1)} seconds`, loading: "lazy" });
      return h(
        "figure",
        null,
        picture,
        h("figcaption", null, `${at.toFixed(1)} s`, window ? ` · window ${window}` : null),
      );
    });
    this.frames.replaceChildren(...shown);
  }

  /**
   * @param {{ step: number, total: number, levels?: string, seconds: number, ticks: View["ticks"],
   *   heard?: import("./streamed.js").Heard } | null} value
   */
  showLive(value) {
    const { live, chart, line, empty } = this;
    live.hidden = !value;
    empty.hidden = Boolean(value) || this.cards.length > 0;
    if (!value) return this.streamed.end();
    line.textContent = ` step ${value.step} of ${value.total}`;
    this.streamed.show(value.heard);
    if (!value.levels) return;
    chart.view = value;
    levelsOf(value.levels).then(
      (levels) => chart.showLevels(levels),
      () => {},
    );
  }

  update() {
    const { value } = this.host.props;
    const key = JSON.stringify(value);
    if (!value || key === this.seen) return;
    this.seen = key;
    const watched = this.inSight(this.live);
    const begins = this.live.hidden;
    if (value.takes) this.showNew(value, watched);
    this.showLive(value.live || null);
    if (value.live && begins) this.bring(this.live);
  }

  /**
   * @param {{ takes: View[], heard?: import("./streamed.js").Heard }} value
   * @param {boolean} watched whether somebody looked at the sound in the making
   */
  showNew({ heard, ...value }, watched) {
    this.showTakes(value);
    this.streamed.pass(heard, this.cards);
    if (!this.kept.put(value)) this.kept.drop();
    const [first] = this.cards;
    if (!first) return;
    if (watched || !this.inSight(this.host.element)) this.bring(this.host.element);
    if (first.view.example) first.act("play");
  }

  /** Whether enough of something is in view to be noticed. @param {Element} node */
  inSight(node) {
    const { top, bottom, height } = node.getBoundingClientRect();
    return height > 0 && top < window.innerHeight - SEEN && bottom > SEEN;
  }

  /** Scroll as far as needed, unless its tab is closed. @param {Element} node */
  bring(node) {
    const { top, height } = node.getBoundingClientRect();
    if (!height || (top >= 0 && top < window.innerHeight - SEEN)) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    window.scrollTo({ top: window.scrollY + top - MARGIN, behavior: calm ? "instant" : "smooth" });
  }
}
