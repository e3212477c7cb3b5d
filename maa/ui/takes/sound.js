// sound.js: one sound of a view: its spectrogram as numbers, its waveform, and what plays it.

const COLOURS = bytesOf(props.colours);
const LEVELS_PER_DB = 255 / 120;  // a level is half a decibel; see maa/ui/views.py

function bytesOf(base64) {
  return Uint8Array.from(atob(base64 || ""), (letter) => letter.charCodeAt(0));
}

// {width, height, data: levels with the highest band first}
async function levelsOf(url) {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  const canvas = h("canvas", { width: picture.naturalWidth, height: picture.naturalHeight });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const data = new Uint8Array(canvas.width * canvas.height);
  for (let i = 0; i < data.length; i++) data[i] = pixels[4 * i];
  return { width: canvas.width, height: canvas.height, data };
}

function bitmapOf(levels, colour) {
  const canvas = h("canvas", { width: levels.width, height: levels.height });
  const image = new ImageData(levels.width, levels.height);
  for (let i = 0; i < levels.data.length; i++) {
    const [red, green, blue] = colour(i);
    image.data.set([red, green, blue, 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// 80 dB below the loudest cell are shown.
function coloured(levels) {
  let top = 0;
  for (const level of levels.data) top = Math.max(top, level);
  const range = 80 * LEVELS_PER_DB;
  return bitmapOf(levels, (i) => {
    const at = 3 * Math.max(0, Math.min(255, Math.round((255 * (levels.data[i] - top + range)) / range)));
    return COLOURS.subarray(at, at + 3);
  });
}

// b - a: orange where b is louder, blue where it is quieter, dark where they are alike; +-30 dB.
function difference(a, b) {
  const width = Math.min(a.width, b.width);
  const shown = { width, height: a.height, data: new Uint8Array(width * a.height) };
  return bitmapOf(shown, (i) => {
    const row = Math.floor(i / width), column = i % width;
    const change = (b.data[row * b.width + column] - a.data[row * a.width + column]) / (30 * LEVELS_PER_DB);
    const part = Math.min(1, Math.abs(change));
    const [red, green, blue] = change > 0 ? [255, 176, 64] : [84, 170, 255];
    return [18 + part * (red - 18), 21 + part * (green - 21), 27 + part * (blue - 27)];
  });
}

// One sound at a time in the whole page: whoever starts tells the others.
function onlyOne(media) {
  media.addEventListener("play", () => document.dispatchEvent(new CustomEvent("maa-play", { detail: media })));
  document.addEventListener("maa-play", (event) => { if (event.detail !== media && !media.paused) media.pause(); });
  return media;
}
