// png.js: the mask as a grey PNG that carries its scale, low notes at the bottom, white = make new.

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function pngChunk(name, data) {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(new TextEncoder().encode(name), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

// A file of cells [mels * frames]; `text` is { keyword, content }.
async function pngOf(cells, mels, frames, text) {
  const rows = new Uint8Array(mels * (1 + frames)); // each row begins with its filter, 0 = none
  for (let band = 0; band < mels; band++) {
    const row = (mels - 1 - band) * (1 + frames) + 1;
    for (let frame = 0; frame < frames; frame++) rows[row + frame] = 255 * cells[band * frames + frame];
  }
  const packing = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const packed = new Uint8Array(await new Response(packing).arrayBuffer());
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, frames);
  view.setUint32(4, mels);
  head[8] = 8; // bits; the rest says grey, deflate, no interlacing
  const words = new TextEncoder().encode(`${text.keyword}\0${text.content}`);
  const parts = [pngChunk("IHDR", head), pngChunk("tEXt", words), pngChunk("IDAT", packed), pngChunk("IEND", new Uint8Array())];
  return new Blob([new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]), ...parts], { type: "image/png" });
}

async function savePng(desk) {
  const { grid, axes } = desk;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await pngOf(grid.cells, axes.mels, axes.frames, desk.scale));
  link.download = "mask.png";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
