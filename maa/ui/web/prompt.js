// @ts-check
// prompt.js: a prompt as text: the words that are being typed, known sounds that begin like them, and surprises.

/** @typedef {[name: string, family: string]} Sound */

const BREAK =
  /(?:[,;.]\s*|\s+)(?:and then|after that|followed by|then|and|with|before|after|while|until|plus)\s+|[,;.]\s*/gi;
const LEADING = /^(?:first,?\s+)?(?:(?:a|an|the)\s+)?/i;
const SHORTEST = 2; // letters before anything is suggested

/**
 * The clause at the caret, without what joins it to others.
 * @param {string} text @param {number} caret
 * @returns {{ start: number, end: number, words: string }}
 */
export function clauseAt(text, caret) {
  let start = 0;
  for (const joint of text.matchAll(BREAK)) {
    const end = joint.index + joint[0].length;
    if (end <= caret) start = end;
  }
  const article = LEADING.exec(text.slice(start, caret));
  if (article) start += article[0].length;
  return { start, end: caret, words: text.slice(start, caret).trimStart() };
}

/**
 * Known sounds of which every typed word begins a word, those that begin with the first one first.
 * @param {string} words @param {Sound[]} sounds @param {number} most
 * @returns {Sound[]}
 */
export function matching(words, sounds, most) {
  const typed = parts(words);
  if (!typed.length || words.trim().length < SHORTEST) return [];
  /** @type {{ sound: Sound, rank: number }[]} */
  const found = [];
  for (const sound of sounds) {
    const own = parts(sound[0]);
    if (!typed.every((word) => own.some((one) => one.startsWith(word)))) continue;
    found.push({ sound, rank: own[0].startsWith(typed[0]) ? 0 : 1 });
  }
  found.sort((a, b) => a.rank - b.rank);
  const names = found.map(({ sound }) => sound);
  if (names.length === 1 && names[0][0] === words.trim().toLowerCase()) return [];
  return names.slice(0, most);
}

/** @param {string} text */
function parts(text) {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
}

/**
 * A prompt with a known sound in place of the clause at the caret.
 * @param {string} text @param {number} caret @param {string} name
 * @returns {{ text: string, caret: number }}
 */
export function completed(text, caret, name) {
  const { start, end } = clauseAt(text, caret);
  return { text: text.slice(0, start) + name + text.slice(end), caret: start + name.length };
}

/** A prompt with one more sound. @param {string} text @param {string} name */
export function added(text, name) {
  const before = text.trim().replace(/[\s,;.]+$/, "");
  return before ? `${before} and ${name}` : name;
}

/**
 * A known sound, or two of them.
 * @param {Sound[]} sounds @param {() => number} random from 0, less than 1
 */
export function surprise(sounds, random) {
  const pick = () => sounds[Math.floor(random() * sounds.length)][0];
  const [first, second, kind] = [pick(), pick(), random()];
  if (kind < 0.5 || first === second) return first;
  return kind < 0.75 ? `${first} and ${second}` : `${first}, then ${second}`;
}

/**
 * Families in their order with the sounds in them of which a search leaves some.
 * @param {Sound[]} sounds @param {string} search
 * @returns {[family: string, names: string[]][]}
 */
export function families(sounds, search) {
  const typed = parts(search);
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const [name, family] of sounds) {
    const own = [...parts(name), ...parts(family)];
    if (!typed.every((word) => own.some((one) => one.startsWith(word)))) continue;
    found.set(family, [...(found.get(family) ?? []), name]);
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b));
}

/**
 * Write into a field as a person would, so that the page hears of it.
 * @param {HTMLTextAreaElement} area @param {string} text
 */
export function write(area, text) {
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}
