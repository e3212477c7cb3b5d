// @ts-check
// desk.js: the painter as a whole: sound, mask, tool and what is shown of them.
import { clamp, hertzText } from "../web/axes.js";
import { base64Of, bytesOf, packed, unpacked } from "../web/codec.js";
import { find, press, save } from "../web/dom.js";
import { BandAxes } from "./axes.js";
import { showNumbers } from "./fields.js";
import { Grid } from "./grid.js";
import { Player } from "./player.js";
import { View } from "./view.js";

const OPENING = { narrow: 4, width: 480 }; // seconds in view at first on a screen narrower than so many pixels
const CLOSE = 3; // seconds in view below which a third decimal is of use
const ZOOM = 1.6; // of one press
const SIZES = { ms: 5000, hertz: 8000 }; // of the brush at most

/**
 * @typedef {object} Sound what the server sends; see maa/ui/painter/component.py
 * @property {string} id
 * @property {number} mels @property {number} frames @property {number} rate @property {number} hop
 * @property {number[]} edges @property {string} spec @property {[number, number]} decibels @property {number} cell
 * @property {string} colours @property {string} mask @property {string | null} audio
 * @property {string | null} [sound] the path that names it to the server
 * @property {string} [origin] the same for all edits of one sound
 */
/** @typedef {{ id: string, axes: BandAxes, grid: Grid, levels: Uint8Array, sound: Sound }} Open a sound on the desk */

export class Desk {
  /**
   * @param {import("../web/scope.js").Scope} scope
   * @param {HTMLElement} root
   * @param {{
   *   send: (mask: string) => void, save: (mask: string) => Promise<any>, multiples: (box: number[]) => Promise<any>
   * }} server takes a mask, base64, with the next request, or to make a file of it; or tells where the harmonics of a
   *   box lie (seconds and Hz)
   */
  constructor(scope, root, server) {
    this.scope = scope;
    this.root = root;
    this.server = server;
    /** @type {HTMLCanvasElement} */
    this.canvas = find(root, "canvas");
    this.view = new View(this.canvas);
    /** @type {Open | null} */
    this.open = null;
    this.opened = false; // what is in view has been chosen for this screen
    this.tool = "box";
    this.brush = { ms: 120, hertz: 500 };
    this.listening = { part: /** @type {import("./player.js").Part} */ ("all"), loop: false };
    this.marks = noMarks();
    this.player = new Player(scope, find(root, '[data-act="play"]'), () => this.draw());
  }

  /** @param {string} name @returns {HTMLInputElement} */
  field(name) {
    return find(this.root, `[name="${name}"]`);
  }

  /** Show a sound; null empties the desk. The same sound keeps its history and its view. @param {Sound | null} value */
  load(value) {
    this.root.classList.toggle("empty", !value);
    if (value && this.open?.id === value.id) {
      this.take(this.open.grid, value);
      return;
    }
    const before = this.open;
    this.marks = noMarks();
    this.open = null;
    this.player.load(value ? value.audio : null);
    if (value) {
      this.open = openSound(value);
      this.view.setSound(this.open.levels, bytesOf(value.colours), value.decibels);
      if (before && isEdit(before.sound, value)) this.goOn(before, value);
      else this.opened = false;
    }
    this.fit();
    this.refresh();
  }

  /**
   * Another mask for the sound that is here already: one step that undo takes back.
   * @param {Grid} grid @param {Sound} value
   */
  take(grid, value) {
    const cells = unpacked(bytesOf(value.mask), value.mels * value.frames);
    if (cells.every((cell, i) => cell === grid.cells[i])) return;
    this.change(() => grid.flatten(cells));
  }

  /**
   * What was done to the sound leaves the view as it is, and the mask's history.
   * @param {Open} before @param {Sound} value
   */
  goOn(before, value) {
    if (!this.open) return;
    Object.assign(this.open, { axes: before.axes, grid: before.grid });
    this.take(before.grid, value);
  }

  fit() {
    const axes = this.open?.axes;
    if (!this.view.fit(axes)) return;
    if (axes && !this.opened) {
      this.opened = true;
      if (this.canvas.clientWidth < OPENING.width) axes.show(0, OPENING.narrow / axes.frameSeconds);
    }
    this.look();
  }

  /** What is in view has changed. */
  look() {
    this.view.stale = true;
    this.showMask();
    this.draw();
  }

