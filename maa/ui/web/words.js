// @ts-check
// words.js: the words that a picture is heard as: one row each, with a weight to drag. Editing makes them the person's
// own.
import { find, h } from "./dom.js";

/** @typedef {{ root: HTMLElement, word: HTMLInputElement, weight: HTMLInputElement }} Row */

/** @param {import("./dom.js").Host} host */
export function start({ element, props, watch }) {
  const root = find(element, ".widget");
  /** @type {Row[]} */
  let rows = [];
  let seen = "";
  const title = h("span", null, "Heard as");
  const list = h("div", { class: "rows" });
  const add = h("button", { type: "button", class: "add" }, "Add a word");
  add.addEventListener("click", () => addRow("", 0.5).word.focus());
  root.append(h("div", { class: "head" }, title, add), list);

  function send() {
    const words = rows.map(({ word, weight }) => [word.value, Number(weight.value) / 100]);
    props.value = { words: words.filter(([word]) => String(word).trim()), heard: false };
    title.textContent = "Your words";
  }

  /** @param {string} text @param {number} part from 0 to 1 */
  function addRow(text, part) {
    const word = h("input", { type: "text", value: text, maxlength: "100", "aria-label": "Word", onchange: send });
    const label = `Weight of ${text || "the new word"}`;
    const weight = h("input", { type: "range", class: "size", min: "0", max: "100", "aria-label": label });
    weight.value = String(Math.round(100 * part));
    const told = h("span", { class: "told" });
    const tell = () => {
      told.textContent = `${weight.value} %`;
    };
    weight.addEventListener("input", tell);
    weight.addEventListener("change", send);
    const drop = h("button", { type: "button", "aria-label": `Remove ${text || "this word"}` }, "×");
    const row = { root: h("div", { class: "row" }, word, weight, told, drop), word, weight };
    drop.addEventListener("click", () => {
      rows = rows.filter((one) => one !== row);
      row.root.remove();
      send();
    });
    tell();
    rows.push(row);
    list.append(row.root);
    return row;
  }

  function show() {
    const { value } = props;
    /** @type {[string, number][]} */
    const words = value?.words || [];
    const key = JSON.stringify(value);
    const own = value?.heard === false;
    if (key === seen || (own && rows.length)) return;
    seen = key;
    rows = [];
    list.replaceChildren();
    root.hidden = !words.length;
    for (const [word, weight] of words) addRow(word, weight);
    title.textContent = own ? "Your words" : "Heard as";
  }
  watch("value", show);
  show();
}
