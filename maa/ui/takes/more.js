// @ts-check
// more.js: what else can be done with a take, behind three dots.
import { copyText, h, icon, save, textButton } from "../web/dom.js";

/** @typedef {import("./card.js").Card} Card */

/** The menu of a card; its entries lie in `card.items`. @param {Card} card */
export function moreOf(card) {
  const { view } = card;
  const items = [
    textButton("Use these settings", () => card.ask("take_use")),
    textButton("Same again, new seed", () => card.ask("take_again")),
  ];
  if (view.command) items.push(textButton("Copy as command", () => copy(card, view.command || "")));
  if (view.bundle) items.push(textButton("Command, input and mask as zip", () => bundle(card)));
  items.push(textButton("Show the settings", () => settings(card)));
  const summary = h("summary", { "aria-label": `More for ${card.name}`, title: "More" }, icon("more"));
  card.items = h("div", { class: "items" }, items);
  const menu = h("details", { class: "menu" }, summary, card.items);
  menu.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest("button")) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    summary.focus();
  });
  card.scope.listen(document, "click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  return menu;
}

/** @param {Card} card @param {string} command */
async function copy(card, command) {
  await copyText(command, card.root);
  card.say("Copied. Paste it into a terminal.");
}

/** @param {Card} card */
async function bundle(card) {
  const made = await card.place.host.server.bundle(card.view.id);
  if (made.error) card.say(made.error);
  else save(made.url, made.file, card.root);
}

/** @param {Card} card */
function settings(card) {
  const { settings, command } = card.view;
  const shown = card.root.querySelector("pre");
  if (shown) shown.remove();
  else card.root.append(h("pre", { tabindex: "0" }, JSON.stringify(settings, null, 1), "\n\n", command || ""));
}
