"""A page that stays open while many others come and go, and what it says when the server is full."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.test_limits import ask, text
from tests.ui.test_shares import crowd as crowd
from tests.ui.test_shares import post
from tests.ui.visitor import generate, open_tab, status, take, upload

pytestmark = pytest.mark.browser


def come_and_go(url: str, page: Any) -> None:
    """More sessions than the server remembers."""
    sessions = page.app.state_holder.session_data
    before = set(sessions)
    for number in range(4):
        ask(url, "text_to_audio", text(seed=number))
    assert not before & set(sessions), "the open page's session is forgotten"


def test_an_open_page_outlives_its_session(
    crowd: tuple[str, FakePipeline, Any], browser: Any, inputs: dict[str, Path]
) -> None:
    """Everything that a page does goes on after the server has forgotten it: uploads, jobs, takes, History."""
    from playwright.sync_api import expect

    url, fake, served = crowd
    with Visitor(browser, url) as page:
        page.locator("#text-prompt textarea").fill("rain")
        generate(page, "text")
        expect(take(page, "text", 1)).to_be_visible()
        come_and_go(url, served)
        page.locator("#text-prompt textarea").fill("wind")
        generate(page, "text")
        assert fake.asked[-1]["prompt"] == "wind"
        open_tab(page, "Image")
        upload(page, "image-input", inputs["picture"])
        expect(page.get_by_label("Weight of dog barking")).to_be_visible()
        come_and_go(url, served)
        generate(page, "image")
        assert fake.asked[-1]["task"] == "image"
        open_tab(page, "Inpaint")
        upload(page, "inpaint-input", inputs["sound"])
        expect(page.locator("#inpaint-painter canvas").first).to_be_visible()
        come_and_go(url, served)
        page.locator("#inpaint-generate").click()  # nothing is painted: the server has the picture's grid and says so
        expect(status(page, "inpaint")).to_contain_text(re.compile("mask|mark|paint", re.I))


def test_a_page_reads_why_it_has_to_wait(crowd: tuple[str, FakePipeline, Any], browser: Any) -> None:
    from playwright.sync_api import expect

    url, fake, _ = crowd
    fake.step_seconds = 0.5
    with Visitor(browser, url) as page:
        for visitor in "123456":
            post(url, f"1.1.1.{visitor}", steps=40)
        page.locator("#text-prompt textarea").fill("rain")
        page.locator("#text-generate").click()
        expect(page.get_by_text("The queue is full: 4 jobs are waiting.").first).to_be_visible()
        assert page.get_by_text("currently busy").count() == 0
