// @ts-check
// rows.js: events as blocks on a line of time: what they may be, where they snap to, and which lane each lies in.
// Nothing here touches the page.

export const SHORTEST = 0.1; // seconds of an event, as maa/pipeline/events.py has it
export const LATEST = 180; // seconds: no clip is longer
export const SLACK = 0.25; // seconds by which an event may outlast the sound
export const QUIETEST = -40; // dB
export const LOUDEST = 20;
export const MOST = 32; // events
export const STEP = 0.1; // seconds between two places of the grid
const GAIN = /^(.*\S)\s*@\s*([+-]?\d+(?:\.\d+)?)\s*dB$/i; // as in "rain @ -6 dB"
const FINE = 1000; // parts of a second that are kept
const SAME = 1e-9;

/** @typedef {{ id: number, start: number, end: number, text: string, gain: number }} Block seconds and dB */
/** @typedef {"start" | "end" | "body"} Grip the part of a block that is held */

/** @param {number} value @param {number} low @param {number} high */
function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/** @param {number} second */
export function rounded(second) {
  return Math.round(second * FINE) / FINE;
}

/**
 * Rows from the server as blocks; what is no row is left out.
 * @param {unknown} rows @param {() => number} number gives every block a number of its own
 * @returns {Block[]}
 */
export function blocksOf(rows, number) {
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row) => {
    if (!Array.isArray(row)) return [];
    const [start, end, text, gain = 0] = row;
    const numbers = [start, end, gain].every(Number.isFinite);
    return numbers && typeof text === "string" ? [{ id: number(), start, end, text, gain }] : [];
  });
}

/**
 * For the server: [start s, end s, text, gain dB], in the order in which they came.
 * @param {Block[]} blocks
 * @returns {[number, number, string, number][]}
 */
export function rowsOf(blocks) {
  return blocks.map(({ start, end, text, gain }) => [start, end, text, gain]);
}

/** By their beginnings, the longer one first. @param {Block[]} blocks */
export function ordered(blocks) {
  return [...blocks].sort((a, b) => a.start - b.start || b.end - a.end || a.id - b.id);
}

/**
 * The lane of every block, by its number: as few lanes as there are sounds at once. What is held gives way to the rest.
 * @param {Block[]} blocks @param {number | null} [held] the number of a block
 * @returns {Map<number, number>}
 */
export function layered(blocks, held = null) {
  const rest = ordered(blocks).filter(({ id }) => id !== held);
  /** @type {Block[][]} */
  const lanes = [];
  const lane = new Map();
  for (const block of [...rest, ...blocks.filter(({ id }) => id === held)]) {
    const free = lanes.findIndex((others) => others.every((other) => !overlap(other, block)));
    const at = free < 0 ? lanes.push([]) - 1 : free;
    lanes[at].push(block);
    lane.set(block.id, at);
  }
  return lane;
}

/** @param {{ start: number, end: number }} a @param {{ start: number, end: number }} b */
function overlap(a, b) {
  return a.start < b.end - SAME && b.start < a.end - SAME;
}

/**
 * A place in time where a hand lets go: an edge nearby, else the next place of the grid.
 * @param {number} second @param {number[]} edges @param {number} near seconds
 */
export function snapped(second, edges, near) {
  const nearest = edges.reduce(
    (best, edge) => (Math.abs(edge - second) < Math.abs(best - second) ? edge : best),
    Infinity,
  );
  return Math.abs(nearest - second) <= near ? nearest : rounded(Math.round(second / STEP) * STEP);
}

/**
 * Where a block may snap to: both ends of the sound, and the edges of the others.
 * @param {Block[]} blocks
 * @param {number} held
 * @param {number} seconds
 */
export function edgesFor(blocks, held, seconds) {
  return [0, seconds, ...blocks.filter(({ id }) => id !== held).flatMap(({ start, end }) => [start, end])];
}

/**
 * The block somewhere else, as long as before, within 0 and `end`.
 * @param {Block} block @param {number} start @param {number} end
 * @returns {Block}
 */
