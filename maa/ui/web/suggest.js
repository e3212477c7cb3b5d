// @ts-check
// suggest.js: known sounds that begin like the words that are being typed, as a list under the prompt. Arrow keys go
// through it, Enter takes one, Escape closes it; a tap takes one, too.
import { h } from "./dom.js";
import { clauseAt, completed, matching, write } from "./prompt.js";

/** @typedef {import("./prompt.js").Sound} Sound */

const MOST = 6;

export class Suggest {
  /**
   * @param {import("./scope.js").Scope} scope
   * @param {HTMLTextAreaElement} area the prompt
   * @param {string} id of the list
   * @param {() => Promise<Sound[]>} sounds
   */
  constructor(scope, area, id, sounds) {
    this.area = area;
    this.sounds = sounds;
    /** @type {Sound[]} */
    this.known = [];
    this.at = -1;
    this.list = h("ul", { class: "offers", id, role: "listbox", "aria-label": "Known sounds", hidden: true });
    this.told = h("span", { class: "away", role: "status" });
    for (const [name, value] of [
      ["aria-autocomplete", "list"],
      ["aria-controls", id],
      ["aria-haspopup", "listbox"],
    ]) {
      area.setAttribute(name, value);
    }
    scope.listen(area, "focus", async () => {
      this.known = await this.sounds();
    });
    scope.listen(area, "input", () => this.offer());
    scope.listen(area, "keydown", (event) => this.key(event), { capture: true });
    scope.listen(area, "blur", () => this.close());
    // A tap must not take the focus out of the prompt, which would close the list before it counts.
    scope.listen(this.list, "pointerdown", (event) => event.preventDefault());
    scope.listen(this.list, "click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take(option.textContent);
    });
  }

  get options() {
    return /** @type {HTMLElement[]} */ ([...this.list.children]);
  }

  offer() {
    if (document.activeElement !== this.area) return;
    const { words } = clauseAt(this.area.value, this.area.selectionStart);
    const found = matching(words, this.known, MOST);
    this.list.replaceChildren(
      ...found.map(([name], k) =>
        h("li", { role: "option", id: `${this.list.id}-${k}`, "aria-selected": "false" }, name),
      ),
    );
    this.list.hidden = !found.length;
    this.told.textContent = found.length ? `${found.length} known sounds, arrow keys choose` : "";
    this.move(-1);
  }

  close() {
    this.list.hidden = true;
    this.told.textContent = "";
    this.move(-1);
  }

  /** @param {number} at */
  move(at) {
    this.at = at;
    this.options.forEach((option, k) => {
      option.setAttribute("aria-selected", String(k === at));
    });
    if (at < 0) this.area.removeAttribute("aria-activedescendant");
    else this.area.setAttribute("aria-activedescendant", this.options[at].id);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (this.list.hidden || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const count = this.options.length;
    if (event.key === "ArrowDown") this.move((this.at + 1) % count);
    else if (event.key === "ArrowUp") this.move(this.at <= 0 ? count - 1 : this.at - 1);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && !event.shiftKey && this.at >= 0)
      this.take(this.options[this.at].textContent || "");
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** @param {string} name */
  take(name) {
    const { text, caret } = completed(this.area.value, this.area.selectionStart, name);
    write(this.area, text);
    this.area.setSelectionRange(caret, caret);
    this.close();
  }
}
