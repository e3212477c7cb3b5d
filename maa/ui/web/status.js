// @ts-check
// status.js: the status line under the Generate button; its value comes from maa/ui/status.py.
import { find } from "./dom.js";

/** @param {import("./dom.js").Host} host */
export function start({ element, props, watch }) {
  const [line, bar, text] = [".line", ".bar", ".text"].map((name) => find(element, name));
  function show() {
    const value = props.value || { state: "idle", text: "", part: 0 };
    line.dataset.state = value.state;
    bar.style.width = `${100 * value.part}%`;
    if (text.textContent !== value.text) text.textContent = value.text;
  }
  watch("value", show);
  show();
}
