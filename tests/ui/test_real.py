"""The app on real models: every task by its endpoint, random and shipped, and with the latter in the browser."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from tests.sounds import assert_audio_valid
from tests.ui.conftest import Visitor
from tests.ui.visitor import done, downloaded, generate, open_tab, take, upload

BIRDS = Path(__file__).parents[2] / "assets" / "inputs" / "birds.flac"


@pytest.fixture(scope="module", params=["tiny", "small"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app on a real model."""
    from maa.ui import build, launch

    page = build(request.getfixturevalue(request.param), tmp_path_factory.mktemp("no-assets"))
    yield launch(page)
    page.close()


@pytest.fixture
def client(address: str, tmp_path: Path) -> Any:
    from gradio_client import Client

    return Client(address, verbose=False, download_files=tmp_path)


@pytest.mark.parametrize(
    ("name", "given", "more"),
    [
        ("/text_to_audio", None, {"prompt": "a dog barks", "seconds": 1.0}),
        ("/image_to_audio", "picture", {"seconds": 1.0}),
        ("/video_to_audio", "clip", {}),
        ("/personalize", "sound", {"prompt": "rain", "t0": 0.3}),
        ("/inpaint", "sound", {"boxes": [[0.5, 1.0, 0, 8000]]}),
    ],
)
def test_endpoints(client: Any, inputs: dict[str, Path], name: str, given: str | None, more: dict[str, Any]) -> None:
    from gradio_client import handle_file

    files = [] if given is None else [handle_file(str(inputs[given]))]
    path, settings = client.predict(*files, steps=2, seed=7, api_name=name, **more)
    assert settings["task"] in name and settings["seed"] == 7
    if not path.endswith(".mp4"):
        sound, rate = soundfile.read(path, always_2d=True)
        assert_audio_valid(sound.T)
        assert rate == (48_000 if given == "sound" and name == "/inpaint" else 16_000)


def test_the_rest_of_an_upload_is_untouched(client: Any, inputs: dict[str, Path]) -> None:
    from gradio_client import handle_file

    path, _ = client.predict(
        handle_file(str(inputs["sound"])), boxes=[[0.512, 1.024, 0, 8000]], steps=2, api_name="/inpaint"
    )
    before, after = (soundfile.read(file, dtype="int16")[0] for file in (inputs["sound"], path))
    outside = np.r_[0 : int(0.512 * 48_000), int(1.024 * 48_000) : len(before)]
    assert np.array_equal(before[outside], after[outside])
    assert not np.array_equal(before, after)


def few_steps(page: Any, task: str) -> None:
    page.locator(f"#{task}-advanced").get_by_text("Advanced").click()
    for name, value in (("steps", "4"), ("takes", "1")):
        field = page.locator(f"#{task}-{name} input[type=number]")
        field.fill(value)
        field.press("Tab")


def paint_a_box(page: Any) -> None:
    """A box over the middle of the spectrogram, as a person drags it once the page stands still."""
    canvas = page.locator("#inpaint-painter canvas")
    canvas.scroll_into_view_if_needed()
    place = canvas.bounding_box()
    start, end = ({"x": x * place["width"], "y": y * place["height"]} for x, y in ((0.4, 0.3), (0.6, 0.7)))
    canvas.drag_to(canvas, source_position=start, target_position=end)
    expect(page.locator("#inpaint-painter .facts")).to_contain_text("% marked")


