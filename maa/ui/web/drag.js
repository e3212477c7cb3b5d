// @ts-check
// drag.js: one pointer that presses, moves and lets go on a node; or two fingers that move what is in view.

/** @typedef {{ x: number, y: number }} Point pixels from the node's left and top */
/**
 * @typedef {object} Hand what a drag does
 * @property {(at: Point, event: PointerEvent) => boolean} start false: nothing to drag here
 * @property {(at: Point, event: PointerEvent) => void} [move]
 * @property {(at: Point, event: PointerEvent) => void} [end]
 * @property {() => void} [cancel] the drag did not happen
 * @property {(before: number[], after: number[]) => void} [pinch] where two fingers were and are, from left to right
 * @property {(at: Point, event: PointerEvent) => void} [hover] the pointer moves and drags nothing
 * @property {() => void} [leave] the pointer is not here any more
 */

/**
 * @param {import("./scope.js").Scope} scope
 * @param {HTMLElement} node
 * @param {Hand} hand
 */
export function onDrag(scope, node, hand) {
  /** @type {Map<number, Point>} */
  const fingers = new Map();
  /** @type {number | null} */
  let dragging = null; // the pointer that does

  /** @type {(event: PointerEvent) => Point} */
  const at = (event) => {
    const place = node.getBoundingClientRect();
    return { x: event.clientX - place.left, y: event.clientY - place.top };
  };
  const across = () => [...fingers.values()].map((finger) => finger.x);
  const abandon = () => {
    if (dragging === null) return;
    dragging = null;
    hand.cancel?.();
  };

  scope.listen(node, "pointerdown", (/** @type {PointerEvent} */ event) => {
    if (event.button) return;
    if (hand.pinch && event.pointerType === "touch") fingers.set(event.pointerId, at(event));
    if (fingers.size >= 2) abandon();
    else if (hand.start(at(event), event)) dragging = event.pointerId;
    if (dragging === event.pointerId || fingers.has(event.pointerId)) node.setPointerCapture(event.pointerId);
  });

  scope.listen(node, "pointermove", (/** @type {PointerEvent} */ event) => {
    if (fingers.size >= 2) {
      if (!fingers.has(event.pointerId)) return;
      const before = across();
      fingers.set(event.pointerId, at(event));
      hand.pinch?.(before, across());
    } else if (dragging === event.pointerId) hand.move?.(at(event), event);
    else if (dragging === null) hand.hover?.(at(event), event);
  });

  scope.listen(node, "pointerup", (/** @type {PointerEvent} */ event) => {
    fingers.delete(event.pointerId);
    if (dragging !== event.pointerId) return;
    dragging = null;
    hand.end?.(at(event), event);
  });

  scope.listen(node, "pointercancel", (/** @type {PointerEvent} */ event) => {
    fingers.delete(event.pointerId);
    if (dragging === event.pointerId) abandon();
    hand.leave?.();
  });

  scope.listen(node, "pointerleave", () => {
    if (dragging === null) hand.leave?.();
  });
}
