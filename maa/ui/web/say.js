// @ts-check
// say.js: a sentence for the status line of the open tab, from a script that has none of its own.

/** @param {string} text */
export function say(text) {
  const lines = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[id$='-status'] [role=status]"));
  const line = [...lines].find((one) => one.offsetParent !== null);
  if (line) line.textContent = text;
}
