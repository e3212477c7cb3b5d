"""What is typed or dragged is heard at once: short, quick, one at a time, and no take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.ui.fakes import FakePipeline
from tests.ui.visitor import done, generate, open_tab, take, upload

pytestmark = pytest.mark.browser


def test_the_last_of_what_was_typed_is_heard(page: Any, fake: FakePipeline) -> None:
    area, line = page.locator("#text-prompt textarea"), page.locator("#text-trying [role=status]")
    area.fill("rain")
    asked = len(fake.asked)
    fake.step_seconds = 0.4
    with page.expect_response(lambda got: got.url.endswith(".wav"), timeout=20_000) as heard:
        page.get_by_label("Hear it while I type").first.check()
        expect(line).to_have_text("Making a short one …")
        area.press_sequentially(" on a roof")  # the one on its way is ended
        fake.step_seconds = 0.01
    assert heard.value.ok
    sampling = fake.asked[-1]["sampling"]
    assert (fake.asked[-1]["prompt"], fake.asked[-1]["seconds"]) == ("rain on a roof", 5.0)
    assert (sampling.quality, sampling.steps, sampling.count, sampling.seed) == ("instant", 6, 1, 0)
    assert len(fake.asked) <= asked + 2
    assert fake.most_running == 1 and fake.running == 0
    expect(line).to_have_text("")
    expect(take(page, "text", 1)).not_to_be_visible()
    page.get_by_label("Hear it while I type").first.uncheck()
    area.press_sequentially("s")
    page.wait_for_timeout(900)
    assert fake.asked[-1]["prompt"] == "rain on a roof", "unticked, nothing is made"


def test_a_slider_is_heard_where_it_is_let_go(page: Any, fake: FakePipeline, inputs: dict[str, Path]) -> None:
    open_tab(page, "Personalise")
    upload(page, "personalize-input", inputs["sound"])
    page.locator("#personalize-input audio").first.wait_for(state="attached")
    page.locator("#personalize-prompt textarea").fill("a cat")
    page.locator("#personalize-trying input").check()
    with page.expect_response(lambda got: got.url.endswith(".wav"), timeout=20_000):
        slider = page.locator("#personalize-t0 input[type=range]")
        slider.focus()
        slider.press("ArrowRight")
    assert fake.asked[-1]["t0"] == pytest.approx(0.41, abs=0.02) and fake.asked[-1]["sampling"].steps == 6


def test_a_quick_take_is_refined(page: Any, fake: FakePipeline) -> None:
    page.locator("#text-prompt textarea").fill("rain")
    page.get_by_label("number input for Takes").first.fill("2")
    generate(page, "text")
    second = fake.asked[-1]["sampling"].seed + 1
    take(page, "text", 2).get_by_text("Refine").click()
    expect(page.locator("#text-takes .take")).to_have_count(1)
    done(page, "text")
    sampling = fake.asked[-1]["sampling"]
    assert (sampling.seed, sampling.steps, sampling.count, sampling.quality) == (second, 12, 1, "fine")
    expect(take(page, "text", 1).get_by_text("Refine")).not_to_be_visible()
