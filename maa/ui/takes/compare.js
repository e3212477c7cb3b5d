// @ts-check
// compare.js: two sounds beside each other: heard from the same second, as loud as each other, wiped or subtracted. An
// edit is compared with its source around the stretches that it changed.
import { clamp } from "../web/axes.js";
import { h, iconButton, press, setIcon } from "../web/dom.js";
import { onDrag } from "../web/drag.js";
import { levelsOf } from "../web/sound.js";
import { Chart } from "./chart.js";
import { Pair } from "./pair.js";

/** @typedef {import("../web/sound.js").View} View */
/** @typedef {import("../web/levels.js").Levels} Levels */
/** @typedef {{ label: string, view: View }} Choice */
/** @typedef {"heard" | "wipe" | "difference"} Picture */

const BESIDE = 2; // seconds that are seen on either side of an edit
const LONGEST = 120; // seconds of an edit that are seen at most
const ROLL = 1; // seconds that are heard before and behind an edit
const CHART = "Spectrogram of the sound that is heard, of both with a line between them, or of their difference";
/** @type {[Picture, string, string][]} */
const PICTURES = [
  ["heard", "Heard", "The sound that is heard"],
  ["wipe", "Wipe", "The first sound on the left of the line, the second on the right"],
  ["difference", "Difference", "Orange is where the second is louder, blue is where it is quieter"],
];
const SIDES = ["A", "B", "B − A"];

export class Compare {
  /** @param {import("../web/scope.js").Scope} scope @param {Uint8Array} map the colours of levels */
  constructor(scope, map) {
    /** @type {Choice[]} */
    this.choices = [];
    this.picked = [0, 0];
    this.side = 1;
    this.edit = false;
    /** @type {HTMLElement | null} */
    this.back = null; // what had the focus before
    /** @type {Picture} */
    this.picture = "heard";
    /** @type {[number, number][]} */
    this.spans = []; // seconds that are new in the second sound
    /** @type {Levels[]} */
    this.levels = [];
    this.loads = 0;
    this.chart = new Chart(scope, CHART, map);
    this.pair = new Pair(scope, () => this.tell());
    this.nodes = nodesOf(this);
    this.root = panelOf(this.nodes, this.chart.canvas);
    const drag = (/** @type {{ x: number }} */ at) => this.drag(at.x);
    onDrag(scope, this.chart.canvas, { start: drag, move: drag });
    scope.listen(document, "keydown", (event) => this.key(event));
  }

  /**
   * @param {Choice[]} choices
   * @param {number} a @param {number} b the two to begin with
   * @param {{ edit?: boolean, quiet?: boolean }} [how] edit: b is a with some stretches made anew; quiet: stay here
   */
  open(choices, a, b, { edit = false, quiet = false } = {}) {
    this.back = /** @type {HTMLElement | null} */ (document.activeElement);
    this.choices = choices;
    this.picked = [a, b];
    this.edit = edit;
    this.chart.names = edit ? ["before", "after"] : SIDES;
    this.side = 1;
    this.picture = edit ? "wipe" : "heard";
    this.nodes.matched.checked = !edit; // what an edit does to the loudness should be heard
    this.nodes.sides[2].hidden = !edit;
    this.nodes.picks.forEach((pick, side) => {
      pick.replaceChildren(
        ...choices.map(({ label }, i) => new Option(label, String(i), false, i === this.picked[side])),
      );
    });
    this.root.hidden = false;
    const loaded = this.load();
    if (quiet) return loaded;
    this.root.focus({ preventScroll: true });
    return loaded.then(() => this.root.scrollIntoView({ block: "nearest", behavior: "smooth" }));
  }

  close() {
    this.pair.pause();
    this.root.hidden = true;
  }

  /** @param {number} side @param {number} choice */
  pick(side, choice) {
    this.picked[side] = choice;
    return this.load();
  }

