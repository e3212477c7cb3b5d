"""The painter: what is painted in the browser arrives on the server, cell by cell."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import expect

from maa.audio.mask import Box, from_boxes, row_of
from maa.config import TINY
from maa.ui import painter
from tests.ui.conftest import visit
from tests.ui.fakes import FakePipeline

SPEC = TINY.audio
FRAMES = 125  # 2 s
LEFT, RIGHT, TOP, BOTTOM = 54, 10, 10, 26  # the canvas's margins, from axes.js
Mask = NDArray[np.bool_]
Point = tuple[float, float]  # frame, band


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
    assert value["decibels"] == [-80.0, 0.0]
    assert len(base64.b64decode(value["colours"])) == 768


# ---------------------------------------------------------------- in a browser


class Hand:
    """A visitor in front of the painter."""

    def __init__(self, page: Any, fake: FakePipeline) -> None:
        self.page, self.fake = page, fake
        self.root = page.locator("#inpaint-painter .painter")
        self.canvas = page.locator("#inpaint-painter canvas")

    def place(self, point: Point) -> tuple[float, float]:
        box = self.canvas.bounding_box()
        width, height = box["width"] - LEFT - RIGHT, box["height"] - TOP - BOTTOM
        x = box["x"] + LEFT + point[0] / FRAMES * width
        return x, box["y"] + TOP + (1 - point[1] / SPEC.mels) * height

    def drag(self, start: Point, end: Point, steps: int = 6) -> None:
        self.page.mouse.move(*self.place(start))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(end), steps=steps)
        self.page.mouse.up()

    def choose(self, tool: str) -> None:
        self.root.locator(f"[data-tool={tool}]").click()

    def act(self, name: str) -> None:
        self.root.get_by_role("button", name=name, exact=True).click()

    def shown(self) -> tuple[int, str]:
        """Painted cells and the box around them, as the page says."""
        return int(self.root.get_attribute("data-count")), self.root.get_attribute("data-box")

    def sent(self) -> Mask:
        """The mask as it arrives on the server."""
        done = len(self.fake.masks)
        self.page.locator("#inpaint-generate").click()
        expect(self.page.locator("#inpaint-status [role=status]")).to_have_text(re.compile("Step|Turning"))
        expect(self.page.locator("#inpaint-status [role=status]")).to_have_text(re.compile("Done"))
        assert len(self.fake.masks) == done + 1
        return self.fake.masks[-1]


def cells(first: int, last: int, low: int, high: int) -> Mask:
    mask = np.zeros((SPEC.mels, FRAMES), bool)
    mask[low:high, first:last] = True
    return mask


@pytest.fixture(scope="module")
def seat(browser: Any, server: tuple[str, FakePipeline], inputs: dict[str, Path]) -> Iterator[Hand]:
    """One visitor for the whole module: opening the page takes longer than painting."""
    visitor = visit(browser, server[0], {"viewport": {"width": 1280, "height": 900}})
    yield sit_down(next(visitor), server[1], inputs["sound"])
    assert next(visitor, None) is None


@pytest.fixture
def hand(seat: Hand) -> Hand:
    """The visitor with an empty mask and the box tool."""
    seat.act("Clear")
    seat.choose("box")
    return seat


def sit_down(page: Any, fake: FakePipeline, sound: Path) -> Hand:
    page.get_by_role("tab", name="Inpaint", exact=True).click()
    page.locator("#inpaint-input input[type=file]").first.set_input_files(sound)
    hand = Hand(page, fake)
    expect(hand.root).not_to_have_class(re.compile("empty"))
    hand.canvas.scroll_into_view_if_needed()
    return hand


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
    expect(hand.root.get_by_role("status")).to_have_text("Nothing is marked yet.")
    hand.page.locator("#inpaint-generate").click()
    expect(hand.page.locator("#inpaint-status [role=status]")).to_contain_text("Nothing is painted yet")


@pytest.mark.browser
def test_brush_and_eraser_follow_the_pointer(hand: Hand) -> None:
    hand.choose("brush")
    hand.drag((20, 40), (100, 40), steps=3)
    mask = hand.sent()
    assert mask[38:42, 20:100].all(), "a fast stroke has no gaps"
    rows = np.flatnonzero(mask.any(axis=1))
    assert 37 <= rows[0] < rows[-1] <= 42, "6 bands wide"
    hand.choose("erase")
    hand.drag((60, 0.5), (60, 79.5), steps=3)
    rest = hand.sent()
    assert not rest[:, 59:61].any()
    assert rest[:, :50].sum() == mask[:, :50].sum()


@pytest.mark.browser
def test_numbers_mean_what_they_mean_to_the_library(hand: Hand) -> None:
    hand.root.get_by_text("Mark by numbers").click()
    for name, value in (("start", 0.5), ("end", 1.0), ("low", 300), ("high", 4000)):
        hand.root.locator(f"[name={name}]").fill(str(value))
    hand.act("Mark")
    assert np.array_equal(hand.sent(), from_boxes([Box(0.5, 1.0, 300, 4000)], SPEC, FRAMES))
    hand.root.locator("[name=end]").fill("0.2")
    hand.act("Mark")
    expect(hand.root.get_by_role("status")).to_contain_text("That box is empty")


@pytest.mark.browser
def test_keyboard(hand: Hand) -> None:
    """Without a pointer: a box is moved, grown, marked, and taken back."""
    hand.canvas.focus()
    for key in ["ArrowRight"] * 3 + ["ArrowUp"] * 2 + ["Shift+ArrowRight", "Shift+ArrowUp", "Enter"]:
        hand.page.keyboard.press(key)
    assert hand.shown() == (20 * 10, "12 32 4 14")
    hand.page.keyboard.press("t")
    hand.page.keyboard.press("Enter")
    assert hand.shown()[1] == "12 32 0 80"
    hand.page.keyboard.press("Control+z")
    hand.page.keyboard.press("Control+z")
    assert hand.shown()[0] == 0
    hand.page.keyboard.press("Control+Shift+Z")
    assert hand.shown()[1] == "12 32 4 14"
    hand.page.keyboard.press("Delete")
    assert hand.shown()[0] == 0


@pytest.mark.browser
def test_read_out_and_play_head(hand: Hand) -> None:
    hand.page.mouse.move(*hand.place((62.5, float(row_of(1000.0, SPEC)))))
    expect(hand.root.locator(".readout")).to_have_text(re.compile(r"1\.00 s\s+(1(\.01)? kHz|99\d Hz)\s+−?[01] dB"))
    hand.act("Play")
    expect(hand.root.get_by_role("button", name="Pause")).to_be_visible()
    hand.page.wait_for_function("document.querySelector('#inpaint-painter audio').currentTime > 0.1")
    hand.act("Pause")


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
    page.get_by_role("tab", name="Inpaint", exact=True).click()
    page.locator("#inpaint-examples").get_by_text("beep").click()
    hand = Hand(page, fake)
    expect(hand.root).to_have_attribute("data-box", "31 63 0 80")
    assert np.array_equal(hand.sent(), from_boxes([Box(0.5, 1.0)], SPEC, FRAMES))


@pytest.mark.browser
def test_on_a_phone_by_touch(phone: Any, fake: FakePipeline, inputs: dict[str, Path]) -> None:
    hand = sit_down(phone, fake, inputs["sound"])
    touch: Callable[..., Any] = phone.context.new_cdp_session(phone).send
    for kind, point in (("touchStart", (20.5, 10.5)), ("touchMove", (40, 20)), ("touchMove", (59.5, 29.5))):
        x, y = hand.place(point)
        touch("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert hand.shown() == (40 * 20, "20 60 10 30")
    ratio = phone.evaluate(
        "(c => c.width / c.getBoundingClientRect().width)(document.querySelector('#inpaint-painter canvas'))"
    )
    assert ratio == pytest.approx(3, abs=0.05)
