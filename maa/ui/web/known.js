// @ts-check
// known.js: the sounds that the model knows, by family, to search, to hear and to put into the prompt; and a surprise.
import { find, h, icon, setIcon } from "./dom.js";
import { added, families, surprise, write } from "./prompt.js";
import { scopeOf } from "./scope.js";
import { pausesForOthers } from "./sound.js";

/** @typedef {import("./prompt.js").Sound} Sound */

/** @param {import("./dom.js").Host} host */
export function start(host) {
  new Known(host);
}

class Known {
  /** @param {import("./dom.js").Host} host */
  constructor(host) {
    this.host = host;
    this.scope = scopeOf(host.element);
    /** @type {Sound[]} */
    this.sounds = [];
    /** @type {Map<string, string>} addresses of sounds that were made, by their names */
    this.made = new Map();
    /** what is made or played now */
    this.now = "";
    this.player = new Audio();
    this.player.addEventListener("ended", () => this.mark(""));
    pausesForOthers(this.scope, this.player, () => this.quiet());
    const dice = h("button", { type: "button", class: "dice" }, "Surprise me");
    dice.addEventListener("click", async () => {
      await this.ask();
      if (this.sounds.length) this.say(surprise(this.sounds, Math.random));
    });
    this.search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search the known sounds" });
    this.search.addEventListener("input", () => this.show());
    this.line = h("p", { class: "line", role: "status" });
    this.list = h("div", { class: "families" });
    this.fold = h("details", null, h("summary", null, "What it knows"), this.search, this.line, this.list);
    this.fold.addEventListener("toggle", async () => {
      if (!this.fold.open) return;
      await this.ask();
      this.show();
    });
    find(host.element, ".known").append(this.fold, dice);
    host.watch("value", () => this.update());
  }

  async ask() {
    if (!this.sounds.length) this.sounds = await this.host.server.sounds();
  }

  show() {
    const found = families(this.sounds, this.search.value);
    const count = found.reduce((sum, [, names]) => sum + names.length, 0);
    this.line.textContent = count
      ? `${count} sounds`
      : this.sounds.length
        ? "Nothing like that."
        : "The model names none.";
    const open = Boolean(this.search.value.trim());
    this.list.replaceChildren(...found.map(([family, names]) => this.family(family, names, open)));
  }

  /** @param {string} family @param {string[]} names @param {boolean} open */
  family(family, names, open) {
    const list = h("ul");
    const fold = h(
      "details",
      { open },
      h("summary", null, family, h("span", { class: "count" }, ` ${names.length}`)),
      list,
    );
    const fill = () => {
      if (fold.open && !list.childElementCount) list.append(...names.map((name) => this.sound(name)));
    };
    fold.addEventListener("toggle", fill);
    fill();
    return fold;
  }

  /** @param {string} name */
  sound(name) {
    const use = h("button", { type: "button", class: "use", title: "Put it into the prompt" }, name);
    use.addEventListener("click", () => this.say(added(this.area?.value || "", name)));
    const label = `Hear ${name}`;
    const hear = h("button", { type: "button", class: "hear", "aria-label": label, title: label }, icon("play"));
    hear.dataset.name = name;
    hear.addEventListener("click", () => this.hear(name));
    const row = h("li", null, hear, use);
    if (name === this.now) setIcon(hear, "pause", `Stop ${name}`);
    return row;
  }

  /** @returns {HTMLTextAreaElement | null} */
  get area() {
    return document.querySelector(`#${this.host.props.task}-prompt textarea`);
  }

  /** @param {string} text */
  say(text) {
    if (this.area) write(this.area, text);
  }

  /** One click: play, make it first if need be, or stop. @param {string} name */
  hear(name) {
    const again = this.now === name;
    if (this.now && !this.made.has(this.now)) this.host.trigger("hush");
    this.quiet();
    if (again) return;
    this.mark(name);
    const url = this.made.get(name);
    if (url) this.play(url);
    else {
      this.line.textContent = `Making ${name} …`;
      this.host.trigger("audition", { name });
    }
  }

  /** @param {string} url */
  play(url) {
    this.line.textContent = `Playing ${this.now}`;
    this.player.src = url;
    this.player.play().catch(() => {
      this.made.delete(this.now); // the server keeps it no longer
      this.mark("");
      this.line.textContent = "It is not there any more; press again.";
    });
  }

  quiet() {
    this.player.pause();
    this.mark("");
  }

  /** @param {string} name what is made or played now */
  mark(name) {
    this.now = name;
    if (!name) this.line.textContent = "";
    for (const button of this.list.querySelectorAll("[data-name]")) {
      const own = /** @type {HTMLElement} */ (button);
      const mine = own.dataset.name === name;
      setIcon(own, mine ? "pause" : "play", `${mine ? "Stop" : "Hear"} ${own.dataset.name}`);
    }
  }

  update() {
    const { value } = this.host.props;
    if (!value) return;
    if (value.failed) {
      this.mark("");
      this.line.textContent = value.failed;
    } else if (value.url) {
      this.made.set(value.name, value.url);
      if (this.now === value.name) this.play(value.url);
    } else if (value.making === this.now) {
      this.line.textContent = `Making ${value.making} … ${Math.round(100 * value.part)} %`;
    }
  }
}
