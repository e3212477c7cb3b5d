"""A page that is loaded anew finds everything again: its job, what was typed, what was given and painted."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from maa.ui import errands
from maa.ui.errands import Errands
from tests.ui.conftest import Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.test_shares import crowd as crowd
from tests.ui.visitor import done, generate, open_tab, status, take, upload

pytestmark = pytest.mark.browser


def begin(page: Any, fake: FakePipeline, step_seconds: float, prompt: str = "rain") -> None:
    """A job of 12 steps that has begun."""
    page.locator("#text-quality").get_by_label("Fine").check()
    fake.step_seconds = step_seconds
    page.locator("#text-prompt textarea").fill(prompt)
    page.locator("#text-generate").click()
    expect(status(page, "text")).to_have_text(re.compile(r"Step \d+ of 12"))


def test_a_job_goes_on_over_a_reload(page: Any, fake: FakePipeline) -> None:
    """Its progress is told again, and its take is in the results and in the history."""
    begin(page, fake, 1.0)
    asked = len(fake.asked)
    page.reload()
    expect(status(page, "text")).to_have_text(re.compile(r"Step \d+ of 12"))
    fake.step_seconds = 0.01
    done(page, "text")
    expect(take(page, "text", 1)).to_be_visible()
    assert len(fake.asked) == asked, "the same job"
    open_tab(page, "History")
    expect(page.locator("#history .take")).to_have_count(1)


def test_a_job_that_ended_meanwhile_is_there(page: Any, fake: FakePipeline) -> None:
    begin(page, fake, 0.09)
    page.goto("about:blank")
    time.sleep(1.2)
    assert fake.running == 0
    page.go_back()
    done(page, "text")
    expect(take(page, "text", 1)).to_be_visible()


def test_a_job_that_was_found_again_can_be_stopped_or_left(
    page: Any, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop ends it within a step, and one that nobody comes back to ends by itself."""
    begin(page, fake, 1.0)
    page.reload()
    expect(status(page, "text")).to_have_text(re.compile(r"Step \d+ of 12"))
    page.locator("#text-stop").click()
    expect(status(page, "text")).to_have_text("Stopped.")
    time.sleep(1.5)
    assert fake.running == 0
    monkeypatch.setattr(errands, "AWAY", 0.3)
    begin(page, fake, 0.3)
    page.goto("about:blank")
    time.sleep(1.5)
    assert fake.running == 0
    page.go_back()
    expect(status(page, "text")).to_contain_text("ended without a result")


def test_a_job_that_waited_is_not_forgotten_in_silence(page: Any, other: Any, fake: FakePipeline) -> None:
    """It has not begun, so it cannot go on; the page says so. While it waits, its place is told in words."""
    begin(other, fake, 1.0)
    page.locator("#text-prompt textarea").fill("wind")
    page.locator("#text-generate").click()
    expect(status(page, "text")).to_have_text("Yours is next …")
    assert page.get_by_text("queue:").count() == 0 or not page.get_by_text("queue:").first.is_visible()
    page.reload()
    expect(status(page, "text")).to_contain_text("not begun")
    expect(page.locator("#text-prompt textarea")).to_have_value("wind")
    other.locator("#text-stop").click()


