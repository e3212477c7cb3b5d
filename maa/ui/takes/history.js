// @ts-check
// history.js: everything made in this browser, newest first. It reads what the tabs' widgets have stored.
import { bytesOf } from "../web/codec.js";
import { find, h, save, textButton } from "../web/dom.js";
import { scopeOf } from "../web/scope.js";
import { Card } from "./card.js";
import { Compare } from "./compare.js";
import { said, unsaid } from "./names.js";
import { HISTORY, store } from "./store.js";

/** @typedef {import("../web/sound.js").View} View */

const PAGE = 24; // cards at first, and more at every press
const CHOICES = 40; // sounds that a card can be compared with
const NONE = " "; // stands for no folder; the name of none
const EMPTY =
  "Nothing here yet. What you make in the tabs is listed here: its settings in this browser, its sound as long as " +
  "the server keeps it (a day).";

/** Date and time, the date in short where it is today's. @param {number} at milliseconds since 1970 */
function when(at) {
  const [day, time] = [new Date(at), new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })];
  const today = day.toDateString() === new Date().toDateString();
  return `${today ? "today" : day.toLocaleDateString([], { dateStyle: "medium" })} ${time}`;
}

/** @param {import("../web/dom.js").Host} host */
export function start(host) {
  return new History(host);
}

class History {
  /** @param {import("../web/dom.js").Host} host */
  constructor(host) {
    this.host = host;
    this.scope = scopeOf(host.element);
    const map = bytesOf(host.props.colours);
    this.shown = PAGE;
    /** @type {Card[]} */
    this.cards = [];
    /** @type {View | null} */
    this.picked = null;
    const compare = (/** @type {View} */ view) => this.compare(view);
    const { tasks, sounds } = host.props;
    this.place = { host, scope: this.scope, map, tasks, sounds, compare };
    this.comparison = new Compare(this.scope, map);
    const props = { type: "search", placeholder: "Search …", "aria-label": "Search the prompts" };
    this.search = h("input", { ...props, oninput: () => this.fill() });
    this.which = h(
      "select",
      { "aria-label": "Which sounds", onchange: () => this.fill() },
      h("option", { value: "" }, "All"),
      h("option", { value: "star" }, "Starred"),
      Object.entries(this.place.tasks).map(([task, name]) => h("option", { value: task }, name)),
    );
    this.folder = h("select", { "aria-label": "Which folder", onchange: () => this.fill() });
    this.known = h("datalist", { id: "history-folders" });
    this.line = h("p", { class: "line", role: "status", "aria-live": "polite" });
    this.list = h("div", { class: "list history" });
    this.empty = h("div", { class: "empty" }, h("p", null, EMPTY));
    const more = textButton("Show more", () => {
      this.shown += PAGE;
      this.fill();
    });
    this.more = h("div", { class: "tools" }, more);
    this.lay(find(host.element, ".maa-root"));
    this.scope.listen(document, HISTORY, () => this.fill());
    this.scope.listen(window, "storage", (event) => {
      if (event.key === HISTORY) this.fill();
    });
    this.fill();
  }

  /** @param {HTMLElement} root */
  lay(root) {
    const zip = textButton("Download the starred (zip)", () => this.bundle());
    const clear = textButton("Forget all but the starred", () => {
      if (window.confirm("Forget every sound that is not starred?")) store.drop((item) => !item.star);
    });
    const tools = h("div", { class: "tools" }, this.search, this.which, this.folder, zip, clear);
    root.append(tools, this.known, this.line, this.comparison.root, this.empty, this.list, this.more);
    root.dataset.ready = "true";
  }

  /** The first press picks a sound, the second one the other. @param {View} view */
  compare(view) {
    if (!this.picked || this.picked === view) {
      this.picked = view;
      this.line.textContent = "Now choose the second sound: press its compare button.";
      return;
    }
    const choices = store
      .all()
      .slice(0, CHOICES)
      .map((item) => ({ label: this.titled(item), view: item }));
    const pair = [this.picked, view].map((one) => {
      const i = choices.findIndex((choice) => choice.view.id === one.id);
      return i < 0 ? choices.push({ label: this.titled(one), view: one }) - 1 : i;
    });
    this.picked = null;
    this.line.textContent = "";
    this.comparison.open(choices, pair[0], pair[1]);
  }

  /** @param {View} item */
  wanted(item) {
    const [words, which] = [this.search.value.trim().toLowerCase(), this.which.value];
    if (which && !(which === "star" ? item.star : item.task === which)) return false;
    const folder = this.folder.value;
    if (folder && (item.folder || NONE) !== folder) return false;
    return !words || `${item.title || ""} ${item.folder || ""} ${said(item)}`.toLowerCase().includes(words);
  }

