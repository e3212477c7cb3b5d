"""Whatever the reader reads can be picked and dropped on the page."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from PIL import Image
from playwright.sync_api import expect

from tests.clips import make_clip
from tests.sounds import sine_wave
from tests.ui.visitor import generate, status, take, upload

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


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("b.avi", "mpeg2video"), ("c.avi", "ffv1")])
def test_a_clip_that_the_browser_cannot_show_says_so_and_is_heard(
    page: Any, tmp_path: Path, name: str, codec: str
) -> None:
    unseen(page, make_clip(tmp_path / name, codec=codec))
    generate(page, "video")
    card = take(page, "video", 1)
    card.locator(".said", has_text="This browser").wait_for(timeout=10_000)
    assert "download it to see it" in card.locator(".said").inner_text()
    card.get_by_label("Play Take 1").click()
    page.wait_for_function("() => document.querySelector('#video-take-1 video').currentTime > 0")


@pytest.mark.parametrize(("name", "codec"), [("a.wmv", "wmv2"), ("a.flv", "flv1")])
def test_a_clip_of_an_old_kind_is_taken_and_refused_by_us(page: Any, tmp_path: Path, name: str, codec: str) -> None:
    unseen(page, make_clip(tmp_path / name, codec=codec))
    page.locator("#video-generate").click()
    expect(status(page, "video")).to_contain_text(f"The picture ({codec}) of '{name}' fits into no file")


def unseen(page: Any, clip: Path) -> None:
    """A clip that the browser cannot show is taken, and that is said where everything is said."""
    page.get_by_role("tab", name="Video").click()
    upload(page, "video-input", clip)
    given(page, "video-input")
    expect(status(page, "video")).to_contain_text("This browser cannot show this clip")
    expect(page.locator(".toast-body")).to_have_count(0)  # Gradio's: "Error: Video not playable"


def test_a_clip_that_the_browser_shows_says_nothing(page: Any, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Video").click()
    upload(page, "video-input", make_clip(tmp_path / "a.webm", codec="libvpx"))
    given(page, "video-input")
    generate(page, "video")
    page.wait_for_function("() => document.querySelector('#video-take-1 video').videoWidth > 0")
    assert take(page, "video", 1).locator(".said").inner_text() == ""


def test_what_cannot_be_read_is_told_at_once_and_in_one_way(page: Any, tmp_path: Path) -> None:
    """It was a warning about types here, a bare "Error" there, and nothing for a clip."""
    kinds = {"Personalise": ("a.wma", "sound"), "Image": ("a.psd", "picture"), "Video": ("a.wmv", "video")}
    for tab, (name, what) in kinds.items():
        (tmp_path / name).write_bytes(b"nothing that anybody could read")
        page.get_by_role("tab", name=tab, exact=True).click()
        upload(page, f"{tab.lower().replace('ise', 'ize')}-input", tmp_path / name)
        toast = page.locator(".toast-body")
        expect(toast).to_have_count(1)
        expect(toast).to_have_class(re.compile(r"\berror\b"))
        expect(toast).to_contain_text(re.compile(f"'{name}' is not a {what}"))
        toast.locator(".toast-close").click()
        expect(toast).to_have_count(0)
