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
from tests.ui.visitor import done, downloaded, generate, open_tab, status, take, upload

pytestmark = pytest.mark.browser


def test_text(page: Any, fake: FakePipeline) -> None:
    expect(page.locator("#text-empty")).to_contain_text("Describe a sound")
    expect(page.locator("#model")).to_contain_text("all tasks")
    fake.step_seconds = 0.12
    page.locator("#text-quality").get_by_label("Fine").check()
    page.locator("#text-prompt textarea").fill("a dog barks")
    page.locator("#text-negative textarea").fill("music")
    page.get_by_role("button", name="Generate").click()
    expect(status(page, "text")).to_have_text(re.compile(r"Step \d+ of 12, about 1 s left"))
    expect(page.locator("#text-takes .live canvas[data-ready]")).to_be_visible()
    done(page, "text")
    expect(page.locator("#text-takes .live")).not_to_be_visible()
    sound, rate = soundfile.read(io.BytesIO(downloaded(page, "text-take-1")))
    assert rate == 16_000
    assert len(sound) == 159_744
    assert np.sqrt(np.mean(sound**2)) > 0.1
    chart = page.locator("#text-take-1 canvas")
    expect(chart).to_have_attribute("aria-label", re.compile("low notes at the bottom"))
    expect(chart).to_have_attribute("data-ready", "true")
    expect(page.locator("#text-take-1")).to_contain_text("CLAP 0.50")
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
    page.locator("#text-prompt textarea").press("Control+Enter")
    expect(take(page, "text", 3)).to_contain_text(f"seed {int(seed) + 2}")
    expect(take(page, "text", 1)).to_contain_text("best match")
    expect(take(page, "text", 4)).not_to_be_visible()
    assert fake.asked[-1]["sampling"].seed == int(seed)
    generate(page, "text")
    assert fake.asked[-1]["sampling"].seed == int(seed), "an unticked box keeps the seed"


def test_a_mistake_is_one_sentence(page: Any) -> None:
    page.locator("#text-generate").click()
    expect(page.locator(".toast-body")).to_contain_text("The prompt is empty")
    expect(status(page, "text")).to_contain_text("The prompt is empty")
    page.locator("#text-prompt textarea").fill("rain")
    page.locator("#text-generate").click()
    expect(take(page, "text", 1)).to_be_visible()


def test_stop_ends_the_work_within_two_steps(page: Any, fake: FakePipeline) -> None:
    fake.step_seconds = 0.7
    page.locator("#text-prompt textarea").fill("rain")
    page.locator("#text-generate").click()
    expect(status(page, "text")).to_have_text(re.compile("Step 1 of 6"))
    before = fake.steps_done
    page.locator("#text-stop").click()
    expect(status(page, "text")).to_have_text("Stopped.")
    time.sleep(1.5)
    assert fake.steps_done <= before + 2
    assert fake.running == 0
    expect(status(page, "text")).to_have_text("Stopped.")
    expect(page.locator("#text-takes .live")).not_to_be_visible()
    fake.step_seconds = 0.01
    generate(page, "text")


def test_examples(page: Any, fake: FakePipeline) -> None:
    """A ready-made result is shown without the model; one without a result fills the inputs in."""
    asked = len(fake.asked)
    page.locator("#text-examples").get_by_text("rain").click()
    expect(take(page, "text", 1).get_by_label("Play Take 1")).to_be_visible()
    sound, _ = soundfile.read(io.BytesIO(downloaded(page, "text-take-1")))
    assert sound.std() > 0.1
    expect(page.locator("#text-prompt textarea")).to_have_value("rain")
    assert len(fake.asked) == asked
    generate(page, "text")
    sampling = fake.asked[-1]["sampling"]
    assert (sampling.seed, sampling.steps, sampling.guidance) == (7, 9, 2.5)
    page.locator("#text-examples").get_by_text("wind").click()
    expect(status(page, "text")).to_contain_text("Press Generate")


def test_image_and_its_words(page: Any, fake: FakePipeline, inputs: dict[str, Path]) -> None:
    open_tab(page, "Image")
    upload(page, "image-input", inputs["picture"])
    words = page.locator("#image-words input[type=text]")
    expect(words.first).to_have_value("dog barking")
    generate(page, "image")
    assert "words" not in fake.asked[-1]
    sound, _ = soundfile.read(io.BytesIO(downloaded(page, "image-take-1")))
    assert sound.std() > 0.1
    words.nth(1).fill("a river")
    words.nth(1).blur()
    page.get_by_label("Remove church bell").click()
    expect(page.locator("#image-words")).to_contain_text("Your words")
    generate(page, "image")
    assert fake.asked[-1]["words"] == [["dog barking", 0.6667], ["a river", 0.3333]]
    expect(words.nth(1)).to_have_value("a river")


def test_image_that_is_none(page: Any, tmp_path: Path) -> None:
    (tmp_path / "not.png").write_text("I am a text")
    open_tab(page, "Image")
    page.locator("#image-generate").click()
    expect(status(page, "image")).to_have_text("Please give a picture first.")
    upload(page, "image-input", tmp_path / "not.png")
    expect(page.locator(".toast-body").last).to_contain_text("not a picture")


