// player.js: hearing the sound, all of it, what is marked, or the rest; once or round and round.
// `moved` is called while it plays and whenever it stands somewhere else.

const ROLL = 0.5; // seconds before and behind a selection that is looped

class Player {
  constructor(button, moved) {
    this.button = button;
    this.moved = moved;
    this.url = null;
    this.at = 0; // seconds, where it stands while it does not play
    this.source = null;
    this.label();
  }

  get playing() { return this.source !== null; }

  load(url) {
    this.stop();
    if (url === this.url) return;
    this.url = url;
    this.at = 0;
    this.buffers = {};
    this.button.hidden = !url;
  }

  // The mask is another one: what was filtered for it is of no use.
  forget() { if (this.buffers) this.buffers = { all: this.buffers.all }; }

  label() {
    this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.button.dataset.playing = this.playing;
  }

  // The sound as this part of it: "all", "marked" or "rest". Decoded and filtered when first asked for.
  async buffer(part, axes, cells) {
    this.context = this.context || new AudioContext();
    if (!this.buffers.all) {
      const answer = await fetch(this.url);
      this.buffers.all = await this.context.decodeAudioData(await answer.arrayBuffer());
    }
    const all = this.buffers.all;
    if (part === "all" || this.buffers[part]) return this.buffers[part];
    const channels = Array.from({ length: all.numberOfChannels }, (_, c) => all.getChannelData(c));
    const marked = await markedPart(channels, all.sampleRate, axes, cells);
    for (const name of ["marked", "rest"]) {
      this.buffers[name] = this.context.createBuffer(all.numberOfChannels, all.length, all.sampleRate);
      marked.forEach((wave, c) => {
        this.buffers[name].copyToChannel(name === "marked" ? wave : wave.map((value, i) => channels[c][i] - value), c);
      });
    }
    return this.buffers[part];
  }

  // what: { part, loop: [first, last] in seconds or null, from: second to begin at or null }
  async play(what, axes, cells) {
    if (!this.url) return;
    const buffer = await this.buffer(what.part, axes, cells);
    this.stop();
    const end = buffer.duration;
    if (what.from !== null) this.at = what.from;
    this.loop = what.loop ? [Math.max(0, what.loop[0] - ROLL), Math.min(end, what.loop[1] + ROLL)] : null;
    if (this.loop && !(this.at >= this.loop[0] && this.at < this.loop[1])) this.at = this.loop[0];
    if (this.at >= end - 0.01) this.at = 0;
    await this.context.resume();
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    if (this.loop) [source.loop, source.loopStart, source.loopEnd] = [true, ...this.loop];
    source.connect(this.context.destination);
    source.onended = () => { if (this.source === source) { this.at = 0; this.stop(); } };
    source.start(0, this.at);
    [this.source, this.began] = [source, this.context.currentTime - this.at];
    this.length = end;
    this.label();
    const tick = () => { if (this.source === source) { this.moved(); requestAnimationFrame(tick); } };
    tick();
  }

  stop() {
    if (this.source) {
      if (this.at !== 0 || this.context.currentTime - this.began < this.length) this.at = this.seconds || 0;
      const source = this.source;
      this.source = null;
      source.onended = null;
      source.stop();
    }
    this.label();
    this.moved();
  }

  // Where the play-head stands, in seconds; null at the very start.
  get seconds() {
    if (!this.source) return this.at > 0 ? this.at : null;
    const passed = this.context.currentTime - this.began;
    if (!this.loop || passed < this.loop[1]) return Math.min(passed, this.length);
    return this.loop[0] + ((passed - this.loop[0]) % (this.loop[1] - this.loop[0]));
  }
}
