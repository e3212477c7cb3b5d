// @ts-check
// main.js: the lanes come to life.
import { find } from "../web/dom.js";
import { scopeOf } from "../web/scope.js";
import { Board } from "./board.js";
import { listenToFields } from "./fields.js";
import { Hand } from "./hand.js";
import { dropped, focus, listenToKeys } from "./keys.js";
import { View } from "./view.js";

/** @param {import("../web/dom.js").Host} host */
export function start({ element, props, trigger, watch }) {
  const scope = scopeOf(element);
  const view = new View(find(element, ".lanes"));
  const board = new Board(
    scope,
    {
      send: (value) => {
        props.value = value;
      },
      ask: (asked) => trigger("tell", asked),
      show: () => view.show(board),
    },
    props.seconds,
  );

  const write = () => {
    const input = view.input("text");
    input.focus();
    input.select();
  };
  new Hand(board, view, write);
  listenToKeys(board, view, write);
  listenToFields(board, view);

  /** @type {Record<string, () => void>} */
  const acts = {
    open: () => board.turn(!board.open),
    add: () => board.add() && write(),
    undo: () => board.undo(),
    redo: () => board.redo(),
    follow: () => board.clear(),
    copy: () => {
      const block = board.find(board.chosen);
      const copy = block && board.copy(block);
      if (copy) focus(view, copy.id);
    },
    remove: () => board.chosen !== null && dropped(board, view, board.chosen),
  };
  scope.listen(element, "click", (event) => acts[event.target.closest("[data-act]")?.dataset.act]?.());

  scope.onResize(view.field, () => view.show(board)); // it has no size while its tab is closed
  watch("value", () => board.load(props.value));
  board.load(props.value);
  view.root.dataset.ready = "true";
}
