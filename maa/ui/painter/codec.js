// codec.js: bytes and bits to base64 and back.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function base64Of(bytes) {
  let text = "";
  // In slices: a call takes only so many arguments.
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

// Eight cells a byte, the first in the highest bit (numpy.packbits).
function packed(cells) {
  const bytes = new Uint8Array(Math.ceil(cells.length / 8));
  cells.forEach((cell, i) => { if (cell) bytes[i >> 3] |= 128 >> (i & 7); });
  return bytes;
}

function unpacked(bytes, count) {
  const cells = new Uint8Array(count);
  for (let i = 0; i < count; i++) cells[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
  return cells;
}
