"""Pictures of every tab: light, dark, and on a phone; empty, and with something made.

python -m tests.shots --out FOLDER

The app answers with sines (tests/ui/fakes.py), so it takes a minute and no model. Not a test: look at the pictures.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.here import ARGUMENTS, find_chromium
from tests.ui.conftest import DENSE, PHONE, give_inputs
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import done, open_tab, upload

WIDE = {"viewport": {"width": 1440, "height": 900}}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {**WIDE, "color_scheme": "light"},
    "dark": {**WIDE, "color_scheme": "dark"},
    "phone": {**PHONE, "device_scale_factor": 2, "color_scheme": "light"},
    "phone-dark": {**PHONE, "device_scale_factor": 2, "color_scheme": "dark"},
}
WAIT = 60_000  # milliseconds
SCROLL = """async () => {
    for (let y = 0; y < document.body.scrollHeight; y += innerHeight / 2) {
        scrollTo(0, y);
        await new Promise((resolve) => setTimeout(resolve, 60));
    }
    scrollTo(0, 0);
}"""


def text(page: Any, inputs: dict[str, Path]) -> None:
    page.locator("#text-prompt textarea").fill("a dog barks twice while rain falls")
    page.get_by_label("number input for Takes").first.fill("3")
    made(page, "text")


def image(page: Any, inputs: dict[str, Path]) -> None:
    upload(page, "image-input", inputs["picture"])
    page.locator("#image-words input[type=text]").first.wait_for()
    made(page, "image")


def video(page: Any, inputs: dict[str, Path]) -> None:
    upload(page, "video-input", inputs["clip"])
    page.locator("#video-input video").wait_for()
    made(page, "video")


def personalize(page: Any, inputs: dict[str, Path]) -> None:
    upload(page, "personalize-input", inputs["sound"])
    page.locator("#personalize-prompt textarea").fill("a cat")
    page.locator("#personalize-input audio").first.wait_for(state="attached")
    made(page, "personalize")


def inpaint(page: Any, inputs: dict[str, Path]) -> None:
    upload(page, "inpaint-input", inputs["sound"])
    page.locator("#inpaint-painter .painter:not(.empty)").wait_for()
    page.locator("#inpaint-painter canvas").press("n")
    page.keyboard.press("Enter")
    made(page, "inpaint")


def grid(page: Any, inputs: dict[str, Path]) -> None:
    page.get_by_label("A grid of settings").check()
    page.locator("#batch-prompt textarea").fill("a dog barks")
    made(page, "batch")


def prompts(page: Any, inputs: dict[str, Path]) -> None:
    page.get_by_label("A list of prompts").check()
    page.locator("#batch-prompts textarea").fill("rain on a roof\na dog barks twice while somebody laughs\nwind\n" * 3)
    made(page, "batch")


def made(page: Any, task: str) -> None:
    page.locator(f"#{task}-status [role=status]").evaluate("line => { line.textContent = ''; }")
    page.locator(f"#{task}-generate").click()
    done(page, task, WAIT)


# Tab, and what a visitor does in it before the second picture.
TABS: list[tuple[str, dict[str, Callable[[Any, dict[str, Path]], None]]]] = [
    ("Text", {"text": text}),
    ("Image", {"image": image}),
    ("Video", {"video": video}),
    ("Personalise", {"personalize": personalize}),
    ("Inpaint", {"inpaint": inpaint}),
    ("Batch", {"list": prompts, "grid": grid}),
    ("History", {}),
]


def look(page: Any, out: Path, name: str, inputs: dict[str, Path]) -> None:
    """All tabs in one look."""
    page.locator("#text-generate").wait_for(timeout=WAIT)
    for tab, acts in TABS:
        open_tab(page, tab)
        page.wait_for_timeout(300)
        shoot(page, out / f"{tab.lower()}-{name}.png")
        for act, do in acts.items():
            do(page, inputs)
            page.wait_for_timeout(300)
            shoot(page, out / f"{tab.lower()}-{act}-made-{name}.png")


def shoot(page: Any, path: Path) -> None:
    page.evaluate(SCROLL)  # pictures of sounds are drawn when they are in sight
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    page.screenshot(path=str(path), full_page=True)
    print(f"{path}{f' (it is {wide} pixels too wide)' if wide > 0 else ''}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", choices=tuple(LOOKS), action="append", help="one look; repeatable; default all")
    options = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        print("This needs Chromium.", file=sys.stderr)
        return 2
    from playwright.sync_api import sync_playwright

    from maa.ui import build, launch

    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        inputs = give_inputs(Path(folder))
        served = build(FakePipeline(config=DENSE))  # type: ignore[arg-type]
        url = launch(served)
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for name, how in LOOKS.items():
            if not options.only or name in options.only:
                page = browser.new_context(base_url=url, **how).new_page()
                page.set_default_timeout(WAIT)
                page.goto("/")
                look(page, options.out, re.sub(r"\W", "-", name), inputs)
                page.context.close()
        browser.close()
        served.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
