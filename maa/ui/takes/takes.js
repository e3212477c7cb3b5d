// takes.js: the results column of one tab.

const root = element.querySelector(".maa-root");
const compare = new Compare(props.task);
const empty = h("div", { class: "empty", id: `${props.task}-empty` }, h("p", null, props.hint));
const live = { chart: new Chart("The spectrogram as it is now, while the noise is being removed"), line: h("span") };
live.root = h("figure", { class: "live", hidden: true }, h("figcaption", null, h("strong", null, "In the making"), live.line), live.chart.canvas);
const again = textButton("Same again, new seeds", () => cards.length && trigger("take_again", cards[0].asked()), { hidden: true });
const frames = h("div", { class: "frames", hidden: true, tabindex: "0", "aria-label": "Frames of the clip that were looked at" });
const list = h("div", { class: "list" });
const before = h("div", { class: "list before" });
let cards = [], original = null;

root.append(live.root, empty, h("div", { class: "tools" }, again), frames, list, compare.root, before);

const host = {
  compare(view) {
    const choices = [];
    if (original) choices.push({ label: "Your sound", view: original });
    for (const card of cards) choices.push({ label: card.name, view: card.view });
    for (const item of store.all().slice(0, 30)) {
      if (!cards.some((card) => card.view.id === item.id)) choices.push({ label: `Before: seed ${item.seed}, ${(item.settings.prompt || TASKS[item.task]).slice(0, 40)}`, view: item });
    }
    const b = choices.findIndex((choice) => choice.view === view);
    const a = choices.findIndex((choice, i) => i !== b);
    if (a < 0) { cards.find((card) => card.view === view).say("Make another take to compare this one with."); return; }
    compare.open(choices, a, b);
  },
};

function showTakes(value) {
  // A take that is being heard goes on; it moves below the new ones.
  for (const card of [...before.children]) if (card.maa.media.paused) card.remove();
  for (const card of cards.filter((one) => !one.media.paused)) { card.root.removeAttribute("id"); card.root.maa = card; before.append(card.root); }
  original = value.original || null;
  compare.close();
  cards = value.takes.map((view, i) => new Card(view, host, { id: `${props.task}-take-${i + 1}` }));
  list.replaceChildren(...cards.map((card) => card.root));
  empty.hidden = cards.length > 0;
  again.hidden = !cards.length || cards[0].view.example;
  showFrames(value.frames || []);
  store.add(value.takes);
}

function showFrames(pictures) {
  frames.hidden = !pictures.length;
  frames.replaceChildren(...pictures.map((one) => h("figure", null, h("img", { src: one.url, alt: `The clip at ${one.at.toFixed(1)} seconds`, loading: "lazy" }), h("figcaption", null, `${one.at.toFixed(1)} s`))));
}

function showLive(value) {
  live.root.hidden = !value;
  if (!value) return;
  empty.hidden = true;
  live.line.textContent = ` step ${value.step} of ${value.total}`;
  live.chart.view = value;
  levelsOf(value.levels).then((levels) => live.chart.show(coloured(levels)), () => {});
}

let seen = null;
function update() {
  const value = props.value;
  if (!value || JSON.stringify(value) === seen) return;
  seen = JSON.stringify(value);
  if (value.takes) showTakes(value);
  showLive(value.live || null);
  if (!value.live) empty.hidden = cards.length > 0;
}

watch("value", update);
update();
root.dataset.ready = "true";
