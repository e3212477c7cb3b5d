// @ts-check
// board.js: the sounds of a batch, a row for each line of a list or a table for a grid; played and walked through with
// the keys. What it shows comes from maa/ui/batch/folder.py.
import { find, h, save, textButton } from "../web/dom.js";
import { kept } from "../web/kept.js";
import { scopeOf } from "../web/scope.js";
import { pausesForOthers, startsToPlay } from "../web/sound.js";
import { STATUS } from "../web/status.js";
import { GridCell } from "./cell.js";
import { moved } from "./walk.js";

/** @typedef {import("./cell.js").Made} Made */
/**
 * @typedef {object} Board
 * @property {string} id
 * @property {string} at the address of the folder
 * @property {boolean} grid
 * @property {string[]} axes what the rows and the columns of a grid are
 * @property {string[]} rows @property {string[]} columns
 * @property {string[]} prompts
 * @property {Record<string, Made>} made by their numbers
 * @property {Record<string, string>} failed why they could not be made
 */

const SEEN = 160; // pixels that are enough to be noticed

/** @param {import("../web/dom.js").Host} host */
export function start(host) {
  new Batch(host);
}

class Batch {
  /** @param {import("../web/dom.js").Host} host */
  constructor(host) {
    this.host = host;
    this.scope = scopeOf(host.element);
    this.kept = kept("batch");
    /** @type {Board | null} */
    this.board = null;
    this.running = false;
    /** @type {GridCell[]} */
    this.cells = [];
    this.chosen = 0;
    /** @type {GridCell | null} the one that is heard */
    this.heard = null;
    this.player = Object.assign(new Audio(), { preload: "none" });
    this.empty = h("div", { class: "empty" }, h("p", null, host.props.hint));
    this.count = h("span", { class: "fact" });
    this.goOn = textButton("Go on", () => host.trigger("go_on", { id: this.board?.id }), { id: "batch-goon" });
    this.zip = textButton("Download all (zip)", () => this.bundle());
    this.tools = h("div", { class: "tools board-tools", hidden: true }, this.count, this.goOn, this.zip);
    this.scroll = h("div", { class: "scroll" });
    this.words = h("p", { class: "words" });
    this.why = h("p", { class: "said", role: "status" });
    const use = textButton("Use these settings", () => this.use());
    this.link = h("a", { class: "small" }, "Download");
    this.acts = h("div", { class: "tools" }, use, this.link);
    this.detail = h("section", { class: "detail", "aria-label": "The chosen sound", hidden: true });
    this.detail.append(this.words, this.acts, this.why);
    find(host.element, ".maa-root").append(this.empty, this.tools, this.scroll, this.detail);
    this.follow();
    host.watch("value", () => this.show(host.props.value));
    this.show(host.props.value);
    const before = this.kept.get();
    if (typeof before === "string" && !this.board) this.recall(before);
  }

  follow() {
    const { scope, player } = this;
    pausesForOthers(scope, player, () => player.pause());
    scope.onEnd(() => player.pause());
    scope.listen(player, "play", () => {
      startsToPlay(player);
      this.heard?.sounds(true);
    });
    for (const name of ["pause", "ended"]) scope.listen(player, name, () => this.heard?.sounds(false));
    scope.listen(player, "error", () => this.say("The server does not keep this sound any more; make it again."));
    scope.listen(document, STATUS, (event) => {
      if (event.detail.task !== "batch") return;
      this.running = event.detail.value.state === "busy";
      this.showTools();
    });
    scope.listen(this.scroll, "keydown", (/** @type {KeyboardEvent} */ event) => {
      if (!this.board || event.ctrlKey || event.metaKey || event.altKey) return;
      const next = moved(this.chosen, event.key, this.board.rows.length, this.board.columns.length);
      if (next === null) return;
      event.preventDefault();
      event.stopPropagation();
      this.choose(next, true);
    });
  }

  /** A page that is loaded anew shows what the server still has. @param {string} id */
  async recall(id) {
    const found = await this.host.server.found(id);
    if (found.error || this.board) return;
    this.host.props.value = found;
    this.show(found);
  }

  /** @param {Board | null} board */
  show(board) {
    if (!board?.id) return;
    if (board.id !== this.board?.id) this.lay(board);
    const fresh = board.id !== this.board?.id && this.running;
    this.board = board;
    this.cells.forEach((cell, number) => {
      cell.show(board.made[number], board.failed[number]);
    });
    this.showTools();
    this.showDetail();
    if (fresh) this.intoSight();
  }

