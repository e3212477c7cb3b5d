// @ts-check
// limits.js: a number outside its limits is put back when its field is left; here that is said.
import { say } from "./say.js";

/** @param {import("./scope.js").Scope} scope */
export function limitsAreSaid(scope) {
  const first = { capture: true };
  scope.listen(document, "focusout", said, first);
  scope.listen(document, "change", said, first);
}

/** @param {Event} event */
function said({ target }) {
  if (!(target instanceof HTMLInputElement) || target.type !== "number" || target.value === "") return;
  const [value, low, high] = [target.value, target.min, target.max].map((text) => (text === "" ? NaN : Number(text)));
  if (!(value < low) && !(value > high)) return;
  const block = target.closest(".block");
  const name = block?.querySelector("[data-testid=block-info], label span")?.textContent?.trim() || "This number";
  const range = Number.isNaN(high) ? `begins at ${low}` : `goes from ${low} to ${high}`;
  say(`${name} ${range}: ${value} became ${value > high ? high : low}.`);
}