def test_errands_know_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key nothing is heard; the oldest of too many that nobody listens to are stopped, and ends are told."""
    monkeypatch.setattr(errands, "LONELY", 2)
    closed: list[str] = []

    def work(name: str, steps: int) -> Iterator[dict[str, Any]]:
        try:
            for step in range(steps):
                time.sleep(0.01)
                yield {"step": step, "name": name}
        finally:
            closed.append(name)

    all_of_them = Errands()
    begun = [all_of_them.start("me", str(k), lambda key, k=k: work(f"{k} {key}", 10_000)) for k in range(5)]
    assert all_of_them.find("me", "0", "f" * 32) is None and all_of_them.find("me", "0", None) is None
    time.sleep(0.2)
    assert [name[0] for name in sorted(closed)] == ["0", "1"]
    news = begun[4].listen()
    key = next(news)["name"][2:]
    again = all_of_them.find("you", "4", key)
    assert again is begun[4]
    assert next(again.listen())["name"] == f"4 {key}"
    with pytest.raises(StopIteration):
        next(news)
    all_of_them.stop("you", "4")
    time.sleep(0.1)
    assert again.over and all_of_them.find("you", "4", key) is None
    short = all_of_them.start("me", "short", lambda key: work("short", 3))
    *_, last = short.listen()
    assert last["step"] == 2
    for errand in begun:
        errand.stop()


def paint(page: Any, sound: Path) -> None:
    """A box of 16 frames and 8 bands on a sound."""
    open_tab(page, "Inpaint")
    upload(page, "inpaint-input", sound)
    painter = page.locator("#inpaint-painter .painter")
    expect(painter).not_to_have_class(re.compile("empty"))
    page.locator("#inpaint-painter canvas").press("n")
    page.keyboard.press("Enter")
    expect(painter).to_have_attribute("data-box", "0 16 0 8")


def test_what_was_typed_given_and_painted_is_there_again(page: Any, inputs: dict[str, Path]) -> None:
    page.locator("#text-prompt textarea").fill("a dog")
    page.get_by_label("number input for Length").first.fill("2.5")
    page.locator("#text-fresh input").uncheck()
    generate(page, "text")
    paint(page, inputs["sound"])
    page.locator("#inpaint-prompt textarea").fill("rain")
    page.wait_for_function("sessionStorage.getItem('maa-page')?.includes('rain')")
    page.reload()
    expect(page.locator("#inpaint-painter .painter")).to_have_attribute("data-box", "0 16 0 8")
    expect(page.get_by_role("tab", name="Inpaint", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#inpaint-prompt textarea")).to_have_value("rain")
    open_tab(page, "Text")
    expect(page.locator("#text-prompt textarea")).to_have_value("a dog")
    expect(page.get_by_label("number input for Length").first).to_have_value("2.5")
    expect(page.locator("#text-fresh input")).not_to_be_checked()
    expect(take(page, "text", 1)).to_be_visible()
    page.go_back()  # tabs are places to go back to
    expect(page.get_by_role("tab", name="Inpaint", exact=True)).to_have_attribute("aria-selected", "true")


HOSTILE = {
    "prompt": {"__type__": "update", "value": "x", "visible": False},
    "negative": ["a"],
    "seconds": 1e9,
    "takes": "8",
    "sampler": {"a": "b"},
    "audio": {"upload": "/etc/passwd"},
    "fresh": "yes",
    "free": {"__type__": "update", "visible": False},
    "mask": {"mels": 80, "frames": 10**9, "mask": "AAAA"},
    "heard": {"prompt": 1, "clauses": [{"heard": {}}], "chosen": True},
    "events": {"rows": [[0, "x", {"a": 1}]], "own": True},
    "start": {"start": "x"},
    "words": {"words": [[{}, 1]]},
}


@pytest.mark.parametrize("way", ["kept", "linked"])
def test_what_comes_back_is_checked(page: Any, way: str) -> None:
    """Neither what a browser has kept nor what a link carries becomes a component's value unchecked."""
    good = {**HOSTILE, "guidance": 4.5, "prompt": "a dog" if way == "linked" else HOSTILE["prompt"]}
    if way == "kept":
        state = {"tab": "../x", "tasks": dict.fromkeys(("text", "image", "video", "personalize", "inpaint"), good)}
        page.add_init_script(f"sessionStorage.setItem('maa-page', JSON.stringify({json.dumps(state)}))")
        page.reload()
    else:
        data = base64.urlsafe_b64encode(json.dumps(good).encode()).decode().rstrip("=")
        page.goto("about:blank")
        page.goto(f"/#text?{data}")
    page.locator("#text-advanced").get_by_text("Advanced").click()
    expect(page.get_by_label("number input for Guidance").first).to_have_value("4.5")
    expect(page.locator("#text-prompt textarea")).to_have_value("a dog" if way == "linked" else "")
    expect(page.get_by_label("number input for Takes").first).to_have_value("2")
    expect(page.locator("#text-fresh input")).to_be_checked()
    assert "?" not in page.url.partition("#")[2]
    if way == "linked":
        return
    open_tab(page, "Inpaint")
    expect(status(page, "inpaint")).to_have_text("The server does not keep a sound that you gave; give it again.")
    assert page.locator("#inpaint-input audio").count() == 0


def test_settings_travel_by_link_and_by_preset(page: Any, other: Any, fake: FakePipeline) -> None:
    page.locator("#text-prompt textarea").fill("ein Hündchen 🐶")
    page.get_by_label("number input for Length").first.fill("2.5")
    page.wait_for_timeout(400)
    page.locator("#conductor summary").click()
    page.get_by_text("Copy a link with these settings").click()
    expect(page.locator("#conductor .told")).to_contain_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    page.get_by_label("Name of the preset").fill("short ones")
    page.get_by_label("Name of the preset").press("Enter")
    expect(page.locator("#conductor .told")).to_contain_text("short ones")
    page.get_by_label("number input for Length").first.fill("8")
    page.locator("#text-prompt textarea").fill("a dog")
    page.get_by_role("tab", name="Image", exact=True).click()
    page.locator("#conductor summary").click()
    page.get_by_text("short ones (Text)").click()
    expect(page.get_by_label("number input for Length").first).to_have_value("2.5")
    expect(page.locator("#text-prompt textarea")).to_have_value("a dog")  # a preset says how, and not what
    other.goto(link)
    expect(other.locator("#text-prompt textarea")).to_have_value("ein Hündchen 🐶")
    expect(other.get_by_label("number input for Length").first).to_have_value("2.5")


def test_a_server_that_is_away_is_told(crowd: tuple[str, FakePipeline, Any], browser: Any) -> None:
    """The line does not go on to say how many seconds are left."""
    url, fake, served = crowd
    visitor = Visitor(browser, url).ready()
    begin(visitor.page, fake, 1.0)
    served.close()
    expect(status(visitor.page, "text")).to_contain_text("No connection", timeout=30_000)
    visitor.page.context.close()
