// @ts-check
// walk.js: the keys that go from cell to cell of a table.

/**
 * The cell that a key leads to, by its number, row after row; null where the key means nothing.
 * @param {number} from @param {string} key @param {number} rows @param {number} columns
 * @returns {number | null}
 */
export function moved(from, key, rows, columns) {
  const [row, column] = [Math.floor(from / columns), from % columns];
  /** @type {Record<string, [number, number]>} */
  const to = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    Home: columns > 1 ? [row, 0] : [0, 0],
    End: columns > 1 ? [row, columns - 1] : [rows - 1, 0],
    PageUp: [0, column],
    PageDown: [rows - 1, column],
  };
  if (!(key in to)) return null;
  const [r, c] = to[key];
  return Math.min(rows - 1, Math.max(0, r)) * columns + Math.min(columns - 1, Math.max(0, c));
}
