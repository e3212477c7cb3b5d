"""A visitor in front of the lanes, who thinks in seconds."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from maa.config import TINY

SECONDS = TINY.audio.seconds
TWO = "a bell rings(1-2); rain(0-4)"


class Lanes:
    """Mouse and keyboard over the lanes of one tab."""

    def __init__(self, page: Any, tab: str = "text") -> None:
        self.page = page
        self.root = page.locator(f"#{tab}-events .lanes")
        self.field = self.root.locator(".field")
        self.blocks = self.root.locator(".block")
        self.prompt = page.locator(f"#{tab}-prompt textarea")

    def say(self, sentence: str) -> None:
        self.prompt.fill(sentence)

    def labels(self) -> list[str]:
        return [block.get_attribute("aria-label") for block in self.blocks.all()]

    def has(self, *labels: str) -> None:
        """Just these events, by their beginnings."""
        expect(self.blocks).to_have_count(len(labels))
        for place, label in enumerate(labels):
            expect(self.blocks.nth(place)).to_have_attribute("aria-label", label)

    def act(self, name: str) -> None:
        self.root.locator(f"[data-act={name}]").click()

    def block(self, words: str) -> Any:
        return self.blocks.filter(has_text=words)

    def x(self, second: float, seconds: float = SECONDS) -> float:
        box = self.field.bounding_box()
        return float(box["x"] + box["width"] * second / seconds)

    def y(self, lane: int) -> float:
        tall = float(self.root.evaluate("node => parseFloat(getComputedStyle(node).getPropertyValue('--tall'))"))
        return float(self.field.bounding_box()["y"] + 4 + (lane + 0.5) * tall)

    def drag(self, lane: int, start: float, end: float) -> None:
        self.field.scroll_into_view_if_needed()
        mouse = self.page.mouse
        mouse.move(self.x(start), self.y(lane))
        mouse.down()
        mouse.move(self.x((start + end) / 2), self.y(lane))
        mouse.move(self.x(end), self.y(lane))
        mouse.up()

    def type(self, name: str, value: str) -> None:
        field = self.root.locator(f"[name={name}]")
        field.fill(value)
        field.press("Enter")