@pytest.mark.browser
@pytest.mark.parametrize("address", ["tiny"], indirect=True)
def test_a_long_sound_is_played_before_it_is_done(
    browser: Any, address: str, tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge, who comes last, waits until it plays: the random model alone would be done too soon."""
    plays, scores = threading.Event(), tiny.renderer.scores
    monkeypatch.setattr(tiny.renderer, "scores", lambda *given: plays.wait(120) and scores(*given))
    with Visitor(browser, address) as page:
        page.locator("#text-prompt textarea").fill("rain")
        page.get_by_label("number input for Length in seconds").first.fill("20")
        page.locator("#text-quality").get_by_label("Fine").check()  # one quick take has no judge
        few_steps(page, "text")
        page.locator("#text-generate").click()
        box = page.locator("#text-takes .streamed")
        box.locator("button").click(timeout=120_000)
        expect(box.locator("button")).to_have_attribute("data-playing", "true")
        expect(box.locator(".time")).to_have_text("20.0 of 20.0 s are there")
        plays.set()
        done(page, "text", 120_000)
        expect(take(page, "text", 1).locator(".main")).to_have_attribute("data-playing", "true")
        sound, rate = soundfile.read(io.BytesIO(downloaded(page, "text-take-1")))
        assert_audio_valid(sound, 20.0, rate)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("address", ["small"], indirect=True)
def test_every_tab_in_the_browser(browser: Any, address: str, inputs: dict[str, Path]) -> None:
    """One take from every tab, heard as a file."""
    with Visitor(browser, address) as page:
        page.locator("#text-prompt textarea").fill("hammering")
        few_steps(page, "text")
        generate(page, "text", 200_000)
        open_tab(page, "Image")
        upload(page, "image-input", inputs["picture"])
        page.locator("#image-words input[type=text]").first.wait_for(timeout=120_000)
        few_steps(page, "image")
        generate(page, "image", 200_000)
        open_tab(page, "Video")
        upload(page, "video-input", inputs["clip"])
        page.locator("#video-input video").wait_for()
        few_steps(page, "video")
        generate(page, "video", 200_000)
        open_tab(page, "Personalise")
        upload(page, "personalize-input", inputs["sound"])
        page.locator("#personalize-input audio").first.wait_for(state="attached")
        page.locator("#personalize-prompt textarea").fill("rain")
        few_steps(page, "personalize")
        generate(page, "personalize", 200_000)
        for task, seconds in (("text", 9.984), ("image", 9.984), ("personalize", 2.0)):
            sound, rate = soundfile.read(io.BytesIO(downloaded(page, f"{task}-take-1")))
            assert_audio_valid(sound, seconds, rate)
        assert downloaded(page, "video-take-1")[4:8] == b"ftyp"
        open_tab(page, "History")
        assert page.locator("#history .take").count() == 4


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("address", ["small"], indirect=True)
def test_inpainting_in_the_browser(browser: Any, address: str) -> None:
    """A painted box of a bird song is made anew; before, after and their difference can be seen and heard at once."""
    with Visitor(browser, address) as page:
        open_tab(page, "Inpaint")
        both = page.locator("#inpaint-takes .compare")
        expect(both).not_to_be_visible()
        upload(page, "inpaint-input", BIRDS)
        expect(page.locator("#inpaint-painter .painter")).not_to_have_class(re.compile("empty"), timeout=120_000)
        paint_a_box(page)
        few_steps(page, "inpaint")
        generate(page, "inpaint", 200_000)
        made, rate = soundfile.read(io.BytesIO(downloaded(page, "inpaint-take-1")), dtype="int16", always_2d=True)
        given, given_rate = soundfile.read(BIRDS, dtype="int16", always_2d=True)
        assert (made.shape, rate) == (given.shape, given_rate)
        changed = np.flatnonzero((made != given).any(axis=1)) / rate
        first, last = changed.min(), changed.max()
        assert 1.5 < first < 2.2 and 2.8 < last < 3.4, "only the painted stretch, with its fades"

        expect(both).to_be_visible()
        expect(both.locator(".note")).to_contain_text("largest difference outside the span 0")
        expect(both.get_by_label("First sound").locator("option:checked")).to_have_text("Your sound")
        expect(both.get_by_label("Second sound").locator("option:checked")).to_have_text("Take 1")
        picture = both.locator("canvas").evaluate("canvas => canvas.toDataURL()")
        both.get_by_role("button", name="Difference").click()
        assert both.locator("canvas").evaluate("canvas => canvas.toDataURL()") != picture
        both.get_by_label("Play both").click()
        begins = both.locator(".time").inner_text()
        expect(both.locator(".time")).not_to_have_text(begins)
        both.get_by_role("button", name="B − A").click()
        expect(both.get_by_role("status")).to_contain_text("Hearing the difference")

        take(page, "inpaint", 1).get_by_label("Compare Take 1").click()
        expect(both).to_have_attribute("data-loaded", "2")
        expect(both.get_by_label("Play both")).to_be_visible()
