"""A take opened up: selected, shaped, heard in a loop, written in any format, sent on, dragged out."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from maa.audio.io import read
from maa.audio.loudness import lufs
from maa.audio.tags import read_tags
from maa.cli.arguments import parser
from maa.pipeline.setting import read_options
from maa.pipeline.shaping import Shaping
from maa.ui import exports, files
from tests.ui.conftest import Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import generate, open_tab, status, take, upload

pytestmark = pytest.mark.browser
RATE = 16_000
# What is played through Web Audio from now on, as it begins.
LISTEN = """() => {
    window.started = [];
    const { start } = AudioBufferSourceNode.prototype;
    AudioBufferSourceNode.prototype.start = function (...given) {
        const { loop, loopStart, loopEnd, buffer, context } = this;
        window.started.push({ loop, loopStart, loopEnd, given, samples: buffer.length, rate: buffer.sampleRate,
            context: context.sampleRate });
        return start.apply(this, given);
    };
}"""


@pytest.fixture(scope="module")
def desk(browser: Any, server: tuple[str, FakePipeline]) -> Iterator[Any]:
    """One visitor for this module, with two takes of rain, the first of them opened up."""
    with Visitor(browser, server[0]) as page:
        page.evaluate(LISTEN)
        page.locator("#text-prompt textarea").fill("rain")
        page.get_by_label("number input for Takes").first.fill("2")
        page.locator("#text-fresh input").uncheck()
        page.locator("#text-seed input").fill("7")
        generate(page, "text")
        take(page, "text", 1).get_by_label("Edit Take 1").click()
        yield page


@pytest.fixture
def clip(desk: Any) -> Any:
    """The opened take, with nothing done to it and all of it in view."""
    open_tab(desk, "Text")
    panel = take(desk, "text", 1).locator(".clip")
    panel.get_by_role("button", name="Reset").click()
    panel.get_by_role("button", name="Whole", exact=True).click()
    expect(panel).to_have_attribute("data-shaping", "{}")
    return panel


def type_in(clip: Any, **fields: float | str) -> None:
    for name, value in fields.items():
        field = clip.locator(f"[name={name.replace('_0', '-0').replace('_1', '-1')}]")
        if name == "target":
            field.select_option(str(value))
        else:
            field.fill(str(value))
            field.press("Tab")


def master(page: Any) -> np.ndarray:
    folder = files.folder_of(take(page, "text", 1).get_attribute("data-id"))
    assert folder is not None
    return read(folder / exports.MASTER).samples


def written(page: Any, clip: Any, form: str = "wav32f", rate: str = "0") -> Path:
    """The file that Download gives."""
    clip.get_by_label("File format", exact=True).select_option(form)
    clip.get_by_label("Sample rate", exact=True).select_option(rate)
    with page.expect_download() as download:
        clip.get_by_role("button", name="Download").click()
    path = Path(download.value.path())
    return path.rename(path.with_suffix(Path(download.value.suggested_filename).suffix))


def test_a_stretch_is_selected_by_hand_and_by_typing(desk: Any, clip: Any) -> None:
    canvas = clip.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    def x(second: float) -> float:
        return box["x"] + 46 + second / 9.984 * (box["width"] - 56)

    desk.mouse.move(x(2.0), box["y"] + 120)
    desk.mouse.down()
    desk.mouse.move(x(5.0), box["y"] + 120, steps=4)
    desk.mouse.up()
    expect(clip.locator(".said")).to_have_text(re.compile(r"Selected: (1\.9|2\.0)\d to (4\.9|5\.0)\d s"))
    desk.mouse.move(x(5.0), box["y"] + 120)  # its end is held and moved
    desk.mouse.down()
    desk.mouse.move(x(7.0), box["y"] + 120, steps=4)
    desk.mouse.up()
    expect(clip.locator(".said")).to_have_text(re.compile(r"Selected: (1\.9|2\.0)\d to (6\.9|7\.0)\d s"))
    type_in(clip, trim_0="1.25", trim_1="3.5")
    expect(clip).to_have_attribute("data-shaping", '{"trim":[1.25,3.5]}')
    clip.get_by_role("button", name="To selection").click()
    first, last = map(float, canvas.get_attribute("data-view").split())
    assert (first, last) == (pytest.approx(1.025, abs=0.01), pytest.approx(3.725, abs=0.01))


def test_a_stretch_is_selected_by_keyboard(desk: Any, clip: Any) -> None:
    canvas = clip.locator("canvas")
    canvas.focus()
    canvas.press("Home")
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight"):
        canvas.press(key)
    expect(clip.locator(".said")).to_have_text("Selected: 0.20 to 0.40 s (0.20 s)")
    canvas.press("Shift+ArrowRight")
    expect(clip.locator(".said")).to_have_text("Selected: 0.20 to 0.50 s (0.30 s)")
    canvas.press("PageDown")
    canvas.press("]")
    expect(clip.locator(".said")).to_have_text("Selected: 0.20 to 1.50 s (1.30 s)")
    canvas.press("+")
    canvas.press("+")
    first, last = map(float, canvas.get_attribute("data-view").split())
    assert 4 < last - first < 5
    canvas.press("0")
    expect(canvas).to_have_attribute("data-view", "0.000 9.984")
    desk.mouse.wheel(0, 0)
    canvas.hover()
    desk.mouse.wheel(0, -300)
    expect(canvas).not_to_have_attribute("data-view", "0.000 9.984")
    canvas.press("a")
    expect(clip).to_have_attribute("data-shaping", "{}")


def test_the_selection_is_heard_round_and_round(desk: Any, clip: Any) -> None:
    """At the sound's own rate and from one sample to another, so without a gap; and nothing else is heard."""
    type_in(clip, trim_0="2", trim_1="3.5")
    clip.get_by_label("Play the selection of Take 1").click()
    expect(clip).to_have_attribute("data-playing", "true")
    heard = desk.evaluate("window.started.at(-1)")
    assert heard == {"loop": True, "loopStart": 2, "loopEnd": 3.5, "given": [0, 2], "samples": 159_744, "rate": RATE,
                     "context": RATE}  # fmt: skip
    clip.get_by_label("Loop the selection").click()
    desk.wait_for_function("!window.started.at(-1).loop")
    two = take(desk, "text", 2)
    two.get_by_label("Play Take 2").click()
    expect(clip).to_have_attribute("data-playing", "false")
    two.get_by_label("Pause Take 2").click()
    clip.get_by_label("Loop the selection").click()
    type_in(clip, gain="-6")  # what is written is heard, from the server
    clip.locator("canvas").press(" ")
    expect(clip).to_have_attribute("data-playing", "true")
    heard = desk.evaluate("window.started.at(-1)")
    assert (heard["loop"], heard["loopStart"], heard["samples"]) == (True, 0, round(1.5 * RATE))
    clip.locator("canvas").press(" ")
    expect(clip).to_have_attribute("data-playing", "false")


