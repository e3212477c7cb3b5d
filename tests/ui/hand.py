"""A visitor in front of the painter, who thinks in frames and bands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import expect

from maa.config import TINY
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import generate

SPEC = TINY.audio
FRAMES = 125  # 2 s
LEFT, RIGHT, TOP, BOTTOM = 54, 10, 10, 38  # the canvas's margins, from axes.js
Mask = NDArray[np.bool_]
Point = tuple[float, float]  # frame, band


class Hand:
    """Mouse and keyboard over the painter of one page."""

    def __init__(self, page: Any, fake: FakePipeline) -> None:
        self.page, self.fake = page, fake
        self.root = page.locator("#inpaint-painter .painter")
        self.canvas = page.locator("#inpaint-painter canvas")

    def view(self) -> tuple[float, float]:
        """First and last frame in view."""
        first, last = map(float, self.root.get_attribute("data-view").split())
        return first, last

    def place(self, point: Point) -> tuple[float, float]:
        """Where a point of the spectrogram lies in the window, in CSS pixels."""
        box, (first, last) = self.canvas.bounding_box(), self.view()
        width, height = box["width"] - LEFT - RIGHT, box["height"] - TOP - BOTTOM
        x = box["x"] + LEFT + (point[0] - first) / (last - first) * width
        return x, box["y"] + TOP + (1 - point[1] / SPEC.mels) * height

    def drag(self, start: Point, end: Point, steps: int = 6) -> None:
        self.canvas.scroll_into_view_if_needed()
        self.page.mouse.move(*self.place(start))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(end), steps=steps)
        self.page.mouse.up()

    def walk(self, *points: Point) -> None:
        """Press at the first point, go through all of them, let go at the last."""
        self.canvas.scroll_into_view_if_needed()
        self.page.mouse.move(*self.place(points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.place(point), steps=4)
        self.page.mouse.up()

    def choose(self, tool: str) -> None:
        self.root.locator(f"[data-tool={tool}]").click()

    def act(self, name: str) -> None:
        self.root.get_by_role("button", name=name, exact=True).click()

    def type(self, name: str, value: float | str) -> None:
        """Type a number into a field, as a person does: leave it afterwards."""
        field = self.root.locator(f"[name={name}]")
        field.fill(str(value))
        field.press("Tab")

    def numbers(self) -> tuple[str, ...]:
        """What the four fields show."""
        return tuple(self.root.locator(f"[name={name}]").input_value() for name in ("start", "end", "low", "high"))

    def shown(self) -> tuple[int, str]:
        """Marked cells and the box around them, as the page says."""
        return int(self.root.get_attribute("data-count")), self.root.get_attribute("data-box")

    def sent(self) -> Mask:
        """The mask as it arrives on the server."""
        before = len(self.fake.masks)
        generate(self.page, "inpaint")
        for _ in range(100):  # the line that a job before this one left says that all is done, too
            if len(self.fake.masks) > before:
                break
            self.page.wait_for_timeout(100)
        assert len(self.fake.masks) == before + 1
        return self.fake.masks[-1]


def cells(first: int, last: int, low: int, high: int, frames: int = FRAMES) -> Mask:
    """A mask of one box."""
    mask = np.zeros((SPEC.mels, frames), bool)
    mask[low:high, first:last] = True
    return mask


def sit_down(page: Any, fake: FakePipeline, sound: Path) -> Hand:
    """Open the tab and give a sound."""
    page.get_by_role("tab", name="Inpaint", exact=True).click()
    page.locator("#inpaint-input input[type=file]").first.set_input_files(sound)
    hand = Hand(page, fake)
    expect(hand.root).not_to_have_class(re.compile("empty"))
    hand.canvas.scroll_into_view_if_needed()
    return hand
