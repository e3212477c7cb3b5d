// Keys, how much of a sound was heard, and a clip that runs with its sound. Loaded once, with the page.
(() => {
  const sound = () => document.getElementById("lt-sound");
  const clip = () => document.querySelector("video.lt-seen");

  const heard = () => {
    const audio = sound();
    if (!audio?.duration) return 0;
    let played = 0;
    for (let k = 0; k < audio.played.length; k += 1) played += audio.played.end(k) - audio.played.start(k);
    return Math.min(1, played / audio.duration);
  };

  const play = () => {
    const audio = sound();
    if (!audio) return;
    if (audio.paused) audio.play();
    else audio.pause();
  };

  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || !sound()) return;
    if (target.matches("input[type=text], textarea")) return;
    const choices = document.querySelectorAll("#score input[type=radio]");
    if (/^[1-5]$/.test(event.key)) {
      choices[Number(event.key) - 1]?.click();
      choices[Number(event.key) - 1]?.focus();
    } else if (event.key === " " && !target.matches("button, audio")) {
      event.preventDefault();
      play();
    } else if (event.key === "Enter" && !target.matches("button") && !event.repeat) {
      event.preventDefault();
      document.querySelector("button#next, #next button")?.click();
    }
  });

  // Media events do not bubble, but they can be caught on their way down.
  for (const name of ["play", "pause", "seeked"]) {
    document.addEventListener(
      name,
      (event) => {
        const film = clip();
        if (event.target !== sound() || !film) return;
        film.currentTime = Math.min(event.target.currentTime, film.duration || 0);
        if (event.target.paused) film.pause();
        else film.play();
      },
      true,
    );
  }

  window.listeningTest = { heard };
})();