def test_any_take_plays_in_a_loop(desk: Any) -> None:
    open_tab(desk, "Text")
    card = take(desk, "text", 2)
    card.get_by_label("Play Take 2").click()
    card.get_by_label("Loop Take 2").click()
    expect(card.get_by_label("Loop Take 2")).to_have_attribute("aria-pressed", "true")
    desk.wait_for_function("window.started.at(-1).loop && window.started.at(-1).loopStart === 0")
    heard = desk.evaluate("window.started.at(-1)")
    assert (heard["rate"], heard["context"], round(heard["loopEnd"] * RATE)) == (RATE, RATE, heard["samples"])
    expect(card.locator(".main")).to_have_attribute("data-playing", "true")
    desk.locator("body").press("l")
    expect(card.locator(".time")).to_have_text(re.compile(r"^\d\.\d / "))
    card.get_by_label("Pause Take 2").click()
    expect(card.locator(".main")).to_have_attribute("data-playing", "false")
    card.get_by_label("Loop Take 2").click()


def test_what_is_written_is_shaped_and_the_take_stays(desk: Any, clip: Any) -> None:
    whole = master(desk)
    clip.locator("[name=reverse]").check()
    sound = read(written(desk, clip))
    assert np.array_equal(sound.samples, whole[:, ::-1]) and sound.subtype == "FLOAT"
    type_in(clip, trim_0="1", trim_1="3", fade_in="0.5", gain="-6")
    path = written(desk, clip)
    sound, asked = read(path).samples, Shaping(trim=(1, 3), reverse=True, fade_in=0.5, gain=-6)
    assert np.array_equal(sound, asked.applied(whole, RATE).samples)
    assert sound[0, 0] == sound[0, -1] == 0 and sound.shape == (1, 2 * RATE)
    assert read_options(Shaping, read_tags(path) or {}) == asked
    type_in(clip, target="-23", gain="0")
    assert lufs(read(written(desk, clip)).samples, RATE) == pytest.approx(-23, abs=0.2)
    assert np.array_equal(master(desk), whole)
    shown = clip.locator(".made a")
    expect(shown).to_have_attribute("download", "rain_seed-7_take-1.wav")


