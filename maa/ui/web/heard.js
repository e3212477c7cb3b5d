// @ts-check
// heard.js: what the network listens to, as chips under the prompt: one for each clause, which can be swapped for other
// known sounds or turned off; and what of the prompt is not understood.
import { find, h } from "./dom.js";
import { scopeOf } from "./scope.js";
import { Suggest } from "./suggest.js";

/**
 * @typedef {object} Clause one sound of the prompt
 * @property {string} said by the person
 * @property {string} led to, where nobody chooses
 * @property {string} heard
 * @property {string[]} choices known sounds, best first
 * @property {boolean} known whether there is something known near it
 */

const PAUSE = 300; // milliseconds without a change until the server is asked
const SETTLE = 2000; // milliseconds in which the page gets its prompt after this component

/** @param {import("./dom.js").Host} host */
export function start(host) {
  new Heard(host);
}

class Heard {
  /** @param {import("./dom.js").Host} host */
  constructor(host) {
    this.host = host;
    this.scope = scopeOf(host.element);
    this.waiting = this.scope.child();
    /** @type {Clause[]} */
    this.clauses = [];
    /** @type {string[] | null} what settings say was heard, until the prompt is known */
    this.wanted = null;
    /** @type {Map<string, string>} what was chosen, by what was said */
    this.choices = new Map();
    this.answered = "";
    this.seen = "";
    this.title = h("span", { class: "title" }, "Heard as");
    this.chips = h("span", { class: "chips" });
    this.row = h(
      "div",
      { class: "row", role: "group", "aria-label": "Heard as", hidden: true },
      this.title,
      this.chips,
    );
    this.notes = h("ul", { class: "notes" });
    this.root = find(host.element, ".heard");
    this.root.dataset.idle = "true"; // its place is kept from when somebody is about to type
    this.root.append(this.row, h("div", { role: "status" }, this.notes));
    this.scope.listen(document, "maa-said", () => this.soon());
    host.watch("value", () => this.update());
    this.update();
    this.meet(Date.now());
  }

  /** The prompt's field, as soon as it is there: sounds are suggested in it. @param {number} since */
  meet(since) {
    const area = this.area;
    if (!area) {
      if (Date.now() - since < SETTLE) this.scope.timeout(50, () => this.meet(since));
      return;
    }
    /** @type {Promise<import("./prompt.js").Sound[]> | undefined} */
    let known;
    const sounds = () => {
      known ??= this.host.server.sounds();
      return known;
    };
    const offers = new Suggest(this.scope, area, `${this.host.props.task}-offers`, sounds);
    this.root.prepend(offers.list, offers.told);
    this.scope.listen(area, "focus", () => this.wake());
    this.soon();
  }

  /** @returns {HTMLTextAreaElement | null} */
  get area() {
    return document.querySelector(`#${this.host.props.task}-prompt textarea`);
  }

  get literal() {
    const box = /** @type {HTMLInputElement | null} */ (
      document.querySelector(`#${this.host.props.task}-literal input`)
    );
    return Boolean(box?.checked);
  }

  get prompt() {
    return (this.area?.value || "").split(/\s+/).filter(Boolean).join(" ");
  }

  wake() {
    this.root.dataset.idle = "false";
  }

  /** Ask after a pause. */
  soon() {
    if (this.prompt) this.wake();
    this.root.dataset.stale = String(this.prompt !== this.answered);
    this.waiting.end();
    this.waiting = this.scope.child();
    this.waiting.timeout(PAUSE, () => this.ask());
  }

  ask() {
    const { prompt, literal, wanted } = this;
    if (!prompt) this.apply({ prompt, clauses: [], notes: [] });
    else this.host.trigger("said", { prompt, task: this.host.props.task, literal, wanted });
  }

  /** What the server says, or what a take's settings want. */
  update() {
    const { value } = this.host.props;
    const key = JSON.stringify(value);
    if (!value || key === this.seen) return;
    this.seen = key;
    if (value.wanted) {
      this.wanted = value.wanted;
      this.choices.clear();
      this.soon();
    } else if (!("chosen" in value)) this.apply(value);
  }

  /** @param {{ prompt: string, clauses: Clause[], notes: string[] }} answer */
  apply({ prompt, clauses, notes }) {
    this.answered = prompt;
    this.root.dataset.stale = String(prompt !== this.prompt);
    for (const clause of clauses) {
      if (this.wanted && clause.heard !== clause.led) this.choices.set(clause.said, clause.heard);
      const chosen = this.choices.get(clause.said);
      if (chosen !== undefined) clause.heard = chosen;
    }
    if (prompt === this.prompt) this.wanted = null;
    this.clauses = clauses;
    this.title.textContent = this.literal ? "Heard as you say it" : "Heard as";
    this.chips.replaceChildren(...(this.literal ? [] : clauses.map((clause) => this.chip(clause))));
    this.row.hidden = !prompt || !(clauses.length || this.literal);
    this.notes.replaceChildren(...notes.map((text) => h("li", null, text)));
    this.send();
  }

  /** @param {Clause} clause */
  chip(clause) {
    const { said, led, heard, choices, known } = clause;
    const names = [...new Set([led, heard, ...choices])].filter((name) => name !== said);
    const options = names.map((name) => h("option", { value: name, selected: name === heard }, name));
    options.push(h("option", { value: said, selected: heard === said }, "my own words"));
    const select = h("select", { "aria-label": `“${said}” is heard as`, title: `You say: ${said}` }, ...options);
    select.dataset.known = String(known || heard !== said);
    select.addEventListener("change", () => {
      clause.heard = select.value;
      if (clause.heard === led) this.choices.delete(said);
      else this.choices.set(said, clause.heard);
      select.dataset.known = String(known || clause.heard !== said);
      this.send();
    });
    return select;
  }

  /** What goes with the next request. */
  send() {
    const clauses = this.clauses.map(({ said, heard }) => ({ said, heard }));
    const chosen = this.clauses.some(({ led, heard }) => heard !== led);
    const value = { prompt: this.answered, clauses, chosen };
    this.seen = JSON.stringify(value);
    this.host.props.value = value;
  }
}
