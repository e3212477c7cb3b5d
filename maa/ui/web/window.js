// @ts-check
// window.js: the stretch of a long sound that is used. Drag it, click beside it, or move it with the arrow keys.
import { clamp } from "./axes.js";
import { peaksOf } from "./codec.js";
import { find, h } from "./dom.js";
import { onDrag } from "./drag.js";
import { scopeOf } from "./scope.js";
import { drawWave } from "./sound.js";

const LABEL = "Start of the part that is used, in seconds";
const LITTLE = 0.05; // seconds: so little to choose from is none
/** @type {Record<string, number>} */
const STEPS = {
  ArrowLeft: -0.1,
  ArrowRight: 0.1,
  ArrowDown: -0.1,
  ArrowUp: 0.1,
  PageDown: -1,
  PageUp: 1,
  Home: -Infinity,
  End: Infinity,
};

/** @param {import("./dom.js").Host} host */
export function start({ element, props, watch }) {
  const root = find(element, ".widget");
  const scope = scopeOf(element);
  const canvas = h("canvas", { tabindex: "0", role: "slider", "aria-label": LABEL });
  const line = h("p", { class: "told" });
  root.append(canvas, line);
  /** @type {Int8Array | null} */
  let peaks = null;
  let [seconds, begin] = [0, 0];
  const last = () => Math.max(0, seconds - props.width);

  /** @param {number} to second */
  function move(to) {
    begin = Math.round(100 * clamp(to, 0, last())) / 100;
    draw();
  }
  const tell = () => {
    props.value = { ...props.value, start: begin, go: undefined };
  };

  function draw() {
    root.hidden = !peaks || last() <= LITTLE;
    if (root.hidden || !peaks) return;
    const end = Math.min(seconds, begin + props.width);
    line.textContent = `Used: ${begin.toFixed(1)} to ${end.toFixed(1)} of ${seconds.toFixed(1)} s`;
    canvas.setAttribute("aria-valuemin", "0");
    canvas.setAttribute("aria-valuemax", last().toFixed(2));
    canvas.setAttribute("aria-valuenow", begin.toFixed(2));
    canvas.setAttribute("aria-valuetext", line.textContent);
    const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, window.devicePixelRatio || 1];
    if (!width) return;
    Object.assign(canvas, { width: width * ratio, height: height * ratio });
    const g = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const style = getComputedStyle(root);
    const [from, to] = [(width * begin) / seconds, (width * end) / seconds];
    g.scale(ratio, ratio);
    g.fillStyle = style.getPropertyValue("--window");
    g.fillRect(from, 0, to - from, height);
    g.fillStyle = style.getPropertyValue("--line");
    drawWave(g, peaks, { left: 0, width, middle: height / 2, half: height / 2 - 2 });
    g.strokeStyle = style.getPropertyValue("--edge");
    g.lineWidth = 2;
    g.strokeRect(from + 1, 1, to - from - 2, height - 2);
  }

  let held = 0; // seconds from the window's beginning to the hand
  const secondAt = (/** @type {{ x: number }} */ at) => (at.x / canvas.clientWidth) * seconds;
  onDrag(scope, canvas, {
    start(at) {
      const where = secondAt(at);
      held = where >= begin && where <= begin + props.width ? where - begin : props.width / 2;
      move(where - held);
      return true;
    },
    move: (at) => move(secondAt(at) - held),
    end: tell,
    cancel: tell,
  });
  scope.listen(canvas, "keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    move(begin + step * (event.shiftKey ? 10 : 1));
    tell();
  });

  function load() {
    const { value } = props;
    if (!value) peaks = null;
    if (value?.peaks) {
      peaks = peaksOf(value.peaks);
      seconds = value.seconds;
      begin = value.start || 0;
    }
    if (Number.isFinite(value?.go)) {
      begin = value.go;
      props.value = { start: begin };
    }
    draw();
  }
  scope.onResize(canvas, draw);
  watch("value", load);
  load();
}
