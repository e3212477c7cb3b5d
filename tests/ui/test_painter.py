"""The painter: what is painted in the browser arrives on the server, cell by cell."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from maa.audio.grid import edges
from maa.audio.mask import Box, from_boxes, row_of
from maa.audio.maskfile import CHUNK, read_mask
from maa.ui import painter, records
from tests.ui.fakes import FakePipeline
from tests.ui.hand import FRAMES, SPEC, Hand, Mask, cells, sit_down

# ---------------------------------------------------------------- without a browser


def payload(mask: Mask) -> dict[str, Any]:
    value = painter.value_of(np.zeros(mask.shape, np.float32), SPEC, cell=8, mask=mask)
    return {"mels": value["mels"], "frames": value["frames"], "mask": value["mask"]}


@pytest.mark.parametrize("frames", [1, 7, 125, 3750])
def test_mask_there_and_back(frames: int) -> None:
    mask = np.random.default_rng(frames).random((SPEC.mels, frames)) < 0.3
    assert np.array_equal(painter.mask_of(payload(mask), mask.shape), mask)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "text",
        [],
        {},
        {"mels": 80, "frames": 125},
        {"mels": 80, "frames": 125, "mask": 5},
        {"mels": 80, "frames": 125, "mask": ""},
        {"mels": 80, "frames": 125, "mask": "A" * 10_000_000},
        {"mels": 80, "frames": 125, "mask": "€" * 1668},
        {"mels": 80, "frames": 125, "mask": base64.b64encode(bytes(1249)).decode()},
        {"mels": 80, "frames": 10**12, "mask": ""},
        {"mels": "80", "frames": 125, "mask": base64.b64encode(bytes(1250)).decode()},
    ],
)
def test_a_hostile_payload_is_a_sentence(broken: Any) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        painter.mask_of(broken, (80, 125))


def test_value_is_what_the_browser_needs() -> None:
    mel = np.linspace(-5, 1, 80 * FRAMES, dtype=np.float32).reshape(80, FRAMES)
    value = painter.value_of(mel, SPEC, cell=8)
    levels = np.frombuffer(base64.b64decode(value["spec"]), np.uint8)
    assert len(value["edges"]) == 82
    assert levels.size == mel.size
    assert (levels[0], levels[-1]) == (0, 255)
    assert value["decibels"] == [-100.0, 0.0]
    assert len(base64.b64decode(value["colours"])) == 768


def test_a_saved_mask_is_the_librarys() -> None:
    mask = cells(20, 60, 10, 30)
    made = painter.saved_mask(payload(mask), SPEC)
    path = Path(unquote(made["url"].removeprefix("gradio_api/file=")))
    assert made["file"] == "mask.png"
    assert np.array_equal(read_mask(path, SPEC, FRAMES), mask)
    for broken in (None, [], {"frames": "9"}, {"mels": 80, "frames": 10**12, "mask": ""}, {**payload(mask), "mels": 7}):
        assert set(painter.saved_mask(broken, SPEC)) == {"error"}


def test_the_mask_of_a_take_comes_back(tmp_path: Path) -> None:
    """One that is kept now knows its scale; one from before does not, and is as large as its sound."""
    mask = np.random.default_rng(0).random((SPEC.mels, FRAMES)) < 0.3
    view = {"settings": {"task": "inpaint"}, "file": "a.wav"}
    records.keep(tmp_path, view, {"mask": payload(mask)}, "tiny", SPEC)
    with Image.open(tmp_path / records.MASK) as image:
        assert CHUNK in image.info
    kept = records.kept_mask(tmp_path, SPEC)
    assert kept is not None and np.array_equal(kept, mask)
    Image.fromarray(mask[::-1].astype(np.uint8) * 255).save(tmp_path / records.MASK)
    old = records.kept_mask(tmp_path, SPEC)
    assert old is not None and np.array_equal(old, mask)
    assert records.kept_mask(tmp_path / "nowhere", SPEC) is None


# ---------------------------------------------------------------- in a browser


@pytest.mark.browser
def test_a_box_is_exactly_these_cells(hand: Hand) -> None:
    hand.drag((20.5, 10.5), (59.5, 29.5))
    assert hand.shown() == (40 * 20, "20 60 10 30")
    assert np.array_equal(hand.sent(), cells(20, 60, 10, 30))


@pytest.mark.browser
def test_bands_eraser_invert_undo_redo_clear(hand: Hand) -> None:
    hand.choose("time")
    hand.drag((30.5, 40), (49.5, 42))
    assert hand.shown() == (20 * 80, "30 50 0 80")
    hand.choose("frequency")
    hand.drag((5, 60.5), (9, 69.5))
    both = cells(30, 50, 0, 80) | cells(0, FRAMES, 60, 70)
    assert hand.shown()[0] == both.sum()
    hand.choose("erase")
    hand.drag((40.5, 20.5), (40.5, 20.5))
    erased = hand.shown()[0]
    assert erased < both.sum()
    hand.act("Undo")
    assert hand.shown()[0] == both.sum()
    hand.act("Redo")
    assert hand.shown()[0] == erased
    hand.act("Undo")
    hand.act("Invert")
    assert np.array_equal(hand.sent(), ~both)
    hand.act("Undo")
    assert hand.shown()[0] == both.sum(), "undo works after the server has answered"
    hand.act("Clear")
    assert hand.shown() == (0, "")
    expect(hand.root.locator(".facts")).to_have_text("Nothing is marked yet.")
    hand.page.locator("#inpaint-generate").click()
    expect(hand.page.locator("#inpaint-status [role=status]")).to_contain_text("Nothing is painted yet")


@pytest.mark.browser
def test_the_brush_has_its_size_in_milliseconds_and_hertz(hand: Hand) -> None:
    hand.choose("brush")
    hand.type("ms", 64)
    hand.type("hertz", 400)
    hand.drag((20, 40), (100, 40), steps=3)
    mask = hand.sent()
    middle = float(edges(SPEC)[40] + edges(SPEC)[41]) / 2  # band 40's lower edge
    band = row_of(np.array([middle - 200, middle + 200]), SPEC)
    rows = np.flatnonzero(mask[:, 30:90].any(axis=1))
    assert abs(rows[0] - band[0]) <= 1 and abs(rows[-1] + 1 - band[1]) <= 1
    assert mask[39:41, 20:100].all(), "a fast stroke has no gaps"
    columns = np.flatnonzero(mask.any(axis=0))
    assert (columns[0], columns[-1]) == (18, 101), "2 frames of 16 ms beyond the hand on either side"
    hand.choose("erase")
    hand.drag((60, 0.5), (60, 79.5), steps=3)
    rest = hand.sent()
    assert not rest[:, 58:62].any()
    assert rest[:, :50].sum() == mask[:, :50].sum()
    hand.canvas.focus()
    hand.page.keyboard.press("]")
    assert hand.root.locator("[name=ms]").input_value() == "80"
    hand.page.keyboard.press("[")
    assert hand.root.locator("[name=hertz]").input_value() == "400"


@pytest.mark.browser
def test_lasso_takes_what_it_goes_around(hand: Hand) -> None:
    hand.choose("lasso")
    hand.walk((20, 10), (60, 10), (60, 30), (20, 30), (20, 10))
    assert hand.shown() == (40 * 20, "20 60 10 30")
    hand.act("Undo")
    hand.walk((20, 10), (60, 10), (20, 50))
    triangle = hand.sent()
    for frame, band in ((22, 12), (50, 12), (25, 40)):
        assert triangle[band, frame]
    assert not triangle[40, 50] and abs(int(triangle.sum()) - 40 * 40 / 2) < 40


@pytest.mark.browser
def test_a_line_is_not_lost(hand: Hand) -> None:
    """A stroke of the thinnest brush, and a lasso that goes there and back, take the cells below the pointer."""
    hand.choose("brush")
    hand.type("ms", 1)
    hand.type("hertz", 1)
    hand.drag((10.5, 20.5), (40.5, 20.5), steps=2)
    assert hand.shown() == (31, "10 41 20 21")
    hand.type("ms", 120)
    hand.type("hertz", 500)
    hand.act("Clear")
    hand.choose("lasso")
    hand.walk((10.5, 20.5), (40.5, 20.5), (10.5, 20.5))
    assert hand.shown()[1] == "10 41 20 21"


@pytest.mark.browser
def test_edges_can_be_dragged_afterwards(hand: Hand) -> None:
    hand.drag((20.5, 10.5), (59.5, 29.5))
    hand.drag((60, 20), (70, 20))  # the right edge
    assert hand.shown()[1] == "20 70 10 30"
    hand.drag((20, 10), (25, 5))  # a corner
    assert hand.shown()[1] == "25 70 5 30"
    hand.drag((45, 18), (55, 28))  # the whole
    assert hand.shown()[1] == "35 80 15 40"
    hand.drag((90.5, 60.5), (99.5, 69.5))
    hand.drag((50, 30), (40, 30))  # the first one again
    first, second = cells(25, 70, 15, 40), cells(90, 100, 60, 70)
    assert np.array_equal(hand.sent(), first | second)
    for _ in range(2):
        hand.act("Undo")
    assert hand.shown() == (45 * 25, "35 80 15 40")


@pytest.mark.browser
def test_grow_and_shrink(hand: Hand) -> None:
    hand.drag((20.5, 10.5), (59.5, 29.5))
    hand.act("Grow")
    assert hand.shown() == (42 * 22, "19 61 9 31")
    hand.act("Shrink")
    hand.act("Shrink")
    assert hand.shown() == (38 * 18, "21 59 11 29")
    hand.type("end", 0.8)
    assert hand.shown()[1] == "21 50 11 29", "it is a box still"


@pytest.mark.browser
def test_numbers_follow_the_picture_and_lead_it(hand: Hand) -> None:
    for name, value in (("start", 0.5), ("end", 1.0), ("low", 300), ("high", 4000)):
        hand.type(name, value)
    assert np.array_equal(hand.sent(), from_boxes([Box(0.5, 1.0, 300, 4000)], SPEC, FRAMES))
    hand.drag((62, 79.5), (62, 79.5))
    assert hand.numbers() == ("0.992", "1.008", *hand.numbers()[2:])
    hand.act("Undo")
    first, last = map(float, hand.numbers()[:2])
    assert (first, last) == (0.496, 1.008), "whole frames"
    low, high = map(float, hand.numbers()[2:])
    wanted = from_boxes([Box(first, last, low, high)], SPEC, FRAMES)
    assert np.array_equal(hand.sent(), wanted), "the shown numbers name these cells"
    hand.type("end", 0.2)
    expect(hand.root.locator(".facts")).to_contain_text("That box is empty")


@pytest.mark.browser
def test_keyboard(hand: Hand) -> None:
    """Without a pointer: a box is moved, grown, marked, nudged, and taken back; tools and deeds have keys."""
    hand.canvas.focus()
    press = hand.page.keyboard.press
    for key in ["ArrowRight"] * 3 + ["ArrowUp"] * 2 + ["Shift+ArrowRight", "Shift+ArrowUp", "Enter"]:
        press(key)
    assert hand.shown() == (20 * 10, "12 32 4 14")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowUp"):
        press(key)
    assert hand.shown()[1] == "14 33 3 14", "nudged by single cells"
    for _ in range(5):
        press("Control+z")
    assert hand.shown()[1] == "12 32 4 14"
    press("t")
    press("n")
    press("Enter")
    assert hand.shown()[1] == "0 32 0 80"
    press("Control+z")
    press("Control+z")
    assert hand.shown()[0] == 0
    press("Control+Shift+Z")
    assert hand.shown()[1] == "12 32 4 14"
    press("g")
    assert hand.shown()[1] == "11 33 3 15"
    press("s")
    press("i")
    assert hand.shown()[0] == 125 * 80 - 200
    press("Delete")
    assert hand.shown()[0] == 0
    for key, tool in {"r": "box", "t": "time", "f": "frequency", "b": "brush", "l": "lasso", "e": "erase"}.items():
        press(key)
        expect(hand.root.locator(f"[data-tool={tool}]")).to_have_attribute("aria-pressed", "true")


@pytest.mark.browser
def test_fifty_steps_back_and_forth(hand: Hand) -> None:
    hand.drag((20.5, 10.5), (29.5, 19.5))
    hand.canvas.focus()
    for _ in range(52):
        hand.page.keyboard.press("ArrowRight")
    assert hand.shown()[1] == "72 82 10 20"
    for _ in range(53):
        hand.page.keyboard.press("Control+z")
    assert hand.shown()[1] == "22 32 10 20", "fifty steps are kept"
    for _ in range(53):
        hand.page.keyboard.press("Control+y")
    assert hand.shown()[1] == "72 82 10 20"


@pytest.mark.browser
def test_the_outline_is_what_the_model_renews(hand: Hand) -> None:
    """The cells outlined on the screen are the latent cells that the network is told to make."""
    from maa.audio.mask import to_latent

    hand.choose("brush")
    hand.drag((13, 12), (90, 66), steps=9)
    mask = hand.sent()
    padded = np.pad(mask, ((0, 0), (0, -mask.shape[1] % 8)))
    assert int(hand.root.get_attribute("data-effective")) == to_latent(padded).sum()


@pytest.mark.browser
def test_tabs_and_sizes_leave_the_mask(hand: Hand) -> None:
    hand.drag((20.5, 10.5), (59.5, 29.5))
    hand.page.get_by_role("tab", name="Text", exact=True).click()
    expect(hand.canvas).not_to_be_visible()
    hand.page.get_by_role("tab", name="Inpaint", exact=True).click()
    hand.page.set_viewport_size({"width": 900, "height": 700})
    hand.canvas.scroll_into_view_if_needed()
    assert hand.shown() == (40 * 20, "20 60 10 30")
    hand.drag((80.5, 40.5), (99.5, 49.5))
    hand.page.set_viewport_size({"width": 1280, "height": 900})
    assert np.array_equal(hand.sent(), cells(20, 60, 10, 30) | cells(80, 100, 40, 50))


@pytest.mark.browser
def test_read_out(hand: Hand) -> None:
    hand.page.mouse.move(*hand.place((62.5, float(row_of(1000.0, SPEC)))))
    expect(hand.root.locator(".readout")).to_have_text(re.compile(r"1\.00\d s\s+(1(\.01)? kHz|99\d Hz)\s+−?[01] dB"))


@pytest.mark.browser
def test_another_sound_empties_the_mask(page: Any, fake: FakePipeline, inputs: dict[str, Path], tmp_path: Path) -> None:
    import soundfile

    from tests.sounds import sine_wave

    hand = sit_down(page, fake, inputs["sound"])
    hand.drag((20.5, 10.5), (59.5, 29.5))
    soundfile.write(tmp_path / "other.wav", sine_wave(500, 1.0)[0], 16_000)
    hand.page.get_by_label("Clear").first.click()
    expect(hand.root).to_have_class(re.compile("empty"))
    hand.page.locator("#inpaint-input input[type=file]").first.set_input_files(tmp_path / "other.wav")
    expect(hand.root).not_to_have_class(re.compile("empty"))
    assert hand.shown()[0] == 0


@pytest.mark.browser
def test_an_example_comes_with_its_mask(page: Any, fake: FakePipeline) -> None:
    """Its box is one that a hand has drawn: it says its numbers, and its edges can be moved."""
    page.get_by_role("tab", name="Inpaint", exact=True).click()
    page.locator("#inpaint-examples").get_by_text("beep").click()
    hand = Hand(page, fake)
    expect(hand.root).to_have_attribute("data-box", "31 63 0 80")
    mask = from_boxes([Box(0.5, 1.0)], SPEC, FRAMES)
    assert np.array_equal(hand.sent(), mask)
    first, last, low, high = map(float, hand.numbers())
    assert (first, last) == (0.496, 1.008)
    assert np.array_equal(from_boxes([Box(first, last, low, high)], SPEC, FRAMES), mask)
    hand.drag((63, 40), (73, 40))
    assert hand.shown()[1] == "31 73 0 80"
