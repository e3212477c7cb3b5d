"""Which of several fills joins its neighbours best."""

from __future__ import annotations

import numpy as np

from maa.config import TINY
from maa.pipeline import Generation
from maa.ui.joining import best_joined, distance

SPEC = TINY.audio


def test_what_is_like_its_neighbours_is_nearer_than_what_is_not() -> None:
    mel = np.full((80, 200), -2.0, np.float32)
    mask = np.zeros((80, 200), bool)
    mask[10:30, 80:120] = True
    assert distance(mel, mask) == 0.0
    apart = []
    for level in (-1.8, -1.0, -3.5):
        mel[10:30, 80:120] = level
        apart.append(distance(mel, mask))
    assert apart[0] < apart[1] < apart[2]
    assert abs(apart[0] - 4.0) < 1e-4, "a fifth of a decade is 4 dB"
    assert distance(mel, np.ones_like(mask)) == 0.0, "nothing lies beside it"


def test_the_best_joined_take_comes_first_and_knows_which_it_was() -> None:
    rng = np.random.default_rng(0)
    noise = 0.1 * rng.standard_normal(SPEC.hop * 200).astype(np.float32)
    hole = slice(80 * SPEC.hop, 120 * SPEC.hop)
    waves = np.stack([noise.copy() for _ in range(3)])
    for take, gain in enumerate((4.0, 0.01, 1.1)):
        waves[take, hole] *= gain
    made = Generation(
        audio=waves[:, None],
        sample_rate=SPEC.sample_rate,
        mel=np.zeros((3, 80, 200), np.float32),
        seeds=(5, 6, 7),
        scores=None,
        settings={"task": "inpaint", "seed": 5},
        together=True,
        reports=({"a": 1}, {"a": 2}, {"a": 3}),
    )
    mask = np.zeros((80, 200), bool)
    mask[:, 80:120] = True
    best = best_joined(made, mask, 0, SPEC)
    assert best.ranked and best.seeds[0] == 7 and best.picks[0] == 3
    assert np.array_equal(best.audio[0], made.audio[2]) and best.reports[0] == {"a": 3}
    assert best.settings_of(0)["batch"] == [5, 3, 3], "the command picks it as the request made it"
    assert list(best.joins) == sorted(best.joins) and best.joins[0] < 3
    assert best.notes(0)[0][1].endswith(" dB")