  /** Where the board lies below the controls, as on a phone, the page goes there. */
  intoSight() {
    const { top } = this.tools.getBoundingClientRect();
    if (this.scroll.checkVisibility() && top > window.innerHeight - SEEN) this.tools.scrollIntoView();
  }

  /** A table of cells that are still empty. @param {Board} board */
  lay(board) {
    this.player.pause();
    this.heard = null;
    this.kept.put(board.id);
    const across = board.columns.length;
    this.cells = board.prompts.map((_, number) => {
      const row = board.rows[Math.floor(number / across)];
      const name = [row, board.columns[number % across]].filter(Boolean).join(", ");
      const cell = new GridCell(name, board.grid);
      cell.button.addEventListener("click", () => this.toggle(number));
      cell.button.addEventListener("focus", () => this.choose(number, false));
      return cell;
    });
    const [down, over] = board.axes;
    const corner = h("td", { class: "corner" }, down ? `${down} ↓${over ? ` ${over} →` : ""}` : "");
    const named = board.columns.map((name) => h("th", { scope: "col" }, name));
    const head = across > 1 || board.grid ? h("thead", null, h("tr", null, corner, named)) : null;
    const rows = board.rows.map((name, r) => {
      const cells = this.cells.slice(r * across, (r + 1) * across).map((cell) => cell.root);
      const number = board.grid ? null : h("span", { class: "fact" }, `${r + 1}`);
      return h("tr", null, h("th", { scope: "row", title: name }, number, h("span", { class: "name" }, name)), cells);
    });
    const label = board.grid ? `Sounds by ${board.axes.join(" and ")}` : "Sounds, one for each line";
    const table = h("table", { role: "grid", "aria-label": label, "data-grid": String(board.grid) });
    if (head) table.append(head);
    table.append(h("tbody", null, rows));
    this.scroll.replaceChildren(table);
    this.choose(0, false);
  }

  /** @param {number} number @param {boolean} focus */
  choose(number, focus) {
    this.chosen = number;
    this.cells.forEach((cell, i) => {
      cell.button.tabIndex = i === number ? 0 : -1;
      cell.root.setAttribute("aria-selected", String(i === number));
    });
    if (focus) this.cells[number].button.focus();
    this.showDetail();
  }

  /** @param {number} number */
  toggle(number) {
    const [cell, made] = [this.cells[number], this.board?.made[number]];
    this.choose(number, false);
    if (!made || !this.board) return;
    if (this.heard === cell && !this.player.paused) {
      this.player.pause();
      return;
    }
    if (this.heard !== cell) {
      this.player.pause();
      this.heard?.sounds(false);
      this.heard = cell;
      this.player.src = `${this.board.at}/${made.file}`;
    }
    this.player.play().catch(() => {});
  }

  showTools() {
    const { board } = this;
    this.empty.hidden = Boolean(board);
    this.tools.hidden = !board;
    if (!board) return;
    const [made, all] = [Object.keys(board.made).length, board.prompts.length];
    this.count.textContent = `${made} of ${all} ${all === 1 ? "sound" : "sounds"}`;
    this.goOn.hidden = this.running || made === all;
    this.goOn.textContent = `Go on: make the ${all - made} missing`;
    this.zip.hidden = made === 0;
  }

  showDetail() {
    const { board, chosen } = this;
    this.detail.hidden = !board;
    if (!board) return;
    const [made, failed] = [board.made[chosen], board.failed[chosen]];
    const name = board.grid ? this.cells[chosen].name : String(chosen + 1);
    const seed = made && !board.axes.includes("Seed") ? `, seed ${made.seed}` : "";
    const said = board.axes.includes("Prompt") ? "" : `: ${board.prompts[chosen]}`;
    this.words.textContent = `${name}${said}${seed}`;
    this.acts.hidden = !made;
    this.say(failed || (made ? "" : "Not made yet."));
    if (!made) return;
    this.link.href = `${board.at}/${made.file}`;
    this.link.download = made.name;
  }

  /** @param {string} text */
  say(text) {
    if (this.why.textContent !== text) this.why.textContent = text;
  }

  async use() {
    const given = { id: this.board?.id, number: this.chosen };
    const { settings, error } = await this.host.server.settings_at(given);
    if (error) this.say(error);
    else this.host.trigger("take_use", { id: given.id, settings });
  }

  async bundle() {
    const made = await this.host.server.zipped(this.board?.id);
    if (made.error) this.say(made.error);
    else save(made.url, made.file, this.host.element);
  }
}
