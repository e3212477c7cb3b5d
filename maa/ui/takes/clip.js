// @ts-check
// clip.js: a take opened up: a stretch of it selected, shaped, heard round and round, sent on and written as another
// file. The take stays as it is: what is done to it is a list of settings, which the server applies to what it writes.
import { clock, copyText, h, icon, iconButton, press, save, setIcon, textButton } from "../web/dom.js";
import { ClipChart } from "./clipchart.js";
import { draggable } from "./dragout.js";
import { fileName } from "./names.js";
import { Round } from "./round.js";
import { HISTORY, store } from "./store.js";
import { selected, stretchText } from "./stretch.js";

/** @typedef {import("../web/sound.js").View} View */
/** @typedef {Record<string, any>} Shaping what is out of the ordinary, by the names of settings */
/**
 * @typedef {object} Field a setting, as maa/ui/exports.py tells of it
 * @property {string} name @property {string} label @property {string} help @property {any} usual
 * @property {"stretch" | "switch" | "choice" | "number"} kind
 * @property {number} [low] @property {number} [high] @property {number} [step] @property {[string, string][]} [choices]
 */

const KEYS =
  "drag to select, or move with the arrow keys and select with Shift; [ and ] set start and end, A selects all, " +
  "plus, minus and 0 zoom, Z shows the selection, Space plays, O loops";
const REST = 350; // milliseconds without a change until what plays is made again

export class Clip {
  /** @param {import("./card.js").Card} card @param {Shaping} shaping to begin with */
  constructor(card, shaping) {
    this.card = card;
    this.view = card.view;
    this.shaping = { ...shaping };
    this.looping = true;
    this.pending = false; // what was changed is not kept yet
    this.starting = false; // it was asked for, and is not heard yet
    this.turn = 0; // how often it was asked for, or stopped
    this.heard = ""; // the shape that plays
    this.scope = card.scope.child();
    this.waiting = this.scope.child();
    this.round = new Round(this.scope, () => this.tell());
    this.chart = new ClipChart(this.scope, `Spectrogram of ${card.name}: ${KEYS}`, card.place.map, {
      changed: () => this.setTrim(this.chart.chosen),
      toggle: () => this.toggle(),
      loop: () => this.setLoop(!this.looping),
      seek: (seconds) => this.seek(seconds),
    });
    this.said = h("p", { class: "said", role: "status", "aria-live": "polite" });
    this.result = h("p", { class: "made", hidden: true });
    /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
    this.fields = {};
    const { shaping: declared, exports } = card.place.host.props;
    /** @type {Field[]} */
    this.declared = declared.filter((/** @type {Field} */ one) => one.name !== "width" || this.view.next);
    this.play = iconButton("play", "", () => this.toggle(), { class: "icon main" });
    this.time = h("span", { class: "time" });
    this.loop = iconButton("loop", "Loop the selection", () => this.setLoop(!this.looping));
    this.format = select("File format", formatsOf(exports, this.view.task));
    this.rate = select("Sample rate", exports.rates);
    const props = { class: "clip", role: "group", "aria-label": `${card.name}, opened up` };
    this.root = h("section", props, this.tools(), this.chart.canvas, this.table(), this.outs(), this.said, this.result);
    this.chart.load(this.view).then(() => this.chart.all());
    this.round.load(this.view.url, this.view.rate || 0);
    this.round.samples().then(
      (buffer) => {
        this.chart.samples = buffer.getChannelData(0);
        this.chart.draw();
      },
      () => this.say("This sound cannot be loaded any more."),
    );
    press(this.loop, this.looping);
    this.scope.listen(document, HISTORY, () => this.follow());
    this.fill();
    this.tell();
  }

  /** The same take may be open in its tab and in the history. */
  follow() {
    const shaping = store.get(this.view.id)?.shaping || {};
    if (this.pending || this.view.example || JSON.stringify(shaping) === JSON.stringify(this.shaping)) return;
    this.shaping = { ...shaping };
    this.fill();
  }

  // ---- what a visitor sees

  tools() {
    const { chart } = this;
    const zoom = [
      textButton("−", () => chart.zoom(1 / 1.5), { "aria-label": "Farther", title: "Farther (−)" }),
      textButton("+", () => chart.zoom(1.5), { "aria-label": "Closer", title: "Closer (+)" }),
      textButton("Whole", () => chart.all(), { title: "The whole sound (0)" }),
      textButton("To selection", () => chart.toChosen(), { title: "Zoom to the selection (Z)" }),
    ];
    const gap = h("span", { class: "gap" });
    return h("div", { class: "bar" }, this.play, this.loop, this.time, gap, h("span", { class: "zoom" }, zoom));
  }

