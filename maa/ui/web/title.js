// @ts-check
// title.js: how far a job is, in the title of the page's tab; and where somebody wants it, a notification at its end.
import { STATUS } from "./status.js";

const WANTED = "maa-notify"; // place in the browser of the wish to be told
const NAME = "Make-An-Audio";

/** Whether somebody wants to be told, and the browser does it. */
export function wanted() {
  return localStorage.getItem(WANTED) === "yes" && "Notification" in window && Notification.permission === "granted";
}

/** Say that somebody wants to be told, or not any more; the browser asks them once. @param {boolean} on */
export async function want(on) {
  if (on && "Notification" in window && (await Notification.requestPermission()) !== "granted") return false;
  localStorage.setItem(WANTED, on ? "yes" : "no");
  return on;
}

/** @param {import("./scope.js").Scope} scope */
export function titleTells(scope) {
  /** @type {Map<string, number>} parts of jobs that run, by tab */
  const running = new Map();
  let ended = "";

  function show() {
    const parts = [...running.values()];
    if (parts.length) document.title = `${Math.round(100 * Math.min(...parts))} % · ${NAME}`;
    else document.title = ended ? `${ended} · ${NAME}` : NAME;
  }
  scope.listen(document, STATUS, (event) => {
    const { task, value } = event.detail;
    const ran = running.delete(task);
    if (value.state === "busy") running.set(task, value.part);
    else if (ran && document.hidden && (value.state === "done" || value.state === "failed")) {
      ended = value.state === "done" ? "Done" : "Failed";
      if (wanted()) tell(value.text);
    }
    show();
  });
  scope.listen(document, "visibilitychange", () => {
    if (document.hidden) return;
    ended = "";
    show();
  });
}

/** @param {string} text */
function tell(text) {
  const told = new Notification(NAME, { body: text, tag: NAME });
  told.onclick = () => {
    window.focus();
    told.close();
  };
}
