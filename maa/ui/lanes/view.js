// @ts-check
// view.js: the lanes as they are seen: one element for every event, which stays the same while the event does.
import { Axes } from "../web/axes.js";
import { find, h } from "../web/dom.js";
import { gainText, ordered, secondsText, words } from "./rows.js";

const PIXELS = 16; // of a second at least; what does not fit is scrolled to
const NO_MARGIN = { left: 0, right: 0, top: 0, bottom: 0 };
const FIELDS = /** @type {const} */ (["text", "start", "end", "gain"]);
let boards = 0; // so that the hint of each has a name of its own

/** @typedef {import("./rows.js").Block} Block */

export class View {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Map<number, HTMLElement>} */
    this.nodes = new Map();
    this.field = this.part(".field");
    this.strip = this.part(".strip");
    this.grid = this.part(".grid");
    this.ticks = this.part(".ticks");
    this.drawn = this.part(".drawn");
    const hint = this.part("[data-hint]");
    boards += 1;
    hint.id = `lanes-hint-${boards}`;
    this.hint = hint.id;
    this.length = 1; // seconds
  }

  /** @param {string} selector @returns {HTMLElement} */
  part(selector) {
    return find(this.root, selector);
  }

  /** @param {string} name @returns {HTMLInputElement} */
  input(name) {
    return find(this.root, `[name="${name}"]`);
  }

  /** Seconds of so many pixels. @param {number} pixels */
  seconds(pixels) {
    return (pixels / Math.max(1, this.field.clientWidth)) * this.length;
  }

  /** @param {import("./board.js").Board} board */
  show(board) {
    const { root } = this;
    const count = board.blocks.length;
    this.length = board.length;
    root.dataset.own = String(board.own);
    this.part(".board").hidden = !board.open;
    const opener = this.part(".opener");
    opener.setAttribute("aria-expanded", String(board.open));
    const hidden = count ? `Sounds in time: ${count}` : "Place sounds in time";
    this.part(".count").textContent = board.open ? "Sounds in time" : hidden;
    this.part(".head").hidden = !board.there;
    const again = `Follow the ${board.ofClip ? "clip" : "sentence"} again`;
    this.act("follow").textContent = again;
    this.part(".source").textContent = board.open ? source(board) : "";
    this.part(".tools").hidden = !board.open;
    this.part(".invite").hidden = count > 0;
    this.act("follow").hidden = !board.own;
    this.disable("undo", !board.past.length);
    this.disable("redo", !board.future.length);
    this.showBlocks(board);
    if (!board.open) return;
    this.strip.style.minWidth = `${Math.ceil(this.length * PIXELS)}px`;
    const scrolls = this.strip.scrollWidth > this.part(".scroll").clientWidth + 1;
    this.field.style.touchAction = scrolls ? "pan-x pan-y" : "pan-y"; // a finger draws where nothing is to be scrolled
    this.showEnd(board);
    this.showTicks();
    this.showChosen(board.find(board.chosen));
    const { behind } = board;
    this.part(".behind").hidden = !behind;
    this.part(".behind").textContent = behind ? `Behind all of them: ${behind}` : "";
    this.part(".said").textContent = board.note || warning(board);
  }

  /** @param {string} name @returns {HTMLButtonElement} */
  act(name) {
    return find(this.root, `[data-act="${name}"]`);
  }

  /** A button that is really disabled would let go of the keyboard. @param {string} name @param {boolean} off */
  disable(name, off) {
    this.act(name).setAttribute("aria-disabled", String(off));
  }

  /** @param {import("./board.js").Board} board */
  showBlocks(board) {
    const lanes = board.lanes();
    const focused = document.activeElement;
    const late = new Set(board.late.map(({ id }) => id));
    for (const [id, node] of this.nodes) {
      if (board.find(id)) continue;
      node.remove();
      this.nodes.delete(id);
    }
    ordered(board.blocks).forEach((block, place) => {
      const node = this.node(block.id);
      const at = this.field.querySelectorAll(".block")[place];
      if (at !== node) this.field.insertBefore(node, at || null); // Tab goes through them by their beginnings
      this.dress(node, block, lanes.get(block.id) || 0);
      node.setAttribute("aria-pressed", String(block.id === board.chosen));
      node.classList.toggle("late", late.has(block.id));
    });
    const rows = Math.max(0, ...lanes.values()) + (board.blocks.length ? 2 : 1); // one to draw on
    this.root.style.setProperty("--rows", String(rows));
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.field.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {number} id */
  node(id) {
    const there = this.nodes.get(id);
    if (there) return there;
    const inside = [h("span", { class: "words" }), h("span", { class: "level" })];
    const made = h(
      "button",
      { type: "button", class: "block", "data-block": String(id), "aria-describedby": this.hint },
      inside,
    );
    this.nodes.set(id, made);
    return made;
  }

  /** @param {HTMLElement} node @param {Block} block @param {number} lane */
  dress(node, block, lane) {
    const { style } = node;
    style.left = `${(100 * block.start) / this.length}%`;
    style.width = `${(100 * (block.end - block.start)) / this.length}%`;
    style.setProperty("--lane", String(lane));
    const label = words(block);
    node.setAttribute("aria-label", label);
    node.title = label;
    node.dataset.lane = String(lane);
    node.classList.toggle("empty", !block.text);
    find(node, ".words").textContent = block.text || "What sounds here?";
    find(node, ".level").textContent = block.gain ? gainText(block.gain) : "";
  }

  /** @param {import("./board.js").Board} board */
  showEnd(board) {
    const beyond = this.part(".beyond");
    beyond.hidden = board.length <= board.seconds;
    beyond.style.left = `${(100 * board.seconds) / board.length}%`;
  }

  showTicks() {
    const axes = new Axes({ mels: 1, frames: this.length, frameSeconds: 1, ticks: [] }, NO_MARGIN);
    const width = this.field.clientWidth;
    if (!width) return; // in a closed tab
    axes.resize(width, 1);
    const ticks = axes.secondTicks();
    const key = JSON.stringify(ticks);
    if (this.ticks.dataset.key === key) return;
    this.ticks.dataset.key = key;
    const place = (/** @type {number} */ x) => ({ style: `left: ${(100 * x) / width}%` });
    this.ticks.replaceChildren(...ticks.map(({ x, text }) => h("span", place(x), text)));
    this.grid.replaceChildren(...ticks.map(({ x }) => h("i", place(x))));
  }

  /** Its words and numbers; the field that somebody types in is left alone. @param {Block | null} block */
  showChosen(block) {
    this.part(".edit").hidden = !block;
    if (!block) return;
    const told = { ...block, start: secondsText(block.start), end: secondsText(block.end) };
    for (const name of FIELDS) {
      const input = this.input(name);
      if (input !== document.activeElement || input.dataset.block !== String(block.id))
        input.value = String(told[name]);
      input.dataset.block = String(block.id);
    }
  }

  /** Nobody types here any more: what was typed counts. */
  leave() {
    const focused = document.activeElement;
    if (focused instanceof HTMLInputElement && this.root.contains(focused)) focused.blur();
  }

  /** A stretch that is being drawn. @param {{ start: number, end: number } | null} span */
  draw(span) {
    this.drawn.hidden = !span;
    if (!span) return;
    this.drawn.style.left = `${(100 * span.start) / this.length}%`;
    this.drawn.style.width = `${(100 * (span.end - span.start)) / this.length}%`;
  }
}

/** @param {import("./board.js").Board} board */
function source({ own, blocks, ofClip }) {
  if (own) return "Yours";
  if (!blocks.length) return "";
  return ofClip ? "As the clip is heard" : "As the sentence says";
}

/** @param {import("./board.js").Board} board */
function warning({ late, seconds }) {
  if (!late.length) return "";
  const said = late[0].text.slice(0, 40);
  return `“${said}” ends after the end of the sound (${secondsText(seconds)} s); make the sound longer.`;
}