  get views() {
    return this.picked.map((i) => this.choices[i].view);
  }

  async load() {
    const load = ++this.loads;
    const { views } = this;
    const seconds = Math.max(...views.map((view) => view.seconds));
    this.spans = this.edit ? views[1].settings.spans || [] : [];
    const [first, last] = this.spans.length ? [this.spans[0][0], this.spans[this.spans.length - 1][1]] : [0, seconds];
    this.pair.load(
      views.map((view) => view.url),
      Math.max(0, first - ROLL),
      Math.min(seconds, last + ROLL),
    );
    this.nodes.note.textContent = views[1].note ? `What the edit did: ${views[1].note}.` : "";
    this.levels = [];
    this.say("Loading …");
    try {
      const levels = await Promise.all(views.map((view) => levelsOf(view.levels)));
      if (load !== this.loads) return;
      this.levels = levels;
    } catch {
      if (load === this.loads) this.say("One of these sounds cannot be loaded any more.");
      return;
    }
    const from = Math.max(0, first - BESIDE);
    this.chart.stretch = this.spans.length ? [from, Math.min(seconds, last + BESIDE, from + LONGEST)] : null;
    this.chart.spans = this.spans;
    this.paint();
    this.level();
    this.root.dataset.loaded = String(Number(this.root.dataset.loaded || 0) + 1);
  }

  // ---- what is seen

  /** @param {Picture} picture */
  show(picture) {
    this.picture = picture;
    this.paint();
  }

  paint() {
    const { chart, nodes, side } = this;
    const picture = side === 2 && this.picture === "heard" ? "difference" : this.picture;
    for (const [i, button] of nodes.shows.entries()) press(button, PICTURES[i][0] === this.picture);
    nodes.slider.hidden = picture !== "wipe";
    chart.canvas.dataset.picture = picture;
    if (!this.levels.length) return;
    const [a, b] = this.levels;
    const lengths = this.views.map((view) => view.seconds);
    const seconds = picture === "difference" ? Math.min(...lengths) : Math.max(...lengths);
    chart.view = { ...this.views[Math.min(side, 1)], seconds };
    chart.divider = picture === "wipe" ? Number(nodes.slider.value) / 100 : null;
    if (picture === "difference") chart.showDifference(a, b);
    else if (picture === "wipe") chart.showLevels(a, b);
    else chart.showLevels(this.levels[side]);
  }

  /** On the picture: the line between both sounds, or a second to go to. @param {number} x */
  drag(x) {
    const { axes } = this.chart;
    if (this.chart.divider === null) {
      this.pair.seek(axes.secondAt(x)).catch(() => this.fail());
      return false;
    }
    this.wipe((x - axes.left) / axes.width);
    return true;
  }

  /** @param {number} part of the width that shows the first sound */
  wipe(part) {
    this.nodes.slider.value = String(100 * clamp(part, 0, 1));
    this.chart.divider = clamp(part, 0, 1);
    this.chart.draw();
  }

  // ---- what is heard

  /** What to multiply each side by so that both are as loud as the quieter one. */
  get gains() {
    const loud = this.views.map((view) => view.lufs);
    if (!this.nodes.matched.checked) return [1, 1];
    const known = loud.flatMap((one) => (typeof one === "number" ? [one] : []));
    if (known.length < 2) return [1, 1];
    return known.map((one) => 10 ** ((Math.min(...known) - one) / 20));
  }

  level() {
    const { gains } = this;
    this.pair.hear(this.side, gains);
    const told = gains.map((gain, side) => {
      return `${SIDES[side]} ${gain === 1 ? "as it is" : `${(20 * Math.log10(gain)).toFixed(1)} dB`}`;
    });
    if (this.side === 2) this.say("Hearing the difference: what B has and A has not.");
    else this.say(`Hearing ${SIDES[this.side]}. ${told.join(", ")}.`);
    for (const [side, button] of this.nodes.sides.entries()) press(button, side === this.side);
  }

