// @ts-check
// stretch.js: a stretch of a sound in seconds: what is in view of it, and what is selected. No drawing here.
import { clamp } from "../web/axes.js";

/** @typedef {[from: number, to: number]} Stretch seconds */

const NEAREST = 0.05; // seconds in view at the closest
const LITTLE = 0.01; // seconds: less is no selection

/** Closer by a factor, with one second staying where it is. @param {Stretch} view @param {number} whole seconds */
export function zoomed(view, whole, factor = 1, at = (view[0] + view[1]) / 2) {
  const now = view[1] - view[0];
  const shown = clamp(now / factor, Math.min(NEAREST, whole), whole);
  return placed(at - ((at - view[0]) / now) * shown, shown, whole);
}

/** @param {Stretch} view @param {number} whole @param {number} seconds */
export function panned(view, whole, seconds) {
  return placed(view[0] + seconds, view[1] - view[0], whole);
}

/** What is in view so that a second is. @param {Stretch} view @param {number} whole @param {number} second */
export function revealed(view, whole, second) {
  const shown = view[1] - view[0];
  if (second >= view[0] && second <= view[1]) return view;
  return placed(second - shown / 2, shown, whole);
}

/** A selection with some room at both sides. @param {Stretch} stretch @param {number} whole */
export function around(stretch, whole) {
  const shown = Math.max(NEAREST, 1.2 * (stretch[1] - stretch[0]));
  return placed((stretch[0] + stretch[1] - shown) / 2, Math.min(shown, whole), whole);
}

/** @param {number} from @param {number} shown @param {number} whole @returns {Stretch} */
function placed(from, shown, whole) {
  const begin = clamp(from, 0, whole - shown);
  return [begin, begin + shown];
}

/**
 * Two seconds as a selection, to the millisecond; null where they are nearly the same, or everything.
 * @param {number} a @param {number} b @param {number} whole
 * @returns {Stretch | null}
 */
export function selected(a, b, whole) {
  const [from, to] = [Math.min(a, b), Math.max(a, b)].map((one) => Math.round(1000 * clamp(one, 0, whole)) / 1000);
  if (!(to - from >= LITTLE) || (from <= 0 && to >= whole - 0.001)) return null;
  return [from, to];
}

/** @param {Stretch | null} stretch @param {number} whole */
export function stretchText(stretch, whole) {
  if (!stretch) return `The whole sound: ${whole.toFixed(2)} s`;
  return `Selected: ${stretch[0].toFixed(2)} to ${stretch[1].toFixed(2)} s (${(stretch[1] - stretch[0]).toFixed(2)} s)`;
}
