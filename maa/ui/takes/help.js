// @ts-check
// help.js: the list of keys, and the wish to be told when a job is done.
import { h, iconButton, textButton } from "../web/dom.js";
import { want, wanted } from "../web/title.js";
import { CLIP_KEYS, KEYS, PAINTER_KEYS } from "./hotkeys.js";

const REFUSED = "Your browser does not allow this page to show notifications.";

/** A button and the dialog that it opens. */
export function help() {
  const told = h("span", { role: "status" });
  const notify = h("input", { type: "checkbox", checked: wanted() });
  notify.addEventListener("change", async () => {
    const asked = notify.checked;
    notify.checked = await want(asked);
    told.textContent = asked && !notify.checked ? REFUSED : "";
  });
  const close = iconButton("close", "Close", () => dialog.close());
  const dialog = h(
    "dialog",
    { class: "help", "aria-labelledby": "help-title" },
    h("header", null, h("h2", { id: "help-title" }, "Keys"), close),
    table(KEYS),
    h("h3", null, "While the picture of an opened take has the focus"),
    table(CLIP_KEYS),
    h("h3", null, "While the painter has the focus"),
    table(PAINTER_KEYS),
    h("p", null, h("label", null, notify, " Notify me when a job is done and this page is out of sight"), told),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
  const open = () => {
    if (!dialog.open) dialog.showModal();
  };
  const button = textButton("Keys", open, { title: "The keys of this page (?)", "aria-haspopup": "dialog" });
  return { button, dialog, open };
}

/** @param {string[][]} keys */
function table(keys) {
  return h("dl", null, ...keys.flatMap(([key, what]) => [h("dt", null, key), h("dd", null, what)]));
}
