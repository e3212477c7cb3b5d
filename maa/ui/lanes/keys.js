// @ts-check
// keys.js: everything that the pointer can do, by keyboard, while an event has the focus.
import { gainOf, LATEST, moved, resized, STEP } from "./rows.js";

const PAGE = 1; // seconds

/**
 * @param {import("./board.js").Board} board
 * @param {import("./view.js").View} view
 * @param {() => void} write begins to write the words of the chosen event
 */
export function listenToKeys(board, view, write) {
  board.scope.listen(view.root, "keydown", (/** @type {KeyboardEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const block = board.find(Number(target.closest?.(".block")?.getAttribute("data-block")));
    const typing = target.tagName === "INPUT";
    const meant = (!typing && stepped(board, event)) || (block && pressed(board, view, block, event, write));
    if (meant) event.preventDefault();
  });
  board.scope.listen(view.field, "focusin", (event) => {
    const id = Number(event.target.closest(".block")?.dataset.block);
    if (board.find(id)) board.choose(id);
  });
}

/**
 * Undo and redo from anywhere but the fields.
 * @param {import("./board.js").Board} board
 * @param {KeyboardEvent} event
 */
function stepped(board, event) {
  if (!event.ctrlKey && !event.metaKey) return false;
  const key = event.key.toLowerCase();
  if (key === "z") board[event.shiftKey ? "redo" : "undo"]();
  else if (key === "y") board.redo();
  else return false;
  return true;
}

/**
 * True when the key meant something to the block.
 * @param {import("./board.js").Board} board
 * @param {import("./view.js").View} view
 * @param {import("./rows.js").Block} block
 * @param {KeyboardEvent} event
 * @param {() => void} write
 */
function pressed(board, view, block, event, write) {
  const { key, shiftKey } = event;
  const end = Math.max(board.seconds, block.end);
  const across = Number(key === "ArrowRight") - Number(key === "ArrowLeft");
  const up = Number(key === "ArrowUp") - Number(key === "ArrowDown");
  const page = Number(key === "PageDown") - Number(key === "PageUp");
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "d") {
    const copy = board.copy(block);
    if (copy) focus(view, copy.id);
  } else if (event.ctrlKey || event.metaKey || event.altKey) return false;
  else if (across && shiftKey) board.put(resized(block, "end", block.end + across * STEP, Math.min(end, LATEST)));
  else if (across) board.put(moved(block, block.start + across * STEP, end));
  else if (page) board.put(moved(block, block.start + page * PAGE, end));
  else if (up) board.put({ ...block, gain: gainOf(block.gain + up) });
  else if (key === "Home") board.put(moved(block, 0, end));
  else if (key === "End") board.put(moved(block, end, end));
  else if (key === "Enter" || key === "F2") {
    board.choose(block.id);
    write();
  } else if (key === "Delete" || key === "Backspace") dropped(board, view, block.id);
  else return false;
  return true;
}

/**
 * Take an event away; the next one has the keyboard then.
 * @param {import("./board.js").Board} board
 * @param {import("./view.js").View} view
 * @param {number} id
 */
export function dropped(board, view, id) {
  const nodes = [...view.field.querySelectorAll(".block")];
  const at = nodes.findIndex((node) => node.getAttribute("data-block") === String(id));
  const next = nodes[at + 1] || nodes[at - 1];
  board.remove(id);
  const after = Number(next?.getAttribute("data-block"));
  if (board.find(after)) focus(view, after);
  else view.act("add").focus();
}

/** @param {import("./view.js").View} view @param {number} id */
export function focus(view, id) {
  view.nodes.get(id)?.focus();
}
