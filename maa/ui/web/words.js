// The words that a picture is heard as: one row each, with a weight to drag. Editing marks them as the person's own.
const root = element.querySelector(".small-root");
const make = (tag, props, ...children) => { const node = Object.assign(document.createElement(tag), props); node.append(...children); return node; };
let rows = [];

function send() {
  const words = rows.map((row) => [row.word.value, Number(row.weight.value) / 100]).filter(([word]) => word.trim());
  props.value = { words, heard: false };
  head.querySelector("span").textContent = "Your words";
}

function addRow(word, weight) {
  const row = {
    word: make("input", { type: "text", value: word, maxLength: 100 }),
    weight: make("input", { type: "range", className: "size", min: 0, max: 100, value: Math.round(100 * weight) }),
    told: make("span", { className: "told" }),
  };
  row.word.setAttribute("aria-label", "Word");
  row.weight.setAttribute("aria-label", `Weight of ${word || "the new word"}`);
  const tell = () => { row.told.textContent = `${row.weight.value} %`; };
  const drop = make("button", { type: "button", textContent: "×", onclick: () => { rows = rows.filter((one) => one !== row); row.root.remove(); send(); } });
  drop.setAttribute("aria-label", `Remove ${word || "this word"}`);
  row.weight.addEventListener("input", () => { tell(); });
  row.weight.addEventListener("change", send);
  row.word.addEventListener("change", send);
  row.root = make("div", { className: "row" }, row.word, row.weight, row.told, drop);
  tell();
  rows.push(row);
  list.append(row.root);
  return row;
}

const list = make("div", { className: "rows" });
const add = make("button", { type: "button", className: "add", textContent: "Add a word", onclick: () => addRow("", 0.5).word.focus() });
const head = make("div", { className: "head" }, make("span", { textContent: "Heard as" }), add);
root.append(head, list);

let last = null;
function show() {
  const value = props.value, words = (value && value.words) || [];
  const key = JSON.stringify(value);
  if (key === last || (value && value.heard === false && rows.length)) return;
  last = key;
  rows = [];
  list.replaceChildren();
  root.hidden = !words.length;
  for (const [word, weight] of words) addRow(word, weight);
  head.querySelector("span").textContent = value && value.heard === false ? "Your words" : "Heard as";
}
watch("value", show);
show();
