// @ts-check
// cell.js: one sound of a batch: a button that plays it, with its waveform.
import { peaksOf } from "../web/codec.js";
import { clock, h, icon } from "../web/dom.js";

/** @typedef {{ file: string, name: string, seed: number, seconds: number, peaks: string }} Made */

const SVG = "http://www.w3.org/2000/svg";

export class GridCell {
  /** @param {string} name of the sound @param {boolean} small whether many stand beside each other */
  constructor(name, small) {
    this.name = name;
    /** @type {Made | undefined} */
    this.made = undefined;
    this.button = h("button", { type: "button", class: "cell", "data-state": "open", tabindex: "-1" });
    this.root = h("td", { role: "gridcell", "data-small": String(small) }, this.button);
    this.label("Not made yet");
  }

  /** @param {Made | undefined} made @param {string | undefined} failed */
  show(made, failed) {
    if (made && !this.made) {
      this.made = made;
      const seconds = h("span", { class: "fact" }, `${clock(made.seconds)} s`);
      this.button.replaceChildren(icon("play"), wave(peaksOf(made.peaks)), seconds);
      this.button.dataset.state = "made";
      this.label("Play");
    } else if (!this.made) {
      this.button.dataset.state = failed ? "failed" : "open";
      this.button.textContent = failed ? "could not be made" : "";
      this.label(failed ? "Could not be made" : "Not made yet");
    }
  }

  /** @param {boolean} on */
  sounds(on) {
    this.button.dataset.playing = String(on);
    this.button.firstElementChild?.replaceWith(icon(on ? "pause" : "play"));
    this.label(on ? "Pause" : "Play");
  }

  /** @param {string} what */
  label(what) {
    const seconds = this.made ? `, ${clock(this.made.seconds)} s` : "";
    this.button.setAttribute("aria-label", `${what}: ${this.name}${seconds}`);
    if (this.made) this.button.removeAttribute("aria-disabled");
    else this.button.setAttribute("aria-disabled", "true");
  }
}

/** @param {Int8Array} peaks pairs of lowest and highest value */
function wave(peaks) {
  const svg = document.createElementNS(SVG, "svg");
  const count = peaks.length / 2;
  svg.setAttribute("viewBox", `0 -127 ${count} 254`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "wave");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  let lines = "";
  for (let i = 0; i < count; i++) lines += `M${i + 0.5} ${-peaks[2 * i + 1] - 3}V${-peaks[2 * i] + 3}`;
  path.setAttribute("d", lines);
  svg.append(path);
  return svg;
}
