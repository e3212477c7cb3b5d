"""What can be done with a take: every button of a card, the comparison, the history, and files that remember."""

from __future__ import annotations

import base64
import re
import shlex
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
import soundfile
from playwright.sync_api import expect

from maa.audio.tags import read_tags
from maa.cli.arguments import parser
from maa.ui import files
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import choose, done, downloaded, generate, open_tab, status, take, upload

pytestmark = pytest.mark.browser


def pick(page: Any, element: str, name: str) -> None:
    """An item of a dropdown."""
    page.locator(f"#{element} input").click()
    page.get_by_role("option", name=name, exact=True).click()


@pytest.fixture
def made(page: Any) -> Any:
    """A visitor who has made two takes of "a dog" with the seed 7."""
    page.locator("#text-prompt textarea").fill("a dog")
    page.get_by_label("number input for Takes").first.fill("2")
    page.locator("#text-fresh input").uncheck()
    page.locator("#text-seed input").fill("7")
    generate(page, "text")
    return page


def test_playing_goes_on_while_a_new_job_runs(made: Any) -> None:
    card = take(made, "text", 2)
    card.get_by_label("Play Take 2").click()
    expect(card.get_by_label("Pause Take 2")).to_be_visible()
    old = card.get_attribute("data-id")
    generate(made, "text")
    still = made.locator(f"#text-takes .before [data-id='{old}']")
    expect(still.get_by_label("Pause Take 2")).to_be_visible()
    assert take(made, "text", 2).get_attribute("data-id") != old
    take(made, "text", 1).get_by_label("Play Take 1").click()
    expect(still.get_by_label("Play Take 2")).to_be_visible()


def test_more_like_this(made: Any, fake: FakePipeline) -> None:
    take(made, "text", 1).get_by_label("More like this: Take 1").click()
    done(made, "personalize")
    asked = fake.asked[-1]
    assert (asked["task"], asked["t0"], asked["prompt"]) == ("personalize", 0.3, "a dog")
    assert asked["sampling"].count == 4
    expect(take(made, "personalize", 4)).to_be_visible()


def test_same_again_has_new_seeds(made: Any, fake: FakePipeline) -> None:
    made.locator("#text-prompt textarea").fill("something else")
    made.get_by_role("button", name="Same again, new seeds").click()
    expect(take(made, "text", 1).get_by_text("seed 7", exact=True)).to_have_count(0)
    asked = fake.asked[-1]
    assert asked["prompt"] == "a dog" and asked["sampling"].seed != 7


@pytest.mark.parametrize(("task", "tab"), [("personalize", "Personalise"), ("inpaint", "Inpaint"), ("image", "Image")])
def test_send_to(made: Any, task: str, tab: str) -> None:
    take(made, "text", 1).get_by_label("Send Take 1 to another tab").select_option(task)
    expect(made.get_by_role("tab", name=tab, exact=True)).to_have_attribute("aria-selected", "true")
    expect(made.locator(f"#{task}-prompt textarea")).to_have_value("a dog")
    if task != "image":
        made.locator(f"#{task}-input audio").first.wait_for(state="attached")
    if task == "personalize":
        generate(made, task)


def test_loudness_and_density_go_with_a_take(page: Any, fake: FakePipeline) -> None:
    """Into the request, back from a take's settings, and on into its variations."""
    pick(page, "text-loudness", "−18 LUFS")
    expect(page.locator("#text-free input")).to_be_checked()
    page.locator("#text-density input[type=range]").fill("0.25")
    expect(page.locator("#text-free input")).not_to_be_checked()
    page.locator("#text-prompt textarea").fill("a dog")
    generate(page, "text")
    assert (fake.asked[-1]["loudness"], fake.asked[-1]["sampling"].density) == ("-18", 0.25)
    page.locator("#text-free input").check()
    pick(page, "text-loudness", "As made")
    choose(page, take(page, "text", 1), "Take 1", "Use these settings")
    expect(page.locator("#text-loudness input")).to_have_value("−18 LUFS")
    expect(page.locator("#text-free input")).not_to_be_checked()
    take(page, "text", 1).get_by_label("More like this: Take 1").click()
    done(page, "personalize")
    asked = fake.asked[-1]
    assert (asked["loudness"], asked["sampling"].density, asked["level_match"]) == ("-18", 0.25, True)


