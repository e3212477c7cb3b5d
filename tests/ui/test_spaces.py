"""The app where the GPU is lent to a forked process: results, mistakes and Stop cross the border."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from multiprocessing import Value
from pathlib import Path
from typing import Any

import pytest

from maa.ui import inpaint, jobs, lending, painter, text
from maa.ui.jobs import Done, Progress
from maa.ui.model import LoadingModel
from maa.ui.tab import Workplace, perform
from tests.ui.fakes import FakePipeline
from tests.ui.test_replay import uploaded

FIELDS = {"prompt": "rain", "seconds": 1.0, "steps": 5, "guidance": 3.0, "sampler": "dpm++", "seed": 7, "takes": 2}


class Counted(FakePipeline):
    """Counts its steps where both processes see them."""

    steps: Any = None

    def _steps(self, sampling: Any, on_step: Any, heard: Any) -> None:
        def counted(step: int, total: int, preview: Any) -> None:
            with self.steps.get_lock():
                self.steps.value += 1
            on_step(step, total, preview)

        super()._steps(sampling, counted, heard)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setattr(jobs, "WORTH", 0.0)  # these are short ones
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "stand_in"))
    import spaces

    fake: Any = Counted(step_seconds=0.05)
    fake.steps = Value("i", 0)
    yield Workplace(LoadingModel.of(fake), Path("nowhere"))
    spaces.ASKED.clear()
    del sys.modules["spaces"]


def test_results_come_back(place: Workplace) -> None:
    ask = text.TASK.ask(FIELDS)
    events = list(perform(place, text.TASK, dict(FIELDS), ask))
    assert isinstance(events[-1], Done)
    takes = events[-1].result.takes
    assert len(takes) == 2 and all(take.media.is_file() for take in takes)
    assert any(isinstance(event, Progress) and event.mel is not None for event in events), "previews cross over"
    import spaces

    assert [lending.seconds_of(5, 2, 1)] == spaces.ASKED


def test_a_mistake_keeps_its_sentence(place: Workplace) -> None:
    with pytest.raises(ValueError, match="The prompt is empty"):
        list(perform(place, text.TASK, {**FIELDS, "prompt": ""}, text.TASK.ask({**FIELDS, "prompt": ""})))


def test_the_painters_picture_is_made_by_the_worker(place: Workplace, inputs: dict[str, Path]) -> None:
    given = inpaint.Shown(uploaded(inputs["sound"]), boxes=[[0.5, 1.0, 0, 8000]])
    value = next(place.look("inpaint", inpaint.picture_of, given))
    import spaces

    assert spaces.ASKED == [lending.START_SECONDS]
    mask = painter.mask_of(value, (value["mels"], value["frames"]))
    assert mask.any(axis=0).sum() == 32
    with pytest.raises(ValueError, match="Please give a sound first"):
        next(place.look("inpaint", inpaint.picture_of, inpaint.Shown(None)))


def test_stop_reaches_the_worker_within_two_steps(place: Workplace) -> None:
    fields = {**FIELDS, "steps": 60}
    place.model.get().step_seconds = 0.2  # type: ignore[attr-defined]
    job = perform(place, text.TASK, fields, text.TASK.ask(fields))
    while not isinstance(event := next(job), Progress) or event.step < 3:
        pass
    steps = place.model.get().steps  # type: ignore[attr-defined]
    before = steps.value
    job.close()
    time.sleep(1.0)
    assert steps.value <= before + 2


def test_longer_jobs_ask_for_more() -> None:
    assert lending.seconds_of(25, 1) < lending.seconds_of(25, 8) < lending.seconds_of(100, 8) <= 120
