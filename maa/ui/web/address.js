// @ts-check
// address.js: the open tab in the page's address, so that Back and Forward go from tab to tab; and links that carry
// settings: #text?BASE64 of JSON. What a link carries is only handed on; the server checks it.
import { base64Of, bytesOf } from "./codec.js";

const LONGEST = 12_000; // letters of a link that are read

/** @typedef {{ tab: string, settings: Record<string, any> | null }} Place what an address says */

/** @param {string} hash @returns {Place | null} null where it says nothing */
export function placeOf(hash) {
  const [tab, data] = hash.replace(/^#/, "").split("?");
  if (!/^[a-z]+$/.test(tab)) return null;
  if (!data || data.length > LONGEST) return { tab, settings: null };
  try {
    const bytes = bytesOf(data.replaceAll("-", "+").replaceAll("_", "/"));
    const settings = JSON.parse(new TextDecoder().decode(bytes));
    return { tab, settings: settings && typeof settings === "object" && !Array.isArray(settings) ? settings : null };
  } catch {
    return { tab, settings: null };
  }
}

/** The part of an address that says it. @param {string} tab @param {Record<string, any>} settings */
export function hashOf(tab, settings) {
  const data = base64Of(new TextEncoder().encode(JSON.stringify(settings)));
  return `#${tab}?${data.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/**
 * The tabs of the page and its address follow each other.
 * @param {import("./scope.js").Scope} scope
 * @param {Record<string, string>} names the tabs' own, by what they are called in an address
 * @param {(place: Place) => void} linked an address with settings came
 */
export function followTabs(scope, names, linked) {
  /** @returns {HTMLElement[]} */
  const buttons = () => [...document.querySelectorAll("#tasks [role=tab]")].map((one) => /** @type {any} */ (one));
  const idOf = (/** @type {Element} */ button) => {
    return Object.keys(names).find((id) => names[id] === button.textContent?.trim()) || "";
  };
  const open = () => {
    const button = buttons().find((one) => one.getAttribute("aria-selected") === "true");
    return button ? idOf(button) : "";
  };
  let going = false; // Back or Forward is on its way to a tab
  let chosen = false; // somebody has opened a tab
  const go = (/** @type {string} */ tab) => {
    going = true;
    buttons()
      .find((button) => idOf(button) === tab)
      ?.click();
    going = false;
  };

  scope.listen(document, "click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("#tasks [role=tab]") : null;
    const id = button ? idOf(button) : "";
    chosen ||= Boolean(id) && event.isTrusted;
    if (!id || going || id === placeOf(location.hash)?.tab) return;
    history.pushState(null, "", `#${id}`);
  });
  scope.listen(window, "popstate", () => {
    const place = placeOf(location.hash) || { tab: Object.keys(names)[0], settings: null };
    if (place.settings) {
      clean(place.tab);
      linked(place);
      return;
    }
    go(place.tab);
  });
  /** The tab of before, unless somebody was quicker. @param {string | undefined} tab */
  const back = (tab) => {
    if (tab && !chosen && tab !== open()) go(tab);
  };
  return { open, back };
}

/** The address without settings: from now on the page's own count. @param {string} tab */
export function clean(tab) {
  history.replaceState(null, "", `#${tab}`);
}
