"""Edits of edits in the Inpaint tab: tools without the model, steps back and forth, and a take as the next step."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from maa.audio.io import read, to_audio
from maa.audio.splice import splice
from maa.audio.tags import read_tags
from maa.pipeline import Generation
from maa.pipeline.edits import step_sentence, steps_in
from tests.ui.conftest import DENSE, Visitor
from tests.ui.fakes import FakePipeline
from tests.ui.visitor import generate, open_tab, status, take, upload

pytestmark = pytest.mark.browser
PAINTER, EDITS = "#inpaint-painter .painter", "#inpaint-edits"
RATE = 48_000


class Splicer(FakePipeline):
    """Puts noise into the holes of the sound that it is given, as the real pipeline puts new sound."""

    def inpaint(self, audio: Any, mask: Any, *given: Any, **named: Any) -> Generation:
        made, source = super().inpaint(audio, mask, *given, **named), to_audio(audio)
        spec, count = self.config.audio, round(source.seconds * self.config.audio.sample_rate) + 1
        noise = [0.1 * np.random.default_rng(seed).standard_normal(count).astype(np.float32) for seed in made.seeds]
        new = [splice(source, wave, made.settings["spans"], cells=self.masks[-1], spec=spec).samples for wave in noise]
        return replace(made, audio=np.stack(new), sample_rate=source.sample_rate, subtype=source.subtype)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of noise and a tone, two channels, 24 bit."""
    wave = 0.02 * np.random.default_rng(5).standard_normal((4 * RATE, 2))
    wave += 0.1 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)[:, None]
    path = tmp_path_factory.mktemp("chain") / "birds.wav"
    soundfile.write(path, wave, RATE, subtype="PCM_24")
    return path


@pytest.fixture(scope="module")
def address(assets: Path) -> Iterator[str]:
    from maa.ui import build, launch

    page = build(Splicer(config=DENSE), assets)  # type: ignore[arg-type]
    yield launch(page, assets=assets)
    page.close()


@pytest.fixture(scope="module")
def desk(browser: Any, address: str, sound: Path) -> Iterator[Any]:
    """One visitor for this module, with a sound in the painter."""
    with Visitor(browser, address) as page:
        open_tab(page, "Inpaint")
        upload(page, "inpaint-input", sound)
        expect(page.locator(PAINTER)).not_to_have_class(re.compile("empty"))
        expect(page.locator(f"{EDITS} .edits")).to_be_visible()
        yield page


def box(page: Any, start: float, end: float, low: float, high: float) -> None:
    """Mark one box by its numbers, and nothing else."""
    page.locator(PAINTER).get_by_role("button", name="Clear", exact=True).click()
    for name, value in (("end", end), ("start", start), ("high", high), ("low", low)):
        field = page.locator(f"{PAINTER} [name={name}]")
        field.fill(str(value))
        field.press("Tab")


def apply(page: Any, tool: str, value: float | None, expected: str) -> None:
    page.get_by_label("Tool for what is marked").select_option(tool)
    if value is not None:
        page.locator(f"{EDITS} input[type=number]").fill(str(value))
    page.locator(EDITS).get_by_role("button", name="Apply").click()
    at(page, expected)


def at(page: Any, expected: str) -> None:
    """Wait until the strip is at a step of so many, and the painter has its sound."""
    expect(page.locator(f"{EDITS} .maa-root")).to_have_attribute("data-at", expected)
    step = page.locator(f"{EDITS} [aria-current=step]").get_attribute("data-step")
    expect(page.locator(PAINTER)).to_have_attribute("data-sound", re.compile(rf"step-0*{step}-" if step else "."))


def now(page: Any) -> bytes:
    """The file of the step that is worked on."""
    answer = page.request.get(page.locator(f"{EDITS} a[download]").get_attribute("href"))
    assert answer.ok
    body: bytes = answer.body()
    return body


def samples(data: bytes, folder: Path) -> np.ndarray:
    (folder / "now.wav").write_bytes(data)
    return read(folder / "now.wav").samples


