"""The speed figures of docs/evaluation.md: `python -m tests.measure` prints them for this machine and its weights."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import ROOT, find_chromium


def page() -> None:
    """Seconds from the start of the process to a page that can be used."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--headless=new"])
        visitor = browser.new_page()
        started = time.monotonic()
        command = [sys.executable, "app.py", "--port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        server.stdout.readline()
        visitor.goto(f"http://127.0.0.1:{port}/")
        visitor.locator("#text-generate").wait_for()
        print(f"usable page after {time.monotonic() - started:.1f} s")
        visitor.locator("#text-examples button").first.wait_for()
        clicked = time.monotonic()
        visitor.locator("#text-examples button").first.click()
        visitor.locator("#text-take-1").get_by_label("Play Take 1").click()
        visitor.locator("#text-take-1").get_by_label("Pause Take 1").wait_for()
        print(f"first example plays {time.monotonic() - clicked:.1f} s after the click")
        visitor.get_by_text("all tasks").wait_for(timeout=120_000)
        time.sleep(5)
        status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
        resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
        print(f"idle memory of the app {int(resident) / 2**20:.2f} GiB")
        server.terminate()
        browser.close()


def clip() -> None:
    """Seconds from the call to a WAV of 10 s, 25 steps with guidance, the model loaded."""
    from maa import MakeAnAudio, Sampling

    started = time.monotonic()
    maa = MakeAnAudio.from_pretrained("small")
    print(f"model loaded in {time.monotonic() - started:.1f} s on {maa.device}")
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(3):
            started = time.monotonic()
            maa.text_to_audio("a dog barks", Sampling(seed=seed), seconds=10.0).save(Path(folder) / "dog.wav")
            print(f"10 s clip in {time.monotonic() - started:.2f} s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    page()
    clip()
