"""What the network listens to, under the prompt: shown at once, swapped, sent, kept and brought back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from maa.audio.tags import read_tags
from maa.ui import known, text, words
from maa.ui.model import LoadingModel
from maa.ui.tab import Workplace
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import choose, downloaded, generate, open_tab, take

ODD = ["🐶" * 500, "\ud83d", "狗叫", "<img src=x onerror=alert(1)>", "--seed 7", "-", "a" * 1000, "..., then", ""]


# ---------------------------------------------------------------- without a browser


def answer(asked: Any, pipeline: FakePipeline | None = None) -> dict[str, Any]:
    return words.answer(LoadingModel.of(pipeline or FakePipeline()), asked)  # type: ignore[arg-type]


def test_a_prompt_is_answered_clause_by_clause() -> None:
    found = answer({"prompt": "first a hound woofs twice,  then algebra", "literal": False, "wanted": None})
    assert [one["said"] for one in found["clauses"]] == ["a hound woofs twice", "algebra"]
    assert [one["heard"] for one in found["clauses"]] == ["a dog barks twice", "algebra"]
    assert found["clauses"][0]["choices"][0] == "a dog barks twice" and len(found["clauses"][0]["choices"]) == 3
    assert [one["known"] for one in found["clauses"]] == [True, False]
    assert found["notes"] == ["It knows nothing like “algebra”, so expect a guess."]


def test_what_settings_want_is_heard_where_it_fits() -> None:
    for wanted, heard in (
        (["rain"], "rain"),
        (["a spell"], "a dog barks"),
        (["rain"] * 2, "a dog barks"),
        ("x", "a dog barks"),
    ):
        found = answer({"prompt": "a hound woofs", "wanted": wanted})
        assert (found["clauses"][0]["heard"], found["clauses"][0]["led"]) == (heard, "a dog barks")


@pytest.mark.parametrize("prompt", [*ODD, None, 7, ["rain"], {"a": 1}])
def test_no_prompt_breaks_the_answer(prompt: Any) -> None:
    found = answer({"prompt": prompt})
    assert set(found) == {"prompt", "clauses", "notes"} and all(isinstance(note, str) for note in found["notes"])
    assert "".join(one["said"] for one in found["clauses"]) in str(prompt)


def test_without_a_vocabulary_there_are_no_chips() -> None:
    assert answer({"prompt": "rain"}, FakePipeline(vocabulary=None))["clauses"] == []


def test_mistakes_are_told_as_notes() -> None:
    junk = {"prompt": "", "clauses": [], "notes": ["The prompt must be text, not NoneType."]}
    assert answer("junk") == answer(None) == junk
    half = answer({"prompt": "\ud83d"})
    assert half["prompt"] == "", "no program can write it, and the page would get no answer at all"
    assert half["notes"][0].startswith("The prompt holds half a character")


@pytest.mark.parametrize(
    ("value", "heard"),
    [
        (
            {"prompt": "a hound woofs", "chosen": True, "clauses": [{"said": "a hound woofs", "heard": "rain"}]},
            ("rain",),
        ),
        ({"prompt": "a hound woofs", "chosen": False, "clauses": [{"heard": "rain"}]}, ()),
        ({"prompt": "something else", "chosen": True, "clauses": [{"heard": "rain"}]}, ()),
        ({"wanted": ["rain"]}, ("rain",)),
        (["rain"], ("rain",)),
        (None, ()),
    ],
)
def test_only_what_was_chosen_for_this_prompt_is_sent(value: Any, heard: tuple[str, ...]) -> None:
    fields = {"prompt": " a hound  woofs ", "steps": 2, "seed": 1, "heard": value}
    assert text.TASK.ask(fields).task.keywords().get("heard") is None
    assert text.TASK.ask(fields).task.heard == heard  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "value", [{"wanted": 7}, {"wanted": [7]}, ["rain"] * 65, [""], ["a" * 1001], [["rain"]], "rain"]
)
def test_junk_is_refused_in_a_sentence(value: Any) -> None:
    with pytest.raises(ValueError, match=r"heard"):
        text.TASK.ask({"prompt": "rain", "heard": value})


def test_only_known_sounds_can_be_heard(tmp_path: Path) -> None:
    place = Workplace(LoadingModel.of(FakePipeline()), tmp_path)  # type: ignore[arg-type]
    assert known.named(place, "dog barking") == "dog barking"
    for name in ("a dog barks", "", None, ["rain"], "x" * 10_000):
        with pytest.raises(ValueError, match="is no sound that the model knows"):
            known.named(place, name)


# ---------------------------------------------------------------- in the page


def chips(page: Any, task: str = "text") -> Any:
    return page.locator(f"#{task}-heard select")


def say(page: Any, prompt: str, task: str = "text") -> None:
    page.locator(f"#{task}-prompt textarea").fill(prompt)


@pytest.mark.browser
def test_swapped_sent_saved_and_brought_back(page: Any, fake: FakePipeline, tmp_path: Path) -> None:
    say(page, "a hound woofs, then algebra")
    expect(chips(page)).to_have_count(2)
    assert [chip.input_value() for chip in chips(page).all()] == ["a dog barks", "algebra"]
    expect(page.locator("#text-heard .notes")).to_have_text("It knows nothing like “algebra”, so expect a guess.")
    generate(page, "text")
    assert "heard" not in fake.asked[-1], "nothing was chosen"
    chips(page).first.select_option("rain")
    chips(page).nth(1).select_option("church bell")
    link = page.locator("#text-take-1 a[download]").first
    earlier = link.get_attribute("href")
    generate(page, "text")
    expect(link).not_to_have_attribute("href", earlier)  # its card comes a moment after "Done"
    assert fake.asked[-1]["heard"] == ["rain", "church bell"]
    file = tmp_path / "take.wav"
    file.write_bytes(downloaded(page, "text-take-1"))
    assert (read_tags(file) or {})["heard"] == ["rain", "church bell"]
    say(page, "it pours")
    expect(chips(page)).to_have_count(1)
    page.locator("#conductor input[type=file]").set_input_files(file)
    expect(chips(page)).to_have_count(2)
    assert [chip.input_value() for chip in chips(page).all()] == ["rain", "church bell"]
    generate(page, "text")
    assert fake.asked[-1]["heard"] == ["rain", "church bell"]


@pytest.mark.browser
def test_a_choice_stays_while_the_rest_is_written(page: Any, fake: FakePipeline) -> None:
    say(page, "a hound woofs")
    expect(chips(page)).to_have_count(1)
    chips(page).first.select_option("my own words")
    say(page, "a hound woofs, then it pours")
    expect(chips(page)).to_have_count(2)
    assert [chip.input_value() for chip in chips(page).all()] == ["a hound woofs", "heavy rain"]
    generate(page, "text")
    assert fake.asked[-1]["heard"] == ["a hound woofs", "heavy rain"]
    page.get_by_label("Take my words as they are").first.check()
    expect(chips(page)).to_have_count(0)
    expect(page.locator("#text-heard .row")).to_have_text("Heard as you say it")


@pytest.mark.browser
def test_use_these_settings_brings_the_chips_back(page: Any) -> None:
    say(page, "a hound woofs")
    expect(chips(page)).to_have_count(1)
    chips(page).first.select_option("church bell")
    generate(page, "text")
    say(page, "rain")
    expect(chips(page).first).to_have_value("rain")
    choose(page, take(page, "text", 1), "Take 1", "Use these settings")
    expect(chips(page).first).to_have_value("church bell")


@pytest.mark.browser
def test_what_is_below_stays_where_it_is(page: Any) -> None:
    """A button that moves when the answer comes is missed by whoever is about to press it."""
    button = page.locator("#text-generate")
    page.locator("#text-prompt textarea").focus()  # from now on the answer has its place
    page.locator("#text-heard").wait_for()
    expect(page.locator("#model")).to_contain_text("16 kHz")  # a line above all of it, which comes late
    before = button.bounding_box()
    page.locator("#text-prompt textarea").press_sequentially("rai")
    page.locator("#text-offers [role=option]").first.wait_for()
    assert button.bounding_box() == before
    say(page, "a hound woofs")
    expect(chips(page)).to_have_count(1)
    assert button.bounding_box() == before


@pytest.mark.browser
def test_an_answer_does_not_wait_for_a_sound(page: Any, fake: FakePipeline) -> None:
    fake.step_seconds = 0.4
    say(page, "rain")
    page.locator("#text-generate").click()
    page.locator("#text-status", has_text="Step").wait_for()
    say(page, "a hound woofs")
    expect(chips(page).first).to_have_value("a dog barks", timeout=4000)
    page.locator("#text-stop").click()


@pytest.mark.browser
def test_sounds_are_suggested_and_taken_by_keyboard_and_by_touch(phone: Any) -> None:
    area, offers = phone.locator("#text-prompt textarea"), phone.locator("#text-offers [role=option]")
    area.click()
    area.press_sequentially("ra")
    expect(offers).to_have_text(["rain"])
    area.press("ArrowDown")
    assert area.get_attribute("aria-activedescendant") == offers.first.get_attribute("id")
    area.press("Enter")
    expect(area).to_have_value("rain")
    expect(offers.first).to_be_hidden()
    area.press_sequentially(", then a do")
    offers.first.tap()
    expect(area).to_have_value("rain, then a dog barking")
    area.press_sequentially(" and chu")
    area.press("Escape")
    expect(offers.first).to_be_hidden()
    expect(area).to_have_value("rain, then a dog barking and chu")


@pytest.mark.browser
def test_what_it_knows_is_searched_heard_and_used(page: Any, fake: FakePipeline) -> None:
    listed, before = page.locator("#text-known"), len(fake.asked)
    listed.get_by_text("What it knows").click()
    expect(listed.locator(".line")).to_have_text("3 sounds")
    listed.get_by_label("Search the known sounds").fill("anim")
    listed.get_by_label("Hear dog barking").click()
    expect(listed.get_by_label("Stop dog barking")).to_be_visible()
    expect(listed.locator(".line")).to_have_text("Playing dog barking")
    asked = fake.asked[-1]
    assert (asked["prompt"], asked["sampling"].steps, asked["sampling"].seed, asked["seconds"]) == (
        "dog barking",
        6,
        0,
        5.0,
    )
    assert len(fake.asked) == before + 1
    listed.get_by_text("dog barking", exact=True).click()
    expect(page.locator("#text-prompt textarea")).to_have_value("dog barking")
    listed.get_by_text("Surprise me").click()
    expect(page.locator("#text-prompt textarea")).to_have_value(
        re.compile(r"^(dog barking|rain|church bell)(( and |, then )(dog barking|rain|church bell))?$")
    )


@pytest.mark.browser
def test_a_second_sound_takes_the_place_of_the_first(page: Any, fake: FakePipeline) -> None:
    fake.step_seconds = 0.6
    listed = page.locator("#text-known")
    listed.get_by_text("What it knows").click()
    for name in ("animals", "weather", "objects"):
        listed.get_by_label("Search the known sounds").fill(name)
        listed.locator(".hear").first.click()
    expect(listed.locator(".line")).to_have_text("Playing church bell")
    assert fake.running == 0


@pytest.mark.browser
@pytest.mark.parametrize("task", ["image", "video", "personalize", "inpaint"])
def test_every_prompt_has_its_chips(page: Any, task: str) -> None:
    open_tab(page, {"personalize": "Personalise"}.get(task, task.capitalize()))
    say(page, "a hound woofs", task)
    expect(chips(page, task).first).to_have_value("a dog barks")


@pytest.mark.browser
def test_odd_prompts_are_text_and_nothing_else(page: Any) -> None:
    for prompt in ("<img src=x onerror=alert(1)>", "🐶", "狗叫", "--seed 7", "x" * 1000):
        say(page, prompt)
        expect(chips(page)).to_have_count(1)
        expect(chips(page).first).to_have_value(prompt)
    assert page.locator("#text-heard img").count() == 0
