"""The finish of a generated sound."""

from __future__ import annotations

import numpy as np
import pytest

from maa.audio.finish import LOUDNESS, Finished, clean, faded, fades, levelled, limited, true_peak
from maa.audio.loudness import lufs, peak, silence_share
from maa.audio.sound import resample
from tests.sounds import sine_wave

RATE = 16_000
SILENT = 10 ** (-50 / 20)  # full scale = 1


def noise(seconds: float = 4.0, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(0).standard_normal((1, round(seconds * RATE)))).astype(np.float32)


def hits() -> np.ndarray:
    """Four short hits of noise with their decay: a small loudness for a large peak."""
    x = np.zeros((1, 4 * RATE), np.float32)
    decay = np.exp(-np.arange(6000) / 800)
    for start in range(0, 4 * RATE, RATE):
        x[0, start : start + 6000] = noise(1.0, 0.25)[0, :6000] * decay
    return x


def finished(x: np.ndarray, loudness: str, level: float | None = None) -> Finished:
    first = clean(x, RATE)
    return first.then(levelled(first.samples, RATE, loudness, level))


def decibels(x: float) -> float:
    return float(20 * np.log10(x))


@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
def test_the_ends_are_silent_and_the_rest_is_as_it_was(rate: int) -> None:
    x = np.full((2, rate), -0.9, np.float32)
    y = faded(x, rate)
    assert np.abs(y[:, [0, -1]]).max() < SILENT
    first, last = round(0.005 * rate), round(0.020 * rate)
    assert np.array_equal(y[:, first:-last], x[:, first:-last])
    assert (np.diff(y[0, :first]) < 0).all() and (np.diff(y[0, -last:]) > 0).all()
    assert np.array_equal(faded(x, rate, (False, False)), x)
    assert faded(x, rate, (False, True))[0, 0] == x[0, 0]


def test_a_sound_shorter_than_its_fades_keeps_its_middle() -> None:
    y = faded(np.ones((1, 100), np.float32), RATE)
    assert y[0, 0] < SILENT and y[0, -1] < SILENT and y[0, 50] == 1


def test_what_is_too_loud_is_scaled_and_not_clamped() -> None:
    x = noise(level=0.6)
    assert np.abs(x).max() > 1.5
    made = clean(x, RATE)
    assert decibels(true_peak(made.samples, RATE)) == pytest.approx(-0.1, abs=0.01)
    middle = slice(400, -400)
    ratio = made.samples[0, middle] / x[0, middle]
    assert ratio == pytest.approx(10 ** (made.gain_db / 20), rel=1e-5)
    quiet = noise()
    assert clean(quiet, RATE).gain_db == 0 and np.array_equal(clean(quiet, RATE).samples[:, middle], quiet[:, middle])


@pytest.mark.parametrize("loudness", ["-23", "-18"])
@pytest.mark.parametrize("name", ["noise", "tone", "hits", "quiet", "loud"])
def test_a_target_is_met_below_minus_one_dbtp(name: str, loudness: str) -> None:
    x = {
        "noise": noise(),
        "tone": sine_wave(440, 4.0),
        "hits": hits(),
        "quiet": noise(level=1e-3),
        "loud": noise(level=1),
    }
    made = finished(x[name], loudness)
    assert lufs(made.samples, RATE) == pytest.approx(float(loudness), abs=0.2)
    assert decibels(true_peak(made.samples, RATE)) <= -0.99
    assert np.abs(made.samples[0, [0, -1]]).max() < SILENT
    assert (made.limited_db > 0) == (name == "hits" and loudness == "-18")


def test_one_gain_is_enough_where_no_peak_is_in_the_way() -> None:
    made = finished(noise(), "-23")
    middle = slice(400, -400)
    assert made.samples[0, middle] == pytest.approx(noise()[0, middle] * 10 ** (made.gain_db / 20), rel=1e-4)
    assert made.to_settings() == {"gain_db": round(made.gain_db, 2)}


def test_a_lone_click_is_not_drowned_in_its_own_noise() -> None:
    """It would need 40 dB of limiting; no more than 24 are taken, and nothing breaks."""
    x = noise(level=1e-3)
    x[0, RATE] = 0.9
    made = finished(x, "-18")
    assert 20 < made.limited_db <= 25 and lufs(made.samples, RATE) < -25
    assert decibels(true_peak(made.samples, RATE)) <= -0.99


def test_peak() -> None:
    for x in (noise(), hits(), noise(level=2)):
        assert decibels(true_peak(finished(x, "peak").samples, RATE)) == pytest.approx(-1, abs=0.01)


def test_silence_stays_silent() -> None:
    for loudness in LOUDNESS:
        made = finished(np.zeros((1, RATE), np.float32), loudness)
        assert not made.samples.any() and made.gain_db == 0


def test_as_made_follows_a_level_and_a_target_goes_before_it() -> None:
    assert lufs(finished(noise(), "as-made", -30).samples, RATE) == pytest.approx(-30, abs=0.1)
    assert lufs(finished(noise(), "-23", -30).samples, RATE) == pytest.approx(-23, abs=0.1)
    assert np.array_equal(finished(noise(), "as-made", -np.inf).samples, clean(noise(), RATE).samples)


def test_true_peak_finds_what_lies_between_samples() -> None:
    """A sine of a quarter of the rate, sampled 45 degrees off its tops: 3 dB above every sample."""
    x = np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4).astype(np.float32)[None]
    assert np.abs(x).max() == pytest.approx(2**-0.5, abs=1e-3)
    assert true_peak(x[:, 100:-100], RATE) == pytest.approx(1, abs=0.15)


def test_the_limiter_leaves_what_is_below_the_ceiling() -> None:
    x = noise(level=0.05)
    x[0, RATE : RATE + 50] += 2
    y, taken = limited(x, RATE)
    assert decibels(true_peak(y, RATE)) <= -0.99 and taken > 6
    assert y[0, : RATE - 200] == pytest.approx(x[0, : RATE - 200], rel=1e-3)
    far = slice(3 * RATE, None)  # long after: 400 dB a second are over
    assert y[0, far] == pytest.approx(x[0, far], rel=0.01)


def test_share_of_silence() -> None:
    x = noise()[0]
    assert silence_share(x, RATE) == 0
    x[RATE : 2 * RATE] *= 1e-3  # 60 dB down, for a quarter of the time
    assert silence_share(x, RATE) == pytest.approx(0.25, abs=0.02)
    assert silence_share(x[:10], RATE) == 0


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("count", [0, 1, 100, 9999, 300_000])
def test_what_is_done_piece_by_piece_is_done_as_on_the_whole(kind: type, count: int) -> None:
    x = np.random.default_rng(count).standard_normal((2, count)).astype(kind)
    assert true_peak(x, 16_000) == max(peak(x), peak(resample(x, 16_000, 64_000)))
    for ends in ((True, True), (True, False), (False, True), (False, False)):
        shape = fades(count, 16_000, ends).astype(kind)
        assert np.array_equal(faded(x, 16_000, ends), x * shape)
