"""Each tab in a real browser: type, press, wait, and a sound comes back."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from tests.ui.fakes import FakePipeline

pytestmark = pytest.mark.browser


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def upload(page: Any, element: str, path: Path) -> None:
    page.locator(f"#{element} input[type=file]").first.set_input_files(path)


def downloaded(page: Any, take: str) -> bytes:
    """The file that the take's download button gives."""
    link = page.locator(f"#{take} a[download]").first
    link.wait_for()
    return page.request.get(link.get_attribute("href")).body()


def status(page: Any, task: str) -> Any:
    return page.locator(f"#{task}-status [role=status]")


def test_text(page: Any, fake: FakePipeline) -> None:
    expect(page.locator("#text-empty")).to_contain_text("Describe a sound")
    expect(page.locator("#model")).to_contain_text("all five tasks")
    page.locator("#text-prompt textarea").fill("a dog barks")
    page.locator("#text-negative textarea").fill("music")
    page.get_by_role("button", name="Generate").click()
    expect(status(page, "text")).to_have_text(re.compile(r"Step \d+ of 25, about 1 s left"))
    expect(status(page, "text")).to_have_text(re.compile("Done in"))
    sound, rate = soundfile.read(io.BytesIO(downloaded(page, "text-take-1")))
    assert rate == 16_000
    assert len(sound) == 159_744
    assert np.sqrt(np.mean(sound**2)) > 0.1
    expect(page.locator("#text-take-1 img")).to_have_attribute("alt", re.compile("low notes at the bottom"))
    expect(page.locator("#text-take-1")).to_contain_text("match 0.50")
    expect(page.locator("#text-empty")).not_to_be_visible()
    asked = fake.asked[-1]
    assert (asked["prompt"], asked["negative"]) == ("a dog barks", "music")
    assert page.locator("#text-seed input").input_value() == str(asked["sampling"].seed)


def test_takes_and_a_seed_that_is_kept(page: Any, fake: FakePipeline) -> None:
    page.locator("#text-prompt textarea").fill("a dog")
    page.get_by_label("number input for Takes").first.fill("3")
    page.locator("#text-dice").click()
    expect(page.locator("#text-fresh input")).not_to_be_checked()
    seed = page.locator("#text-seed input").input_value()
    assert seed != "0"
    page.locator("#text-prompt textarea").press("Shift+Enter")
    expect(page.locator("#text-take-3")).to_contain_text(f"seed {int(seed) + 2}")
    expect(page.locator("#text-take-4")).not_to_be_visible()
    assert fake.asked[-1]["sampling"].seed == int(seed)
    page.locator("#text-generate").click()
    expect(status(page, "text")).to_have_text(re.compile("Step"))
    expect(status(page, "text")).to_have_text(re.compile("Done"))
    assert fake.asked[-1]["sampling"].seed == int(seed), "an unticked box keeps the seed"


def test_a_mistake_is_one_sentence(page: Any) -> None:
    page.locator("#text-generate").click()
    expect(page.locator(".toast-body")).to_contain_text("The prompt is empty")
    expect(status(page, "text")).to_contain_text("The prompt is empty")
    page.locator("#text-prompt textarea").fill("rain")
    page.locator("#text-generate").click()
    expect(page.locator("#text-take-1")).to_be_visible()


def test_stop_ends_the_work_within_two_steps(page: Any, fake: FakePipeline) -> None:
    fake.step_seconds = 0.7
    page.locator("#text-prompt textarea").fill("rain")
    page.locator("#text-generate").click()
    expect(status(page, "text")).to_have_text(re.compile("Step 1 of 25"))
    before = fake.steps_done
    page.locator("#text-stop").click()
    expect(status(page, "text")).to_have_text("Stopped.")
    time.sleep(1.5)
    assert fake.steps_done <= before + 2
    assert fake.running == 0
    expect(status(page, "text")).to_have_text("Stopped.")
    fake.step_seconds = 0.01
    page.locator("#text-generate").click()
    expect(status(page, "text")).to_have_text(re.compile("Done"))


def test_examples(page: Any, fake: FakePipeline) -> None:
    """A ready-made result is shown without the model; one without a result fills the inputs in."""
    done = len(fake.asked)
    page.locator("#text-examples").get_by_text("rain").click()
    expect(page.locator("#text-take-1 .maa-player")).to_be_visible()
    sound, _ = soundfile.read(io.BytesIO(downloaded(page, "text-take-1")))
    assert sound.std() > 0.1
    expect(page.locator("#text-prompt textarea")).to_have_value("rain")
    assert len(fake.asked) == done
    page.locator("#text-generate").click()
    expect(status(page, "text")).to_have_text(re.compile("Done"))
    sampling = fake.asked[-1]["sampling"]
    assert (sampling.seed, sampling.steps, sampling.guidance) == (7, 9, 2.5)
    page.locator("#text-examples").get_by_text("wind").click()
    expect(status(page, "text")).to_contain_text("Press Generate")


