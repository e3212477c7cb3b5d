// @ts-check
// status.js: the status line under the Generate button; its value comes from maa/ui/status.py. It keeps the key of a
// job that runs, so that a page that is loaded anew finds the job again.
import { find } from "./dom.js";
import { kept } from "./kept.js";
import { scopeOf } from "./scope.js";

export const STATUS = "maa-status"; // told to the document by every line that has changed
const WAITED = "Your job was not begun yet, or could not go on, when this page was loaded anew. Press Generate.";
const SETTLE = 300; // milliseconds until the page takes requests
const QUIET = 5000; // milliseconds without news of a job after which the connection is looked at
const HANGS = 5000; // milliseconds that an answer may take
const LOST = "No connection to the server. What you have typed is kept, and this page looks for it until it is back.";

/** @param {import("./dom.js").Host} host */
export function start({ element, props, trigger, watch }) {
  const [line, bar, text] = [".line", ".bar", ".text"].map((name) => find(element, name));
  const scope = scopeOf(element);
  const job = kept(`job-${props.task}`);
  const waiting = kept(`waiting-${props.task}`);
  const found = document.getElementById(`${props.task}-status`);
  const starts = ["generate", "remove", "strip", "goon"].map((name) => `#${props.task}-${name}`).join(", ");
  let looking = scope.child();
  let placed = false; // the line tells of a place in the queue

  /** @param {{ state: string, text: string, part: number }} value */
  function show(value) {
    line.dataset.state = value.state;
    bar.style.width = `${100 * value.part}%`;
    line.dataset.open = String(value.state === "busy" && !value.part);
    if (text.textContent !== value.text) text.textContent = value.text;
  }

  /** While a job runs there is news all the time; where there is none, the line may be broken. */
  function listen() {
    looking.end();
    looking = scope.child();
    if (props.value?.state !== "busy") return;
    looking.timeout(QUIET, async () => {
      const signal = AbortSignal.timeout(HANGS); // one that is ending takes a call and never answers
      const there = await fetch("gradio_api/startup-events", { method: "HEAD", signal }).catch(() => null);
      if (!there) show({ state: "failed", text: LOST, part: 0 });
      listen();
    });
  }

  function update() {
    const value = props.value || { state: "idle", text: "", part: 0 };
    show(value);
    placed = false;
    document.dispatchEvent(new CustomEvent(STATUS, { detail: { task: props.task, value } }));
    if (value.state !== "busy" || value.job) waiting.drop(); // without a key nobody finds the job again
    if (value.state === "busy" && value.job) job.put(value.job);
    else job.drop();
    listen();
  }

  // The button is not this component's; what it starts is told here once the server has begun.
  scope.listen(
    document,
    "click",
    (event) => {
      if (event.target instanceof Element && event.target.closest(starts)) waiting.put(true);
    },
    { capture: true },
  );
  /** Gradio writes the place in the queue beside the line, in its own words. */
  function place() {
    const [, before] = /queue:\s*(\d+)\s*\//.exec(found?.textContent || "") || [];
    if (!waiting.get() || props.value?.state === "busy") return;
    if (!before) {
      if (placed) show(props.value);
      placed = false;
      return;
    }
    placed = true;
    const jobs = Number(before) - 1;
    const text = jobs > 0 ? `Waiting for ${jobs} ${jobs === 1 ? "job" : "jobs"} before yours …` : "Yours is next …";
    show({ state: "busy", text, part: 0 });
  }
  if (found) scope.onChange(found, place);
  watch("value", update);
  const before = job.get();
  if (before) scope.timeout(SETTLE, () => trigger("resume", { job: before }));
  show(before || !waiting.get() ? props.value : { state: "idle", text: WAITED, part: 0 });
  waiting.drop();
}
