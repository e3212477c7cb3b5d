// @ts-check
// steps.js: the chain as a list of buttons, from the sound as it came to the last edit.
import { h, icon, textButton } from "../web/dom.js";

/** @typedef {{ label: string, url: string, file: string }} Step */
/** @typedef {{ steps: Step[], at: number, keep: boolean, before: string[] }} Value */
/**
 * @typedef {object} Acts
 * @property {(step: number) => void} go
 * @property {(step: number) => any} compare with the step that is worked on
 * @property {(keep: boolean) => void} keep
 */

export class Steps {
  /** @param {Acts} acts */
  constructor(acts) {
    this.acts = acts;
    this.at = 0;
    this.count = 1;
    this.list = h("ol", { class: "steps" });
    this.back = textButton("Step back", () => this.travel(-1), { title: "The sound before this edit (Alt+Z)" });
    this.forth = textButton("Step forward", () => this.travel(1), { title: "The next edit again (Alt+Shift+Z)" });
    this.keep = h("input", { type: "checkbox", onchange: () => acts.keep(this.keep.checked) });
    this.pick = h("select", { "aria-label": "Compare this step with another one (A/B)" });
    this.pick.addEventListener("change", () => {
      if (this.pick.value) acts.compare(Number(this.pick.value));
      this.pick.value = "";
    });
    const title = "Download the sound as it is now, its edits inside";
    this.down = h("a", { class: "icon", title, "aria-label": title }, icon("down"));
    this.said = h("p", { class: "said", role: "status", "aria-live": "polite" });
    this.kept = h("label", null, this.keep, " Keep the mask");
    this.more = h("div", { class: "row" }, this.back, this.forth, this.pick, this.down);
    this.root = h("div", { class: "chain" }, this.list, this.more, this.said);
  }

  /** @param {number} by */
  travel(by) {
    const to = this.at + by;
    if (to >= 0 && to < this.count) this.acts.go(to);
  }

  /** @param {Value} value */
  show({ steps, at, keep, before }) {
    const focused = this.list.contains(document.activeElement);
    [this.at, this.count, this.keep.checked] = [at, steps.length, keep];
    this.list.hidden = this.more.hidden = steps.length < 2;
    this.say(before.length ? `Edited before it came here: ${before.join("; ")}.` : "");
    if (!steps.length) return;
    const items = steps.map(({ label }, step) => {
      const current = step === at ? "step" : null;
      const name = h("span", null, `${step} `, label);
      const props = {
        type: "button",
        class: "small",
        "aria-current": current,
        "data-step": `${step}`,
        onclick: () => this.acts.go(step),
      };
      return h("li", null, h("button", props, name));
    });
    this.list.replaceChildren(...items);
    const shown = items[at].querySelector("button");
    if (focused) shown?.focus({ preventScroll: true });
    this.list.scrollLeft = Math.max(0, items[at].offsetLeft - this.list.offsetLeft - 40);
    this.enable(this.back, at > 0);
    this.enable(this.forth, at < steps.length - 1);
    const others = steps.flatMap(({ label }, step) =>
      step === at ? [] : [new Option(`${step} ${label}`, String(step))],
    );
    this.pick.replaceChildren(new Option("A/B with …", ""), ...others);
    this.down.href = steps[at].url;
    this.down.download = steps[at].file;
  }

  /** A button that is disabled would lose the focus. @param {HTMLElement} button @param {boolean} on */
  enable(button, on) {
    button.setAttribute("aria-disabled", String(!on));
  }

  /** @param {string} text */
  say(text) {
    this.said.textContent = text;
  }
}
