"""Loops: an end that goes on into its beginning, at every length and rate, and marks that samplers read."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from maa import MakeAnAudio, Sampling
from maa.audio.io import read
from maa.audio.loops import cut_circle, resampled
from maa.diffusion.circle import circular
from maa.diffusion.windows import windowed
from tests.files import picture_file
from tests.sounds import sine_wave

RATE, QUICK = 16_000, Sampling(4, seed=5)


def steps(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Differences of neighbouring samples of a loop; the last one is across its seam."""
    return np.abs(np.diff(np.append(wave, wave[0])))


def flux(wave: NDArray[np.float32], size: int = 512, hop: int = 128) -> NDArray[np.float64]:
    """Spectral flux of a loop, frame by frame around it; the seam is at its end."""
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([wave, wave[:size]]), size)[::hop]
    spectra = np.log(np.abs(np.fft.rfft(np.hanning(size) * windows)) + 1e-4)
    return np.maximum(np.diff(spectra, axis=0), 0).sum(axis=1)


def test_a_denoiser_of_circles_treats_all_columns_alike() -> None:
    def blurred(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(z, (1, 3), 1, (0, 1))  # ends are padded with silence

    torch.manual_seed(0)
    z = torch.randn(1, 4, 10, 32)
    denoise, seen = circular(blurred), []
    for _ in range(6):
        seen.append(denoise(z, torch.tensor([5])))
    wrapped = torch.nn.functional.avg_pool2d(torch.cat([z[..., -1:], z, z[..., :1]], -1), (1, 3), 1)
    wrong = [set((answer - wrapped).abs().amax((0, 1, 2)).gt(1e-6).nonzero().flatten().tolist()) for answer in seen]
    assert wrong[0] == {0, 31} and all(len(columns) == 2 for columns in wrong)
    assert len(set.union(*wrong)) == 12  # another pair of neighbours every time

    long = circular(windowed([(0, 20), (12, 32)], lambda windows, z, t: blurred(z, t)))
    assert torch.isfinite(long(z, torch.tensor([5]))).all()


@pytest.mark.parametrize("seconds", [0.5, 1.024, 3.3, 9.984, 12.0])
def test_a_take_is_a_loop_of_exactly_that_length(tiny: MakeAnAudio, seconds: float) -> None:
    takes = tiny.text_to_audio("rain", replace(QUICK, count=2), seconds=seconds, loop=True)
    assert takes.audio.shape == (2, 1, round(seconds * RATE)) and np.isfinite(takes.audio).all()
    assert takes.settings["loop"] is True
    plain = tiny.text_to_audio("rain", QUICK, seconds=seconds)
    assert "loop" not in plain.settings
    assert plain.audio[0, 0, -1] == pytest.approx(0, abs=1e-4)  # faded out; a loop is not
    again = tiny.text_to_audio("rain", QUICK, seconds=seconds, loop=True)
    assert any(np.array_equal(again.audio[0], take) for take in takes.audio)


@pytest.mark.slow
def test_no_seam_is_heard(small: MakeAnAudio) -> None:
    """The seam lies within the sound's own changes."""
    worse = []
    for prompt in ("rain", "engine running", "a dog barking"):
        for seconds in (2.048, 2.3):
            wave = small.text_to_audio(prompt, replace(QUICK, steps=6), seconds=seconds, loop=True).audio[0, 0]
            changes, seam = flux(wave), steps(wave)
            worse += [(prompt, seconds, "step")] if seam[-1] > np.quantile(seam, 0.95) else []
            worse += [(prompt, seconds, "flux")] if changes[-4:].max() > np.quantile(changes, 0.95) else []
    assert len(worse) <= 1, worse


def test_what_is_too_long_is_cut_where_it_is_missed_least() -> None:
    tone = sine_wave(rate=RATE, seconds=1.024, frequency=RATE / 64)[0].astype(np.float32)
    noise = np.random.default_rng(1).standard_normal(len(tone)).astype(np.float32)
    noise[5000:9000] = 0.0  # a pause
    wave, begin = cut_circle(noise, len(noise) - 1500, RATE, 256)
    assert begin % 256 == 0 and 5000 + 3100 <= begin <= 9000
    assert np.array_equal(wave[:1000], np.roll(noise, -begin)[:1000])
    period, _ = cut_circle(tone, len(tone) - 640, RATE, 256)  # ten periods less
    assert steps(period)[-1] <= 1.001 * steps(tone).max()


def test_a_loop_at_another_rate_is_one() -> None:
    seconds = 1.024
    tone = np.sin(2 * np.pi * 250 * np.arange(round(seconds * RATE)) / RATE)[None].astype(np.float32)
    high = resampled(tone, RATE, 48_000)
    assert high.shape == (1, round(seconds * 48_000))
    ideal = np.sin(2 * np.pi * 250 * np.arange(high.shape[1]) / 48_000)
    assert np.abs(high[0] - ideal).max() < 1e-3


@pytest.mark.parametrize("rate", [None, 48_000, 44_100])
def test_files_say_where_they_loop(tiny: MakeAnAudio, tmp_path: Path, rate: int | None) -> None:
    take = tiny.text_to_audio("rain", QUICK, seconds=1.024, loop=True)
    path = take.save(tmp_path / "loop.wav", rate=rate)
    data = path.read_bytes()
    at = data.index(b"smpl") + 8
    fields = struct.unpack("<15I", data[at : at + 60])
    count = read(path).samples.shape[1]
    assert fields[2] == round(1e9 / (rate or RATE)) and fields[7] == 1
    assert fields[9:] == (0, 0, 0, count - 1, 0, 0)
    plain = tiny.text_to_audio("rain", QUICK, seconds=1.024).save(tmp_path / "plain.wav", rate=rate)
    assert b"smpl" not in plain.read_bytes()


def test_pictures_loop_too_and_events_do_not(tiny: MakeAnAudio, tmp_path: Path) -> None:
    take = tiny.image_to_audio(picture_file(tmp_path / "p.png"), QUICK, seconds=1, loop=True)
    assert take.settings["loop"] is True and take.audio.shape == (1, 1, RATE)
    with pytest.raises(ValueError, match="leave events or loop out"):
        tiny.text_to_audio("", QUICK, events=[(0, 1, "rain")], loop=True)
