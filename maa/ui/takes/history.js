// history.js: everything made in this browser, newest first. It reads what the tabs' widgets have stored.

const root = element.querySelector(".maa-root");
const compare = new Compare("history");
const search = h("input", { type: "search", placeholder: "Search the prompts", "aria-label": "Search the prompts", oninput: () => fill() });
const which = h("select", { "aria-label": "Which sounds", onchange: () => fill() },
  h("option", { value: "" }, "All"), h("option", { value: "star" }, "Starred"),
  Object.entries(TASKS).map(([task, name]) => h("option", { value: task }, name)));
const zip = textButton("Download the starred (zip)", () => bundleStars());
const clear = textButton("Forget all but the starred", () => { if (window.confirm("Forget every sound that is not starred?")) store.drop((item) => !item.star); });
const line = h("p", { class: "line", role: "status", "aria-live": "polite" });
const list = h("div", { class: "list history" });
const empty = h("div", { class: "empty" }, h("p", null, "Nothing here yet. What you make in the tabs is listed here: its settings in this browser, its sound as long as the server keeps it (a day)."));
const PAGE = 24;
let shown = PAGE, cards = [], picked = null;
const more = textButton("Show more", () => { shown += PAGE; fill(); });

root.append(h("div", { class: "tools" }, search, which, zip, clear), line, compare.root, empty, list, h("div", { class: "tools" }, more));

const host = {
  compare(view) {
    if (!picked || picked === view) { picked = view; line.textContent = "Now choose the second sound: press its compare button."; return; }
    const others = store.all().slice(0, 40).map((item) => ({ label: titled(item), view: item }));
    const place = (one) => { let i = others.findIndex((choice) => choice.view.id === one.id); if (i < 0) i = others.push({ label: titled(one), view: one }) - 1; return i; };
    const pair = [place(picked), place(view)];
    picked = null;
    line.textContent = "";
    compare.open(others, ...pair);
  },
};

const said = (item) => item.settings.prompt || ((item.settings.heard_as || [])[0] || [""])[0] || "";
// What a card says where nobody said anything: the stretches that were made anew.
const unsaid = (item) => {
  const spans = (item.settings.spans || []).map(([start, end]) => `${start.toFixed(1)} to ${end.toFixed(1)} s`);
  return spans.length ? `Without a prompt: ${spans.join(", ")} made anew` : "Without a prompt";
};
const titled = (item) => `${TASKS[item.task]}, seed ${item.seed}${said(item) ? `, ${said(item).slice(0, 40)}` : ""}`;

function fill() {
  const wanted = search.value.trim().toLowerCase();
  const items = store.all().filter((item) => (!which.value || (which.value === "star" ? item.star : item.task === which.value)) && (!wanted || said(item).toLowerCase().includes(wanted)));
  const kept = new Map(cards.map((card) => [card.view.id, card]));
  cards = items.slice(0, shown).map((item) => {
    const old = kept.get(item.id);
    if (old && old.starred === Boolean(item.star)) return old;
    const card = new Card(item, host, { title: `${TASKS[item.task]} ${new Date(item.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`, prompt: said(item) || unsaid(item) });
    card.chart.whenSeen(() => check(card));
    return card;
  });
  list.replaceChildren(...cards.map((card) => card.root));
  empty.hidden = items.length > 0;
  more.parentElement.hidden = items.length <= shown;
}

// Is the sound still there? When it is not, only its settings are, and they make it again.
async function check(card) {
  let there = false;
  try { there = (await fetch(card.view.url, { method: "HEAD" })).ok; } catch { /* the server is away */ }
  if (there) return;
  card.root.dataset.gone = "true";
  card.playing.disabled = true;
  card.say("The server does not keep this sound any more.");
  card.said.append(" ", textButton("Make it again", () => trigger("take_use", card.asked({ go: true }))));
}

async function bundleStars() {
  const ids = store.all().filter((item) => item.star).map((item) => item.id);
  if (!ids.length) { line.textContent = "Star the sounds that you want first."; return; }
  const made = await server.stars(ids);
  if (made.error) { line.textContent = made.error; return; }
  save(made.url, made.file);
  line.textContent = made.gone ? `${made.gone} of them are no longer on the server and not in the zip.` : "";
}

document.addEventListener("maa-history", fill);
window.addEventListener("storage", (event) => { if (event.key === HISTORY) fill(); });
fill();
root.dataset.ready = "true";
