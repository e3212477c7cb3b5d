"""What is done to a finished sound at the end: its edges, its values, its level, its width."""

from __future__ import annotations

import numpy as np
import pytest

from maa.audio import shape
from maa.audio.finish import true_peak
from maa.audio.loudness import lufs
from tests.sounds import sine_wave

RATE = 48_000


def noise(seed: int, seconds: float = 2.0, peak: float = 0.2) -> np.ndarray:
    wave = np.random.default_rng(seed).standard_normal((1, round(seconds * RATE))).astype(np.float32)
    return wave * np.float32(peak / np.abs(wave).max())


def test_a_trim_keeps_the_very_samples_between_two_seconds() -> None:
    x = noise(1)
    part, cut = shape.trimmed(x, RATE, (0.5, 1.25))
    assert np.array_equal(part, x[:, 24_000:60_000]) and cut == (True, True)
    rest, cut = shape.trimmed(x, RATE, (0.0, 600.0))
    assert np.array_equal(rest, x) and cut == (False, False)
    for stretch in ((2.0, 3.0), (1.0, 1.005)):
        with pytest.raises(ValueError, match=r"^The sound has 2\.00 s; there is less than 0\.01 s of it between"):
            shape.trimmed(x, RATE, stretch)


def test_a_fade_ends_in_silence_and_touches_nothing_else() -> None:
    x = np.full((2, RATE), 0.5, np.float32)
    y = shape.with_fades(x, RATE, (0.1, 0.2))
    assert (y[:, [0, -1]] == 0).all() and y.dtype == np.float32
    assert np.array_equal(y[:, 4_800:-9_600], x[:, 4_800:-9_600])
    assert (np.diff(y[0, :4_800]) > 0).all() and (np.diff(y[0, -9_600:]) < 0).all()
    assert y[0, 2_400] == pytest.approx(0.25, abs=1e-6), "half-way it has half of the height"
    assert shape.with_fades(x, RATE, (0.0, 0.0)) is x
    assert (shape.with_fades(x, RATE, (1.0, 1.0))[:, [0, -1]] == 0).all(), "both may be as long as the sound"
    with pytest.raises(ValueError, match=r"^A fade of 1\.5 s is longer than the sound, which has 1\.00 s\.$"):
        shape.with_fades(x, RATE, (0.0, 1.5))


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000])
def test_a_cut_has_a_ramp_of_two_milliseconds(rate: int) -> None:
    x = np.ones((1, rate), np.float32)
    y = shape.guarded(x, rate, (True, False))
    assert y[0, 0] == 0 and y[0, -1] == 1
    assert int((y[0] < 1).sum()) == round(0.002 * rate)
    both = shape.guarded(x[:, : rate // 1000], rate, (True, True))  # a millisecond: a quarter of it at either end
    assert both[0, 0] == both[0, -1] == 0 and both.max() == 1


def test_reversal_and_gain_are_exact() -> None:
    x = noise(2)
    assert np.array_equal(shape.backwards(shape.backwards(x)), x) and np.array_equal(shape.backwards(x), x[:, ::-1])
    for decibels in (-60.0, -6.0, 3.0, 12.0):
        made = shape.gained(x, RATE, decibels)
        assert np.abs(made.samples / 10 ** (decibels / 20) - x).max() < 1e-6
        assert made.gain_db == decibels and made.limited_db == 0
    assert shape.gained(x, RATE, 0.0).samples is x


def test_a_gain_that_would_clip_is_limited_and_not_clamped() -> None:
    x = noise(3, peak=0.9)
    made = shape.gained(x, RATE, 12.0)
    assert true_peak(made.samples, RATE) <= 10 ** (-0.1 / 20) + 1e-4
    assert made.limited_db > 6
    assert len(np.unique(np.abs(made.samples[0]).round(6))) > 0.5 * x.shape[1], "nothing is flattened"
    loud = np.float32(2.0) * x  # a user's own float file may be so; what only turns it down leaves it its shape
    assert np.array_equal(shape.gained(loud, RATE, -1.0).samples, loud * np.float32(10 ** (-1 / 20)))


def test_too_much_sound_is_not_limited_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "LARGEST", 1000)
    for act in (lambda: shape.gained(noise(1), RATE, 1.0), lambda: shape.as_loud_as(noise(1), RATE, "-23")):
        with pytest.raises(ValueError, match="too much sound to limit at once"):
            act()
    assert shape.gained(noise(1), RATE, -1.0).gain_db == -1.0
    assert shape.as_loud_as(noise(1), RATE, "as-made").gain_db == 0.0


@pytest.mark.parametrize("width", [0.0, 0.3, 1.0])
def test_width_keeps_power_and_the_middle(width: float) -> None:
    a, b = noise(4), noise(5, peak=0.02)
    b = b + np.float32(0.3) * a  # takes of one prompt have something in common
    both = shape.widened(a, b, RATE, width)
    angle = width * np.pi / 4
    assert both.shape == (2, a.shape[1]) and both.dtype == np.float32
    assert np.abs(both.mean(axis=0) - np.cos(angle) * a[0]).max() < 1e-6, "heard in mono it is the take itself"
    power = (both.astype(np.float64) ** 2).sum()
    assert power == pytest.approx(2 * (a.astype(np.float64) ** 2).sum(), rel=0.02)
    left, right = (both.astype(np.float64) ** 2).sum(axis=1)
    assert left == pytest.approx(right, rel=1e-3), "neither side is louder"
    together = np.corrcoef(both)[0, 1]
    assert together == pytest.approx(np.cos(2 * angle), abs=0.03), "1 is mono, 0 has nothing in common"
    side = (both[0] - both[1]) / 2
    if width == 1.0:
        assert lufs(side[None], RATE) == pytest.approx(lufs(both.mean(axis=0)[None], RATE), abs=0.1)
    else:
        assert width or np.abs(side).max() == 0


def test_width_of_silence_and_of_a_shorter_take() -> None:
    silent = np.zeros((1, RATE), np.float32)
    assert not shape.widened(silent, silent, RATE, 1.0).any()
    tone = sine_wave(440, 1.0, RATE)
    assert np.isfinite(shape.widened(tone, silent, RATE, 1.0)).all()
    assert np.isfinite(shape.widened(tone, noise(6, 0.5), RATE, 1.0)).all()
