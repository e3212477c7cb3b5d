// conductor.js: what belongs to the page as a whole: a file dropped anywhere, Ctrl+Enter, and pressing Generate when
// the server has filled a tab in.

const root = element.querySelector(".maa-root");
const file = h("input", { type: "file", accept: ".wav,.flac,.mp4,.mov,.mkv,.webm,audio/*,video/*", class: "away", tabindex: "-1", "aria-hidden": "true", onchange: () => { take(file.files[0]); file.value = ""; } });
const button = textButton("Open a sound made here", () => file.click(), { title: "Its settings come back. You may also drop the file anywhere on the page." });
const veil = h("div", { class: "veil", hidden: true }, "Drop a sound made here to get its settings back");
root.append(button, file, veil);

async function take(one) {
  if (!one) return;
  const { path } = await upload(one);
  trigger("dropped", { path, name: one.name });
}

// Upload fields take their own drops.
const elsewhere = (event) => !(event.target.closest && event.target.closest("[data-testid='file-upload'], .upload-container, button.center, [id$='-input'], input, textarea"));
const files = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
document.addEventListener("dragover", (event) => { if (files(event) && elsewhere(event)) { event.preventDefault(); veil.hidden = false; } else veil.hidden = true; });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) veil.hidden = true; });
document.addEventListener("drop", (event) => {
  veil.hidden = true;
  if (!files(event) || !elsewhere(event)) return;
  event.preventDefault();
  take(event.dataTransfer.files[0]);
});

const visible = (node) => node && node.offsetParent !== null;
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const generate = [...document.querySelectorAll("[id$='-generate']")].find(visible);
  if (generate) { event.preventDefault(); generate.click(); }
});

watch("value", () => {
  const task = props.value && props.value.go;
  if (task) setTimeout(() => document.getElementById(`${task}-generate`).click(), 200);
});
root.dataset.ready = "true";
