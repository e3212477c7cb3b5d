"""Sounds placed in time: what the server reads and says of them, and lanes by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from maa.ui import text
from maa.ui.lanes import follow
from tests.ui.conftest import DENSE, Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.placing import SECONDS, TWO, Lanes
from tests.ui.visitor import status

# ---------------------------------------------------------------- what the server reads and says


def test_only_what_a_person_has_placed_is_asked_for() -> None:
    rows = [[0, 1, "rain", -6]]
    assert text.TASK.ask({"prompt": "", "events": {"rows": rows, "own": True}}).task.events == ((0, 1, "rain", -6.0),)
    for told in ({"rows": rows, "own": False}, {"rows": rows}, {"own": False}, None, {"rows": rows, "own": "yes"}):
        assert text.TASK.ask({"prompt": "x", "events": told}).task.events == ()
    assert text.TASK.ask({"prompt": "", "events": rows}).task.events == ((0, 1, "rain", -6.0),), "as programs send it"


@pytest.mark.parametrize(
    "rows", [{}, "rain", [[0, 1]], [[0, 1, {"path": "/etc/passwd"}]], [["a", 1, "x"]], [[0, 1, "x", 99]], 5, [None]]
)
def test_what_is_no_event_is_refused_in_a_sentence(rows: Any) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]{10,250}$"):
        text.TASK.ask({"prompt": "", "events": {"rows": rows, "own": True}})


def test_a_sentence_is_told_or_is_nothing() -> None:
    fake: Any = FakePipeline(config=DENSE)
    asked = {"prompt": "a dog barks, then rain", "seconds": 4.0, "literal": False}
    assert follow.tell(fake, asked) == {**asked, "rows": [[0, 2, "a dog barks"], [2, 4, "rain"]], "auto": True}
    assert follow.tell(fake, {**asked, "literal": True})["auto"] is False
    for odd in (None, 5, "\ud800", "x" * 1001, ["a"]):
        assert follow.tell(fake, {**asked, "prompt": odd})["rows"] == []
    for odd in ("x", 1e9, [], True):
        assert follow.tell(fake, {**asked, "seconds": odd})["rows"] == []
    fake.vocabulary = None
    assert follow.tell(fake, asked)["auto"] is False, "the library takes such a sentence as it is"


# ---------------------------------------------------------------- one visitor for what hands do


@pytest.fixture(scope="module")
def seat(browser: Any, server: tuple[str, FakePipeline]) -> Iterator[Lanes]:
    with Visitor(browser, server[0]) as page:
        hand = Lanes(page)
        page.locator("#text-events [data-ready]").wait_for(state="attached")
        yield hand


@pytest.fixture
def hand(seat: Lanes) -> Lanes:
    """That visitor with two sounds in time, as a sentence tells of them."""
    if seat.root.get_attribute("data-own") == "true":
        seat.act("follow")
    seat.say("")
    expect(seat.blocks).to_have_count(0)
    seat.say(TWO)
    seat.has("rain, from 0 to 4 s", "a bell rings, from 1 to 2 s")
    return seat


@pytest.mark.browser
def test_a_sentence_of_several_sounds_fills_the_lanes_and_one_sound_shows_none(hand: Lanes, fake: FakePipeline) -> None:
    assert [block.get_attribute("data-lane") for block in hand.blocks.all()] == ["0", "1"]
    expect(hand.root.locator(".source")).to_have_text("As the sentence says")
    asked = len(fake.looked)
    hand.say("")
    hand.prompt.press_sequentially("rain falls", delay=20)
    expect(hand.blocks).to_have_count(0)
    expect(hand.root.locator(".board")).to_be_hidden()
    expect(hand.root.locator(".opener")).to_have_text("Place sounds in time")
    hand.say("a dog barks, then a cat meows")
    hand.has("a dog barks, from 0 to 4.992 s", "a cat meows, from 4.992 to 9.984 s")
    assert len(fake.looked) - asked <= 3, "not at every key"


@pytest.mark.browser
def test_a_mouse_moves_and_resizes_and_what_overlaps_gets_a_lane_of_its_own(hand: Lanes) -> None:
    hand.drag(1, 1.5, 4.52)
    hand.has("rain, from 0 to 4 s", "a bell rings, from 4 to 5 s")  # the edge of the rain holds it
    assert [block.get_attribute("data-lane") for block in hand.blocks.all()] == ["0", "0"]
    expect(hand.root.locator(".source")).to_have_text("Yours")
    hand.drag(0, 4.97, 5.98)
    hand.has("rain, from 0 to 4 s", "a bell rings, from 4 to 6 s")
    hand.drag(0, 4.03, 3.02)
    hand.has("rain, from 0 to 4 s", "a bell rings, from 3 to 6 s")
    assert hand.block("a bell").get_attribute("data-lane") == "1"
    hand.drag(0, 1.5, -3.0)
    hand.has("rain, from 0 to 4 s", "a bell rings, from 3 to 6 s")  # nothing is before the beginning
    hand.act("undo")
    hand.has("rain, from 0 to 4 s", "a bell rings, from 4 to 6 s")
    hand.act("redo")
    hand.has("rain, from 0 to 4 s", "a bell rings, from 3 to 6 s")
    hand.act("follow")
    hand.has("rain, from 0 to 4 s", "a bell rings, from 1 to 2 s")


@pytest.mark.browser
def test_a_mouse_adds_by_dragging_and_by_a_double_click(hand: Lanes) -> None:
    hand.drag(1, 5.01, 7.02)
    hand.page.keyboard.type("thunder @ -3 dB")
    hand.page.keyboard.press("Enter")
    hand.has("rain, from 0 to 4 s", "a bell rings, from 1 to 2 s", "thunder, from 5 to 7 s, −3 dB")
    expect(hand.block("thunder")).to_be_focused()
    hand.page.mouse.dblclick(hand.x(7.5), hand.y(0))
    hand.page.keyboard.type("a frog croaks")
    hand.root.locator("[name=gain]").click()
    hand.has(
        "rain, from 0 to 4 s", "a bell rings, from 1 to 2 s", "thunder, from 5 to 7 s, −3 dB",
        "a frog croaks, from 7.5 to 9.5 s",
    )  # fmt: skip
    hand.act("copy")
    expect(hand.blocks).to_have_count(5)
    hand.act("remove")
    expect(hand.blocks).to_have_count(4)


@pytest.mark.browser
def test_keys_do_all_of_it(hand: Lanes) -> None:
    keys = hand.page.keyboard
    hand.blocks.first.focus()
    keys.press("Tab")
    expect(hand.block("a bell")).to_be_focused()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowDown", "ArrowDown"):
        keys.press(key)
    hand.has("rain, from 0 to 4 s", "a bell rings, from 1.2 to 2.3 s, −2 dB")
    expect(hand.block("a bell")).to_be_focused()
    keys.press("Enter")
    expect(hand.root.locator("[name=text]")).to_be_focused()
    keys.type("a gong")
    keys.press("Enter")
    hand.has("rain, from 0 to 4 s", "a gong, from 1.2 to 2.3 s, −2 dB")
    keys.press("End")
    hand.has("rain, from 0 to 4 s", "a gong, from 8.884 to 9.984 s, −2 dB")
    keys.press("Control+z")
    keys.press("Control+d")
    expect(hand.blocks).to_have_count(3)
    keys.press("Delete")
    expect(hand.blocks).to_have_count(2)
    expect(hand.block("a gong")).to_be_focused()
    keys.press("Delete")
    expect(hand.block("rain")).to_be_focused()
    keys.press("Control+z")
    hand.has("rain, from 0 to 4 s", "a gong, from 1.2 to 2.3 s, −2 dB")


@pytest.mark.browser
def test_numbers_say_the_same_and_wrong_ones_are_told(hand: Lanes) -> None:
    hand.block("a bell").click()
    for name, value in (("end", "5.25"), ("start", "3"), ("gain", "-99")):
        hand.type(name, value)
    hand.has("rain, from 0 to 4 s", "a bell rings, from 3 to 5.25 s, −40 dB")
    hand.type("end", "2")
    expect(hand.root.locator(".said")).to_contain_text("ends after its start")
    expect(hand.root.locator("[name=end]")).to_have_value("5.25")


@pytest.mark.browser
def test_what_ends_after_the_sound_is_shown_and_refused_by_the_library(hand: Lanes, fake: FakePipeline) -> None:
    seconds = hand.page.get_by_label("number input for Length").first
    hand.block("rain").click()
    hand.type("end", "9")
    seconds.fill("5")
    seconds.press("Tab")
    expect(hand.root.locator(".block.late")).to_have_count(1)
    expect(hand.root.locator(".beyond")).to_be_visible()
    expect(hand.root.locator(".said")).to_contain_text("make the sound longer")
    hand.page.locator("#text-generate").click()
    sentence = "“rain” ends at 9 s, after the end of the sound (5 s); make the sound longer."
    expect(status(hand.page, "text")).to_have_text(sentence)
    seconds.fill(str(SECONDS))
    seconds.press("Tab")
    expect(hand.root.locator(".block.late")).to_have_count(0)
    expect(hand.root.locator(".said")).to_have_text("")


@pytest.mark.browser
def test_a_prompt_lies_behind_what_is_placed_and_the_lanes_say_so(hand: Lanes) -> None:
    hand.say("wind")
    expect(hand.root.locator(".board")).to_be_hidden()
    hand.act("open")
    expect(hand.root.locator(".invite")).to_be_visible()
    hand.act("add")
    hand.page.keyboard.type("a bell")
    hand.page.keyboard.press("Enter")
    expect(hand.root.locator(".behind")).to_have_text("Behind all of them: wind")
    expect(hand.page.locator("#text-heard .heard")).to_be_hidden()  # chips of the prompt are not what sounds
    hand.act("follow")
    expect(hand.page.locator("#text-heard .heard")).to_be_visible()
    hand.act("undo")
    hand.act("open")
    expect(hand.root.locator(".board")).to_be_hidden()
    expect(hand.root.locator(".opener")).to_have_text("Sounds in time: 1")
    hand.act("open")
    expect(hand.blocks).to_have_count(1)
