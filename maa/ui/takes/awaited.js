// @ts-check
// awaited.js: the shape of a file that was dropped, which the take that Generate makes of its settings gets.
import { kept } from "../web/kept.js";

/** @typedef {import("./clip.js").Shaping} Shaping */
/** @typedef {import("../web/sound.js").View} View */

/** Its place until that take is there. @param {string} task */
function waiting(task) {
  return kept(`shaped-${task}`);
}

/** @param {{ task: string, seed: number, shaping: Shaping }} told */
export function awaitShaped(told) {
  waiting(told.task).put(told);
}

/** The shape that a new take was made for; {} where it is none. @param {View} view @returns {Shaping} */
export function shapedFor(view) {
  const store = waiting(view.task);
  const told = store.get();
  if (!told || told.seed !== view.seed || typeof told.shaping !== "object") return {};
  store.drop();
  return told.shaping;
}
