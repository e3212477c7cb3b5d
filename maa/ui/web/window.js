// The stretch of a long sound that is used. Drag it, click beside it, or move it with the arrow keys.
const root = element.querySelector(".small-root");
const canvas = document.createElement("canvas"), line = document.createElement("p");
canvas.tabIndex = 0;
canvas.setAttribute("role", "slider");
canvas.setAttribute("aria-label", "Start of the part that is used, in seconds");
line.className = "told";
root.append(canvas, line);
let peaks = null, seconds = 0, start = 0;
const last = () => Math.max(0, seconds - props.width);

function move(to, tell = true) {
  start = Math.round(100 * Math.max(0, Math.min(last(), to))) / 100;
  draw();
  if (tell) props.value = { ...props.value, start, go: undefined };
}

function draw() {
  root.hidden = !peaks || last() <= 0.05;
  if (root.hidden) return;
  const end = Math.min(seconds, start + props.width);
  line.textContent = `Used: ${start.toFixed(1)} to ${end.toFixed(1)} of ${seconds.toFixed(1)} s`;
  canvas.setAttribute("aria-valuemin", "0");
  canvas.setAttribute("aria-valuemax", last().toFixed(2));
  canvas.setAttribute("aria-valuenow", start.toFixed(2));
  canvas.setAttribute("aria-valuetext", line.textContent);
  const width = canvas.clientWidth, height = canvas.clientHeight, scale = window.devicePixelRatio || 1;
  if (!width) return;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d"), style = getComputedStyle(root);
  pen.scale(scale, scale);
  pen.fillStyle = style.getPropertyValue("--window");
  pen.fillRect((width * start) / seconds, 0, (width * (end - start)) / seconds, height);
  pen.fillStyle = style.getPropertyValue("--wave");
  const count = peaks.length / 2, middle = height / 2;
  for (let i = 0; i < count; i++) {
    const low = peaks[2 * i] / 127, high = peaks[2 * i + 1] / 127;
    pen.fillRect((width * i) / count, middle - high * (middle - 2), Math.max(1, width / count), Math.max(1, (high - low) * (middle - 2)));
  }
  pen.strokeStyle = style.getPropertyValue("--edge");
  pen.lineWidth = 2;
  pen.strokeRect((width * start) / seconds + 1, 1, (width * (end - start)) / seconds - 2, height - 2);
}

let grip = null;
const at = (event) => ((event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth) * seconds;
canvas.addEventListener("pointerdown", (event) => {
  const where = at(event);
  grip = where >= start && where <= start + props.width ? where - start : props.width / 2;
  canvas.setPointerCapture(event.pointerId);
  move(where - grip, false);
});
canvas.addEventListener("pointermove", (event) => { if (grip !== null) move(at(event) - grip, false); });
canvas.addEventListener("pointerup", () => { grip = null; move(start); });
canvas.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -0.1, ArrowRight: 0.1, ArrowDown: -0.1, ArrowUp: 0.1, PageDown: -1, PageUp: 1, Home: -Infinity, End: Infinity }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  move(start + step * (event.shiftKey ? 10 : 1));
});

function load() {
  const value = props.value;
  if (!value) peaks = null;
  if (value && value.peaks) {
    peaks = new Int8Array(Uint8Array.from(atob(value.peaks), (letter) => letter.charCodeAt(0)).buffer);
    seconds = value.seconds;
    start = value.start || 0;
  }
  if (value && Number.isFinite(value.go)) { start = value.go; props.value = { start }; }
  draw();
}
new ResizeObserver(draw).observe(canvas);
watch("value", load);
load();
