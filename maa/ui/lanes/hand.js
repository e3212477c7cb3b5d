// @ts-check
// hand.js: mouse, pen and finger on the lanes. A block is moved or, by its edges, made longer or shorter; an empty
// place is drawn on, double-clicked, or touched for a while.
import { onDrag } from "../web/drag.js";
import { dragged, edgesFor, gripAt, snapped, stretch } from "./rows.js";

const NEAR = { mouse: 7, touch: 16 }; // pixels of an edge that hold it
const SNAP = 6; // pixels
const STILL = 5; // pixels within which a hand has not moved
const LONG = 550; // milliseconds of a long touch

/** @typedef {import("./rows.js").Block} Block */
/** @typedef {import("./rows.js").Grip} Grip */
/** @typedef {{ kind: "block", grip: Grip, block: Block, before: Block[] } | { kind: "empty" }} Drag */

export class Hand {
  /**
   * @param {import("./board.js").Board} board
   * @param {import("./view.js").View} view
   * @param {() => void} write begins to write the words of the chosen event
   */
  constructor(board, view, write) {
    this.board = board;
    this.view = view;
    this.write = write;
    /** @type {Drag | null} */
    this.drag = null;
    this.from = { x: 0, y: 0 };
    this.moved = false;
    this.long = false; // the finger has been there so long that it has added something
    /** @type {import("../web/scope.js").Scope | null} */
    this.held = null;
    onDrag(board.scope, view.field, {
      start: (at, event) => this.start(at, event),
      move: (at) => this.move(at),
      end: (at) => this.end(at),
      cancel: () => this.cancel(),
      hover: (at, event) => this.hover(at, event),
    });
    board.scope.listen(view.field, "dblclick", (event) => this.twice(event));
    board.scope.listen(
      view.field,
      "touchend",
      (event) => {
        if (this.long) event.preventDefault(); // the press that would follow would leave the field for the words
        this.long = false;
      },
      { passive: false },
    );
    board.scope.listen(view.field, "contextmenu", (event) => {
      if (event.pointerType === "touch") event.preventDefault(); // a long touch adds
    });
  }

  /** The block under the pointer. @param {PointerEvent | MouseEvent} event */
  under(event) {
    // Once the field has caught the pointer, it is the target of everything.
    const node = document.elementFromPoint(event.clientX, event.clientY)?.closest(".block");
    return node instanceof HTMLElement ? this.board.find(Number(node.dataset.block)) : null;
  }

  /** @param {Block} block @param {number} x @param {PointerEvent} event @returns {Grip} */
  grip(block, x, event) {
    const { view } = this;
    const scale = view.field.clientWidth / view.length;
    const near = event.pointerType === "touch" ? NEAR.touch : NEAR.mouse;
    return gripAt(x - block.start * scale, (block.end - block.start) * scale, near);
  }

  /** @param {{ x: number, y: number }} at @param {PointerEvent} event */
  start(at, event) {
    const { board } = this;
    const block = this.under(event);
    this.from = at;
    this.moved = false;
    this.held?.end();
    this.view.leave();
    if (block) {
      this.drag = { kind: "block", grip: this.grip(block, at.x, event), block, before: board.blocks };
      board.choose(block.id);
      this.view.nodes.get(block.id)?.focus({ preventScroll: true });
      return true;
    }
    board.choose(null);
    this.drag = { kind: "empty" };
    if (event.pointerType === "touch") {
      this.held = board.scope.child();
      this.held.timeout(LONG, () => {
        this.drag = null;
        this.long = true;
        this.view.draw(null);
        this.place(stretch(this.second(at.x), null, board.length));
      });
    }
    return true;
  }

  /** @param {number} x */
  second(x) {
    const second = Math.max(0, this.view.seconds(x));
    return snapped(second, edgesFor(this.board.blocks, -1, this.board.seconds), this.view.seconds(SNAP));
  }

  /** @param {{ x: number, y: number }} at */
  move(at) {
    const { board, view, drag } = this;
    if (!this.moved && Math.hypot(at.x - this.from.x, at.y - this.from.y) < STILL) return;
    this.moved = true;
    this.held?.end();
    if (drag?.kind === "block") {
      const near = view.seconds(SNAP);
      const edges = edgesFor(board.blocks, drag.block.id, board.seconds);
      const by = view.seconds(at.x - this.from.x);
      board.hold(dragged(drag.block, drag.grip, by, { edges, near, end: view.length }));
    } else if (drag) view.draw(stretch(this.second(this.from.x), this.second(at.x), board.length));
  }

  /** @param {{ x: number, y: number }} at */
  end(at) {
    const { board, drag, moved } = this;
    this.held?.end();
    this.drag = null;
    this.view.draw(null);
    if (!moved || !drag) return;
    if (drag.kind === "empty") {
      const [from, to] = [this.second(this.from.x), this.second(at.x)];
      if (from !== to) this.place(stretch(from, to, board.length));
      return;
    }
    const after = board.blocks;
    board.blocks = drag.before;
    if (JSON.stringify(after) === JSON.stringify(drag.before)) board.ways.show();
    else board.change(() => after);
  }

  cancel() {
    const { board, drag } = this;
    this.held?.end();
    this.drag = null;
    this.view.draw(null);
    if (drag?.kind === "block") board.blocks = drag.before;
    board.ways.show();
  }

  /** A new event, and what it is. @param {{ start: number, end: number }} span */
  place(span) {
    if (this.board.add(span)) this.write();
  }

  /** @param {MouseEvent} event */
  twice(event) {
    event.preventDefault();
    const { board, view } = this;
    if (this.under(event)) this.write();
    else {
      const x = event.clientX - view.field.getBoundingClientRect().left;
      this.place(stretch(this.second(x), null, board.length));
    }
  }

  /** The cursor says what a press would do. @param {{ x: number }} at @param {PointerEvent} event */
  hover(at, event) {
    const block = this.under(event);
    const grip = block && this.grip(block, at.x, event);
    this.view.field.style.cursor = !grip ? "crosshair" : grip === "body" ? "grab" : "ew-resize";
  }
}
