// @ts-check
// dragout.js: a link that can be dragged out of the browser: Chromium drops the file itself on a desktop or into
// another program, others drop its address.

/** @type {Record<string, string>} */
const KINDS = {
  wav: "audio/wav",
  flac: "audio/flac",
  ogg: "audio/ogg",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  mov: "video/quicktime",
  mkv: "video/x-matroska",
  webm: "video/webm",
};

/** What such a link says: kind, name and whole address. @param {string} name @param {string} url */
export function downloadUrl(name, url) {
  const suffix = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return `${KINDS[suffix] || "application/octet-stream"}:${name.replaceAll(":", "-")}:${url}`;
}

/** @param {HTMLAnchorElement} link to a file, with the name to save it under */
export function draggable(link) {
  link.draggable = true;
  link.addEventListener("dragstart", (event) => {
    const { dataTransfer } = event;
    if (!dataTransfer) return;
    dataTransfer.setData("DownloadURL", downloadUrl(link.download, link.href)); // href is the whole address
    dataTransfer.setData("text/uri-list", link.href);
    dataTransfer.setData("text/plain", link.href);
    dataTransfer.effectAllowed = "copy";
  });
  return link;
}
