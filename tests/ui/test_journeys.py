"""From the open page to a sound: every task by the keyboard alone, and how many actions the first time takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.hand import Hand
from tests.ui.visitor import done, open_tab, status, take, upload

pytestmark = pytest.mark.browser
MOST = 160  # presses of Tab until something has to be reached


@pytest.fixture(scope="module")
def desk(browser: Any, server: tuple[str, FakePipeline]) -> Iterator[Any]:
    """One visitor without a mouse, for all journeys."""
    with Visitor(browser, server[0]) as page:
        page.on("filechooser", lambda _: None)  # from now on choosers are told; to ask for that takes a moment
        yield page


def reach(page: Any, wanted: Any, key: str = "Tab") -> None:
    """Press Tab until it has the focus."""
    expect(wanted).to_be_visible()
    handle = wanted.element_handle()
    for _ in range(MOST):
        if page.evaluate("(wanted) => wanted === document.activeElement", handle):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{MOST} times {key} do not reach {wanted}")


def press(page: Any, wanted: Any, key: str = "Enter") -> None:
    reach(page, wanted)
    page.keyboard.press(key)


def go(page: Any, tab: str) -> None:
    """Back to the tabs, and open one."""
    button = page.get_by_role("tab", name=tab, exact=True)
    reach(page, button, "Shift+Tab")
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-selected", "true")


def give(page: Any, task: str, path: Path) -> None:
    """Give a file by the button that opens a file chooser."""
    button = page.locator(f"#{task}-input").get_by_role("button", name=re.compile("[Dd]rop|[Uu]pload")).first
    reach(page, button)
    page.once("filechooser", lambda chooser: chooser.set_files(path))
    page.keyboard.press("Enter")


def write(page: Any, task: str, words: str, field: str = "prompt") -> None:
    reach(page, page.locator(f"#{task}-{field} textarea"))
    page.keyboard.type(words)


def make(page: Any, task: str) -> None:
    status(page, task).evaluate("line => { line.textContent = ''; }")
    press(page, page.locator(f"#{task}-generate"))
    done(page, task)


def hear(page: Any, task: str) -> None:
    """Play the first take and stop it again."""
    play = take(page, task, 1).locator(".main")
    press(page, play)
    expect(play).to_have_attribute("data-playing", "true")
    page.keyboard.press("Space")
    expect(play).to_have_attribute("data-playing", "false")


def text(page: Any, inputs: dict[str, Path]) -> None:
    write(page, "text", "a dog barks")
    make(page, "text")
    hear(page, "text")


def image(page: Any, inputs: dict[str, Path]) -> None:
    give(page, "image", inputs["picture"])
    expect(page.locator("#image-words input[type=text]").first).to_have_value("dog barking")
    make(page, "image")
    hear(page, "image")


def video(page: Any, inputs: dict[str, Path]) -> None:
    give(page, "video", inputs["clip"])
    page.locator("#video-input video").wait_for()
    make(page, "video")
    hear(page, "video")


def personalise(page: Any, inputs: dict[str, Path]) -> None:
    give(page, "personalize", inputs["sound"])
    page.locator("#personalize-input audio").first.wait_for(state="attached")
    write(page, "personalize", "a cat")
    make(page, "personalize")
    hear(page, "personalize")


def inpaint(page: Any, inputs: dict[str, Path]) -> None:
    give(page, "inpaint", inputs["sound"])
    painter = page.locator("#inpaint-painter .painter")
    expect(painter).not_to_have_class(re.compile("empty"))
    reach(page, page.locator("#inpaint-painter canvas"))
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    expect(painter).to_have_attribute("data-box", "0 16 0 8")
    make(page, "inpaint")
    hear(page, "inpaint")


def batch(page: Any, inputs: dict[str, Path]) -> None:
    write(page, "batch", "rain\nwind\n", "prompts")
    make(page, "batch")
    cell = page.locator("#batch-board .cell").first
    press(page, cell)
    expect(cell).to_have_attribute("data-playing", "true")
    page.keyboard.press("Space")
    expect(cell).to_have_attribute("data-playing", "false")


def history(page: Any, inputs: dict[str, Path]) -> None:
    cards = page.locator("#history .take")
    expect(cards.first).to_be_visible()
    play = cards.first.locator(".main")
    press(page, play, "Space")
    expect(play).to_have_attribute("data-playing", "true")
    page.keyboard.press("Enter")
    expect(play).to_have_attribute("data-playing", "false")


JOURNEYS: dict[str, Callable[[Any, dict[str, Path]], None]] = {
    "Text": text, "Image": image, "Video": video, "Personalise": personalise, "Inpaint": inpaint, "Batch": batch,
}  # fmt: skip


@pytest.mark.parametrize("tab", [*JOURNEYS, "History"])
def test_by_keyboard_alone(desk: Any, fake: FakePipeline, inputs: dict[str, Path], tab: str) -> None:
    go(desk, tab)
    if tab == "History" and not desk.locator("#history .take").count():
        pytest.skip("nothing was made")
    JOURNEYS.get(tab, history)(desk, inputs)


class Acts:
    """Counts what a person does."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, act: Callable[..., Any], *given: Any) -> None:
        act(*given)
        self.count += 1


def test_a_first_sound_takes_two_actions(page: Any, fake: FakePipeline) -> None:
    """An example plays at once."""
    acts = Acts()
    acts(page.locator("#text-examples").get_by_text("rain").click)
    expect(take(page, "text", 1).locator(".main")).to_have_attribute("data-playing", "true")
    assert acts.count <= 2


def test_a_first_painted_fill_takes_five_actions(page: Any, fake: FakePipeline, inputs: dict[str, Path]) -> None:
    """Open the tab, give a sound, paint, press the button, press Play."""
    acts = Acts()
    acts(open_tab, page, "Inpaint")
    acts(upload, page, "inpaint-input", inputs["sound"])
    hand = Hand(page, fake)
    expect(hand.root).not_to_have_class(re.compile("empty"))
    acts(hand.drag, (20, 10), (60, 50))
    expect(hand.root).to_have_attribute("data-box", re.compile(r"\d"))
    acts(page.locator("#inpaint-generate").click)
    done(page, "inpaint")
    play = take(page, "inpaint", 1).locator(".main")
    acts(play.click)
    expect(play).to_have_attribute("data-playing", "true")
    assert acts.count <= 5


def test_painting_and_generating_need_no_scrolling(browser: Any, base_url: str, inputs: dict[str, Path]) -> None:
    with Visitor(browser, base_url, {"viewport": {"width": 1440, "height": 900}}) as page:
        for tab in ("image", "video", "personalize", "inpaint"):
            open_tab(page, {"personalize": "Personalise"}.get(tab, tab.capitalize()))
            above, button = (page.locator(f"#{tab}-{name}").bounding_box() for name in ("prompt", "generate"))
            assert button["y"] - above["y"] - above["height"] < 30, "nothing stands between prompt and Generate"
        expect(page.locator("#inpaint-edits .edits")).not_to_be_visible()  # there is nothing to edit yet
        upload(page, "inpaint-input", inputs["sound"])
        expect(page.locator("#inpaint-painter .painter")).not_to_have_class(re.compile("empty"))
        expect(page.locator("#inpaint-edits .edits")).to_be_visible()
        for part in ("#inpaint-painter canvas", "#inpaint-painter [name=high]", "#inpaint-generate"):
            expect(page.locator(part)).to_be_in_viewport(ratio=0.9)
