"""A page that is loaded anew finds everything again: its job, what was typed, what was given and painted."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from maa.ui import errands
from maa.ui.errands import Errands
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import done, open_tab, status, take

pytestmark = pytest.mark.browser


def begin(page: Any, fake: FakePipeline, step_seconds: float, prompt: str = "rain") -> None:
    """A job of 25 steps that has begun."""
    fake.step_seconds = step_seconds
    page.locator("#text-prompt textarea").fill(prompt)
    page.locator("#text-generate").click()
    expect(status(page, "text")).to_have_text(re.compile(r"Step \d+ of 25"))


def test_a_job_goes_on_over_a_reload(page: Any, fake: FakePipeline) -> None:
    """Its progress is told again, and its take is in the results and in the history."""
    begin(page, fake, 0.2)
    asked = len(fake.asked)
    page.reload()
    expect(status(page, "text")).to_have_text(re.compile(r"Step \d+ of 25"))
    done(page, "text")
    expect(take(page, "text", 1)).to_be_visible()
    assert len(fake.asked) == asked, "the same job"
    open_tab(page, "History")
    expect(page.locator("#history .take")).to_have_count(1)


def test_a_job_that_ended_meanwhile_is_there(page: Any, fake: FakePipeline) -> None:
    begin(page, fake, 0.04)
    page.goto("about:blank")
    time.sleep(1.5)
    assert fake.running == 0
    page.go_back()
    done(page, "text")
    expect(take(page, "text", 1)).to_be_visible()


def test_stop_ends_a_job_that_was_found_again(page: Any, fake: FakePipeline) -> None:
    begin(page, fake, 0.3)
    page.reload()
    expect(status(page, "text")).to_have_text(re.compile(r"Step \d+ of 25"))
    page.locator("#text-stop").click()
    expect(status(page, "text")).to_have_text("Stopped.")
    time.sleep(1.2)
    assert fake.running == 0
    page.reload()
    page.locator("#text-generate").wait_for()
    time.sleep(0.8)
    expect(status(page, "text")).not_to_have_text(re.compile("Step"))


def test_a_job_that_nobody_comes_back_to_is_stopped(
    page: Any, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "AWAY", 0.5)
    begin(page, fake, 0.3)
    page.goto("about:blank")
    time.sleep(2.5)
    assert fake.running == 0
    page.go_back()
    expect(status(page, "text")).to_contain_text("ended without a result")


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
