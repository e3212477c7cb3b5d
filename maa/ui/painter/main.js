// main.js: the painter comes to life. `element`, `props` and `watch` are Gradio's.

const desk = new Desk(element.querySelector(".painter"), (mask) => { props.value = { ...props.value, mask }; });

listenToPointer(desk);
listenToKeys(desk);

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.tool) desk.choose(button.dataset.tool);
  if (button.dataset.act) desk.act(button.dataset.act);
  if (button.dataset.exact) markExactly(button.dataset.exact === "mark" ? 1 : 0);
});

element.querySelector(".size").addEventListener("input", (event) => desk.resizeBrush(Number(event.target.value)));

// The box that the four number fields name, in seconds and hertz. An empty field means the edge of the picture.
function markExactly(value) {
  if (!desk.grid) return;
  const [start, end, low, high] = ["start", "end", "low", "high"].map((name) => element.querySelector(`[name="${name}"]`).value);
  const region = [
    Number(start),
    end === "" ? desk.axes.seconds : Number(end),
    Number(low),
    high === "" ? desk.axes.edges[desk.axes.edges.length - 1] : Number(high),
  ];
  if (region[1] <= region[0] || region[3] <= region[2] || region[0] >= desk.axes.seconds) {
    desk.tell("That box is empty: its end should lie after its start, its top above its bottom, and both in the sound.");
    return;
  }
  desk.change((grid) => grid.fill(desk.axes.boxOf(...region), value));
}

// The picture has no size while its tab is closed.
new ResizeObserver(() => desk.fit()).observe(desk.canvas);
watch("value", () => desk.load(props.value));
desk.load(props.value);
desk.root.dataset.ready = "true";