  showMask() {
    const { open } = this;
    if (open) this.view.setMask(open.axes, open.grid, open.sound.cell);
  }

  draw() {
    const axes = this.open?.axes || null;
    const { seconds } = this.player;
    this.marks.playing = axes && seconds !== null ? seconds / axes.frameSeconds : null;
    this.marks.active = this.open?.grid.box || null;
    this.view.draw(axes, this.marks);
    if (axes) this.root.dataset.view = `${axes.from.toFixed(2)} ${axes.to.toFixed(2)}`;
  }

  /** The mask has changed on the way to something: show it. */
  refresh() {
    this.showMask();
    this.draw();
    this.tell();
  }

  /** The mask has changed for good: show it and let the server have it. */
  commit() {
    this.refresh();
    this.player.forget();
    if (this.open) this.server.send(base64Of(packed(this.open.grid.cells)));
  }

  /** One change that undo can take back. @param {(grid: Grid) => void} what */
  change(what) {
    if (!this.open) return;
    this.open.grid.remember();
    what(this.open.grid);
    this.commit();
  }

  /** @param {string} name of a button */
  act(name) {
    if (!this.open) return;
    const { axes, grid } = this.open;
    const look = (/** @type {() => void} */ move) => {
      move();
      this.look();
    };
    /** @type {Record<string, () => void>} */
    const acts = {
      undo: () => grid.undo() && this.commit(),
      redo: () => grid.redo() && this.commit(),
      clear: () => this.change(() => grid.clear()),
      invert: () => this.change(() => grid.invert()),
      grow: () => this.change(() => grid.spread(1)),
      shrink: () => this.change(() => grid.spread(0)),
      remove: () => grid.box && this.change(() => grid.removeBox()),
      closer: () => look(() => axes.zoom(ZOOM, this.middle())),
      farther: () => look(() => axes.zoom(1 / ZOOM, this.middle())),
      marked: () => look(() => this.showMarked()),
      whole: () => look(() => axes.show(0, axes.frames)),
      play: () => this.toggle(),
      save: () => this.saveMask(),
      harmonics: () => this.markHarmonics(),
      loop: () => this.listen({ loop: !this.listening.loop }),
    };
    acts[name]?.();
  }

  /** Where to zoom: at the active box where it is in view, else in the middle. */
  middle() {
    const axes = this.open?.axes;
    const box = this.open?.grid.box;
    const x = axes && box ? axes.x((box.first + box.last) / 2) : undefined;
    return axes && x !== undefined && x >= axes.left && x <= axes.right ? x : undefined;
  }

  /** What is marked, with as much again beside it. */
  showMarked() {
    if (!this.open) return;
    const { axes, grid } = this.open;
    const box = grid.box || grid.extent().box;
    if (!box) return;
    const width = box.last - box.first;
    axes.show(box.first - width / 2, 2 * width);
  }

  async saveMask() {
    if (!this.open) return;
    const made = await this.server.save(base64Of(packed(this.open.grid.cells)));
    if (made.error) this.tell(made.error);
    else save(made.url, made.file, this.root);
  }

  /** The multiples of the active box, around a fundamental, are marked with it. */
  async markHarmonics() {
    const { open } = this;
    const box = open?.grid.box || open?.grid.extent().box;
    if (!open || !box) {
      this.tell("Mark a box around a fundamental first.");
      return;
    }
    const { start, end, low, high } = open.axes.numbersOf(box);
    const found = await this.server.multiples([start, end, low, high]);
    if (found.error) this.tell(found.error);
    if (found.error || this.open !== open) return;
    /** @type {number[][]} */
    const [, ...others] = found.boxes;
    this.change((grid) => {
      for (const [from, to, bottom, top] of others) {
        grid.putBox(open.axes.boxOf({ start: from, end: to, low: bottom, high: top }), 1);
      }
    });
    this.tell(`${others.length} harmonics are marked with it.`);
  }

  toggle() {
    if (this.player.playing) this.player.stop();
    else this.play(null);
  }

