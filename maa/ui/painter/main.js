// main.js: the painter comes to life. `element`, `props` and `watch` are Gradio's.

const desk = new Desk(element.querySelector(".painter"), (mask) => { props.value = { ...props.value, mask }; });

listenToPointer(desk);
listenToKeys(desk);
listenToFields(desk);

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.tool) desk.choose(button.dataset.tool);
  if (button.dataset.act) desk.act(button.dataset.act);
  if (button.dataset.part && desk.grid) desk.listen({ part: button.dataset.part });
});

// The picture has no size while its tab is closed; a window on another screen has other pixels.
new ResizeObserver(() => desk.fit()).observe(desk.canvas);
window.addEventListener("resize", () => { if (desk.root.isConnected) desk.fit(); });
// A move to another screen may change the pixels alone, and no resize follows that.
const watchPixels = () => matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`).addEventListener("change", () => {
  if (desk.root.isConnected) { desk.fit(); watchPixels(); }
}, { once: true });
watchPixels();
watch("value", () => desk.load(props.value));
desk.load(props.value);
desk.resizeBrush(desk.brush.ms, desk.brush.hertz);
desk.root.dataset.ready = "true";
