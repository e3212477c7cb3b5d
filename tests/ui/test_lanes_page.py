"""Sounds placed in time on the whole page: from a sentence to a file and back, on a phone, on a clip."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from maa.audio.tags import read_tags
from maa.cli import main
from maa.ui import build, launch
from tests.ui.conftest import Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.placing import TWO, Lanes
from tests.ui.visitor import choose, downloaded, generate, open_tab, take, upload

pytestmark = pytest.mark.browser


def test_from_a_sentence_to_a_file_and_back(page: Any, other: Any, fake: FakePipeline, tmp_path: Path) -> None:
    hand = Lanes(page)
    hand.say(TWO)
    hand.has("rain, from 0 to 4 s", "a bell rings, from 1 to 2 s")
    generate(page, "text")
    assert fake.asked[-1]["events"] == [[1.0, 2.0, "a bell rings"], [0.0, 4.0, "rain"]], "as the sentence has them"
    hand.block("a bell").press("ArrowRight")
    hand.block("a bell").press("ArrowUp")
    page.keyboard.press("Control+Enter")
    placed = [[1.1, 2.1, "a bell rings", 1.0], [0.0, 4.0, "rain"]]
    expect(take(page, "text", 1)).to_be_visible()
    page.wait_for_function("() => document.querySelector('#text-status [role=status]').textContent.includes('Done in')")
    generate(page, "text")
    assert fake.asked[-1]["events"] == placed
    file = tmp_path / "placed.wav"
    file.write_bytes(downloaded(page, "text-take-1"))
    tags = read_tags(file)
    assert tags is not None and tags["events"] == placed

    there = Lanes(other)
    other.locator("#conductor [data-ready]").wait_for()
    with other.expect_file_chooser() as chooser:
        other.get_by_role("button", name="Restore settings from a file").click()
    chooser.value.set_files(file)
    labels = ("rain, from 0 to 4 s", "a bell rings, from 1.1 to 2.1 s, +1 dB")
    there.has(*labels)
    expect(there.root.locator(".source")).to_have_text("Yours")
    generate(other, "text")
    again = tmp_path / "again.wav"
    again.write_bytes(downloaded(other, "text-take-1"))
    assert again.read_bytes() == file.read_bytes()

    hand.say("only wind")
    hand.act("follow")
    expect(hand.blocks).to_have_count(0)
    open_tab(page, "History")
    card = page.locator("#history .take").first
    choose(page, card, card.get_attribute("aria-label"), "Use these settings")
    hand.has(*labels)
    expect(hand.prompt).to_have_value(TWO)


def test_an_example_takes_what_was_placed_away(page: Any) -> None:
    hand = Lanes(page)
    hand.act("open")
    hand.act("add")
    expect(hand.blocks).to_have_count(1)
    page.locator("#text-examples").get_by_text("wind").click()
    expect(hand.prompt).to_have_value("wind")
    expect(hand.blocks).to_have_count(0)


def test_a_model_that_takes_sentences_as_they_are_places_them_when_asked(page: Any, fake: FakePipeline) -> None:
    knows, fake.vocabulary = fake.vocabulary, None
    try:
        hand = Lanes(page)
        hand.say(TWO)
        page.wait_for_timeout(1500)
        expect(hand.root.locator(".board")).to_be_hidden()
        hand.act("open")
        hand.has("rain, from 0 to 4 s", "a bell rings, from 1 to 2 s")
        expect(hand.root.locator(".source")).to_have_text("Yours")
    finally:
        fake.vocabulary = knows


# ---------------------------------------------------------------- a phone


def swipe(session: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    def touch(kind: str, *points: tuple[float, float]) -> None:
        given = {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        session.send("Input.dispatchTouchEvent", given)

    touch("touchStart", start)
    for part in (0.2, 0.4, 0.6, 0.8, 1.0):
        touch("touchMove", (start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])))
    touch("touchEnd")


def test_fingers(phone: Any) -> None:
    hand = Lanes(phone)
    hand.say(TWO)
    hand.has("rain, from 0 to 4 s", "a bell rings, from 1 to 2 s")
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
    hand.field.scroll_into_view_if_needed()
    session = phone.context.new_cdp_session(phone)
    swipe(session, (hand.x(1.5), hand.y(1)), (hand.x(6.5), hand.y(1)))
    hand.has("rain, from 0 to 4 s", "a bell rings, from 6 to 7 s")
    swipe(session, (hand.x(3.9), hand.y(0)), (hand.x(4.92), hand.y(0)))
    hand.has("rain, from 0 to 5 s", "a bell rings, from 6 to 7 s")
    spot = {"x": hand.x(7.5), "y": hand.y(0)}
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [spot]})
    expect(hand.blocks).to_have_count(3)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(hand.root.locator("[name=text]")).to_be_focused()
    tall = min(block.bounding_box()["height"] for block in hand.blocks.all())
    assert tall >= 40, "a finger finds it"


# ---------------------------------------------------------------- a real, tiny model


def test_the_copied_command_of_what_was_placed_makes_the_same_bytes(
    browser: Any, tiny: Any, in_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    app = build(tiny, tmp_path_factory.mktemp("no-assets"))
    try:
        with Visitor(browser, launch(app)) as page:
            hand = Lanes(page)
            length = page.get_by_label("number input for Length").first
            length.fill("3")
            length.press("Tab")
            hand.say("wind")
            hand.act("open")
            hand.act("add")
            hand.type("text", '-a dog\'s "bark" $(x)')
            hand.type("gain", "-3")
            hand.act("copy")
            hand.type("start", "0.5")
            page.locator("#text-advanced").get_by_text("Advanced").click()
            steps = page.locator("#text-advanced").get_by_label("number input for Steps")
            steps.fill("2")
            steps.press("Tab")
            generate(page, "text", 120_000)
            made = downloaded(page, "text-take-1")
            choose(page, take(page, "text", 1), "Take 1", "Copy as command")
            command = page.evaluate("() => navigator.clipboard.readText()")
    finally:
        app.close()
    assert command.count("--event") == 2
    words = shlex.split(command)
    assert main([*words[3:], "--device", "cpu", "--quiet"]) == 0
    assert (in_folder / words[words.index("-o") + 1]).read_bytes() == made


# ---------------------------------------------------------------- a clip


def test_what_a_clip_is_heard_as_can_be_placed_otherwise(
    page: Any, fake: FakePipeline, inputs: dict[str, Path]
) -> None:
    open_tab(page, "Video")
    hand = Lanes(page, "video")
    expect(hand.root.locator(".opener")).to_be_hidden()
    upload(page, "video-input", inputs["clip"])
    hand.has("footsteps, from 0 to 0.5 s", "a door, from 0.5 to 1 s")
    expect(hand.root.locator(".source")).to_have_text("As the clip is heard")
    generate(page, "video")
    assert "events" not in fake.asked[-1], "what is seen is what is asked for"
    hand.say("wind")
    expect(hand.blocks).to_have_count(0)
    hand.say("")
    hand.has("footsteps, from 0 to 0.5 s", "a door, from 0.5 to 1 s")
    hand.block("a door").press("ArrowLeft")
    hand.has("footsteps, from 0 to 0.5 s", "a door, from 0.4 to 0.9 s")
    generate(page, "video")
    assert fake.asked[-1]["events"] == [[0.0, 0.5, "footsteps"], [0.4, 0.9, "a door"]]
    hand.act("follow")
    hand.has("footsteps, from 0 to 0.5 s", "a door, from 0.5 to 1 s")
    choose(page, take(page, "video", 1), "Take 1", "Use these settings")
    hand.has("footsteps, from 0 to 0.5 s", "a door, from 0.4 to 0.9 s")
