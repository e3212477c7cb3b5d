// @ts-check
// pointer.js: mouse, pen and finger on the picture. Two fingers, or the wheel with Ctrl or Shift, move what is in view.
import { onDrag } from "../web/drag.js";
import { boxBetween, dragged, gripOf, insideOf, reach, stroke } from "./shapes.js";

/** @typedef {import("./axes.js").Box} Box */
/** @typedef {import("./desk.js").Open} Open */
/** @typedef {import("./shapes.js").Spot} Spot */
/** @typedef {import("./shapes.js").Grip} Grip */
/** @typedef {Spot & { x: number, y: number, below: boolean }} Place below: under the picture, by the seconds */
/**
 * @typedef {{ kind: "scroll", from: Place, start: number } | { kind: "seek" }
 *   | { kind: "grip", grip: Grip, from: Place, box: Box }
 *   | { kind: "box", value: number, from: Place }
 *   | { kind: "lasso", value: number, points: Place[] }
 *   | { kind: "brush", value: number, last: Place }} Drag what the hand is doing
 */

const NEAR = { mouse: 6, touch: 14 }; // pixels around an edge that hold it
const CLOSEST = 24; // pixels between two fingers at least

/** @param {import("./desk.js").Desk} desk */
export function listenToPointer(desk) {
  const hand = new PaintingHand(desk);
  onDrag(desk.scope, desk.canvas, {
    start: (at, event) => hand.start(at, event),
    move: (at) => hand.move(at),
    end: (at) => hand.end(at),
    cancel: () => hand.cancel(),
    pinch: (before, after) => hand.pinch(before, after),
    hover: (at) => hand.hover(at),
    leave: () => hand.leave(),
  });
  desk.scope.listen(desk.canvas, "wheel", (event) => hand.wheel(event), { passive: false });
}

class PaintingHand {
  /** @param {import("./desk.js").Desk} desk */
  constructor(desk) {
    this.desk = desk;
    /** @type {Drag | null} */
    this.drag = null;
  }

  /** @param {Open} open @param {{ x: number, y: number }} at @returns {Place} */
  placeOf({ axes }, { x, y }) {
    return { x, y, frame: axes.frameAt(x), band: axes.bandAt(y), below: y > axes.bottom };
  }

  /** @param {{ x: number, y: number }} at @param {PointerEvent} event */
  start(at, event) {
    const { desk } = this;
    const { open } = desk;
    if (!open) return false;
    desk.marks.caret = null;
    this.drag = this.begin(open, this.placeOf(open, at), event);
    if (this.drag.kind === "brush") desk.refresh();
    else desk.draw();
    return true;
  }

  /** @param {Open} open @param {Place} from @param {PointerEvent} event @returns {Drag} */
  begin(open, from, event) {
    const { desk } = this;
    const { axes, grid } = open;
    if (from.below) {
      if (axes.zoomed && from.y >= axes.thumb().top - 3) return { kind: "scroll", from, start: axes.from };
      this.seek(open, from);
      return { kind: "seek" };
    }
    const erasing = desk.tool === "erase" || event.altKey;
    const near = event.pointerType === "touch" ? NEAR.touch : NEAR.mouse;
    const grip = erasing || desk.brushes || desk.tool === "lasso" ? null : this.grab(open, from, near);
    grid.remember();
    if (grip && grid.box) return { kind: "grip", grip, from, box: { ...grid.box } };
    const value = erasing ? 0 : 1;
    if (desk.tool === "lasso") return { kind: "lasso", value, points: [from] };
    if (!desk.brushes) return { kind: "box", value, from };
    grid.put(stroke(axes, from, from, desk.brush), value);
    return { kind: "brush", value, last: from };
  }

  /**
   * A handle of the active box; or another box whose edge or inside lies here.
   * @param {Open} open @param {Place} from @param {number} near
   */
  grab({ axes, grid }, from, near) {
    for (const index of [grid.active, ...grid.boxes.map((_, k) => k).reverse()]) {
      const box = grid.boxes[index];
      const grip = box && gripOf(axes, box, from.x, from.y, near);
      if (!grip) continue;
      grid.active = index;
      const whole = box.low === 0 && box.high === axes.mels;
      return whole && this.desk.tool === "time" ? { ...grip, top: false, bottom: false } : grip;
    }
    return null;
  }

  /** @param {Open} open @param {Spot} now */
  seek({ axes }, now) {
    const { desk } = this;
    const seconds = now.frame * axes.frameSeconds;
    if (desk.player.playing) desk.play(seconds);
    else {
      desk.player.at = seconds;
      desk.draw();
    }
  }

