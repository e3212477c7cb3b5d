// @ts-check
// seed.js: a seed that came with settings (of an example, a take, a file) holds for these settings. Once other words
// are typed, seeds are new again, unless a person has chosen to keep theirs.

/** @param {import("./scope.js").Scope} scope */
export function freeSeeds(scope) {
  /** @type {Set<string>} tasks whose seed a person wants to keep */
  const wanted = new Set();
  scope.listen(
    document,
    "click",
    (/** @type {Event} */ event) => {
      const task = taskOf(event.target, ["fresh", "dice"]);
      if (!task || !event.isTrusted) return;
      const box = boxOf(task);
      const rolled = Boolean(/** @type {Element} */ (event.target).closest(`#${task}-dice`));
      if (rolled || (box && event.target === box && !box.checked)) wanted.add(task);
      else if (event.target === box) wanted.delete(task);
    },
    { capture: true },
  );
  scope.listen(document, "input", (/** @type {Event} */ event) => {
    const task = taskOf(event.target, ["prompt"]);
    const box = task ? boxOf(task) : null;
    if (task && box && !box.checked && !wanted.has(task)) box.click();
  });
}

/** @param {string} task @returns {HTMLInputElement | null} */
function boxOf(task) {
  return document.querySelector(`#${task}-fresh input`);
}

/** The tab of the control that something happened to. @param {EventTarget | null} target @param {string[]} names */
function taskOf(target, names) {
  if (!(target instanceof Element)) return null;
  const control = target.closest(names.map((name) => `[id$="-${name}"]`).join(", "));
  return control ? control.id.slice(0, control.id.lastIndexOf("-")) : null;
}
