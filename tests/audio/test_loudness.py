"""Loudness against the closed forms of BS.1770 and the cases of EBU Tech 3341."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from maa.audio.loudness import _weighted, gain_to, lufs, match, peak, rms_db
from tests.sounds import sine_wave


def tone(level: float, seconds: float, rate: int = 48_000, channels: int = 2, frequency: float = 1000.0) -> np.ndarray:
    """The same sine in all channels, at a peak of `level` dB."""
    return np.repeat(sine_wave(frequency, seconds, rate, peak=10 ** (level / 20)), channels, axis=0)


def test_full_scale_sine_of_the_standard() -> None:
    """BS.1770: 997 Hz at full scale in one front channel reads -3.01."""
    assert lufs(tone(0, 5, channels=1, frequency=997), 48_000) == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 192_000])
def test_any_rate_reads_alike(rate: int) -> None:
    assert lufs(tone(-23, 5, rate), rate) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-23, 20)], -23.0),  # case 1
        ([(-33, 20)], -33.0),  # case 2
        ([(-36, 5), (-23, 30), (-36, 5)], -23.0),  # case 3, half as long
        ([(-72, 5), (-36, 5), (-23, 30), (-36, 5), (-72, 5)], -23.0),  # case 4, half as long
    ],
)
def test_gating_by_ebu_3341(parts: list[tuple[float, float]], expected: float) -> None:
    sound = np.concatenate([tone(level, seconds) for level, seconds in parts], axis=1)
    assert lufs(sound, 48_000) == pytest.approx(expected, abs=0.1)


def test_surround_weights() -> None:
    """EBU Tech 3341 case 6: 5.0 with -28, -28, -24, -30, -30 reads -23."""
    sound = np.concatenate([tone(level, 5, channels=1) for level in (-28, -28, -24, -30, -30)])
    assert lufs(sound, 48_000) == pytest.approx(-23.0, abs=0.1)
    with_bass = np.insert(sound, 3, tone(0, 5, channels=1)[0], axis=0)
    assert lufs(with_bass, 48_000) == pytest.approx(-23.0, abs=0.1)


def test_weighting_is_the_standards_filter() -> None:
    """Against the coefficients tabulated for 48 kHz, run sample by sample; longer than one chunk."""
    noise = np.random.default_rng(0).standard_normal((1, 48_000 * 31))
    shelf = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585])
    high_pass = ([1.0, -2.0, 1.0], [1, -1.99004745483398, 0.99007225036621])
    expected = lfilter(*high_pass, lfilter(*shelf, noise))
    heard = np.concatenate(list(_weighted(noise, 48_000)), axis=1)
    assert np.abs(heard - expected).max() < 1e-6


def test_silence_and_short_sounds() -> None:
    assert lufs(np.zeros((1, 48_000)), 48_000) == -math.inf
    assert lufs(np.zeros((1, 0)), 48_000) == -math.inf
    assert lufs(tone(-80, 1), 48_000) == -math.inf
    assert lufs(tone(-23, 0.1), 48_000) == pytest.approx(-23, abs=0.5)
    assert np.isfinite(lufs(np.ones((1, 1)), 48_000))
    assert rms_db(np.zeros(5)) == -math.inf
    assert rms_db(np.zeros(0)) == -math.inf
    assert peak(np.zeros((2, 0))) == 0.0


def test_simple_measures() -> None:
    assert rms_db(sine_wave(peak=1.0)) == pytest.approx(-3.01, abs=0.01)
    assert peak(np.array([[0.25, -0.5]])) == 0.5


def test_matching() -> None:
    quiet, loud = tone(-40, 2), tone(-20, 2)
    assert lufs(match(quiet, loud, 48_000), 48_000) == pytest.approx(lufs(loud, 48_000), abs=0.01)
    assert peak(match(loud, tone(0, 2), 48_000)) <= 10 ** (-1 / 20) + 1e-6
    assert match(quiet, np.zeros((1, 100)), 48_000) is quiet
    assert gain_to(np.zeros((1, 48_000)), 48_000, -23) == 1.0
    assert match(quiet, loud, 48_000).dtype == quiet.dtype


def test_shape_is_checked() -> None:
    with pytest.raises(ValueError, match="channels, samples"):
        lufs(np.zeros(100), 48_000)