  table() {
    const cells = this.declared.flatMap((one) => {
      if (one.kind !== "stretch") return [this.cell(one)];
      const ends = ["Start (s)", "End (s)"].map((label, i) => this.end(`${one.name}-${i}`, label));
      return ends;
    });
    return h("div", { class: "table" }, cells);
  }

  /** Start or end of the selection, typed. @param {string} name @param {string} label */
  end(name, label) {
    const field = h("input", { type: "number", min: "0", max: String(this.view.seconds), step: "0.01", name });
    field.addEventListener("change", () => {
      const [from, to] = [0, 1].map((i) => Number.parseFloat(this.fields[`trim-${i}`].value));
      const { seconds } = this.view;
      this.chart.choose(selected(from || 0, Number.isNaN(to) ? seconds : to, seconds));
    });
    this.fields[name] = field;
    return h("label", null, label, field);
  }

  /** @param {Field} one */
  cell(one) {
    const { name, kind } = one;
    const title = one.help;
    /** @type {HTMLInputElement | HTMLSelectElement} */
    let field;
    if (kind === "choice") field = select("", one.choices || [], { name, title });
    else if (kind === "switch") field = h("input", { type: "checkbox", name, title });
    else {
      const limits = { min: String(one.low), max: String(one.high), step: String(one.step) };
      field = h("input", { type: "number", name, title, ...limits });
    }
    field.addEventListener("change", () => this.set(one, field));
    this.fields[name] = field;
    return h("label", { class: kind }, one.label, field);
  }

  outs() {
    const { tasks, sounds } = this.card.place;
    const tabs = sounds.map((task) => [task, tasks[task]]);
    const send = select("Send the selection to another tab", [["", "Send selection to …"], ...tabs]);
    send.addEventListener("change", () => {
      this.card.ask("take_send", { to: send.value, shaping: this.shaping });
      send.value = "";
    });
    return h(
      "div",
      { class: "bar outs" },
      h("label", null, "Format", this.format),
      h("label", null, "Rate", this.rate),
      textButton("Download", () => this.download(), { class: "small go" }),
      send,
      textButton("Copy as command", () => this.copy()),
      textButton("Reset", () => this.reset(), { title: "Take everything back" }),
    );
  }

  /** Every field as the shape says. */
  fill() {
    const { seconds } = this.view;
    const [from, to] = this.shaping.trim || [0, seconds];
    this.fields["trim-0"].value = from.toFixed(3).replace(/0$/, "");
    this.fields["trim-1"].value = to.toFixed(3).replace(/0$/, "");
    for (const { name, kind, usual } of this.declared) {
      const field = this.fields[name];
      const value = this.shaping[name] ?? usual;
      if (kind === "switch") /** @type {HTMLInputElement} */ (field).checked = Boolean(value);
      else if (kind !== "stretch") field.value = String(value);
    }
    this.chart.chosen = this.shaping.trim ? this.shaping.trim : null;
    this.chart.shaping = this.shaping;
    this.chart.draw();
    this.say(stretchText(this.chart.chosen, seconds));
    this.root.dataset.shaping = JSON.stringify(this.shaping);
  }

  // ---- what is changed

  /** @param {Field} one @param {HTMLInputElement | HTMLSelectElement} field */
  set(one, field) {
    let value = /** @type {any} */ (field.value);
    if (one.kind === "switch") value = /** @type {HTMLInputElement} */ (field).checked;
    if (one.kind === "number") {
      const number = Number.parseFloat(value);
      value = Number.isNaN(number) ? one.usual : Math.min(one.high || 0, Math.max(one.low || 0, number));
    }
    if (value === one.usual) delete this.shaping[one.name];
    else this.shaping[one.name] = value;
    this.changed();
  }

  /** @param {import("./stretch.js").Stretch | null} stretch */
  setTrim(stretch) {
    if (stretch) this.shaping.trim = stretch;
    else delete this.shaping.trim;
    this.changed();
  }

  reset() {
    this.shaping = {};
    this.changed();
  }

