"""The speed figures of docs/evaluation.md: `python -m tests.measure` prints them for this machine and its weights."""

from __future__ import annotations

import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.here import ROOT, find_chromium

TRIED = ("rain", "a dog barks", "thunder", "a church bell", "footsteps on gravel")
# When a key was last pressed, and when a sound then began to play, in the page's own milliseconds.
CLOCK = """
addEventListener("input", () => { window.keyed = performance.now(); window.heard = 0; }, true);
const { play } = HTMLMediaElement.prototype;
HTMLMediaElement.prototype.play = function () {
  this.addEventListener("playing", () => { window.heard = performance.now(); }, { once: true });
  return play.call(this);
};
"""


def page() -> None:
    """Seconds from the start of the process to a page that can be used, and from a key to a sound."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--headless=new"])
        visitor = browser.new_page()
        visitor.add_init_script(CLOCK)
        started = time.monotonic()
        command = [sys.executable, "app.py", "--port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        server.stdout.readline()
        print(f"page served after {time.monotonic() - started:.1f} s")
        visitor.goto(f"http://127.0.0.1:{port}/")
        visitor.locator("#text-generate").wait_for()
        print(f"usable page after {time.monotonic() - started:.1f} s")
        visitor.get_by_label("Hear it while I type").first.check()
        visitor.locator("#text-prompt textarea").press_sequentially("a dog barks")
        visitor.wait_for_function("window.heard > 0", timeout=60_000)
        print(f"first sound that was made for it plays {time.monotonic() - started:.1f} s after the start")
        visitor.locator("#text-examples button").first.wait_for()
        clicked = time.monotonic()
        visitor.locator("#text-examples button").first.click()
        visitor.locator("#text-take-1").get_by_label("Pause Take 1").wait_for()
        print(f"first example plays {time.monotonic() - clicked:.1f} s after the click")
        visitor.get_by_text("all tasks").wait_for(timeout=120_000)
        time.sleep(5)
        status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
        resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
        print(f"idle memory of the app {int(resident) / 2**20:.2f} GiB")
        typing(visitor)
        server.terminate()
        browser.close()


def typing(visitor: Any, count: int = 20) -> None:
    """Seconds from the last key of a prompt to its quick sound of 5 s."""
    visitor.get_by_label("Hear it while I type").first.check()
    area, seconds = visitor.locator("#text-prompt textarea"), []
    for index in range(count):
        area.fill("")
        area.press_sequentially(f"{TRIED[index % len(TRIED)]} {index // len(TRIED) + 1}", delay=60)
        visitor.wait_for_function("window.heard > 0", timeout=60_000)
        seconds.append(visitor.evaluate("(window.heard - window.keyed) / 1000"))
    spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
    print(f"from key to sound {statistics.median(seconds):.2f} s, median of {count} ({spread})")


def command() -> None:
    """Seconds of the command line in all, for one quick sound."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(5):
            started = time.monotonic()
            words = ["text", "a dog barks", "-o", str(Path(folder) / "dog.wav"), "--quality", "instant", "--quiet"]
            subprocess.run([sys.executable, "-m", "maa", *words], cwd=ROOT, check=True)
            seconds.append(time.monotonic() - started)
    print(f"python -m maa text, instant, in {statistics.median(seconds):.1f} s in all")


def clip() -> None:
    """Seconds from the call to a WAV of 10 s, the model loaded."""
    from maa import MakeAnAudio, Sampling

    started = time.monotonic()
    maa = MakeAnAudio.from_pretrained("small")
    print(f"model loaded in {time.monotonic() - started:.1f} s on {maa.device}")
    with tempfile.TemporaryDirectory() as folder:
        for quality in ("instant", "fine"):
            seconds = []
            for seed in range(5):
                started = time.monotonic()
                take = maa.text_to_audio("a dog barks", Sampling(seed=seed, quality=quality), seconds=10.0)
                take.save(Path(folder) / "dog.wav")
                seconds.append(time.monotonic() - started)
            print(f"10 s clip, {quality}, in {statistics.median(seconds):.2f} s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def precisions(count: int = 10) -> None:
    """How far a sound in bfloat16 is from the same in float32, and how far another seed's: rms of the log-mel."""
    from maa import MakeAnAudio, Sampling

    models = [MakeAnAudio.from_pretrained("small", dtype=dtype) for dtype in ("float32", "bfloat16")]
    kinds = sorted(models[0].model.concepts)[:: max(1, len(models[0].model.concepts) // count)][:count]

    def mel(maa: MakeAnAudio, kind: str, seed: int) -> NDArray[np.float32]:
        made = maa.text_to_audio(kind, Sampling(seed=seed, quality="instant"), seconds=5.0)
        return np.maximum(made.mel[0], -4.0)

    apart: list[tuple[float, float]] = []
    for seed, kind in enumerate(kinds):
        plain = mel(models[0], kind, seed)
        others = mel(models[1], kind, seed), mel(models[0], kind, seed + 100)
        near, far = (float(20 * np.sqrt(np.mean((plain - other) ** 2))) for other in others)
        apart.append((near, far))
    near, far = np.mean(apart, axis=0)
    print(f"bfloat16 is {near:.1f} dB from float32 (rms of the log-mel, {len(kinds)} kinds), another seed {far:.0f} dB")


if __name__ == "__main__":
    page()
    command()
    clip()
    precisions()