def test_use_these_settings(made: Any) -> None:
    made.locator("#text-prompt textarea").fill("something else")
    made.locator("#text-seed input").fill("99")
    choose(made, take(made, "text", 2), "Take 2", "Use these settings")
    expect(made.locator("#text-prompt textarea")).to_have_value("a dog")
    expect(made.locator("#text-seed input")).to_have_value("8")
    expect(made.locator("#text-fresh input")).not_to_be_checked()


def test_copy_as_command(made: Any) -> None:
    choose(made, take(made, "text", 2), "Take 2", "Copy as command")
    expect(take(made, "text", 2)).to_contain_text("Copied")
    line = made.evaluate("navigator.clipboard.readText()")
    words = shlex.split(line)
    assert words[:4] == ["python", "-m", "maa", "text"]
    args = parser().parse_args(words[3:])
    assert (args.prompt, args.seed, args.steps, args.seconds, args.bits) == ("a dog", 8, 6, 9.984, 16)


def test_command_with_input_and_mask(page: Any, inputs: dict[str, Path]) -> None:
    open_tab(page, "Inpaint")
    page.locator("#inpaint-examples").get_by_role("button").first.click()
    expect(page.locator("#inpaint-painter .painter")).to_have_attribute("data-box", "31 63 0 80")
    generate(page, "inpaint")
    with page.expect_download() as download:
        choose(page, take(page, "inpaint", 1), "Take 1", "Command, input and mask as zip")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["command.txt", "input.wav", "mask.png"]
        line = archive.read("command.txt").decode().strip()
        assert archive.read("input.wav") == inputs["sound"].read_bytes()
    args = parser().parse_args(shlex.split(line)[3:])
    assert (str(args.input), str(args.mask)) == ("input.wav", "mask.png")
    open_tab(page, "History")
    expect(page.locator("#history .prompt").first).to_have_text("Without a prompt: 0.5 to 1.0 s made anew")


def test_compare_two_takes(made: Any) -> None:
    take(made, "text", 2).get_by_label("Compare Take 2").click()
    panel = made.locator("#text-takes .compare")
    expect(panel).to_have_attribute("data-loaded", "1")
    line = panel.get_by_role("status")
    expect(line).to_have_text(re.compile(r"Hearing B\. A .*, B .*"))
    made.keyboard.press("x")
    expect(line).to_have_text(re.compile("Hearing A"))
    expect(panel.get_by_role("button", name="A", exact=True)).to_have_attribute("aria-pressed", "true")
    panel.get_by_label("Same loudness").uncheck()
    expect(line).to_have_text("Hearing A. A as it is, B as it is.")
    before = panel.locator("canvas").evaluate("canvas => canvas.toDataURL()")
    seen = {before}
    for name in ("Wipe", "Difference"):
        panel.get_by_role("button", name=name).click()
        seen.add(panel.locator("canvas").evaluate("canvas => canvas.toDataURL()"))
    assert len(seen) == 3
    expect(panel.get_by_role("button", name="B − A")).to_be_hidden()
    panel.get_by_label("Play both").click()
    expect(panel.locator(".time")).not_to_have_text("0.0 s")
    panel.get_by_label("Pause (space)").click()
    panel.get_by_label("Close the comparison").click()
    expect(panel).not_to_be_visible()


def test_compare_with_the_original(page: Any, inputs: dict[str, Path]) -> None:
    open_tab(page, "Personalise")
    upload(page, "personalize-input", inputs["sound"])
    page.locator("#personalize-input audio").first.wait_for(state="attached")
    page.locator("#personalize-prompt textarea").fill("a cat")
    generate(page, "personalize")
    take(page, "personalize", 1).get_by_label("Compare Take 1").click()
    panel = page.locator("#personalize-takes .compare")
    expect(panel).to_have_attribute("data-loaded", "1")
    expect(panel.get_by_label("First sound").locator("option:checked")).to_have_text("Your sound")
    expect(panel.get_by_role("status")).to_have_text(re.compile(r"-\d+\.\d dB"))