export function moved(block, start, end) {
  const lasts = block.end - block.start;
  const begin = rounded(clamp(start, 0, Math.max(0, end - lasts)));
  return { ...block, start: begin, end: rounded(begin + lasts) };
}

/**
 * The block with one edge somewhere else, not shorter than an event may be.
 * @param {Block} block @param {"start" | "end"} grip @param {number} second @param {number} end
 * @returns {Block}
 */
export function resized(block, grip, second, end) {
  if (grip === "start") return { ...block, start: rounded(clamp(second, 0, block.end - SHORTEST)) };
  return { ...block, end: rounded(clamp(second, block.start + SHORTEST, Math.max(end, block.start + SHORTEST))) };
}

/**
 * The block at the place where a hand has brought it: either end of it snaps.
 * @param {Block} block @param {Grip} grip @param {number} by seconds
 * @param {{ edges: number[], near: number, end: number }} grid
 * @returns {Block}
 */
export function dragged(block, grip, by, { edges, near, end }) {
  if (grip !== "body") return resized(block, grip, snapped(block[grip] + by, edges, near), end);
  const lasts = block.end - block.start;
  const start = snapped(block.start + by, edges, near);
  const last = snapped(block.end + by, edges, near);
  const byEnd = edges.includes(last) && !edges.includes(start);
  return moved(block, byEnd ? last - lasts : start, end);
}

/**
 * What of a block lies under a hand: an edge, unless that leaves no middle to hold.
 * @param {number} x pixels from its left @param {number} width @param {number} near pixels
 * @returns {Grip}
 */
export function gripAt(x, width, near) {
  const edge = Math.min(near, width / 3);
  if (x < edge) return "start";
  return x > width - edge ? "end" : "body";
}

/**
 * A stretch for a new event: what a hand has drawn, or from a place on as long as usual.
 * @param {number} from @param {number | null} to @param {number} end @param {number} [usual] all in seconds
 */
export function stretch(from, to, end, usual = 2) {
  const [a, b] = to === null ? [from, from + usual] : [Math.min(from, to), Math.max(from, to)];
  const start = rounded(clamp(a, 0, Math.max(0, end - SHORTEST)));
  return {
    start,
    end: rounded(clamp(Math.max(b, start + SHORTEST), start + SHORTEST, Math.max(end, start + SHORTEST))),
  };
}

/**
 * Where the button puts a new event: after the last one if there is room, else at the beginning.
 * @param {Block[]} blocks
 * @param {number} seconds
 */
export function nextStretch(blocks, seconds) {
  const last = Math.max(0, ...blocks.map(({ end }) => end));
  return stretch(last <= seconds - 0.5 ? last : 0, null, seconds);
}

/**
 * What somebody has typed as the text of an event, with the gain that it says.
 * @param {string} typed @returns {{ text: string, gain?: number }}
 */
export function saidOf(typed) {
  const text = typed.replace(/\s+/g, " ").trim();
  const found = GAIN.exec(text);
  return found ? { text: found[1], gain: gainOf(Number(found[2])) } : { text };
}

/** @param {number} gain dB */
export function gainOf(gain) {
  return clamp(Math.round(gain * 10) / 10, QUIETEST, LOUDEST);
}

/** Seconds as they are written. @param {number} second */
export function secondsText(second) {
  return String(rounded(second));
}

/** @param {number} gain */
export function gainText(gain) {
  return `${gain > 0 ? "+" : ""}${gain} dB`.replace("-", "−");
}

/** A block in words. @param {Block} block */
export function words({ start, end, text, gain }) {
  const level = gain ? `, ${gainText(gain)}` : "";
  return `${text || "a sound without words"}, from ${secondsText(start)} to ${secondsText(end)} s${level}`;
}

/**
 * Whether both hold the same events in the same order, whatever their numbers.
 * @param {Block[]} a
 * @param {Block[]} b
 */
export function alike(a, b) {
  return JSON.stringify(rowsOf(a)) === JSON.stringify(rowsOf(b));
}
