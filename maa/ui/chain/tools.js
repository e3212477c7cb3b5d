// @ts-check
// tools.js: which tool, how much or where to, and the button that applies it to what is marked.
import { h, textButton } from "../web/dom.js";

const USUAL = { boost: "6", copy: "0", move: "0" };

/**
 * @param {Record<string, any>} props tools by name, those of them that take a number, and the range of a gain in dB
 * @param {(tool: string, value: number | null) => void} apply
 * @param {HTMLElement} beside what stands in the same row
 */
export function tools(props, apply, beside) {
  /** @type {Record<string, string>} */
  const values = { ...USUAL };
  const options = Object.entries(props.tools).map(([name, label]) => h("option", { value: name }, label));
  const choice = h("select", { "aria-label": "Tool for what is marked" }, options);
  const field = h("input", { type: "number", step: "any" });
  const needed = () => props.valued.includes(choice.value);
  const show = () => {
    const gain = choice.value === "boost";
    field.hidden = !needed();
    field.value = values[choice.value] || "";
    field.min = gain ? String(props.gains[0]) : "0";
    field.max = gain ? String(props.gains[1]) : "";
    field.setAttribute("aria-label", gain ? "Decibels" : "To which second");
  };
  choice.addEventListener("change", show);
  field.addEventListener("input", () => {
    values[choice.value] = field.value;
  });
  const press = () => apply(choice.value, needed() && field.value !== "" ? Number(field.value) : null);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") press();
  });
  show();
  const button = textButton("Apply", press, { title: "Change what is marked at once, without the model" });
  return h("div", { class: "row tools" }, h("strong", null, "Edit what is marked"), choice, field, button, beside);
}