@pytest.mark.parametrize(
    ("form", "rate", "expected"),
    [
        ("wav16", "16000", ("WAV", "PCM_16", 16_000)),
        ("wav24", "48000", ("WAV", "PCM_24", 48_000)),
        ("wav32f", "44100", ("WAV", "FLOAT", 44_100)),
        ("flac", "44100", ("FLAC", "PCM_16", 44_100)),
        ("ogg", "48000", ("OGG", "VORBIS", 48_000)),
        ("mp3", "44100", ("MP3", "MPEG_LAYER_III", 44_100)),
    ],
)
def test_format_and_rate_are_chosen_at_the_moment_of_export(
    desk: Any, clip: Any, form: str, rate: str, expected: tuple[str, str, int]
) -> None:
    type_in(clip, trim_0="0", trim_1="1")
    path = written(desk, clip, form, rate)
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.samplerate) == expected
    assert info.duration == pytest.approx(1.0, abs=0.06)
    assert (read_tags(path) or {})["trim"] == [0, 1]


def test_stereo_of_this_take_and_the_next(desk: Any, clip: Any) -> None:
    type_in(clip, width="0.5")
    sound = read(written(desk, clip)).samples
    assert sound.shape == (2, 159_744)
    middle = sound.mean(axis=0)
    assert np.corrcoef(middle, master(desk)[0])[0, 1] > 0.999
    assert take(desk, "text", 2).locator("[name=width]").count() == 0
    take(desk, "text", 2).get_by_label("Edit Take 2").click()  # there is no take of seed 9
    expect(take(desk, "text", 2).locator("[name=reverse]")).to_be_visible()
    assert take(desk, "text", 2).locator("[name=width]").count() == 0
    take(desk, "text", 2).get_by_label("Edit Take 2").click()
    expect(take(desk, "text", 2).locator(".clip")).not_to_be_visible()


def test_the_command_says_it_all(desk: Any, clip: Any) -> None:
    type_in(clip, trim_0="0.5", trim_1="2", fade_out="0.25", width="0.4")
    clip.get_by_label("File format", exact=True).select_option("wav24")
    clip.get_by_label("Sample rate", exact=True).select_option("48000")
    clip.get_by_role("button", name="Copy as command").click()
    expect(clip.locator(".said")).to_contain_text("Copied")
    args = vars(parser().parse_args(shlex.split(desk.evaluate("navigator.clipboard.readText()"))[3:]))
    given = {name: value for name, value in args.items() if value is not None}
    assert read_options(Shaping, given) == Shaping(trim=(0.5, 2.0), fade_out=0.25, width=0.4)
    assert (args["seed"], args["bits"], args["rate"], args["prompt"]) == (7, 24, 48_000, "rain")


def test_the_selection_is_sent_to_another_tab(desk: Any, clip: Any) -> None:
    type_in(clip, trim_0="1", trim_1="3.4")
    clip.get_by_label("Send the selection to another tab").select_option("inpaint")
    expect(status(desk, "inpaint")).to_contain_text("The sound is here")
    expect(desk.locator("#inpaint-painter .painter")).to_have_attribute("data-view", re.compile(r"^0\S* 150"))  # 2.4 s
    open_tab(desk, "Text")


def test_a_file_that_was_shaped_is_made_again(desk: Any, clip: Any) -> None:
    """Dropped on the page it brings its settings back, and the take of these opens up as it was shaped."""
    type_in(clip, trim_0="1", trim_1="2", gain="-3")
    path = written(desk, clip)
    before = read(path).samples
    data = base64.b64encode(path.read_bytes()).decode()
    script = """([name, data]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
        const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
        document.querySelector("h1").dispatchEvent(new DragEvent("drop", options));
    }"""
    desk.locator("#text-prompt textarea").fill("something else")
    desk.evaluate(script, ["rain.wav", data])
    expect(desk.locator("#text-prompt textarea")).to_have_value("rain")
    old = take(desk, "text", 1).get_attribute("data-id")
    desk.get_by_label("number input for Takes").first.fill("2")
    generate(desk, "text")
    expect(take(desk, "text", 1)).not_to_have_attribute("data-id", old)
    again = take(desk, "text", 1).locator(".clip")
    expect(again).to_have_attribute("data-shaping", '{"trim":[1,2],"gain":-3}')
    assert np.array_equal(read(written(desk, again)).samples, before)


