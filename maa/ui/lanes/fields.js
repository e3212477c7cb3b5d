// @ts-check
// fields.js: the chosen event as words and numbers. They follow the lanes, and the lanes follow them.

import { focus } from "./keys.js";
import { gainOf, LATEST, rounded, SHORTEST, saidOf } from "./rows.js";

const WRONG = `A sound ends after its start, at least ${SHORTEST} s later and at ${LATEST} s at most.`;

/** @typedef {import("./rows.js").Block} Block */

/** @param {import("./board.js").Board} board @param {import("./view.js").View} view */
export function listenToFields(board, view) {
  for (const name of ["text", "start", "end", "gain"]) {
    const input = view.input(name);
    board.scope.listen(input, "change", () => use(board, view, name, input));
    board.scope.listen(input, "keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      if (event.ctrlKey || event.metaKey) {
        use(board, view, name, input); // the page generates: what was typed counts
        return;
      }
      const block = board.find(Number(input.dataset.block));
      if (!block) return;
      event.preventDefault();
      if (event.key === "Escape") input.value = String(block[/** @type {keyof Block} */ (name)]);
      else use(board, view, name, input);
      focus(view, block.id);
    });
  }
}

/**
 * @param {import("./board.js").Board} board
 * @param {import("./view.js").View} view
 * @param {string} name
 * @param {HTMLInputElement} input
 */
function use(board, view, name, input) {
  const block = board.find(Number(input.dataset.block)); // the one that was shown when it was typed
  if (!block) return;
  const next = changed(block, name, input.value);
  if (!next) board.say(WRONG);
  else if (JSON.stringify(next) !== JSON.stringify(block)) board.put(next);
  const now = board.find(block.id);
  if (now && board.chosen === block.id) input.value = String(now[/** @type {keyof Block} */ (name)]);
  view.show(board);
}

/** @param {Block} block @param {string} name @param {string} value @returns {Block | null} */
function changed(block, name, value) {
  if (name === "text") return { ...block, ...saidOf(value) };
  const number = Number(value);
  if (value === "" || !Number.isFinite(number)) return name === "gain" ? { ...block, gain: 0 } : null;
  if (name === "gain") return { ...block, gain: gainOf(number) };
  const next = { ...block, [name]: rounded(number) };
  return next.start >= 0 && next.end <= LATEST && next.end - next.start >= SHORTEST - 1e-9 ? next : null;
}
