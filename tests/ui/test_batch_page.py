"""Many at once, in the page: a list, a grid, their keys, and going on after a stop and after a reload."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import done, open_tab, status

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(browser: Any, server: tuple[str, FakePipeline]) -> Iterator[Any]:
    """One visitor for the whole module."""
    with Visitor(browser, server[0]) as page:
        yield page


@pytest.fixture
def page(desk: Any, fake: FakePipeline) -> Any:
    open_tab(desk, "Batch")
    return desk


def fill(page: Any, name: str, text: str) -> None:
    page.locator(f"#batch-{name} textarea").fill(text)


def make(page: Any) -> None:
    status(page, "batch").evaluate("line => { line.textContent = ''; }")
    page.locator("#batch-generate").click()


def cells(page: Any, state: str = "made") -> Any:
    return page.locator(f"#batch-board .cell[data-state={state}]")


def playing(page: Any) -> list[str]:
    return page.locator("#batch-board .cell[data-playing=true]").evaluate_all(
        "all => all.map((one) => one.getAttribute('aria-label'))"
    )


def test_a_list_stopped_reloaded_and_gone_on_with(page: Any, fake: FakePipeline) -> None:
    """The finished sounds stay, and only what is missing is made."""
    page.get_by_label("A list of prompts").check()
    fill(page, "prompts", "".join(f"rain {k}\n" for k in range(8)))
    fake.step_seconds = 0.4
    asked = len(fake.asked)
    make(page)
    expect(cells(page)).to_have_count(2)
    expect(status(page, "batch")).to_have_text(re.compile(r"Sound \d of 8, about \d+ s left"))
    page.reload()
    expect(cells(page)).not_to_have_count(0)
    fake.step_seconds = 0.4
    page.locator("#batch-stop").click()
    expect(status(page, "batch")).to_have_text("Stopped. The sounds that are finished stay.")
    stopped = len(fake.asked) - asked
    assert stopped < 8
    page.wait_for_timeout(600)
    page.reload()
    expect(page.locator("#batch-goon")).to_have_text(re.compile(r"Go on: make the \d missing"))
    expect(page.locator("#batch-prompts textarea")).to_have_value(re.compile("rain 7"))
    made = cells(page).count()
    assert 2 <= made < 8
    fake.step_seconds = 0.0
    asked = len(fake.asked)
    page.locator("#batch-goon").click()
    expect(cells(page)).to_have_count(8)
    expect(page.locator("#batch-goon")).not_to_be_visible()
    done(page, "batch")
    assert len(fake.asked) - asked == 8 - made, "only what was missing"
    with page.expect_download() as waiting:
        page.get_by_text("Download all (zip)").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        names = archive.namelist()
        rows = list(csv.DictReader(io.StringIO(archive.read("sounds.csv").decode())))
    assert len(names) == 9 and [row["prompt"] for row in rows] == [f"rain {k}" for k in range(8)]
    assert all(re.fullmatch(rf"00{k + 1}_rain-{k}_s\d+\.wav", name) for k, name in enumerate(names[1:]))


def test_a_grid_by_keys_alone(page: Any, fake: FakePipeline) -> None:
    page.get_by_label("A grid of settings").check()
    expect(page.locator("#batch-prompts")).not_to_be_visible()
    fill(page, "prompt", "a dog")
    fill(page, "rows", "2, 4")
    fill(page, "columns", "5, 6, 7")
    make(page)
    expect(cells(page)).to_have_count(6)
    done(page, "batch")
    expect(page.locator("#batch-board thead th")).to_have_text(["seed 5", "seed 6", "seed 7"])
    table = page.locator("#batch-board table")
    table.locator("button").first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("#batch-board .detail .words")).to_have_text("guidance 4, seed 7: a dog")
    page.keyboard.press("Space")
    expect(cells(page).nth(5)).to_have_attribute("data-playing", "true")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(cells(page).nth(4)).to_have_attribute("data-playing", "true")
    assert playing(page) == ["Pause: guidance 4, seed 6, 10.0 s"], "one at a time"
    page.keyboard.press("Enter")
    expect(cells(page).nth(4)).to_have_attribute("data-playing", "false")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Use these settings")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#text-prompt textarea")).to_have_value("a dog")
    expect(page.get_by_role("tab", name="Text", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#text-seed input")).to_have_value("6")
    page.locator("#text-advanced").get_by_text("Advanced").click()
    expect(page.get_by_label("number input for Guidance").first).to_have_value("4")


def test_a_file_becomes_the_list(page: Any, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text('prompt,seed\n"rain, soft",5\nwind,6\n')
    (tmp_path / "bad.csv").write_text("text,seed\nrain,5\n")
    (tmp_path / "latin.txt").write_bytes("Höhle".encode("latin-1"))
    page.get_by_label("A list of prompts").check()
    opener = page.locator("#batch-opener input[type=file]")
    opener.set_input_files(tmp_path / "list.csv")
    expect(status(page, "batch")).to_have_text("2 lines from 'list.csv'.")
    expect(page.locator("#batch-prompts textarea")).to_have_value('prompt,seed\n"rain, soft",5\nwind,6\n')
    opener.set_input_files(tmp_path / "bad.csv")
    expect(status(page, "batch")).to_contain_text("one of them prompt")
    opener.set_input_files(tmp_path / "latin.txt")
    expect(status(page, "batch")).to_contain_text("no text in UTF-8")
    expect(page.locator("#batch-prompts textarea")).to_have_value(re.compile("rain, soft"))
    dropped = """text => {
      const data = new DataTransfer();
      data.items.add(new File([text], "dropped.txt", { type: "text/plain" }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(dropped, "one\ntwo\nthree\n")
    expect(status(page, "batch")).to_have_text("3 lines from 'dropped.txt'.")
    make(page)
    expect(cells(page)).to_have_count(3)


def test_a_mistake_is_one_sentence_and_leaves_the_board(page: Any, fake: FakePipeline) -> None:
    page.get_by_label("A list of prompts").check()
    fill(page, "prompts", "rain")
    make(page)
    done(page, "batch")
    fill(page, "prompts", "rain\n" * 101)
    make(page)
    expect(status(page, "batch")).to_contain_text("a list here has at most 100")
    expect(cells(page)).to_have_count(1)
