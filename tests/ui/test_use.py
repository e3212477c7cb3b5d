"""What people stumble over while they work: sounds on top of each other, seeds that stay, names that say nothing."""

from __future__ import annotations

import base64
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from playwright.sync_api import expect

from tests.sounds import sine_wave
from tests.ui.conftest import PHONE, Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import choose, done, generate, open_tab, status, take, upload

pytestmark = pytest.mark.browser
PAINTER = "#inpaint-painter .painter"


@pytest.fixture(scope="module")
def desk(browser: Any, server: tuple[str, FakePipeline], inputs: dict[str, Path]) -> Iterator[Any]:
    """One visitor for this module, with two takes of a dog and a sound in the painter."""
    with Visitor(browser, server[0]) as page:
        page.locator("#text-prompt textarea").fill("A dog barks: twice!")
        page.get_by_label("number input for Takes").first.fill("2")
        page.locator("#text-fresh input").uncheck()
        page.locator("#text-seed input").fill("7")
        generate(page, "text")
        open_tab(page, "Inpaint")
        upload(page, "inpaint-input", inputs["sound"])
        expect(page.locator(PAINTER)).not_to_have_class(re.compile("empty"))
        open_tab(page, "Text")
        yield page


def drop(page: Any, path: Path, onto: str) -> None:
    """Drop a file as from a file manager."""
    script = """([onto, name, data]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
        const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
        document.querySelector(onto).dispatchEvent(new DragEvent("drop", options));
    }"""
    page.evaluate(script, [onto, path.name, base64.b64encode(path.read_bytes()).decode()])


