// @ts-check
// kept.js: what outlives a load of the page in this tab of the browser, and nothing else: its session storage.

const NAME = "maa-";

/** @param {string} name */
export function kept(name) {
  const key = NAME + name;
  return {
    /** What was put there; null where there is nothing, or what no one has written here. @returns {any} */
    get() {
      try {
        return JSON.parse(sessionStorage.getItem(key) || "null");
      } catch {
        return null;
      }
    },
    /** False where there is no room. @param {unknown} value */
    put(value) {
      try {
        sessionStorage.setItem(key, JSON.stringify(value));
        return true;
      } catch {
        return false;
      }
    },
    drop() {
      try {
        sessionStorage.removeItem(key);
      } catch {
        // the browser keeps nothing
      }
    },
  };
}