def test_the_history_keeps_what_was_done(desk: Any, clip: Any) -> None:
    clip.locator("[name=reverse]").check()
    expect(take(desk, "text", 1).get_by_label("Edit Take 1")).to_have_attribute("data-shaped", "")
    desk.wait_for_function("localStorage.getItem('maa-history').includes('\"shaping\":{\"reverse\":true}')")
    seen = take(desk, "text", 1).get_attribute("data-id")
    open_tab(desk, "History")
    card = desk.locator(f"#history .take[data-id='{seen}']")
    card.get_by_label(re.compile("^Edit Text")).click()
    expect(card.locator(".clip [name=reverse]")).to_be_checked()
    card.locator(".clip [name=reverse]").uncheck()
    expect(clip).to_have_attribute("data-shaping", "{}")  # the same take, opened in its tab
    expect(card.locator(".clip [name=reverse]")).to_be_focused()
    card.get_by_label(re.compile("^Edit Text")).click()
    open_tab(desk, "Text")


def test_takes_lie_in_folders(desk: Any) -> None:
    open_tab(desk, "History")
    cards = desk.locator("#history .take")
    count, name = cards.count(), cards.first.get_attribute("aria-label")
    which = desk.get_by_label("Which folder")
    expect(which).not_to_be_visible()
    cards.first.get_by_label(f"More for {name}").first.click()
    cards.first.get_by_text("Put into a folder", exact=True).click()
    cards.first.get_by_label("Folder", exact=True).fill("Weather <b>")
    cards.first.get_by_label("Folder", exact=True).press("Enter")
    expect(cards.first.locator(".folder")).to_have_text("Weather <b>")
    which.select_option("Weather <b>")
    expect(cards).to_have_count(1)
    which.select_option("In no folder")
    expect(cards).to_have_count(count - 1)
    which.select_option("All folders")
    desk.get_by_label("Search the prompts").fill("weather")
    expect(cards).to_have_count(1)
    cards.first.get_by_label(f"More for {name}").first.click()
    cards.first.get_by_text("Put into a folder", exact=True).click()
    cards.first.get_by_label("Folder", exact=True).fill("")
    cards.first.get_by_label("Folder", exact=True).press("Enter")
    expect(cards).to_have_count(0)
    desk.get_by_label("Search the prompts").fill("")
    expect(cards).to_have_count(count)
    expect(which).not_to_be_visible()
    open_tab(desk, "Text")


def test_a_take_is_dragged_out_of_the_browser(desk: Any, inputs: dict[str, Path], base_url: str) -> None:
    """Chromium drops the file where it is let go: kind, name and whole address travel with the link."""
    script = """(link) => {
        const event = new DragEvent("dragstart", { dataTransfer: new DataTransfer(), bubbles: true });
        link.dispatchEvent(event);
        return Object.fromEntries(event.dataTransfer.types.map((type) => [type, event.dataTransfer.getData(type)]));
    }"""
    open_tab(desk, "Text")
    link = take(desk, "text", 2).locator("a[download]").first
    carried = link.evaluate(script)
    kind, name, url = re.match(r"([^:]+):([^:]+):(.+)", carried["downloadurl"]).groups()  # type: ignore[union-attr]
    assert (kind, name) == ("audio/wav", "rain_seed-8_take-2.wav")
    assert url.startswith(f"{base_url}/") and carried["text/uri-list"] == url
    assert desk.request.get(url).body()[:4] == b"RIFF"
    open_tab(desk, "Video")
    upload(desk, "video-input", inputs["clip"])
    desk.locator("#video-input video").wait_for()
    generate(desk, "video")
    links = take(desk, "video", 1).locator("a[download]")
    kinds = [link.evaluate(script)["downloadurl"].split(":")[0] for link in links.all()]
    assert kinds == ["video/mp4", "audio/wav"]