def test_one_sound_at_a_time_over_the_whole_page(desk: Any, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", sine_wave(440, 60.0, 16_000)[0], 16_000, subtype="PCM_16")
    open_tab(desk, "Personalise")
    upload(desk, "personalize-input", tmp_path / "long.wav")
    theirs = desk.locator("#personalize-input .play-pause-button")
    expect(desk.locator("#personalize-input time").last).to_have_text("1:00")  # which is said once it can be played
    theirs.click()
    expect(theirs).to_have_attribute("aria-label", "Pause")
    open_tab(desk, "Text")
    ours = take(desk, "text", 1).locator(".main")
    ours.click()
    expect(ours).to_have_attribute("data-playing", "true")
    open_tab(desk, "Personalise")
    expect(theirs).to_have_attribute("aria-label", "Play")
    open_tab(desk, "Inpaint")
    painter = desk.locator(f"{PAINTER} [data-act=play]")
    painter.click()
    expect(painter).to_have_attribute("data-playing", "true")
    open_tab(desk, "Text")
    expect(ours).to_have_attribute("data-playing", "false")
    ours.click()
    open_tab(desk, "Inpaint")
    expect(painter).to_have_attribute("data-playing", "false")
    expect(desk.locator("#inpaint-input .component-wrapper")).not_to_be_visible()  # the painter plays it
    open_tab(desk, "Text")
    ours.click()


def test_names_of_files_say_what_is_inside(desk: Any) -> None:
    open_tab(desk, "Text")
    link = take(desk, "text", 2).locator("a[download]")
    expect(link).to_have_attribute("download", "a-dog-barks-twice_seed-8_take-2.wav")
    take(desk, "text", 2).get_by_label("Star Take 2").click()
    open_tab(desk, "History")
    with desk.expect_download() as download:
        desk.get_by_text("Download the starred").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["001_a-dog-barks-twice_seed-8_take-2.wav"]
    open_tab(desk, "Text")
    take(desk, "text", 2).get_by_label("Unstar Take 2").click()


def test_keys_hold_everywhere_but_where_somebody_types(desk: Any) -> None:
    open_tab(desk, "Text")
    one, two = (take(desk, "text", number) for number in (1, 2))
    desk.evaluate("document.activeElement.blur()")  # the tab has arrow keys of its own
    body = desk.locator("body")
    body.press("2")
    expect(two.locator(".main")).to_have_attribute("data-playing", "true")
    body.press("k")
    expect(two.locator(".main")).to_have_attribute("data-playing", "false")
    body.press("1")
    expect(one.locator(".main")).to_have_attribute("data-playing", "true")
    body.press(" ")
    expect(one.locator(".main")).to_have_attribute("data-playing", "false")
    body.press("l")
    body.press("ArrowRight")
    body.press("j")
    expect(one.locator(".time")).to_have_text(re.compile(r"^[1-3]\.\d / "))
    body.press("s")
    expect(one.get_by_label("Unstar Take 1")).to_be_visible()
    body.press("s")
    desk.locator("#text-negative textarea").press("s")
    expect(one.get_by_label("Star Take 1", exact=True)).to_be_visible()
    desk.locator("#text-negative textarea").fill("")
    desk.evaluate("document.activeElement.blur()")
    body.press("?")
    help_ = desk.get_by_role("dialog", name="Keys")
    expect(help_).to_contain_text("play or pause the take")
    desk.keyboard.press("Escape")
    expect(help_).not_to_be_visible()


def test_a_take_can_be_sought_by_keyboard(desk: Any) -> None:
    open_tab(desk, "Text")
    chart = take(desk, "text", 1).get_by_role("slider")
    chart.press("Home")
    chart.press("ArrowRight")
    chart.press("ArrowRight")
    expect(chart).to_have_attribute("aria-valuetext", "2.0 of 10.0 seconds")
    expect(take(desk, "text", 1).locator(".time")).to_have_text("2.0 / 10.0 s")  # which has never been played so far
    chart.press("Shift+ArrowLeft")
    expect(chart).to_have_attribute("aria-valuenow", "1.90")
    chart.press("Home")


def test_a_click_on_a_take_goes_there_before_it_was_played(desk: Any) -> None:
    open_tab(desk, "Text")
    before = take(desk, "text", 1).get_attribute("data-id")
    generate(desk, "text")
    expect(take(desk, "text", 1)).not_to_have_attribute("data-id", before)
    card = take(desk, "text", 1)
    card.locator(".chart[data-ready=true]").wait_for()
    box = card.locator(".chart").bounding_box()
    left, right = 46, 10  # of the picture, beside which stand the axes
    card.locator(".chart").click(position={"x": left + (box["width"] - left - right) / 2, "y": 80})
    expect(card.locator(".time")).to_have_text("5.0 / 10.0 s")
    card.locator(".main").click()
    expect(card.locator(".main")).to_have_attribute("data-playing", "true")
    expect(card.locator(".time")).to_have_text(re.compile(r"^[5-7]\.\d / "))
    card.locator(".main").click()


def test_the_comparison_is_seen_whole_and_closes_by_key(desk: Any) -> None:
    open_tab(desk, "Text")
    button = take(desk, "text", 1).get_by_label("A/B: compare Take 1")
    button.click()
    panel = desk.locator("#text-takes .compare")
    expect(panel).to_have_attribute("data-loaded", re.compile(r"\d"))
    line = panel.get_by_role("status")
    expect(line).to_contain_text("Hearing B")
    expect(line).to_be_in_viewport(ratio=1)
    desk.keyboard.press("Escape")
    expect(panel).not_to_be_visible()
    expect(button).to_be_focused()


def test_a_seed_is_new_again_after_an_example(desk: Any, fake: FakePipeline) -> None:
    """The example plays at once; other words have other seeds, unless a person has asked to keep theirs."""
    open_tab(desk, "Text")
    fresh = desk.locator("#text-fresh input")
    desk.locator("#text-prompt textarea").press_sequentially("x")
    expect(fresh).not_to_be_checked()  # it was unticked by hand
    fresh.check()
    desk.locator("#text-examples").get_by_text("rain").click()
    expect(take(desk, "text", 1).locator(".main")).to_have_attribute("data-playing", "true")
    expect(fresh).not_to_be_checked()
    desk.locator("#text-prompt textarea").press_sequentially("x")
    expect(fresh).to_be_checked()
    generate(desk, "text")
    assert fake.asked[-1]["sampling"].seed != 7


def test_a_number_beyond_its_limits_is_told(desk: Any) -> None:
    open_tab(desk, "Text")
    length = desk.get_by_label("number input for Length").first
    length.fill("45")
    length.press("Tab")
    expect(status(desk, "text")).to_have_text("Length in seconds goes from 1 to 30: 45 became 30.")
    length.fill("9.984")
    length.press("Tab")


def test_history_has_dates_and_names(desk: Any) -> None:
    open_tab(desk, "Text")
    before = take(desk, "text", 1).get_attribute("data-id")
    generate(desk, "text")
    expect(take(desk, "text", 1)).not_to_have_attribute("data-id", before)
    open_tab(desk, "History")
    cards = desk.locator("#history .take")
    expect(cards.first).to_contain_text(re.compile(r"Text, today \d"))
    count = cards.count()
    name = cards.first.get_attribute("aria-label")
    choose(desk, cards.first, name, "Rename")
    field = cards.first.get_by_label("Name", exact=True)
    field.fill("Kennel, night")
    field.press("Enter")
    expect(cards.first.locator(".prompt")).to_have_text("Kennel, night")
    expect(cards.first.locator("a[download]")).to_have_attribute("download", re.compile("^kennel-night_seed-"))
    desk.get_by_label("Search the prompts").fill("kennel")
    expect(cards).to_have_count(1)
    choose(desk, cards.first, name, "Forget this one")
    desk.get_by_label("Search the prompts").fill("")
    expect(cards).to_have_count(count - 1)
    open_tab(desk, "Text")


def test_remove_this_makes_four_takes_and_orders_them(desk: Any, fake: FakePipeline) -> None:
    open_tab(desk, "Inpaint")
    desk.locator("#inpaint-prompt textarea").fill("something that should not count")
    desk.locator("#inpaint-remove").click()
    expect(status(desk, "inpaint")).to_contain_text("Nothing is painted yet")
    desk.locator("#inpaint-painter canvas").press("n")
    desk.keyboard.press("Enter")
    desk.locator("#inpaint-remove").click()
    done(desk, "inpaint")
    asked = fake.asked[-1]
    assert (asked["prompt"], asked["sampling"].count, asked["strength"], asked["resampling"]) == ("", 4, 1.0, 1)
    expect(status(desk, "inpaint")).to_contain_text("joins both sides best comes first")
    apart = [desk.locator("#inpaint-takes .take").nth(k).locator(".facts").inner_text() for k in range(4)]
    found = [float(re.search(r"by ([\d.]+) dB", text)[1]) for text in apart]  # type: ignore[index]
    assert found == sorted(found)
    expect(desk.locator("#inpaint-prompt textarea")).to_have_value("")


def test_a_take_comes_back_into_the_painter_with_its_mask(desk: Any) -> None:
    open_tab(desk, "Inpaint")
    expect(desk.locator(PAINTER)).to_have_attribute("data-box", "0 16 0 8")
    before = desk.locator(PAINTER).get_attribute("data-view")
    take(desk, "inpaint", 1).get_by_label("Send Take 1 to another tab").select_option("inpaint")
    expect(status(desk, "inpaint")).to_contain_text("Paint over what should be made anew")
    expect(desk.locator(PAINTER)).not_to_have_attribute("data-view", str(before))  # ten seconds are in view, not two
    expect(desk.locator(PAINTER)).to_have_attribute("data-box", "0 16 0 8")
    expect(desk.locator("#inpaint-input")).to_be_in_viewport()


def test_the_painter_zooms_to_the_box_and_says_where_cells_end(desk: Any) -> None:
    open_tab(desk, "Inpaint")
    root, canvas = desk.locator(PAINTER), desk.locator("#inpaint-painter canvas")
    for name, value in (("end", "7"), ("start", "6"), ("low", "0"), ("high", "8000")):
        root.locator(f"[name={name}]").fill(value)
        root.locator(f"[name={name}]").press("Tab")
    expect(root.locator("[name=high]")).to_have_value("8000")
    expect(root.locator("[name=low]")).to_have_value("0")
    root.locator("[name=high]").fill("2500")
    root.locator("[name=high]").press("Tab")
    expect(root.locator(".facts")).to_have_text(re.compile("2500 Hz lies inside one of the model's cells"))
    canvas.press("+")
    canvas.press("+")
    first, last = map(float, root.get_attribute("data-view").split())
    assert first <= 375 and last >= 438, "the box stays in view"
    canvas.press("0")
    canvas.press("z")
    first, last = map(float, root.get_attribute("data-view").split())
    assert (round(first), round(last)) == (344, 470)


def test_a_foreign_sound_is_taken_where_it_is_dropped(desk: Any, tmp_path: Path) -> None:
    path = tmp_path / "birds.wav"
    soundfile.write(path, sine_wave(700, 1.0, 16_000)[0], 16_000, subtype="PCM_16")
    open_tab(desk, "Inpaint")
    drop(desk, path, PAINTER)
    expect(status(desk, "inpaint")).to_have_text("'birds.wav' is here.")
    open_tab(desk, "Text")
    drop(desk, path, "h1")
    offer = desk.locator("#conductor .offer")
    expect(offer).to_contain_text("“birds.wav” holds no settings.")
    offer.get_by_role("button", name="Personalise it").click()
    expect(desk.get_by_role("tab", name="Personalise")).to_have_attribute("aria-selected", "true")
    expect(status(desk, "personalize")).to_have_text("'birds.wav' is here.")
    (tmp_path / "notes.txt").write_text("nothing")
    drop(desk, tmp_path / "notes.txt", "h1")
    expect(desk.locator(".toast-body").last).to_contain_text("no sound, picture or clip")


def test_a_picture_of_an_example_has_words_too(desk: Any, inputs: dict[str, Path], tmp_path: Path) -> None:
    """Whatever brings a picture; and a file that is none is refused by us, and in the same way as elsewhere."""
    open_tab(desk, "Image")
    drop(desk, inputs["picture"], "h1")
    expect(desk.locator("#image-words input[type=text]").first).to_have_value("dog barking")
    desk.locator("#image-input").get_by_label(re.compile("Clear|Remove")).first.click()
    (tmp_path / "text.txt").write_text("I am a text")
    upload(desk, "image-input", tmp_path / "text.txt")
    expect(desk.locator(".toast-body").last).to_contain_text("not a picture")


def test_a_clip_is_cut_by_the_server(desk: Any, inputs: dict[str, Path]) -> None:
    open_tab(desk, "Video")
    upload(desk, "video-input", inputs["clip"])
    desk.locator("#video-input video").wait_for()
    expect(desk.get_by_label("Trim video to selection")).not_to_be_visible()  # which would need the internet
    expect(desk.locator("#video-original_db")).not_to_be_visible()
    desk.get_by_label("Mix", exact=True).check()
    expect(desk.locator("#video-original_db")).to_be_visible()
    desk.locator("#video-to input").fill("0.5")
    desk.locator("#video-cut").click()
    expect(status(desk, "video")).to_have_text(re.compile(r"The clip is 0\.[5-7]\d s long now, from 0\.00 s on\."))
    generate(desk, "video")
    card = take(desk, "video", 1)
    expect(card).to_contain_text("nothing to mix in")
    names = card.locator("a[download]").evaluate_all("links => links.map((link) => link.download)")
    assert [Path(name).suffix for name in names] == [".mp4", ".wav"]
    heights = card.locator(".acts > *").evaluate_all("all => all.map((one) => one.offsetTop)")
    assert len(heights) > 3 and len(set(heights)) == 1, "a wide card has its buttons in one line"
    times = desk.locator("#video-takes .frames figcaption").all_inner_texts()
    assert times == sorted(times, key=lambda text: float(text.split()[0]))


MOVES = """() => {
    const [line, bar] = ["text", "bar"].map((name) => document.querySelector(`#text-status .${name}`));
    return line.textContent === "Getting ready …" && bar.clientWidth > 20;
}"""  # before anything is known of a job the bar is not empty


def test_the_title_tells_how_far_a_job_is(desk: Any, fake: FakePipeline) -> None:
    open_tab(desk, "Text")
    fake.step_seconds = 1.0
    desk.locator("#text-generate").click()
    desk.wait_for_function(MOVES)
    fake.step_seconds = 0.05
    desk.wait_for_function("/^[1-9]\\d? % · Make-An-Audio$/.test(document.title)")
    done(desk, "text")
    assert desk.title() == "Make-An-Audio"


def test_results_are_in_sight(browser: Any, base_url: str, fake: FakePipeline) -> None:
    """On a phone the page goes to the sound in the making; examples are in reach before anything is typed."""
    with Visitor(browser, base_url, PHONE) as page:
        expect(page.locator("#text-examples").get_by_text("rain")).to_be_in_viewport()
        fake.step_seconds = 0.4
        page.locator("#text-prompt textarea").fill("rain")
        page.locator("#text-generate").click()
        expect(page.locator("#text-takes .live canvas")).to_be_in_viewport(ratio=0.5)
        done(page, "text")
        expect(take(page, "text", 1)).to_be_in_viewport(ratio=0.3)
