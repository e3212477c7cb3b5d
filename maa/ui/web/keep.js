// @ts-check
// keep.js: what every tab's controls say, kept so that a page that is loaded anew, or comes back after the server was
// away, has it all again. The server tells of every change (maa/ui/keeping.py) and checks what comes back.
import { kept } from "./kept.js";

/** @typedef {Record<string, any>} Values of a tab's controls, by their names */

const STATE = "maa-state"; // told to the document with every change
const PAUSE = 250; // milliseconds without a change until it is written
const LARGE = 50_000; // letters of a value that is no setting
const NEVER = ["audio", "image", "video", "mask", "start"]; // what is given or painted goes into no link

export class Keeper {
  /**
   * @param {import("./scope.js").Scope} scope
   * @param {() => string} tab the one that is open
   */
  constructor(scope, tab) {
    this.tab = tab;
    this.store = kept("page");
    /** @type {Record<string, Values>} */
    this.tasks = {};
    this.ready = false; // nothing is written before what was kept is back
    this.waiting = scope.child();
    scope.listen(document, STATE, (event) => {
      const { task, names, values } = event.detail;
      this.tasks[task] = Object.fromEntries(
        names.map((/** @type {string} */ name, /** @type {number} */ i) => [name, short(values[i])]),
      );
      this.waiting.end();
      this.waiting = scope.child();
      this.waiting.timeout(PAUSE, () => this.write());
    });
    scope.listen(window, "pagehide", () => this.write());
  }

  /** What was kept: the tab that was open, and its and the others' values; null where nothing was. */
  before() {
    const found = this.store.get();
    return found && typeof found === "object" && found.tasks ? found : null;
  }

  /** From now on changes are written. */
  begin() {
    this.ready = true;
  }

  write() {
    if (!this.ready) return;
    const tasks = { ...this.before()?.tasks, ...this.tasks };
    if (this.store.put({ tab: this.tab(), tasks })) return;
    for (const values of Object.values(tasks)) delete values.mask; // the one thing that may be too large
    this.store.put({ tab: this.tab(), tasks });
  }

  /** The settings of a tab, without what was given or painted. @param {string} task @param {string[]} [without] */
  settings(task, without = []) {
    const values = this.tasks[task] || this.before()?.tasks[task] || {};
    return Object.fromEntries(
      Object.entries(values).filter(([name, value]) => value !== null && ![...NEVER, ...without].includes(name)),
    );
  }
}

/** Of a value what is needed to have it again. @param {any} value */
function short(value) {
  if (!value || typeof value !== "object") return value;
  const { path, mels, frames, mask } = value;
  if (typeof path === "string") return { upload: path }; // which the server may keep no longer
  if (typeof mask === "string") return { mels, frames, mask };
  return JSON.stringify(value).length < LARGE ? value : null;
}
