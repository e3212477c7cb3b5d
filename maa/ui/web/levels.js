// @ts-check
// levels.js: a mel-spectrogram as numbers, one byte a cell, and what two of them differ by. No drawing here.

export const LEVELS_PER_DB = 255 / 120; // a level is half a decibel; see maa/ui/views.py
const RANGE = 30; // decibels of change, either way, that the colours tell apart

/** @typedef {{ mels: number, frames: number, data: Uint8Array }} Levels row 0 is the lowest band */

/** The loudest level of some sounds. @param {...Levels} sounds */
export function loudest(...sounds) {
  let top = 0;
  for (const { data } of sounds) for (const level of data) if (level > top) top = level;
  return top;
}

/**
 * What b has more than a, cell by cell: 128 is no change, 1 and 255 are 30 dB less and more.
 * @param {Levels} a @param {Levels} b
 * @returns {Levels} as long as the shorter one
 */
export function difference(a, b) {
  const frames = Math.min(a.frames, b.frames);
  const data = new Uint8Array(a.mels * frames);
  const scale = 127 / (RANGE * LEVELS_PER_DB);
  for (let i = 0; i < data.length; i++) {
    const [band, frame] = [Math.floor(i / frames), i % frames];
    const change = (b.data[band * b.frames + frame] - a.data[band * a.frames + frame]) * scale;
    data[i] = 128 + Math.max(-127, Math.min(127, Math.round(change)));
  }
  return { mels: a.mels, frames, data };
}

/**
 * Fewer columns: of the frames in each column the level that is farthest from `rest`.
 * @param {Levels} levels
 * @param {{ count: number, edge: (column: number) => number }} columns their number, and the first frame of each
 * @param {number} rest
 * @param {(row: number, column: number, level: number) => void} put row 0 is the lowest band
 */
export function gathered({ mels, frames, data }, columns, rest, put) {
  for (let band = 0; band < mels; band++) {
    for (let column = 0; column < columns.count; column++) {
      const last = band * frames + columns.edge(column + 1);
      let value = rest;
      for (let i = band * frames + columns.edge(column); i < last; i++) {
        if (Math.abs(data[i] - rest) > Math.abs(value - rest)) value = data[i];
      }
      put(band, column, value);
    }
  }
}