  /** @param {number} side */
  choose(side) {
    this.side = side;
    this.level();
    this.paint();
  }

  toggle() {
    if (this.pair.playing) this.pair.pause();
    else this.pair.play().catch(() => this.fail());
  }

  fail() {
    this.say("Your browser cannot play one of these sounds.");
  }

  tell() {
    const { at, playing, from } = this.pair;
    this.chart.move(playing || at !== from ? at : 0);
    this.nodes.clock.textContent = `${at.toFixed(1)} s`;
    if (playing === this.nodes.play.matches("[data-playing]")) return;
    this.nodes.play.toggleAttribute("data-playing", playing);
    setIcon(this.nodes.play, playing ? "pause" : "play", playing ? "Pause (space)" : "Play both (space)");
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (this.root.hidden || !this.root.offsetParent || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (
      !(target instanceof Element) ||
      target.closest("input:not([type=checkbox], [type=range]), textarea, [contenteditable]")
    )
      return;
    if (event.key === "Escape" && this.root.contains(target)) {
      this.close();
      this.back?.focus();
    } else if (event.key === "x") this.choose(this.side ? 0 : 1);
    else if (event.key === " " && this.root.contains(target) && !target.closest("button, select, input")) {
      event.preventDefault();
      this.toggle();
    }
  }

  /** @param {string} text */
  say(text) {
    this.nodes.line.textContent = text;
  }
}

/** @typedef {ReturnType<typeof nodesOf>} Nodes */

/** What a visitor presses and reads. @param {Compare} compare */
function nodesOf(compare) {
  const picks = [0, 1].map((side) => {
    const pick = h("select", { "aria-label": side ? "Second sound" : "First sound" });
    pick.addEventListener("change", () => compare.pick(side, Number(pick.value)));
    return pick;
  });
  const sides = SIDES.map((name, side) => {
    const title = side === 2 ? "Hear what the second sound has and the first has not" : undefined;
    return h("button", { type: "button", class: "side", title, onclick: () => compare.choose(side) }, name);
  });
  const shows = PICTURES.map(([picture, name, title]) => {
    return h("button", { type: "button", class: "small", title, onclick: () => compare.show(picture) }, name);
  });
  const slider = h("input", { type: "range", class: "size wipe", min: "0", max: "100", step: "0.5", value: "50" });
  slider.setAttribute("aria-label", "Wipe between both sounds, in percent of the width");
  slider.addEventListener("input", () => compare.wipe(Number(slider.value) / 100));
  return {
    picks,
    sides,
    shows,
    slider,
    play: iconButton("play", "Play both (space)", () => compare.toggle()),
    close: iconButton("close", "Close the comparison", () => compare.close()),
    clock: h("span", { class: "time" }, "0.0 s"),
    matched: h("input", { type: "checkbox", checked: true, onchange: () => compare.level() }),
    line: h("p", { class: "line", role: "status", "aria-live": "polite" }),
    note: h("p", { class: "line note" }),
  };
}

/** @param {Nodes} nodes @param {HTMLCanvasElement} canvas */
function panelOf({ picks, sides, shows, slider, play, close, clock, matched, line, note }, canvas) {
  const hint = h("span", { class: "hint" }, "x switches, space plays, Escape closes");
  const loudness = h("label", null, matched, "Same loudness");
  const pictures = h("span", { class: "shows", role: "group", "aria-label": "Picture" }, shows);
  return h(
    "section",
    { class: "compare", hidden: true, "aria-label": "Compare two sounds", tabindex: "-1" },
    h("header", null, h("strong", null, "Compare"), hint, close),
    h("div", { class: "pair" }, sides[0], picks[0], sides[1], picks[1]),
    canvas,
    slider,
    h("div", { class: "bar" }, play, clock, sides[2], loudness, pictures),
    line,
    note,
  );
}