def test_paint_boost_undo_heal_use_generate_and_step_back(desk: Any, sound: Path, tmp_path: Path) -> None:
    box(desk, 1.0, 2.0, 1000, 2000)
    apply(desk, "boost", 6, "1 2")
    boosted = now(desk)
    before, after = read(sound).samples, samples(boosted, tmp_path)
    assert np.array_equal(before[:, : RATE - 800], after[:, : RATE - 800])
    assert not np.array_equal(before[:, RATE : 2 * RATE], after[:, RATE : 2 * RATE])
    expect(desk.locator(PAINTER)).not_to_have_attribute("data-count", "0")  # the mask is kept
    desk.locator(EDITS).get_by_role("button", name="Step back").click()
    at(desk, "0 2")
    assert now(desk) == sound.read_bytes()
    desk.locator("body").press("Alt+Shift+Z")
    at(desk, "1 2")
    assert now(desk) == boosted
    box(desk, 3.0, 3.2, 0, 8000)
    apply(desk, "heal", None, "2 3")
    healed = now(desk)
    generate(desk, "inpaint")
    take(desk, "inpaint", 1).get_by_role("button", name="Use this result").click()
    at(desk, "3 4")
    filled = now(desk)
    assert samples(filled, tmp_path).shape == before.shape
    box(desk, 0.2, 0.5, 0, 8000)
    desk.locator("#inpaint-prompt textarea").fill("rain")
    generate(desk, "inpaint")
    take(desk, "inpaint", 1).get_by_role("button", name="Use this result").click()
    at(desk, "4 5")
    last = now(desk)
    outside = np.ones(4 * RATE, bool)
    for start, end in ((0.19, 0.513), (0.99, 2.01), (2.99, 3.21)):
        outside[round(start * RATE) : round(end * RATE)] = False
    assert np.array_equal(samples(last, tmp_path)[:, outside], before[:, outside])
    (tmp_path / "last.wav").write_bytes(last)
    told = [step_sentence(step) for step in steps_in(read_tags(tmp_path / "last.wav"))]
    assert [text.split(",")[0] for text in told] == ["Boost +6 dB", "Heal", "Remove", "Replace: rain"]
    shown = desk.locator(f"{EDITS} .steps button").all_inner_texts()
    assert [text.split(" ", 1)[1] for text in shown] == ["Your sound", *told]
    for step, known in ((2, healed), (0, sound.read_bytes()), (1, boosted), (4, last), (3, filled)):
        desk.locator(f"{EDITS} .steps button").nth(step).click()
        at(desk, f"{step} 5")
        assert now(desk) == known


def test_a_page_that_is_loaded_anew_has_its_chain(desk: Any) -> None:
    open_tab(desk, "Inpaint")
    there = desk.locator(f"{EDITS} .maa-root").get_attribute("data-at")
    known = now(desk)
    step = desk.locator(PAINTER).get_attribute("data-sound")
    desk.wait_for_function("step => (sessionStorage.getItem('maa-page') || '').includes(step)", arg=step)
    desk.reload()
    desk.locator("#inpaint-generate").wait_for(timeout=90_000)  # the tab that was open is open again
    at(desk, there)
    assert now(desk) == known
    expect(desk.locator(PAINTER)).not_to_have_attribute("data-count", "0")


def test_any_two_steps_are_compared(desk: Any) -> None:
    open_tab(desk, "Inpaint")
    desk.locator(f"{EDITS} .steps button").nth(1).click()
    at(desk, "1 5")
    desk.get_by_label("Compare this step with another one").select_option("0")
    panel = desk.locator(f"{EDITS} .compare")
    expect(panel).to_have_attribute("data-loaded", re.compile(r"\d"))
    expect(panel.get_by_role("status")).to_contain_text("Hearing B")
    expect(panel.get_by_label("First sound").locator("option").first).to_have_text("0: Your sound")
    desk.keyboard.press("x")
    expect(panel.get_by_role("status")).to_contain_text("Hearing A")
    desk.keyboard.press("Escape")
    expect(panel).not_to_be_visible()


