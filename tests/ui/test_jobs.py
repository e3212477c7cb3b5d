"""What a person who waits gets to see of a job."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from maa.ui import jobs
from maa.ui.jobs import Done, Jobs, Progress


@pytest.mark.parametrize(("worth", "looks"), [(60.0, 0), (0.25, 1)])
def test_a_job_that_is_nearly_done_is_not_kept_by_a_look_at_it(
    monkeypatch: pytest.MonkeyPatch, worth: float, looks: int
) -> None:
    monkeypatch.setattr(jobs, "WORTH", worth)
    looked: list[int] = []

    def work(listener: Any) -> str:
        for step in range(1, 6):
            time.sleep(0.1)
            listener(step, 5, lambda step=step: looked.append(step) or np.zeros((80, 16), np.float32))
        return "made"

    events = list(Jobs().run(work))
    assert isinstance(events[-1], Done) and events[-1].result == "made"
    assert len(looked) == looks and all(step < 4 for step in looked), looked
    shown = [event.mel is not None for event in events if isinstance(event, Progress)]
    assert sum(shown) == looks
