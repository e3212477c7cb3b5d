"""Figure 5 for a sound of one's own."""

from __future__ import annotations

import numpy as np
import pytest

from maa import Filling, MakeAnAudio, Sampling
from maa.pipeline.strip import T0S, likeness, strip
from tests.here import ROOT
from tests.sounds import sine_wave


def test_five_takes_in_the_order_of_t0(tiny: MakeAnAudio) -> None:
    seen: list[tuple[int, int]] = []
    sound = (16_000, sine_wave(440, 2.0).T)
    made = strip(tiny, sound, "a cat", Sampling(steps=4, seed=3), on_step=lambda *step: seen.append(step[:2]))
    assert len(made.audio) == len(made.realism) == len(T0S)
    assert made.scores is not None and len(made.scores) == len(T0S)
    assert [made.settings_of(k)["t0"] for k in range(5)] == list(T0S)
    assert seen[-1][0] == seen[-1][1] == sum(max(1, int(np.ceil(4 * t0))) for t0 in T0S)
    single = tiny.personalize(sound, "a cat", Sampling(steps=4, seed=3), t0=T0S[2])
    assert np.array_equal(made.audio[2], single.audio[0])
    assert made.settings_of(2) == single.settings_of(0)


@pytest.mark.parametrize("sampler", ["dpm++", "official"])
def test_progress_ends_at_its_total(tiny: MakeAnAudio, sampler: str) -> None:
    """The authors' stride rounds: 30 steps of theirs are 31, and progress counts what is run."""
    sound, how = (16_000, sine_wave(440, 1.5).T), Sampling(steps=30, seed=3, sampler=sampler)
    for call in (
        lambda report: strip(tiny, sound, "a cat", how, (0.1, 0.5), on_step=report),
        lambda report: tiny.inpaint(sound, [(0.5, 0.9)], "rain", how, on_step=report),
        lambda report: tiny.inpaint(
            sound, [(0.5, 0.9)], "", how, filling=Filling(strength=0.7, resampling=1), on_step=report
        ),
    ):
        seen: list[tuple[int, int]] = []
        call(lambda *step, seen=seen: seen.append(step[:2]))
        assert [step for step, _ in seen] == list(range(1, seen[-1][1] + 1))
        assert len({total for _, total in seen}) == 1


def test_the_shipped_model_keeps_less_at_a_higher_t0(small: MakeAnAudio) -> None:
    made = strip(
        small, ROOT / "assets" / "inputs" / "hammering.flac", "a dog barks", Sampling(steps=10, seed=1), (0.1, 0.9)
    )
    assert made.realism[0] > made.realism[1]


def test_likeness() -> None:
    mel = np.random.default_rng(0).normal(-2, 1, (80, 50)).astype(np.float32)
    assert likeness(mel, mel) == 1.0
    assert likeness(np.full((80, 50), -4.0, np.float32), np.full((80, 40), 1.0, np.float32)) == pytest.approx(0.0)