def test_history_outlives_the_page(made: Any) -> None:
    take(made, "text", 2).get_by_label("Star Take 2").click()
    wanted = downloaded(made, "text-take-2")
    gone, kept = (take(made, "text", number).get_attribute("data-id") for number in (1, 2))
    shutil.rmtree(files.shelf() / gone)
    made.reload()
    open_tab(made, "History")
    lost = made.locator(f"#history [data-id='{gone}']")
    expect(lost).to_contain_text("a dog")
    expect(lost).to_contain_text("does not keep this sound any more")
    card = made.locator(f"#history [data-id='{kept}']")
    expect(card.get_by_label(re.compile("^Unstar"))).to_be_visible()
    card.get_by_label(re.compile("^Play")).click()
    expect(card.get_by_label(re.compile("^Pause"))).to_be_visible()
    with made.expect_download() as download:
        made.get_by_text("Download the starred").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert [name[:4] for name in archive.namelist()] == ["001_"]
        assert archive.read(archive.namelist()[0]) == wanted
    made.get_by_label("Which sounds").select_option("star")
    expect(made.locator("#history .take")).to_have_count(1)
    made.get_by_label("Which sounds").select_option("")
    lost.get_by_text("Make it again").click()
    done(made, "text")
    expect(take(made, "text", 1)).to_contain_text("seed 7")


def test_history_is_each_visitors_own(made: Any, other: Any) -> None:
    open_tab(made, "History")
    expect(made.locator("#history .take")).to_have_count(2)
    open_tab(other, "History")
    expect(other.locator("#history .empty")).to_contain_text("Nothing here yet")


def drop(page: Any, path: Path) -> None:
    """Drop a file onto the heading, as from a file manager."""
    script = """([name, data]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
        const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
        document.querySelector("h1").dispatchEvent(new DragEvent("drop", options));
    }"""
    page.evaluate(script, [path.name, base64.b64encode(path.read_bytes()).decode()])


@pytest.mark.parametrize("form", ["WAV, 24 bit", "FLAC"])
def test_a_dropped_file_brings_everything_back(page: Any, other: Any, tmp_path: Path, form: str) -> None:
    page.locator("#text-prompt textarea").fill("a dog, «ein Hündchen»")
    page.locator("#text-negative textarea").fill("music")
    page.get_by_label("number input for Length").first.fill("2.5")
    page.locator("#text-advanced").get_by_text("Advanced").click()
    page.get_by_label("number input for Steps").first.fill("9")
    page.get_by_label("number input for Guidance").first.fill("4.5")
    for label, choice in (
        ("Sampler", "DDIM (the paper's)"),
        ("File format", form),
        ("Sample rate of the file", "48 kHz"),
    ):
        page.get_by_label(label).first.click()
        page.get_by_role("option", name=choice).click()
    generate(page, "text")
    file = tmp_path / ("a.flac" if form == "FLAC" else "a.wav")
    file.write_bytes(downloaded(page, "text-take-1"))
    assert soundfile.info(file).samplerate == 48_000
    seed = read_tags(file)["seed"]  # type: ignore[index]
    other.locator("#conductor [data-ready]").wait_for()
    open_tab(other, "Image")
    drop(other, file)
    expect(other.locator("#text-prompt textarea")).to_have_value("a dog, «ein Hündchen»")
    expect(other.locator("#text-negative textarea")).to_have_value("music")
    expect(other.locator("#text-seed input")).to_have_value(str(seed))
    generate(other, "text")
    again = other.request.get(take(other, "text", 1).locator("a[download]").get_attribute("href")).body()
    assert again == file.read_bytes(), "the same settings, the same bytes"


def test_a_file_without_settings_changes_nothing_by_itself(page: Any, inputs: dict[str, Path]) -> None:
    page.locator("#conductor [data-ready]").wait_for()
    drop(page, inputs["sound"])
    offer = page.locator("#conductor .offer")
    expect(offer).to_contain_text("holds no settings")
    offer.get_by_role("button", name="Leave it").click()
    expect(offer).not_to_be_visible()
    expect(status(page, "text")).to_have_text("")