def test_image(page: Any, inputs: dict[str, Path]) -> None:
    open_tab(page, "Image")
    upload(page, "image-input", inputs["picture"])
    expect(page.locator("#image-words")).to_contain_text("dog barking")
    page.locator("#image-generate").click()
    expect(status(page, "image")).to_have_text(re.compile("Done"))
    sound, _ = soundfile.read(io.BytesIO(downloaded(page, "image-take-1")))
    assert sound.std() > 0.1


def test_image_that_is_none(page: Any, tmp_path: Path) -> None:
    (tmp_path / "not.png").write_text("I am a text")
    open_tab(page, "Image")
    page.locator("#image-generate").click()
    expect(status(page, "image")).to_have_text("Please give a picture first.")
    upload(page, "image-input", tmp_path / "not.png")
    expect(page.locator(".toast-body").last).to_contain_text("not a picture")


def test_video(page: Any, inputs: dict[str, Path], tmp_path: Path) -> None:
    import av

    open_tab(page, "Video")
    upload(page, "video-input", inputs["clip"])
    page.locator("#video-input video").wait_for()
    page.locator("#video-generate").click()
    expect(status(page, "video")).to_have_text(re.compile("Done"))
    (tmp_path / "result.mp4").write_bytes(downloaded(page, "video-take-1"))
    with av.open(str(tmp_path / "result.mp4")) as clip:
        assert len(clip.streams.video) == len(clip.streams.audio) == 1
        heard = np.concatenate([frame.to_ndarray() for frame in clip.decode(audio=0)], axis=1)
    assert heard.std() > 0.1


def test_personalise(page: Any, fake: FakePipeline, inputs: dict[str, Path]) -> None:
    open_tab(page, "Personalise")
    upload(page, "personalize-input", inputs["sound"])
    page.locator("#personalize-input audio").first.wait_for(state="attached")
    page.locator("#personalize-prompt textarea").fill("a cat")
    page.get_by_label("number input for Keep my sound").fill("0.25")
    page.locator("#personalize-generate").click()
    expect(status(page, "personalize")).to_have_text(re.compile("Done"))
    assert fake.asked[-1]["t0"] == 0.25
    sound, _ = soundfile.read(io.BytesIO(downloaded(page, "personalize-take-1")))
    assert sound.std() > 0.1


def test_two_visitors_share_the_device_one_after_the_other(browser: Any, page: Any, fake: FakePipeline) -> None:
    other = browser.new_context(base_url=page.url).new_page()
    other.goto("/")
    fake.most_running = 0
    for visitor, prompt in ((page, "rain"), (other, "wind")):
        visitor.locator("#text-prompt textarea").fill(prompt)
        visitor.locator("#text-generate").click()
    for visitor in (page, other):
        expect(status(visitor, "text")).to_have_text(re.compile("Done"))
    assert fake.most_running == 1
    assert {asked["prompt"] for asked in fake.asked[-2:]} == {"rain", "wind"}
    seeds = [visitor.locator("#text-seed input").input_value() for visitor in (page, other)]
    assert sorted(seeds) == sorted(str(asked["sampling"].seed) for asked in fake.asked[-2:])
    other.context.close()


def test_stop_also_ends_a_job_that_waits(browser: Any, page: Any, fake: FakePipeline) -> None:
    other = browser.new_context(base_url=page.url).new_page()
    other.goto("/")
    fake.step_seconds = 0.15
    page.locator("#text-prompt textarea").fill("rain")
    page.locator("#text-generate").click()
    expect(status(page, "text")).to_have_text(re.compile("Step"))
    other.locator("#text-prompt textarea").fill("never heard")
    other.locator("#text-generate").click()
    expect(other.locator("#text-status")).to_contain_text("queue")
    other.locator("#text-stop").click()
    expect(status(other, "text")).to_have_text("Stopped.")
    expect(status(page, "text")).to_have_text(re.compile("Done"))
    time.sleep(0.5)
    assert fake.asked[-1]["prompt"] == "rain"
    other.context.close()


def test_text_is_never_markup(page: Any) -> None:
    """A prompt that tries to be a script stays a prompt, in the result, in its settings and in messages."""
    trick = "<img src=x onerror=window.hit=1> ${window.hit=1} {{window.hit=1}}"
    page.locator("#text-prompt textarea").fill(trick)
    page.locator("#text-generate").click()
    expect(status(page, "text")).to_have_text(re.compile("Done"))
    page.get_by_text("All settings of these takes").first.click()
    expect(page.locator("#text-settings")).to_contain_text("onerror")
    assert page.evaluate("window.hit") is None


def test_phone(phone: Any) -> None:
    """Nothing is wider than a phone's screen, in any tab."""
    for name in ("Image", "Video", "Personalise", "Inpaint", "Text"):
        open_tab(phone, name)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390, name
