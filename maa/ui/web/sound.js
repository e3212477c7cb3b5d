// @ts-check
// sound.js: what a view (maa/ui/views.py) points to: its spectrogram as numbers, its samples, its waveform; and one
// sound at a time in the whole page.

/** @typedef {import("./levels.js").Levels} Levels */
/** @typedef {import("./axes.js").Tick} Tick */
/**
 * @typedef {object} View one sound, as the page knows it
 * @property {string} id
 * @property {string} task
 * @property {string} url of the sound
 * @property {string} levels the address of its spectrogram, a grey PNG with the highest band at the top
 * @property {string | null} [peaks]
 * @property {number} seconds
 * @property {number} [rate] Hz
 * @property {string | null} [next] the take of the next seed
 * @property {Record<string, any>} [shaping] what was done to it, as the history keeps it
 * @property {number} [frame] seconds of one column
 * @property {Tick[]} ticks
 * @property {number | null} [lufs]
 * @property {string | null} [clip] the address of the video that it was put on
 * @property {number} number @property {number} seed @property {number | null} [score] @property {boolean} [best]
 * @property {[string, string][]} [facts] @property {string} [note] @property {boolean} [example]
 * @property {Record<string, any>} settings @property {string} [command] @property {boolean} [bundle]
 * @property {string} [title] that a person has given it
 * @property {string} [folder] that a person has put it into
 * @property {boolean} [star] @property {number} [at] when it was made, as the history keeps it
 */

/** The samples of a sound. @param {BaseAudioContext} context @param {string} url */
export async function decoded(context, url) {
  const answer = await fetch(url);
  return context.decodeAudioData(await answer.arrayBuffer());
}

/**
 * What b has more than a, on b's time.
 * @param {BaseAudioContext} context @param {AudioBuffer} a @param {AudioBuffer} b
 */
export function subtracted(context, a, b) {
  const made = context.createBuffer(b.numberOfChannels, b.length, b.sampleRate);
  for (let c = 0; c < b.numberOfChannels; c++) {
    const old = a.getChannelData(Math.min(c, a.numberOfChannels - 1));
    made.copyToChannel(
      b.getChannelData(c).map((value, i) => value - (old[i] || 0)),
      c,
    );
  }
  return made;
}

/** @param {string} url @returns {Promise<Levels>} */
export async function levelsOf(url) {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: picture.naturalWidth, height: picture.naturalHeight });
  const { width, height } = canvas;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.drawImage(picture, 0, 0);
  const pixels = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const band = height - 1 - row;
    for (let column = 0; column < width; column++) data[band * width + column] = pixels[4 * (row * width + column)];
  }
  return { mels: height, frames: width, data };
}

/**
 * A waveform, as high as `loudest` lets it be.
 * @param {CanvasRenderingContext2D} g
 * @param {Int8Array | Float32Array} peaks pairs of lowest and highest value
 * @param {{ left: number, width: number, middle: number, half: number }} place half the height, in pixels
 * @param {number} loudest the value that reaches the edge
 */
export function drawWave(g, peaks, { left, width, middle, half }, loudest = 127) {
  const count = peaks.length / 2;
  for (let i = 0; i < count; i++) {
    const [low, high] = [peaks[2 * i] / loudest, peaks[2 * i + 1] / loudest];
    const x = left + (width * i) / count;
    g.fillRect(x, middle - high * half, Math.max(1, width / count), Math.max(1, (high - low) * half));
  }
}

const PLAY = "maa-play"; // told to the document by whatever starts to play, with itself as the detail

/** Whoever starts tells the others. @param {object} player */
export function startsToPlay(player) {
  document.dispatchEvent(new CustomEvent(PLAY, { detail: player }));
}

/**
 * Whatever plays in the page and is not ours (an upload field's player, a clip's own controls) tells and obeys, too.
 * Such a player may be no part of the document, so the browser's own way to begin is watched.
 * @param {import("./scope.js").Scope} scope
 */
export function watchPlayers(scope) {
  /** @type {HTMLMediaElement | null} */
  let playing = null;
  /** @param {HTMLMediaElement} player */
  const began = (player) => {
    if (player.muted) return;
    startsToPlay(player);
    playing = player;
  };
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    began(this);
    return play.call(this);
  };
  scope.onEnd(() => {
    HTMLMediaElement.prototype.play = play;
  });
  const own = (/** @type {Event} */ event) => {
    if (event.target instanceof HTMLMediaElement && event.target !== playing) began(event.target);
  };
  scope.listen(document, "play", own, { capture: true });
  scope.listen(document, PLAY, (event) => {
    if (playing && event.detail !== playing) playing.pause();
    if (event.detail !== playing) playing = null;
  });
}

/**
 * Pause when another one starts.
 * @param {import("./scope.js").Scope} scope @param {object} player @param {() => void} pause
 */
export function pausesForOthers(scope, player, pause) {
  scope.listen(document, PLAY, (event) => {
    if (event.detail !== player) pause();
  });
}