def test_another_way_from_an_earlier_step(desk: Any, sound: Path, tmp_path: Path) -> None:
    """What came after is forgotten; without the mark in its box the mask goes, and undo of the mask brings it back."""
    open_tab(desk, "Inpaint")
    desk.locator(f"{EDITS} .steps button").nth(1).click()
    at(desk, "1 5")
    box(desk, 2.2, 2.6, 400, 480)
    marked = int(desk.locator(PAINTER).get_attribute("data-count"))
    desk.locator("#inpaint-painter canvas").press("h")
    expect(desk.locator(f"{PAINTER} .facts")).to_have_text(re.compile(r"\d+ harmonics are marked"))
    assert int(desk.locator(PAINTER).get_attribute("data-count")) > 5 * marked
    view = desk.locator(PAINTER).get_attribute("data-view")
    desk.get_by_label("Keep the mask").uncheck()
    apply(desk, "silence", None, "2 3")
    expect(desk.locator(PAINTER)).to_have_attribute("data-count", "0")
    expect(desk.locator(PAINTER)).to_have_attribute("data-view", view)
    desk.locator("#inpaint-painter canvas").press("Control+z")
    expect(desk.locator(PAINTER)).not_to_have_attribute("data-count", "0")
    desk.get_by_label("Keep the mask").check()
    part = slice(round(2.3 * RATE), round(2.5 * RATE))
    level = [np.std(one[:, part]) for one in (read(sound).samples, samples(now(desk), tmp_path))]
    assert level[1] < 0.4 * level[0]  # the tone was most of it


def test_mistakes_are_told_and_change_nothing(desk: Any) -> None:
    open_tab(desk, "Inpaint")
    there = desk.locator(f"{EDITS} .maa-root").get_attribute("data-at")
    desk.locator(PAINTER).get_by_role("button", name="Clear", exact=True).click()
    mistakes = (("silence", None, "Nothing is marked"), ("boost", 99, "gain"), ("copy", "", "Say how much"))
    for tool, value, said in mistakes:
        desk.get_by_label("Tool for what is marked").select_option(tool)
        if value is not None:
            desk.locator(f"{EDITS} input[type=number]").fill(str(value))
        desk.locator(EDITS).get_by_role("button", name="Apply").click()
        expect(status(desk, "inpaint")).to_contain_text(said)
    expect(desk.locator(f"{EDITS} .maa-root")).to_have_attribute("data-at", there)
    desk.locator("body").press("Alt+Shift+Z")  # there is no later step
    expect(desk.locator(f"{EDITS} .maa-root")).to_have_attribute("data-at", there)


@pytest.mark.skipif("AXE" not in os.environ, reason="needs axe-core; AXE names axe.min.js")
def test_axe_finds_nothing_of_ours(desk: Any) -> None:
    open_tab(desk, "Inpaint")
    desk.add_script_tag(path=os.environ["AXE"])
    asked = "axe.run(document.querySelector('{}'), {{resultTypes: ['violations']}})"
    for part in (EDITS, "#inpaint-painter"):
        found = desk.evaluate(asked.format(part))["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found] == []


def test_by_keyboard_alone(desk: Any) -> None:
    open_tab(desk, "Inpaint")
    first, count = map(int, desk.locator(f"{EDITS} .maa-root").get_attribute("data-at").split())
    desk.locator("#inpaint-painter canvas").press("n")
    desk.keyboard.press("Enter")
    tool = desk.get_by_label("Tool for what is marked")
    tool.press("Home")
    desk.keyboard.press("Tab")
    desk.keyboard.type("-9")
    desk.keyboard.press("Enter")
    at(desk, f"{first + 1} {count + 1}")
    desk.locator("#inpaint-painter canvas").press("Alt+z")
    at(desk, f"{first} {count + 1}")


def test_a_take_in_another_format_goes_on_exactly(desk: Any, tmp_path: Path) -> None:
    """An MP3 was asked for; the painter gets every sample as it was made."""
    open_tab(desk, "Inpaint")
    desk.locator(f"{EDITS} .steps button").first.click()
    expect(desk.locator(f"{EDITS} .maa-root")).to_have_attribute("data-at", re.compile("^0 "))
    before = samples(now(desk), tmp_path)
    box(desk, 1.0, 1.5, 0, 8000)
    desk.locator("#inpaint-advanced button").first.click()
    desk.locator("#inpaint-file_format input").click()
    desk.get_by_role("option", name="MP3").click()
    generate(desk, "inpaint")
    take(desk, "inpaint", 1).get_by_role("button", name="Use this result").click()
    at(desk, "1 2")
    expect(take(desk, "inpaint", 1).locator("a[download]")).to_have_attribute("href", re.compile("mp3$"))
    after, part = samples(now(desk), tmp_path), slice(0, round(0.98 * RATE))
    assert np.array_equal(before[:, part], after[:, part])
