// @ts-check
// colours.js: the colours of web/colours.css for canvases, and tables that colour levels. A table has one RGBA word a
// level, little-endian, as canvases want it.

/** @typedef {[red: number, green: number, blue: number]} Colour */
/** @typedef {(name: string, opacity?: number) => string} Pen a colour by its name, as canvases want it */

/** The colours that hold at a node. @param {Element} node */
export function coloursAt(node) {
  const style = getComputedStyle(node);
  /** @type {(name: string) => Colour} */
  const numbers = (name) => {
    const [red, green, blue] = style.getPropertyValue(`--${name}`).trim().split(/\s+/).map(Number);
    return [red, green, blue];
  };
  /** @type {Pen} */
  const pen = (name, opacity = 1) => `rgb(${numbers(name).join(" ")} / ${opacity})`;
  return { numbers, pen };
}

/** @param {Colour} colour @param {number} [opacity] 0 to 255 */
export function wordOf([red, green, blue], opacity = 255) {
  return ((opacity << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * The colour map over some decibels.
 * @param {Uint8Array} map RGB of 256 colours
 * @param {[number, number]} decibels of level 0 and of level 255
 * @param {number} range decibels from the last colour, at 0 dB, down to the first
 */
export function levelTable(map, [floor, top], range) {
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const decibels = floor + (level / 255) * (top - floor);
    const at = 3 * Math.round(255 * Math.min(1, Math.max(0, 1 + decibels / range)));
    return wordOf([map[at], map[at + 1], map[at + 2]]);
  });
}

/**
 * From one colour through none to another: 128 is no change.
 * @param {Colour} none @param {Colour} less @param {Colour} more
 */
export function changeTable(none, less, more) {
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const change = (level - 128) / 127;
    const part = Math.min(1, Math.abs(change));
    const end = change > 0 ? more : less;
    const [red, green, blue] = none.map((from, i) => Math.round(from + part * (end[i] - from)));
    return wordOf([red, green, blue]);
  });
}
