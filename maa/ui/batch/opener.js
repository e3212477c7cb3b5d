// @ts-check
// opener.js: a list from a file, opened or dropped anywhere while this tab is open. The browser reads it; the server
// checks what is in it.
import { find, h, textButton } from "../web/dom.js";
import { scopeOf } from "../web/scope.js";

const ENDINGS = /\.(txt|csv)$/i;
const LARGEST = 1_000_000; // bytes

/** @param {import("../web/dom.js").Host} host */
export function start({ element, trigger }) {
  const root = find(element, ".maa-root");
  const scope = scopeOf(element);
  const hidden = { class: "away", tabindex: "-1", "aria-hidden": "true" };
  const file = h("input", { type: "file", accept: ".txt,.csv,text/plain,text/csv", ...hidden });
  const told = h("p", { class: "said", role: "status" });
  root.append(
    h(
      "div",
      { class: "tools" },
      textButton("Open a list (TXT or CSV)", () => file.click()),
      file,
    ),
    told,
  );

  /** @param {File | undefined} one */
  async function take(one) {
    if (!one) return;
    told.textContent = one.size > LARGEST ? `“${one.name}” is larger than 1 MB; a list here is shorter.` : "";
    if (one.size <= LARGEST) trigger("listed", { name: one.name, text: await one.text() });
  }
  scope.listen(file, "change", () => {
    take(file.files?.[0]);
    file.value = "";
  });

  // Before the page as a whole hears of it, which looks for settings in what is dropped.
  const here = () => root.checkVisibility();
  const ours = (/** @type {DragEvent} */ event) => {
    const [one] = event.dataTransfer?.items || [];
    return here() && one?.kind === "file" && /^text\/|excel|^$/.test(one.type);
  };
  const early = { capture: true };
  scope.listen(document, "dragover", (event) => ours(event) && event.preventDefault(), early);
  scope.listen(
    document,
    "drop",
    (/** @type {DragEvent} */ event) => {
      const [one] = event.dataTransfer?.files || [];
      if (!here() || !one || !ENDINGS.test(one.name)) return;
      event.preventDefault();
      event.stopPropagation();
      for (const veil of document.querySelectorAll(".veil")) veil.setAttribute("hidden", "");
      take(one);
    },
    early,
  );
  root.dataset.ready = "true";
}
