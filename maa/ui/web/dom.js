// @ts-check
// dom.js: making elements. Text only ever becomes text.

/**
 * What Gradio hands to the script of a component.
 * @typedef {object} Host
 * @property {HTMLElement} element
 * @property {Record<string, any>} props
 * @property {(event: string, data?: any) => void} trigger
 * @property {Record<string, (...given: any[]) => Promise<any>>} server
 * @property {(file: File) => Promise<{ path: string, url: string }>} upload
 * @property {(name: string, act: () => void) => void} watch
 */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any> | null} [props] attributes, properties, and listeners as "onclick"
 * @param {...any} children nodes and texts; null is left out
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props, ...children) {
  /** @type {any} */
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * The first element inside that fits, which has to be there.
 * @param {Element} root @param {string} selector @returns {any}
 */
export function find(root, selector) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`There is no ${selector}.`);
  return found;
}

const SHAPES = {
  play: "M5 3.5v13l11-6.5z",
  pause: "M5 3.5h3.5v13H5zM11.5 3.5H15v13h-3.5z",
  star: "M10 2.5l2.3 4.9 5.2.7-3.8 3.7.9 5.3L10 14.6l-4.6 2.5.9-5.3L2.5 8.1l5.2-.7z",
  down: "M9 2.5h2v7.6l2.8-2.8 1.4 1.4L10 13.9 4.8 8.7l1.4-1.4L9 10.1zM3.5 15.5h13v2h-13z",
  more: "M4 8.5h3v3H4zM8.5 8.5h3v3h-3zM13 8.5h3v3h-3z",
  loop:
    "M3.5 9V7.5A3.5 3.5 0 0 1 7 4h6V1.2L17.5 5 13 8.8V6H7a1.5 1.5 0 0 0-1.5 1.5V9z" +
    "M16.5 11v1.5A3.5 3.5 0 0 1 13 16H7v2.8L2.5 15 7 11.2V14h6a1.5 1.5 0 0 0 1.5-1.5V11z",
  close: "M5 3.6L10 8.6l5-5L16.4 5l-5 5 5 5-1.4 1.4-5-5-5 5L3.6 15l5-5-5-5z",
};
const SVG = "http://www.w3.org/2000/svg";

/** @typedef {keyof typeof SHAPES} Icon */

/** @param {Icon} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** @param {Icon} name @param {string} label @param {() => void} act @param {Record<string, any>} [extra] */
export function iconButton(name, label, act, extra) {
  const props = { type: "button", class: "icon", "aria-label": label, title: label, onclick: act, ...extra };
  return h("button", props, icon(name));
}

/** @param {string} label @param {() => void} act @param {Record<string, any>} [extra] */
export function textButton(label, act, extra) {
  return h("button", { type: "button", class: "small", onclick: act, ...extra }, label);
}

/** @param {HTMLElement} button @param {Icon} name @param {string} label */
export function setIcon(button, name, label) {
  button.replaceChildren(icon(name));
  button.setAttribute("aria-label", label);
  button.title = label;
}

/** @param {Element} button @param {boolean} on */
export function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

/** @param {number} seconds */
export function clock(seconds) {
  if (seconds < 60) return seconds.toFixed(1);
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/** @param {string} text @param {Element} place something in the page */
export async function copyText(text, place) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // not over https: the old way
    const area = h("textarea", { class: "away" }, text);
    place.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** @param {string} url @param {string} name @param {Element} place something in the page */
export function save(url, name, place) {
  const link = h("a", { href: url, download: name });
  place.append(link);
  link.click();
  link.remove();
}
