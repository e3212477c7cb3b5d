// @ts-check
// codec.js: bytes and bits to base64 and back.

/** None for a text that is no base64, as in a damaged history. @param {string | null | undefined} base64 */
export function bytesOf(base64) {
  let text = "";
  try {
    text = atob(base64 || "");
  } catch {
    // nothing is drawn
  }
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** @param {Uint8Array} bytes */
export function base64Of(bytes) {
  let text = "";
  // In slices: a call takes only so many arguments.
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** Eight cells a byte, the first in the highest bit (numpy.packbits). @param {Uint8Array} cells */
export function packed(cells) {
  const bytes = new Uint8Array(Math.ceil(cells.length / 8));
  cells.forEach((cell, i) => {
    if (cell) bytes[i >> 3] |= 128 >> (i & 7);
  });
  return bytes;
}

/** @param {Uint8Array} bytes @param {number} count of cells */
export function unpacked(bytes, count) {
  const cells = new Uint8Array(count);
  for (let i = 0; i < count; i++) cells[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
  return cells;
}

/** Lowest and highest value of equal stretches of a sound, from -127 to 127. @param {string | null} base64 */
export function peaksOf(base64) {
  return new Int8Array(bytesOf(base64).buffer);
}