  /** @param {{ x: number, y: number }} at */
  move(at) {
    const { desk, drag } = this;
    const { open, marks } = desk;
    if (!open || !drag) return;
    const { axes, grid } = open;
    const now = this.placeOf(open, at);
    this.follow(open, now);
    if (drag.kind === "scroll") {
      axes.show(drag.start + ((now.x - drag.from.x) / axes.width) * axes.frames, axes.shown);
      desk.look();
    } else if (drag.kind === "seek") this.seek(open, now);
    else if (drag.kind === "grip") {
      const [frames, bands] = [Math.round(now.frame - drag.from.frame), Math.round(now.band - drag.from.band)];
      grid.moveBox(dragged(axes, drag.box, drag.grip, frames, bands));
      desk.refresh();
    } else if (drag.kind === "brush") {
      grid.put(stroke(axes, drag.last, now, desk.brush), drag.value);
      drag.last = now;
      desk.refresh();
    } else if (drag.kind === "lasso") {
      drag.points.push(now);
      marks.lasso = drag.points;
      desk.draw();
    } else {
      marks.box = boxBetween(axes, desk.tool, drag.from, now);
      desk.draw();
      desk.tell(`${drag.value ? "Marking" : "Erasing"} ${axes.spanText(marks.box)}`);
    }
  }

  /** @param {{ x: number, y: number }} at */
  end(at) {
    const { desk, drag } = this;
    const { open } = desk;
    if (!open || !drag) return;
    const { axes, grid } = open;
    if (drag.kind === "lasso") grid.put(insideOf(axes, drag.points), drag.value);
    if (drag.kind === "box") {
      const box = boxBetween(axes, desk.tool, drag.from, this.placeOf(open, at));
      if (drag.value) grid.addBox(box);
      else grid.putBox(box, 0);
    }
    if (drag.kind !== "scroll" && drag.kind !== "seek") desk.commit();
    this.drop();
    desk.draw();
  }

  /** The drag did not happen. */
  cancel() {
    const { drag, desk } = this;
    if (drag && drag.kind !== "scroll" && drag.kind !== "seek") desk.open?.grid.forget();
    this.drop();
    desk.refresh();
  }

  drop() {
    this.drag = null;
    this.desk.marks.box = this.desk.marks.lasso = null;
  }

  /** Two fingers: what lay under each stays under it. @param {number[]} before @param {number[]} after */
  pinch(before, after) {
    const { desk } = this;
    if (!desk.open) return;
    const { axes } = desk.open;
    const wide = (/** @type {number[]} */ pair) => Math.max(CLOSEST, Math.abs(pair[1] - pair[0]));
    axes.pan(((before[0] + before[1] - (after[0] + after[1])) / 2 / axes.width) * axes.shown);
    axes.zoom(wide(after) / wide(before), (after[0] + after[1]) / 2);
    desk.look();
  }

  /** @param {{ x: number, y: number }} at */
  hover(at) {
    const { desk } = this;
    const { open } = desk;
    if (!open) return;
    const now = this.placeOf(open, at);
    this.follow(open, now);
    this.point(open, now);
    desk.draw();
  }

  /** What is said about the place under the pointer, and the brush there. @param {Open} open @param {Place} now */
  follow({ axes }, now) {
    const { desk } = this;
    desk.readOut(now.below && !this.drag ? null : now);
    const shown = desk.brushes && !now.below;
    desk.marks.brush = shown ? { at: now, far: reach(axes, now, desk.brush) } : null;
  }

  /** The cursor says what a press would do. @param {Open} open @param {Place} now */
  point({ axes, grid }, now) {
    const { desk } = this;
    const holds = !desk.brushes && desk.tool !== "lasso" && grid.box && !now.below;
    const grip = holds && grid.box ? gripOf(axes, grid.box, now.x, now.y, NEAR.mouse) : null;
    desk.canvas.style.cursor = grip ? cursorOf(grip) : now.below ? "pointer" : "crosshair";
  }

  leave() {
    const { desk } = this;
    desk.marks.brush = null;
    desk.readOut(null);
    desk.draw();
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    const { desk } = this;
    if (!desk.open) return;
    const { axes } = desk.open;
    const across = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    const x = event.clientX - desk.canvas.getBoundingClientRect().left;
    if (event.ctrlKey || event.metaKey) axes.zoom(Math.exp(-event.deltaY / 300), x);
    else if (Math.abs(across) > 0 && axes.zoomed) axes.pan((across / axes.width) * axes.shown);
    else return; // the page scrolls
    event.preventDefault();
    desk.look();
  }
}

/** @param {Grip} grip */
function cursorOf(grip) {
  const [across, along] = [grip.left || grip.right, grip.top || grip.bottom];
  if (across && along) return grip.left === grip.top ? "nwse-resize" : "nesw-resize";
  if (across) return "ew-resize";
  return along ? "ns-resize" : "move";
}
