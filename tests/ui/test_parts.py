"""The parts of the app that need no browser."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from maa.audio import picture
from maa.audio.mask import Box
from maa.config import PAPER, TINY, AudioSpec
from maa.pipeline import Sampling
from maa.pipeline.tasks import LABELS, TASKS, Text
from maa.ui import controls, examples, files, limits, panel, restore, results
from maa.ui.jobs import Done, Jobs, OnStep, Progress
from maa.ui.model import LoadingModel
from tests.ui.conftest import DENSE
from tests.ui.fakes import FakePipeline

if TYPE_CHECKING:
    from maa import MakeAnAudio


def walk(steps: int, seconds: float, seen: list[int]) -> Any:
    def work(on_step: OnStep) -> str:
        for step in range(1, steps + 1):
            time.sleep(seconds)
            seen.append(step)
            on_step(step, steps, lambda: None)
        return "made"

    return work


def test_job_reports_and_returns() -> None:
    seen: list[int] = []
    events = list(Jobs().run(walk(5, 0.01, seen)))
    assert isinstance(events[-1], Done)
    assert events[-1].result == "made"
    assert all(isinstance(event, Progress) for event in events[:-1])
    assert seen == [1, 2, 3, 4, 5]


def test_closing_a_job_stops_it_within_two_steps() -> None:
    seen: list[int] = []
    job = Jobs().run(walk(50, 0.05, seen))
    while not isinstance(event := next(job), Progress) or event.step < 3:
        pass
    at = len(seen)
    job.close()
    time.sleep(0.3)
    assert len(seen) <= at + 2


def test_jobs_take_turns_and_a_closed_one_never_starts() -> None:
    jobs, first, second = Jobs(), [], []  # type: ignore[var-annotated]
    one, two = jobs.run(walk(5, 0.1, first)), jobs.run(walk(5, 0.1, second))
    next(one), next(two)
    two.close()
    assert isinstance(list(one)[-1], Done)
    time.sleep(0.3)
    assert (len(first), second) == (5, [])


def test_what_work_raises_is_raised_to_the_one_who_waits() -> None:
    def work(on_step: OnStep) -> None:
        raise ValueError("no")

    jobs = Jobs()
    with pytest.raises(ValueError, match="no"):
        list(jobs.run(work))
    assert isinstance(list(jobs.run(walk(1, 0, [])))[-1], Done), "the slot is free again"


def test_a_model_loads_beside_the_page() -> None:
    gate = threading.Event()
    fake: Any = FakePipeline()
    model = LoadingModel(lambda: (gate.wait(5), fake)[1], TINY)
    assert not model.ready
    assert model.config is TINY
    gate.set()
    assert model.get() is fake


def test_a_model_for_later_waits_for_whoever_asks_first() -> None:
    loaded: list[int] = []
    fake: Any = FakePipeline()
    model = LoadingModel(lambda: (loaded.append(1), fake)[1], TINY, later=True)
    assert model.config is TINY and loaded == []
    assert model.get() is fake
    model.begin()
    assert model.get() is fake and loaded == [1], "once is enough"
    begun = LoadingModel(lambda: fake, TINY, later=True)
    begun.begin()
    begun.begin()
    assert begun.get() is fake


def test_a_model_that_cannot_be_loaded_says_why() -> None:
    def load() -> Any:
        raise ValueError("There is no model 'x'.")

    line, missing = panel.describe(LoadingModel(load, TINY))
    assert "There is no model 'x'." in line
    assert set(missing) == set(LABELS)


def test_panel_names_what_is_missing_and_the_licence(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: cc-by-4.0\n---\n# Small\n", encoding="utf-8")
    fake: Any = FakePipeline(missing={"image": "Add vision.safetensors."})
    line, missing = panel.describe(LoadingModel(lambda: fake, TINY, card))
    assert "licence cc-by-4.0 ([model card](#model-panel))" in line
    assert panel.card_of(LoadingModel(lambda: fake, TINY, card)) == "# Small\n"
    files = {"unet-00001-of-00002.safetensors": "a", "unet-00002-of-00002.safetensors": "b", "text.safetensors": "c"}
    assert panel.hashes_of(files, "unet") == ["a", "b"] and panel.hashes_of(files, "text") == ["c"]
    assert "Model **fake**" in line, "its own name, not that of its configuration"
    assert "Text, Video" in line
    assert missing["image"] == "Add vision.safetensors."
    with pytest.raises(ValueError, match="Add vision"):
        LoadingModel.of(fake).for_task("image")


def test_ask_draws_a_seed_and_keeps_a_given_one() -> None:
    fields = {"steps": 25.0, "guidance": 3, "takes": 1, "sampler": "dpm++", "seed": 7}
    assert limits.ask(Text, fields).sampling.seed == 7
    drawn = [limits.ask(Text, {**fields, **more}).sampling.seed for more in ({"seed": -1}, {"fresh": True})]
    assert 7 not in drawn and drawn[0] != drawn[1]


def test_only_uploads_are_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"x")
    for value in (None, "text", {}, {"path": None}, {"path": str(secret)}, {"path": "../../etc/passwd"}):
        with pytest.raises(ValueError, match=r"^Please"):
            files.uploaded(value, "a sound")
    mine = files.result_path("text", 7, ".wav")
    mine.write_bytes(b"x")
    assert files.uploaded({"path": str(mine)}, "a sound") == mine
    assert mine.name == "make-an-audio_text_7.wav"


@pytest.mark.parametrize("spec", [TINY.audio, AudioSpec(convention="A"), PAPER.audio])
def test_picture_puts_low_notes_at_the_bottom(tmp_path: Path, spec: AudioSpec) -> None:
    mel = np.full((spec.mels, 100), -5.0, np.float32)
    mel[:20] = 0.0  # loud and low
    with Image.open(picture.draw(mel, spec, tmp_path / "mel.png")) as image:
        grey = np.asarray(image.convert("L"), float)
    height = len(grey)
    assert grey[height * 3 // 4 : height * 4 // 5, 200:].mean() > 100 > grey[: height // 2, 200:].mean()


def test_rows_and_hertz_agree_with_the_bands() -> None:
    from maa.audio.grid import centres
    from maa.audio.mask import row_of

    rows = row_of(centres(TINY.audio), TINY.audio)
    assert rows == pytest.approx(np.arange(80) + 0.5)


def test_examples_may_be_absent_or_broken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert examples.listed(tmp_path) == []
    (tmp_path / "examples.json").write_text('[{"task": "text"}]', encoding="utf-8")
    assert examples.listed(tmp_path) == []
    assert "left out" in caplog.text
    (tmp_path / "examples.json").write_text(
        '[{"task": "text", "prompt": "rain", "seed": 1, "speed": 2}]', encoding="utf-8"
    )
    assert examples.listed(tmp_path) == []
    assert "speed" in caplog.text


def test_an_example_says_its_settings_by_name() -> None:
    row = {"task": "personalize", "prompt": "rain", "seed": 3, "t0": 0.35, "boxes": None, "input": "a/my-dog.wav"}
    example = examples.Example.of({**row, "steps": 12, "guidance": None})
    assert example.settings == {"prompt": "rain", "negative": "", "seed": 3, "t0": 0.35, "steps": 12}
    assert (example.label, example.input, example.boxes) == ("my dog → rain", "a/my-dog.wav", None)


def desk_of(fake: FakePipeline, tab: Any, tmp_path: Path) -> Any:
    """One tab of a page that is built and not served."""
    import gradio as gr

    from maa.ui.tab import Workplace

    place = Workplace(LoadingModel.of(fake), tmp_path)  # type: ignore[arg-type]
    with gr.Blocks():
        tab.build(place)
    return next(iter(place.desks.values()))


def test_settings_bring_loudness_density_and_level_back(tmp_path: Path) -> None:
    from maa.ui import personalize, restore
    from tests.ui.conftest import DENSE

    desk = desk_of(FakePipeline(config=DENSE), personalize, tmp_path)
    level, loudness, density, free = (desk.parts[name] for name in ("level_match", "loudness", "density", "free"))
    made = {"task": "personalize", "loudness": "-23", "density": 0.75, "level_match": False, "seed": 1, "takes": 1}
    updates = restore.use(desk, made, None)
    assert (updates[loudness], updates[density], updates[free]) == ("-23", 0.75, False)
    assert updates[level] is False
    old = restore.use(desk, {"task": "personalize", "seed": 1, "takes": 1}, None)
    assert (old[loudness], old[free]) == ("as-made", True) and density not in old
    odd = restore.use(desk, {"loudness": ["-23"], "density": 7, "level_match": "no"}, None)
    assert loudness not in odd and density not in odd and level not in odd


def test_controls_of_what_a_model_or_a_tab_cannot_do_are_not_there(tmp_path: Path) -> None:
    from dataclasses import replace

    from maa.ui import inpaint, text
    from tests.ui.conftest import DENSE

    plain = replace(TINY, unet=replace(TINY.unet, density=False))
    parts = desk_of(FakePipeline(config=plain), text, tmp_path).parts
    assert "density" not in parts and "free" not in parts and "loudness" in parts
    parts = desk_of(FakePipeline(config=DENSE), inpaint, tmp_path).parts
    assert "loudness" not in parts and "density" in parts


def test_an_edit_says_what_it_left_of_the_source(tiny: MakeAnAudio, inputs: dict[str, Path]) -> None:
    made = tiny.inpaint(inputs["sound"], [Box(0.5, 1.0)], "rain", Sampling(steps=2, seed=0))
    edited = results.sound_takes(made, limits.FORMATS["wav16"], tiny.config.audio)[0]
    assert re.match(r"\d+(\.\d+)? % of the samples unchanged", edited.view["note"])
    other = tiny.text_to_audio("rain", Sampling(steps=2, seed=0), seconds=0.5)
    assert "note" not in results.sound_takes(other, limits.FORMATS["wav16"], tiny.config.audio)[0].view


def test_a_take_is_called_by_what_it_heard() -> None:
    rows = [[0, 1, "a dog"], [1, 2, "rain", -6.0], [2, 3, "a dog"]]
    assert restore.heard({"prompt": "wind", "events": rows}) == "wind"
    assert restore.heard({"prompt": "", "events": rows}) == "a dog, rain", "of a take that was placed in time alone"
    assert restore.heard({"heard_as": [["rain", 1.0]]}) == "rain"
    for junk in ({}, {"events": [[0, 1]]}, {"events": {"path": "/etc/passwd"}}, {"events": [[0, 1, {"path": "x"}]]}):
        assert restore.heard({"prompt": None, **junk}) == ""


@pytest.mark.parametrize(("devices", "takes"), [(["cpu"], 2), (["cuda", "cpu"], 8)])
def test_as_many_quick_takes_as_are_quick(monkeypatch: pytest.MonkeyPatch, devices: list[str], takes: int) -> None:
    monkeypatch.setattr(controls, "available", lambda: devices)
    with gr.Blocks():
        parts = {task: controls.controls(TASKS[task], DENSE, controls.Wording()).parts for task in ("text", "inpaint")}
    assert (parts["text"]["takes"].value, parts["inpaint"]["takes"].value) == (takes, 1)