  /** @param {number | null} from seconds; null = where it stands */
  play(from) {
    if (!this.open) return;
    const { axes, grid } = this.open;
    const { box } = grid.extent();
    const part = box ? this.listening.part : "all";
    const seconds = (/** @type {number} */ frame) => frame * axes.frameSeconds;
    /** @type {[number, number] | null} */
    const loop = this.listening.loop && box ? [seconds(box.first), seconds(box.last)] : null;
    // A selection begins where it begins.
    const begins = from === null && part === "marked" && !loop && this.player.at === 0 && box;
    this.player
      .play({ part, loop, from: begins ? seconds(begins.first) : from }, axes, grid.cells)
      .catch(() => this.tell("Your browser cannot play this sound; the tools work all the same."));
  }

  /** @param {Partial<Desk["listening"]>} change */
  listen(change) {
    Object.assign(this.listening, change);
    for (const button of this.buttons("part")) press(button, button.dataset.part === this.listening.part);
    press(find(this.root, '[data-act="loop"]'), this.listening.loop);
    if (!this.player.playing) return;
    this.player.stop();
    this.play(null);
  }

  /** @param {string} tool */
  choose(tool) {
    this.tool = tool;
    this.marks.brush = null;
    for (const button of this.buttons("tool")) press(button, button.dataset.tool === tool);
    this.draw();
  }

  /** @param {string} kind @returns {NodeListOf<HTMLElement>} */
  buttons(kind) {
    return this.root.querySelectorAll(`[data-${kind}]`);
  }

  get brushes() {
    return this.tool === "brush" || this.tool === "erase";
  }

  /** @param {number} ms @param {number} hertz */
  resizeBrush(ms, hertz) {
    this.brush = { ms: clamp(Math.round(ms), 1, SIZES.ms), hertz: clamp(Math.round(hertz), 1, SIZES.hertz) };
    this.field("ms").value = String(this.brush.ms);
    this.field("hertz").value = String(this.brush.hertz);
    this.draw();
  }

  /**
   * The status line and the fields, and the same facts as attributes of the root for whoever reads the page by program.
   * @param {string} [text] instead of the facts
   */
  tell(text) {
    const { open, root } = this;
    const { count, box } = open ? open.grid.extent() : { count: 0, box: null };
    let facts = open ? "Nothing is marked yet." : "";
    if (open && box) {
      const share = (100 * count) / open.grid.cells.length;
      facts = `${share.toFixed(share < 10 ? 1 : 0)} % marked, ${open.axes.spanText(box)}`;
    }
    find(root, ".facts").textContent = open ? text || facts : "";
    root.dataset.count = String(count);
    root.dataset.sound = open?.sound.sound?.split("/").pop() || "";
    root.dataset.box = box ? [box.first, box.last, box.low, box.high].join(" ") : "";
    const touched = open ? open.grid.touched(open.sound.cell).cells : new Uint8Array();
    root.dataset.effective = String(touched.reduce((sum, cell) => sum + cell, 0));
    showNumbers(this);
  }

  /** What lies under the pointer. @param {import("./shapes.js").Spot | null} at */
  readOut(at) {
    let text = "";
    if (at && this.open) {
      const { axes, levels, sound } = this.open;
      const [frame, band] = [
        Math.min(axes.frames - 1, Math.floor(at.frame)),
        Math.min(axes.mels - 1, Math.floor(at.band)),
      ];
      const [floor, top] = sound.decibels;
      const level = floor + (levels[band * axes.frames + frame] / 255) * (top - floor);
      const digits = axes.shown * axes.frameSeconds < CLOSE ? 3 : 2;
      const [seconds, decibels] = [(at.frame * axes.frameSeconds).toFixed(digits), level.toFixed(0)];
      text = `${seconds} s   ${hertzText(axes.hertz(at.band))}   ${decibels.replace("-", "−")} dB`;
    }
    find(this.root, ".readout").textContent = text;
  }
}

/** @returns {import("./view.js").Marks} */
function noMarks() {
  return { active: null, box: null, caret: null, lasso: null, brush: null, playing: null };
}

/** Whether a sound is what was made of another one, as long as it. @param {Sound} before @param {Sound} now */
function isEdit(before, now) {
  const sized = before.mels === now.mels && before.frames === now.frames;
  return sized && before.origin !== undefined && before.origin === now.origin;
}

/** @param {Sound} sound @returns {Open} */
function openSound(sound) {
  const cells = unpacked(bytesOf(sound.mask), sound.mels * sound.frames);
  return {
    id: sound.id,
    axes: new BandAxes(sound),
    grid: new Grid(sound.mels, sound.frames, cells),
    levels: bytesOf(sound.spec),
    sound,
  };
}
