"""A long take is heard while the rest of it is made: in the page, in files that go again, and one sound at a time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from maa.config import TINY
from maa.ui import files, jobs, storage, streamed
from maa.ui.jobs import Done, Jobs, Progress, Stretch
from tests.ui.conftest import Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import done, open_tab, status, take

BOX = "#text-takes .streamed"


def test_no_stretch_is_lost_where_progress_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "WORTH", 0.0)  # this is a short one
    waves = [np.full(10, number, np.float32) for number in range(6)]

    def work(listener: Any) -> str:
        for number, wave in enumerate(waves):
            listener.on_sound(10 * number, wave, 60)
            listener(number + 1, 6, lambda: np.zeros((80, 16), np.float32))
        return "made"

    events = Jobs().run(work)
    heard, mels = [], 0
    for event in events:
        if isinstance(event, Progress):
            heard += event.sound
            mels += event.mel is not None
            time.sleep(0.05)  # so that there is something to skip
    assert isinstance(event, Done) and mels == 1
    assert [one.first for one in heard] == [0, 10, 20, 30, 40, 50] and {one.whole for one in heard} == {60}
    assert np.array_equal(np.concatenate([one.wave for one in heard]), np.concatenate(waves))


def test_stretches_are_files_until_a_while_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    live = streamed.Live(TINY.audio, seed=7)
    assert live.after(Progress(1, 4)) is None and live.heard is None
    loud = np.linspace(-1.5, 1.5, 16_000, dtype=np.float32)  # above full scale
    assert live.after(Progress(2, 4, mel=np.zeros((80, 16), np.float32)))["step"] == 2
    view = live.after(Progress(3, 4, sound=(Stretch(0, loud, 48_000), Stretch(16_000, loud[:8000], 48_000))))
    assert view is not None and view["levels"].startswith("data:image/png") and (view["step"], view["total"]) == (3, 4)
    heard = view["heard"]
    assert (heard["seed"], heard["rate"], heard["seconds"]) == (7, 16_000, 3.0)
    assert [part[1:] for part in heard["parts"]] == [(0.0, 1.0), (1.0, 0.5)]
    (folder,) = {Path(part[0].removeprefix("gradio_api/file=")).parent for part in heard["parts"]}
    assert folder.parent == files.shelf() and storage._UPLOAD.fullmatch(folder.name), "the sweep knows it"
    assert np.array_equal(soundfile.read(folder / "part-000000000.wav", dtype="float32")[0], loud)
    monkeypatch.setattr(streamed, "STAYS", 0.1)
    live.end()
    assert folder.is_dir()
    end = time.monotonic() + 20
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not folder.exists()


def test_what_nothing_came_of_goes_at_once_and_a_full_disk_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Stretch(0, np.zeros(8, np.float32), 16), Stretch(8, np.zeros(8, np.float32), 16)
    live = streamed.Live(TINY.audio, seed=1)
    live.after(Progress(1, 2, sound=(one,)))
    folder = live._folder
    monkeypatch.setattr(storage.Storage, "refusal", lambda *_: "full")
    view = live.after(Progress(1, 2, sound=(two,)))
    assert view is not None and len(view["heard"]["parts"]) == 1
    monkeypatch.undo()
    view = live.after(Progress(1, 2, sound=(two,)))
    assert view is not None and len(view["heard"]["parts"]) == 1, "no hole is left in what is played"
    assert folder is not None and folder.is_dir()
    live.end(soon=True)
    assert not folder.exists()


@pytest.fixture(scope="module")
def desk(browser: Any, server: tuple[str, FakePipeline]) -> Iterator[Any]:
    """One visitor for this module, who asks for half a minute."""
    with Visitor(browser, server[0]) as page:
        page.locator("#text-prompt textarea").fill("rain")
        page.get_by_label("number input for Length in seconds").first.fill("30")
        page.get_by_label("number input for Takes").first.fill("1")
        yield page


def begin(page: Any, fake: FakePipeline) -> Any:
    """Press Generate; the line in which a sound in the making is played, once there is some of it."""
    open_tab(page, "Text")
    fake.step_seconds = 0.6
    status(page, "text").evaluate("line => { line.textContent = ''; }")
    page.locator("#text-generate").click()
    box = page.locator(BOX)
    expect(box).to_be_visible(timeout=30_000)
    fake.step_seconds = 4.0  # from here on: so the job is under way until the test says otherwise
    return box


@pytest.mark.browser
def test_it_plays_while_it_is_made_and_goes_on_in_its_card(desk: Any, fake: FakePipeline) -> None:
    box = begin(desk, fake)
    button, bar = box.locator("button"), box.locator("input")
    expect(box.locator(".time")).to_have_text(re.compile(r"^\d+\.\d of 30\.0 s are there"))
    with desk.expect_response(lambda got: "part-" in got.url and got.url.endswith(".wav")) as heard:
        box.get_by_label("Play what is there").click()
    assert heard.value.ok
    expect(button).to_have_attribute("data-playing", "true")
    desk.wait_for_function(f"() => Number(document.querySelector('{BOX} input').value) > 0.2")
    assert bar.get_attribute("max") == "30"
    made = float(box.locator(".time").inner_text().split()[0])
    assert made < 30
    bar.evaluate("bar => { bar.value = '29.9'; bar.dispatchEvent(new Event('input')); }")
    at, there = bar.evaluate("bar => [bar.value, bar.getAttribute('aria-valuetext')]")
    assert float(at) < 29 and "seconds that are there, 30.0 in all" in there, "not beyond what exists"
    bar.evaluate("bar => { bar.value = '1'; bar.dispatchEvent(new Event('input')); }")
    fake.step_seconds = 0.01
    done(desk, "text")
    card = take(desk, "text", 1)
    expect(card.locator(".main")).to_have_attribute("data-playing", "true")
    expect(box).not_to_be_visible()
    playing = "() => Number(document.querySelector('#text-take-1 canvas').getAttribute('aria-valuenow'))"
    desk.wait_for_function(f"{playing} > {desk.evaluate(playing) + 0.3}")
    card.locator(".main").click()
    expect(card.locator(".main")).to_have_attribute("data-playing", "false")
    assert 1 < desk.evaluate(playing) < 30, "it stands where it was"
    with desk.expect_response(lambda got: "make-an-audio_text" in got.url and got.url.endswith(".wav")):
        card.locator(".main").click()  # now it is the finished file
    expect(card.locator(".main")).to_have_attribute("data-playing", "true")


@pytest.mark.browser
def test_one_sound_at_a_time_and_stop_ends_it(desk: Any, fake: FakePipeline) -> None:
    others = set(files.shelf().glob("*/part-*.wav"))  # of jobs that are done, which stay for a minute
    box = begin(desk, fake)
    box.locator("button").click()
    expect(box.locator("button")).to_have_attribute("data-playing", "true")
    card = take(desk, "text", 1)  # of the job before
    expect(card.locator(".main")).to_have_attribute("data-playing", "false")
    card.locator(".main").click()
    expect(box.locator("button")).to_have_attribute("data-playing", "false")
    box.locator("button").click()
    expect(card.locator(".main")).to_have_attribute("data-playing", "false")
    parts = set(files.shelf().glob("*/part-*.wav")) - others
    assert parts
    desk.locator("#text-stop").click()
    expect(status(desk, "text")).to_have_text("Stopped.")
    expect(box).not_to_be_visible()
    fake.step_seconds = 0.01
    end = time.monotonic() + 20
    while any(path.parent.exists() for path in parts) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(path.parent.exists() for path in parts)


@pytest.mark.browser
def test_a_page_that_is_loaded_anew_can_play_it_from_the_beginning(desk: Any, fake: FakePipeline) -> None:
    begin(desk, fake)
    desk.reload()
    desk.locator("#text-generate").wait_for(timeout=90_000)
    box = desk.locator(BOX)
    expect(box).to_be_visible(timeout=30_000)
    box.locator("button").click()
    desk.wait_for_function(f"() => Number(document.querySelector('{BOX} input').value) > 0.2")
    fake.step_seconds = 0.01
    done(desk, "text")
    expect(take(desk, "text", 1).locator(".main")).to_have_attribute("data-playing", "true")
    take(desk, "text", 1).locator(".main").click()


@pytest.mark.browser
def test_of_a_short_sound_nothing_is_offered_early(desk: Any, fake: FakePipeline) -> None:
    open_tab(desk, "Text")
    desk.get_by_label("number input for Length in seconds").first.fill("5")
    fake.step_seconds = 0.5  # long enough to be looked at
    status(desk, "text").evaluate("line => { line.textContent = ''; }")
    desk.locator("#text-generate").click()
    expect(desk.locator("#text-takes .live")).to_be_visible()
    expect(desk.locator(BOX)).not_to_be_visible()
    fake.step_seconds = 0.01
    done(desk, "text")
    assert desk.locator(BOX).is_hidden()
