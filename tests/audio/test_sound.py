"""Sound in memory: arrays become Audio, silence is told apart, and a change of rate moves nothing."""

from __future__ import annotations

import numpy as np
import pytest

from maa.audio.io import Audio, check_audible, resample, to_audio
from maa.audio.pcm import from_numbers
from tests.sounds import sine_wave


@pytest.mark.parametrize(
    ("values", "subtype", "expected"),
    [
        (np.array([-32768, 16384], np.int16), "PCM_16", [-1, 0.5]),
        (np.array([-(2**31), 2**30 + 1], np.int32), "PCM_32", [-1, 0.5 + 2**-31]),
        (np.array([-(2**31), 2**30], np.int32), "PCM_24", [-1, 0.5]),
        (np.array([0, 192], np.uint8), "PCM_U8", [-1, 0.5]),
        (np.array([-1, 0.5], np.float16), "FLOAT", [-1, 0.5]),
        (np.array([-1, 0.5], np.float64), "DOUBLE", [-1, 0.5]),
    ],
)
def test_number_types(values: np.ndarray, subtype: str, expected: list[float]) -> None:
    audio = to_audio((16_000, np.tile(values, 10)))
    assert audio.subtype == subtype
    assert audio.samples[0, :2].tolist() == expected


def test_array_shapes() -> None:
    stereo = sine_wave(channels=2)
    for values in (stereo, stereo.T, np.asfortranarray(stereo)):
        assert np.array_equal(to_audio((16_000, values)).samples, stereo)
    assert to_audio((16_000, stereo[0])).samples.shape == (1, 16_000)
    assert to_audio((16_000, stereo[:1].T)).channels == 1


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (None, "No sound was given"),
        ((16_000, np.zeros(0)), "no samples"),
        ((16_000, np.zeros((0, 2))), "no samples"),
        ((16_000, np.zeros((9, 1000))), "9 channels"),
        ((16_000, np.zeros((2, 2, 1000))), "shape"),
        ((16_000, np.zeros(1000, np.int64)), "array of int64"),
        ((16_000, np.zeros(1000, complex)), "array of complex128"),
        ((16_000, np.array([0, np.nan])), "not numbers"),
        ((5, np.zeros(1000)), "sample rate of 5 Hz"),
        ((384_000, np.zeros(1000)), "sample rate of 384000 Hz"),
        ((44_100.5, np.zeros(1000)), "whole number"),
        ((16_000, np.zeros(16_000 * 601, np.int16)), "longer than 10 minutes"),
        (Audio(np.zeros((1, 0), np.float32), 16_000), "no samples"),
    ],
)
def test_arrays_that_are_no_sound(source: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        to_audio(source)  # type: ignore[arg-type]


def test_an_audio_passes_unchanged() -> None:
    audio = Audio(sine_wave(channels=2), 16_000)
    assert to_audio(audio) is audio
    assert audio.seconds == 1.0
    assert np.allclose(audio.mono(), audio.samples.mean(axis=0))
    assert audio.mono().dtype == np.float32


def test_silence_is_told_apart() -> None:
    for samples in (np.zeros((1, 100), np.float32), np.zeros((1, 0), np.float32)):
        with pytest.raises(ValueError, match="silent"):
            check_audible(Audio(samples, 16_000))
    check_audible(Audio(sine_wave(peak=0.001), 16_000))
    check_audible(Audio(np.full((1, 100), 1e-9, np.float32), 16_000))


def test_numbers_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="array of bool"):
        from_numbers(np.zeros(3, bool))


# ---------------------------------------------------------------- resampling


@pytest.mark.parametrize("rate", [2_000, 8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_resampling_keeps_pitch_and_place(rate: int) -> None:
    source, wanted = sine_wave(440, 1.0, rate), sine_wave(440, 1.0, 16_000)
    made = resample(source, rate, 16_000)
    assert made.dtype == np.float32
    assert made.shape == (1, 16_000)
    assert np.abs(made - wanted)[:, 1600:-1600].max() < 1e-4


@pytest.mark.parametrize("count", [0, 1, 2, 3, 999, 1001])
@pytest.mark.parametrize("rates", [(44_100, 16_000), (16_000, 44_100), (2_000, 192_000), (192_000, 2_000)])
def test_resampled_length(count: int, rates: tuple[int, int]) -> None:
    made = resample(np.ones((2, 3, count), np.float32), *rates)
    assert made.shape == (2, 3, int(count * rates[1] / rates[0] + 0.5))


def test_equal_rates_change_nothing() -> None:
    x = sine_wave(channels=2)
    assert resample(x, 44_100, 44_100) is x