def test_video(page: Any, inputs: dict[str, Path], tmp_path: Path) -> None:
    import av

    from maa.audio.tags import read_tags

    open_tab(page, "Video")
    upload(page, "video-input", inputs["clip"])
    page.locator("#video-input video").wait_for()
    page.get_by_label("Mix", exact=True).check()
    generate(page, "video")
    expect(page.locator("#video-takes .frames img")).to_have_count(4)
    (tmp_path / "result.mp4").write_bytes(downloaded(page, "video-take-1"))
    with av.open(str(tmp_path / "result.mp4")) as clip:
        assert len(clip.streams.video) == len(clip.streams.audio) == 1
        heard = np.concatenate([frame.to_ndarray() for frame in clip.decode(audio=0)], axis=1)
    assert heard.std() > 0.1
    settings = read_tags(tmp_path / "result.mp4")
    assert settings is not None
    assert (settings["original"], settings["original_db"]) == ("mix", -6.0)


def test_personalise(page: Any, fake: FakePipeline, tmp_path: Path) -> None:
    from tests.sounds import sine_wave

    soundfile.write(tmp_path / "long.wav", sine_wave(500, 30.0, 8000, channels=2).T, 8000)
    open_tab(page, "Personalise")
    upload(page, "personalize-input", tmp_path / "long.wav")
    window = page.get_by_label("Start of the part that is used")
    expect(window).to_be_visible()
    window.press("PageUp")
    window.press("PageUp")
    window.press("ArrowRight")
    expect(page.locator("#personalize-window")).to_contain_text("Used: 2.1 to 12.1 of 30.0 s")
    page.locator("#personalize-prompt textarea").fill("a cat")
    page.get_by_label("number input for Keep my sound").fill("0.25")
    generate(page, "personalize")
    assert (fake.asked[-1]["t0"], fake.asked[-1]["start"]) == (0.25, 2.1)
    sound, _ = soundfile.read(io.BytesIO(downloaded(page, "personalize-take-1")))
    assert sound.std() > 0.1


def test_five_t0_in_one_click(page: Any, fake: FakePipeline, inputs: dict[str, Path]) -> None:
    open_tab(page, "Personalise")
    upload(page, "personalize-input", inputs["sound"])
    page.locator("#personalize-input audio").first.wait_for(state="attached")
    page.locator("#personalize-prompt textarea").fill("a cat")
    page.locator("#personalize-strip").click()
    done(page, "personalize")
    assert [asked["t0"] for asked in fake.asked[-5:]] == [0.1, 0.2, 0.35, 0.5, 0.8]
    for number, t0 in enumerate(("0.1", "0.2", "0.35", "0.5", "0.8"), 1):
        expect(take(page, "personalize", number)).to_contain_text(re.compile(rf"t0 {t0}.*1 − MSE 0\.\d+.*CLAP 0\.50"))


def test_text_is_never_markup(page: Any) -> None:
    """A prompt that tries to be a script stays a prompt, in the result, in its settings and in the history."""
    trick = "<img src=x onerror=window.hit=1> ${window.hit=1} {{window.hit=1}}"
    page.locator("#text-prompt textarea").fill(trick)
    generate(page, "text")
    take(page, "text", 1).get_by_label("More for Take 1").click()
    take(page, "text", 1).get_by_text("Show the settings").click()
    expect(take(page, "text", 1).locator("pre")).to_contain_text("onerror")
    open_tab(page, "History")
    expect(page.locator("#history .prompt").first).to_contain_text("onerror")
    assert page.evaluate("window.hit") is None


def test_phone(phone: Any) -> None:
    """Nothing is wider than a phone's screen, in any tab, and no dot of the footer stands alone."""
    expect(phone.locator("footer button:visible")).to_have_count(1)
    expect(phone.locator("footer .divider:visible")).to_have_count(0)
    for name in ("Image", "Video", "Personalise", "Inpaint", "Batch", "History", "Text"):
        open_tab(phone, name)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390, name
    phone.locator("#text-prompt textarea").fill("rain")
    generate(phone, "text")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_quality_takes_its_own_steps_and_takes(page: Any, fake: FakePipeline) -> None:
    """Instant: quick takes to choose from. Fine: one. A number of steps chosen by hand wins."""
    steps, takes = (page.locator(f"#text-{name} input[type=number]") for name in ("steps", "takes"))
    quality = page.locator("#text-quality")
    expect(takes).to_have_value("2")
    page.locator("#text-prompt textarea").fill("rain")
    generate(page, "text")
    asked = fake.asked[-1]["sampling"]
    assert (asked.quality, asked.steps, asked.count) == ("instant", 6, 2)
    quality.get_by_label("Fine").check()
    expect(takes).to_have_value("1")
    page.locator("#text-advanced button").first.click()
    expect(steps).to_have_value("12")
    page.wait_for_timeout(500)  # what the accordion holds listens a moment after it is there
    steps.fill("9")
    steps.press("Tab")
    expect(page.locator("#text-steps input[type=range]")).to_have_value("9")
    page.wait_for_timeout(400)  # and the page hears of a number a moment later
    generate(page, "text")
    asked = fake.asked[-1]["sampling"]
    assert (asked.quality, asked.steps, asked.count) == ("fine", 9, 1)
    page.locator("#text-sampler input").click()
    page.get_by_role("option", name="DDIM (the paper's)").click()
    expect(steps).to_have_value("25")
