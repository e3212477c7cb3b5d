// @ts-check
// store.js: the history. It lies in this visitor's browser only; the sounds lie on the server while it keeps them.

/** @typedef {import("../web/sound.js").View} View */

export const HISTORY = "maa-history"; // its place in the browser, and the event that says that it has changed
const MOST = 300;

export const store = {
  /** @returns {View[]} newest first */
  all() {
    try {
      const items = JSON.parse(localStorage.getItem(HISTORY) || "[]");
      return Array.isArray(items) ? items.filter((item) => item?.id && item.settings) : [];
    } catch {
      return [];
    }
  },

  /** @param {View[]} items */
  write(items) {
    const starred = items.filter((item) => item.star);
    let rest = items.filter((item) => !item.star).slice(0, Math.max(0, MOST - starred.length));
    for (;;) {
      try {
        const kept = new Set([...starred, ...rest].map((item) => item.id));
        localStorage.setItem(HISTORY, JSON.stringify(items.filter((item) => kept.has(item.id))));
        break;
      } catch {
        // the browser's room is full, or there is none
        if (!rest.length) break;
        rest = rest.slice(0, Math.floor(rest.length / 2));
      }
    }
    document.dispatchEvent(new CustomEvent(HISTORY));
  },

  /** What is there already keeps its star. @param {View[]} views */
  add(views) {
    const items = this.all();
    const known = new Set(items.map((item) => item.id));
    const fresh = views.filter((view) => !view.example && !known.has(view.id));
    if (fresh.length) this.write([...fresh.map((view) => ({ ...view, at: Date.now() })), ...items]);
  },

  /** @param {string} id */
  get(id) {
    return this.all().find((item) => item.id === id);
  },

  /** @param {View} view @param {boolean} on */
  star(view, on) {
    if (!this.get(view.id)) this.write([{ ...view, at: Date.now() }, ...this.all()]);
    this.write(this.all().map((item) => (item.id === view.id ? { ...item, star: on } : item)));
  },

  /** @param {View} view @param {string} title "" = as it was called before */
  rename(view, title) {
    this.write(this.all().map((item) => (item.id === view.id ? { ...item, title: title || undefined } : item)));
  },

  /** @param {View} view @param {string} folder "" = none */
  file(view, folder) {
    this.write(this.all().map((item) => (item.id === view.id ? { ...item, folder: folder || undefined } : item)));
  },

  /** The folders that there are, in the order of their names. */
  folders() {
    return [...new Set(this.all().flatMap((item) => item.folder || []))].sort((a, b) => a.localeCompare(b));
  },

  /** What is done to a sound when it is written. @param {View} view @param {Record<string, any>} shaping */
  shape(view, shaping) {
    const said = Object.keys(shaping).length ? shaping : undefined;
    if (!this.get(view.id)) return; // an example
    this.write(this.all().map((item) => (item.id === view.id ? { ...item, shaping: said } : item)));
  },

  /** @param {(item: View) => boolean} test */
  drop(test) {
    this.write(this.all().filter((item) => !test(item)));
  },
};
