"""Whatever the reader reads can be picked and dropped on the page."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.clips import make_clip
from tests.sounds import sine_wave
from tests.ui.visitor import generate, take, upload

pytestmark = pytest.mark.browser


def recording(folder: Path, suffix: str) -> Path:
    """A second of sound, as browsers, phones and editors write it."""
    path = folder / f"take{suffix}"
    kinds = {".caf": "CAF", ".w64": "W64", ".au": "AU", ".rf64": "RF64"}
    if suffix in kinds:
        soundfile.write(path, sine_wave()[0], 16_000, format=kinds[suffix], subtype="PCM_16")
        return path
    with av.open(str(path), "w", format="matroska" if suffix == ".mka" else None) as container:
        stream = container.add_stream("aac" if suffix == ".mp4" else "libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(sine_wave(440, 1.0, 48_000), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def given(page: Any, element: str) -> None:
    """Wait until an upload field holds a file: it then has a button that empties it."""
    page.wait_for_selector(f"#{element} [aria-label='Clear'], #{element} [aria-label='Remove video']", timeout=20_000)


@pytest.mark.parametrize("suffix", [".webm", ".mp4", ".caf", ".w64", ".au", ".mka"])
def test_sounds_can_be_picked(page: Any, tmp_path: Path, suffix: str) -> None:
    page.get_by_role("tab", name="Inpaint").click()
    page.locator("#inpaint-input input[type=file]").first.set_input_files(recording(tmp_path, suffix))
    given(page, "inpaint-input")
    assert page.locator("text=Invalid file type").count() == 0


def test_sounds_can_be_dropped(page: Any, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Inpaint").click()
    data = base64.b64encode(recording(tmp_path, ".caf").read_bytes()).decode("ascii")
    page.evaluate(
        """(data) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const carried = new DataTransfer();
          carried.items.add(new File([bytes], "take.caf"));
          const field = document.querySelector("#inpaint-input button");
          field.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
        }""",
        data,
    )
    given(page, "inpaint-input")
    assert page.locator("text=Invalid file type").count() == 0


def test_a_gif_is_a_clip(page: Any, tmp_path: Path) -> None:
    pictures = [Image.fromarray(np.full((48, 64), 20 * k, np.uint8)) for k in range(10)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=100)
    page.get_by_role("tab", name="Video").click()
    page.locator("#video-input input[type=file]").first.set_input_files(tmp_path / "a.gif")
    given(page, "video-input")
    assert page.locator("text=Invalid file type").count() == 0


@pytest.mark.parametrize("codec", ["mpeg4", "mpeg2video", "ffv1"])
def test_a_clip_that_the_browser_cannot_show_says_so_and_is_heard(page: Any, tmp_path: Path, codec: str) -> None:
    page.get_by_role("tab", name="Video").click()
    upload(page, "video-input", make_clip(tmp_path / "a.avi", codec=codec))
    given(page, "video-input")
    generate(page, "video")
    card = take(page, "video", 1)
    card.locator(".said", has_text="This browser").wait_for(timeout=10_000)
    assert "download it to see it" in card.locator(".said").inner_text()
    card.get_by_label("Play Take 1").click()
    page.wait_for_function("() => document.querySelector('#video-take-1 video').currentTime > 0")


def test_a_clip_that_the_browser_shows_says_nothing(page: Any, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Video").click()
    upload(page, "video-input", make_clip(tmp_path / "a.webm", codec="libvpx"))
    given(page, "video-input")
    generate(page, "video")
    page.wait_for_function("() => document.querySelector('#video-take-1 video').videoWidth > 0")
    assert take(page, "video", 1).locator(".said").inner_text() == ""