  /** The folders to choose from, as there are now. */
  listFolders() {
    const [names, before] = [store.folders(), this.folder.value];
    const choices = [["", "All folders"], [NONE, "In no folder"], ...names.map((name) => [name, name])];
    this.folder.replaceChildren(...choices.map(([value, label]) => h("option", { value }, label)));
    this.folder.value = choices.some(([value]) => value === before) ? before : "";
    this.folder.hidden = !names.length;
    this.known.replaceChildren(...names.map((value) => h("option", { value })));
  }

  fill() {
    this.listFolders();
    const items = store.all().filter((item) => this.wanted(item));
    const kept = new Map(this.cards.map((card) => [card.view.id, card]));
    this.cards = items.slice(0, this.shown).map((item) => {
      const old = kept.get(item.id);
      const same = old && old.starred === Boolean(item.star) && old.view.title === item.title;
      if (!same || old.view.folder !== item.folder) return this.card(item);
      kept.delete(item.id);
      old.showShaped(item.shaping || {});
      return old;
    });
    for (const card of kept.values()) card.leave();
    const roots = this.cards.map((card) => card.root);
    const there = [...this.list.children];
    const moved = roots.length !== there.length || roots.some((root, i) => root !== there[i]);
    if (moved) this.list.replaceChildren(...roots); // which takes the focus out of them
    this.empty.hidden = items.length > 0;
    this.more.hidden = items.length <= this.shown;
  }

  /** @param {View} item */
  card(item) {
    const title = `${this.place.tasks[item.task]}, ${when(item.at || 0)}`;
    const card = new Card(item, this.place, { title, prompt: item.title || said(item) || unsaid(item) });
    if (item.folder) find(card.root, ".facts").append(h("span", { class: "badge folder" }, item.folder));
    const forget = () => store.drop((one) => one.id === item.id);
    card.items.append(
      textButton("Rename", () => this.rename(card)),
      textButton("Put into a folder", () => this.file(card)),
      textButton("Forget this one", forget, { "aria-label": `Forget ${title}` }),
    );
    card.scope.onceSeen(card.chart.canvas, () => this.check(card));
    return card;
  }

  /** @param {Card} card */
  rename(card) {
    const words = find(card.root, ".prompt").textContent;
    this.typed(card, { value: words, "aria-label": "Name" }, (name) => {
      if (name !== words) store.rename(card.view, name);
    });
  }

  /** @param {Card} card */
  file(card) {
    const props = { value: card.view.folder || "", "aria-label": "Folder", placeholder: "Folder; none where empty" };
    this.typed(card, { ...props, list: this.known.id }, (name) => store.file(card.view, name));
  }

  /**
   * A field in place of the words: Enter and leaving it keep what was typed, Escape does not.
   * @param {Card} card @param {Record<string, string>} props @param {(text: string) => void} keep
   */
  typed(card, props, keep) {
    const line = find(card.root, ".prompt");
    const before = line.textContent;
    const field = h("input", { type: "text", class: "name", maxlength: "120", ...props });
    let done = false;
    const end = (/** @type {boolean} */ kept) => {
      if (done) return;
      done = true;
      line.textContent = before;
      if (kept) keep(field.value.trim());
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      else if (event.key === "Escape") end(false);
    });
    field.addEventListener("blur", () => end(true));
    line.replaceChildren(field);
    field.focus();
    field.select();
  }

  /** Is the sound still there? When it is not, only its settings are, and they make it again. @param {Card} card */
  async check(card) {
    let there = false;
    try {
      there = (await fetch(card.view.url, { method: "HEAD" })).ok;
    } catch {
      // the server is away
    }
    if (there) return;
    card.root.dataset.gone = "true";
    card.playing.disabled = true;
    card.say("The server does not keep this sound any more.");
    card.said.append(
      " ",
      textButton("Make it again", () => card.ask("take_use", { go: true })),
    );
  }

  /** @param {View} item */
  titled(item) {
    const words = said(item).slice(0, 40);
    return `${this.place.tasks[item.task]}, seed ${item.seed}${words ? `, ${words}` : ""}`;
  }

  async bundle() {
    const ids = store.all().flatMap((item) => (item.star ? [item.id] : []));
    if (!ids.length) {
      this.line.textContent = "Star the sounds that you want first.";
      return;
    }
    const made = await this.host.server.stars(ids);
    const gone = made.gone ? `${made.gone} of them are no longer on the server and not in the zip.` : "";
    this.line.textContent = made.error || gone;
    if (!made.error) save(made.url, made.file, this.host.element);
  }
}
