"""Two edits as a visitor makes them, photographed for docs/painting.md: barks out of rain, one bird call for another.

python -m tests.edits --model small --to assets
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.here import ARGUMENTS, ROOT, find_chromium


@dataclass(frozen=True)
class Edit:
    """What is opened, marked and asked for."""

    name: str
    sound: str
    boxes: tuple[tuple[float, float, float, float], ...]  # start s, end s, low Hz, high Hz
    prompt: str  # empty = "Remove this"
    seed: int


GAP = 12  # pixels between the pictures
COMPARE = "#inpaint-takes .compare"  # opens by itself on the upload and the first take
EDITS = (
    Edit("edit-rain", "rain-barks.flac", ((1.95, 2.24, 0, 8000), (2.37, 2.66, 0, 8000)), "", 4),
    Edit("edit-bird", "birds.flac", ((1.26, 2.02, 2100, 6500),), "bird chirping", 3),
)


def main() -> None:
    """Start the app, make both edits, write a picture of each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", default="small")
    parser.add_argument("--to", type=Path, default=ROOT / "assets")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    from maa import MakeAnAudio
    from maa.ui import build, launch

    page = build(MakeAnAudio.from_pretrained(options.model), ROOT / "assets")
    address = launch(page)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for edit in EDITS:
            visitor = browser.new_page(viewport={"width": 1180, "height": 1500})
            visitor.goto(address)
            print(edit.name, "|", perform(visitor, edit))
            photograph(visitor, options.to / f"{edit.name}.png")
            visitor.close()
        browser.close()
    page.close()


def perform(page: Any, edit: Edit) -> str:
    """Make one edit by the buttons; the line of numbers that the app shows comes back."""
    from playwright.sync_api import expect

    page.get_by_role("tab", name="Inpaint", exact=True).click()
    page.locator("#inpaint-input input[type=file]").first.set_input_files(ROOT / "assets" / "inputs" / edit.sound)
    root = page.locator("#inpaint-painter .painter")
    expect(root).not_to_have_class(re.compile("empty"), timeout=60_000)
    for box in edit.boxes:
        root.locator("canvas").focus()
        page.keyboard.press("Escape")  # so that the numbers start a new box
        for name, value in zip(("start", "end", "low", "high"), box, strict=True):
            field = root.locator(f"[name={name}]")
            field.fill(str(value))
            field.press("Tab")
    page.locator("#inpaint-fresh input").uncheck()
    page.locator("#inpaint-seed input").fill(str(edit.seed))
    if edit.prompt:
        page.locator("#inpaint-replace").click()
        page.locator("#inpaint-prompt textarea").fill(edit.prompt)
        page.locator("#inpaint-generate").click()
    else:
        page.locator("#inpaint-remove").click()
    expect(page.locator("#inpaint-status [role=status]")).to_have_text(re.compile("Done in"), timeout=300_000)
    compare = page.locator(COMPARE)
    expect(compare).to_have_attribute("data-loaded", re.compile(r"\d+"))
    return str(compare.locator(".note").text_content())


def photograph(page: Any, path: Path) -> None:
    """The painter with its mask, below it the comparison wiped to before and to after, in 256 colours."""
    from PIL import Image

    page.mouse.move(0, 0)
    with tempfile.TemporaryDirectory() as folder:
        parts = []
        for name, wipe in (("#inpaint-painter", None), (f"{COMPARE} canvas", 100), (f"{COMPARE} canvas", 0)):
            shot = Path(folder) / "shot.png"
            page.locator(name).scroll_into_view_if_needed()
            if wipe is not None:
                page.locator(f"{COMPARE} .wipe").fill(str(wipe))
            page.wait_for_timeout(300)
            page.locator(name).screenshot(path=shot)
            with Image.open(shot) as image:
                parts.append(image.convert("RGB"))
        painter, before, after = parts
        half = (painter.width - GAP) // 2
        halves = [part.resize((half, round(part.height * half / part.width))) for part in (before, after)]
        whole = Image.new("RGB", (painter.width, painter.height + GAP + halves[0].height), "white")
        whole.paste(painter, (0, 0))
        for k, part in enumerate(halves):
            whole.paste(part, (k * (half + GAP), painter.height + GAP))
        whole.quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    main()
