// @ts-check
// main.js: tools that need no model, the steps that were made with them, and a comparison of any two.
import { Compare } from "../takes/compare.js";
import { bytesOf } from "../web/codec.js";
import { find, h } from "../web/dom.js";
import { scopeOf } from "../web/scope.js";
import { Steps } from "./steps.js";
import { tools } from "./tools.js";

const LONGEST = 30_000; // milliseconds that an answer is waited for

/** @param {import("../web/dom.js").Host} host */
export function start({ element, props, server, trigger, watch }) {
  const scope = scopeOf(element);
  const root = find(element, ".maa-root");
  const comparison = new Compare(scope, bytesOf(props.colours));
  let stamp = "";
  let waiting = scope.child();

  /** Ask the server for another sound, one thing at a time. @param {string} what @param {object} data */
  const ask = (what, data) => {
    if (root.getAttribute("aria-busy") === "true") return;
    root.setAttribute("aria-busy", "true");
    waiting.end();
    waiting = scope.child();
    waiting.timeout(LONGEST, () => root.setAttribute("aria-busy", "false"));
    trigger(what, data);
  };
  const steps = new Steps({
    go: (to) => ask("edit_step", { to }),
    compare: async (a) => {
      const { at, sound } = props.value;
      const views = await server.compared({ sound, a, b: at });
      if (views.error) return steps.say(views.error);
      const names = [a, at].map((step) => `${step}: ${props.value.steps[step].label}`);
      const choices = [views.a, views.b].map((view, side) => ({ label: names[side], view }));
      return comparison.open(choices, 0, 1, { edit: views.b.settings.spans.length > 0 });
    },
    keep: (keep) => {
      props.value = { ...props.value, keep };
    },
  });
  const apply = (/** @type {string} */ tool, /** @type {number | null} */ value) => ask("edit_apply", { tool, value });
  const group = h("section", { class: "edits", "aria-label": "Edits" }, tools(props, apply, steps.kept), steps.root);
  root.append(group, comparison.root);

  const update = () => {
    const { value } = props;
    group.hidden = !value?.steps?.length; // at first the value is no object
    if (!value || value.stamp === stamp) return;
    stamp = value.stamp;
    root.setAttribute("aria-busy", "false");
    waiting.end();
    comparison.close();
    steps.show(value);
    root.dataset.at = `${value.at} ${value.steps.length}`;
  };
  scope.listen(document, "keydown", (/** @type {KeyboardEvent} */ event) => {
    const { target } = event;
    if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyZ" || !group.offsetParent) return;
    if (!(target instanceof Element) || target.closest("textarea, input[type=text], [contenteditable]")) return;
    event.preventDefault();
    steps.travel(event.shiftKey ? 1 : -1);
  });
  watch("value", update);
  update();
  root.dataset.ready = "true";
}
