// @ts-check
// events.js: what was asked for when, written over the top of a spectrogram.
import { blocksOf, gainText, layered } from "../lanes/rows.js";

const TALL = 16; // pixels of a lane
const SHARE = 0.5; // of the picture's height that may be written over at most

/** @typedef {import("../lanes/rows.js").Block} Block */

/**
 * The events of a take, from its settings; a history may hold anything.
 * @param {Record<string, any> | undefined} settings
 */
export function eventsOf(settings) {
  let count = 0;
  return blocksOf(settings?.events, () => ++count);
}

/**
 * @param {import("../web/spectrogram.js").Spectrogram} chart
 * @param {import("../web/axes.js").Axes} axes
 * @param {Block[]} events
 */
export function drawEvents(chart, axes, events) {
  const g = chart.context;
  const lanes = layered(events);
  for (const event of events) {
    const lane = lanes.get(event.id) || 0;
    if ((lane + 1) * TALL > SHARE * axes.height) continue; // the picture is what counts
    const left = Math.max(axes.left, axes.xOf(event.start) + 1);
    const width = Math.min(axes.right, axes.xOf(event.end) - 1) - left;
    if (width < 2) continue;
    const top = axes.top + 2 + lane * TALL;
    g.save();
    g.beginPath();
    g.rect(left, top, width, TALL - 2);
    g.clip();
    g.fillStyle = chart.pen("shade", 0.66);
    g.fillRect(left, top, width, TALL - 2);
    g.fillStyle = chart.pen("head");
    g.fillRect(left, top, 2, TALL - 2);
    g.textAlign = "left";
    g.textBaseline = "middle";
    const level = event.gain ? ` ${gainText(event.gain)}` : "";
    g.fillText(`${event.text}${level}`, left + 6, top + TALL / 2 - 1);
    g.restore();
  }
}
