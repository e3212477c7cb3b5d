// player.js: hearing the sound. `moved` is called while it plays and whenever it stands somewhere else.

class Player {
  constructor(audio, button, moved) {
    this.audio = audio;
    this.button = button;
    this.moved = moved;
    const tick = () => { moved(); if (!audio.paused) requestAnimationFrame(tick); };
    audio.addEventListener("play", () => { this.label(); tick(); });
    audio.addEventListener("pause", () => { this.label(); moved(); });
    audio.addEventListener("seeked", moved);
    this.label();
  }

  load(url) {
    this.audio.pause();
    if (url) this.audio.src = url; else this.audio.removeAttribute("src");
    this.button.hidden = !url;
    this.label();
  }

  label() {
    this.button.setAttribute("aria-label", this.audio.paused ? "Play" : "Pause");
    this.button.dataset.playing = !this.audio.paused;
  }

  toggle() {
    if (!this.audio.getAttribute("src")) return;
    if (this.audio.paused) this.audio.play().catch(() => {}); else this.audio.pause();
  }

  seek(seconds) { if (this.audio.getAttribute("src")) this.audio.currentTime = seconds; }

  // Where the play-head stands, in seconds; null at the very start.
  get seconds() { return this.audio.currentTime > 0 ? this.audio.currentTime : null; }
}
