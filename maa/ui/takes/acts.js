// @ts-check
// acts.js: what can be made of a take, as the buttons at the end of its card.
import { h, textButton } from "../web/dom.js";

const FINER = "The same sound with more steps";

/** @param {import("./card.js").Card} card */
export function acts(card) {
  const { name, place, view } = card;
  const buttons = [
    card.opener,
    view.settings?.quality === "instant" ? asks("Refine", "take_refine", FINER) : null,
    place.edits ? asks("Use this result", "take_result") : null,
    asks("More like this", "take_more"),
    sender(card),
  ];
  return h("div", { class: "acts" }, buttons);

  /** @param {string} text @param {string} what @param {string} [title] */
  function asks(text, what, title) {
    return textButton(text, () => card.ask(what), { "aria-label": `${text}: ${name}`, title: title || null });
  }
}

/** @param {import("./card.js").Card} card */
function sender(card) {
  const { tasks, sounds } = card.place;
  const tabs = Object.entries(tasks).filter(([task]) => task !== card.view.task || sounds.includes(task));
  const send = h(
    "select",
    { "aria-label": `Send ${card.name} to another tab` },
    h("option", { value: "" }, "Send to …"),
    tabs.map(([task, label]) => h("option", { value: task }, label)),
  );
  send.addEventListener("change", () => {
    card.ask("take_send", { to: send.value });
    send.value = "";
  });
  return send;
}