  /** Shown and kept at once; what plays is heard anew when the hand rests. */
  changed() {
    this.fill();
    this.result.hidden = true;
    this.card.showShaped(this.shaping);
    this.pending = true;
    this.waiting.end();
    this.waiting = this.scope.child();
    this.waiting.timeout(REST, () => {
      this.pending = false;
      store.shape(this.view, this.shaping);
      if (this.round.playing && this.heard !== JSON.stringify(this.shaping)) this.start();
    });
  }

  // ---- what is heard

  /** Whether nothing but the selection is to be heard. */
  get plain() {
    return Object.keys(this.shaping).every((name) => name === "trim");
  }

  /** @returns {[number, number]} */
  get stretch() {
    return this.shaping.trim || [0, this.view.seconds];
  }

  /** The second of the take that is heard. */
  get at() {
    const { round } = this;
    if (round.url === this.view.url) return round.at;
    const [from, to] = this.stretch;
    return this.shaping.reverse ? to - round.at : from + round.at;
  }

  toggle() {
    if (this.round.playing || this.starting) this.stop();
    else this.start();
  }

  stop() {
    this.turn++;
    this.starting = false;
    this.round.pause();
  }

  async start() {
    const { round, view, looping: loop } = this;
    const [from, to] = this.stretch;
    const turn = ++this.turn;
    this.starting = true;
    this.heard = JSON.stringify(this.shaping);
    try {
      if (this.plain) {
        round.load(view.url, view.rate || 0);
        await round.play({ from, to, loop, at: this.chart.at || from });
        return;
      }
      const made = await this.made({ file_format: "wav24", rate: 0 });
      if (!made || turn !== this.turn) return; // stopped, or another wish, by now
      round.load(made.url, view.rate || 0);
      await round.play({ from: 0, to: Infinity, loop });
    } catch {
      this.say("Your browser cannot play this sound.");
    } finally {
      if (turn === this.turn) this.starting = false;
    }
  }

  /** @param {boolean} on */
  setLoop(on) {
    this.looping = on;
    press(this.loop, on);
    if (this.round.playing) this.start();
  }

  /** @param {number} seconds */
  seek(seconds) {
    const { round } = this;
    if (round.url === this.view.url) round.seek(seconds);
    this.chart.move(seconds);
    this.time.textContent = `${clock(seconds)} s`;
  }

  tell() {
    const { playing } = this.round;
    const name = playing ? "Pause the selection" : "Play the selection";
    setIcon(this.play, playing ? "pause" : "play", `${name} of ${this.card.name}`);
    this.root.dataset.playing = String(playing);
    if (playing || this.round.url === this.view.url) this.chart.move(this.at);
    this.time.textContent = `${clock(this.chart.at)} s`;
  }

  // ---- what is made of it

  /** @param {{ file_format: string, rate: number }} how */
  async made(how) {
    const asked = { id: this.view.id, shaping: this.shaping, ...how };
    const made = await this.card.place.host.server.export(asked);
    if (!made.error) return made;
    this.say(made.error);
    return null;
  }

  async download() {
    this.say("Writing …");
    const made = await this.made({ file_format: this.format.value, rate: Number(this.rate.value) });
    if (!made) return;
    const name = fileName(this.view, made.url);
    const link = draggable(h("a", { href: made.url, download: name }, icon("down"), name));
    this.result.replaceChildren(link, " is here; it can be dragged out of the browser, too.");
    this.result.hidden = false;
    this.say(stretchText(this.chart.chosen, this.view.seconds));
    save(made.url, name, this.root);
  }

  async copy() {
    const made = await this.made({ file_format: this.format.value, rate: Number(this.rate.value) });
    if (!made) return;
    if (!made.command) {
      this.say("There is no command for an example.");
      return;
    }
    await copyText(made.command, this.root);
    this.say("Copied. Paste it into a terminal.");
  }

  /** @param {string} text */
  say(text) {
    this.said.textContent = text;
  }
}

/** @param {string} label @param {any[][]} choices value and label @param {Record<string, any>} [props] */
function select(label, choices, props) {
  const options = choices.map(([value, text]) => h("option", { value: String(value) }, text));
  return h("select", { "aria-label": label || null, ...props }, options);
}

/** The formats that a take can be written in: its own where it is a person's own sound. @param {any} exports */
function formatsOf({ formats, splices }, /** @type {string} */ task) {
  return splices.includes(task) ? formats : formats.filter((/** @type {string[]} */ [name]) => name !== "source");
}
