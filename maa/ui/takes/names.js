// @ts-check
// names.js: what a take is called: in the history, and as a file.
import { eventsOf } from "./events.js";

/** @typedef {import("../web/sound.js").View} View */

const LONGEST = 48; // letters of a prompt in a file's name

/** What was asked for, in words. @param {View} view */
export function said(view) {
  const events = eventsOf(view.settings).map((event) => event.text);
  return view.settings.prompt || view.settings.heard_as?.[0]?.[0] || [...new Set(events)].join(", ");
}

/** What a card says where nobody said anything: the stretches that were made anew. @param {View} view */
export function unsaid(view) {
  /** @type {[number, number][]} */
  const spans = view.settings.spans || [];
  const told = spans.map(([start, end]) => `${start.toFixed(1)} to ${end.toFixed(1)} s`);
  return told.length ? `Without a prompt: ${told.join(", ")} made anew` : "Without a prompt";
}

/** Words as part of a file's name, in any script: nothing but letters, digits and dashes. @param {string} text */
export function slug(text) {
  const whole = text
    .normalize("NFC")
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, "-");
  const letters = Array.from(whole.replace(/^-+|-+$/g, ""));
  const cut = letters.slice(0, LONGEST).join("");
  const end = letters.length > LONGEST ? cut.lastIndexOf("-") : -1;
  return end > LONGEST / 2 ? cut.slice(0, end) : cut;
}

/** A name for the file of a take: its words, seed and number. @param {View} view @param {string} url of the file */
export function fileName(view, url) {
  const suffix = /\.\w+$/.exec(decodeURIComponent(url))?.[0] || "";
  const words = slug(view.title || said(view)) || `make-an-audio_${view.task}`;
  return `${words}_seed-${view.seed}_take-${view.number}${suffix}`;
}
