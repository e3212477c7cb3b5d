"""Both mel conventions against the reference tensors, and the front end's own promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from maa.audio.grid import centres, edges
from maa.audio.mel import MelSpectrogram, fill_hole
from maa.config import AudioSpec
from maa.dsp import SLANEY
from tests.reference import reference


def by_definition(wave: np.ndarray, convention: str) -> np.ndarray:
    """Both conventions in float64, frame by frame, from their descriptions: [80, T] in the vocoder's units."""
    if convention == "A":  # centred frames, the ends silent
        padded, low, high = np.pad(wave, 512), 125.0, 7600.0
    else:  # clipped, 384 samples mirrored at either end
        padded, low, high = np.pad(np.clip(wave, -1, 1), 384, mode="reflect"), 0.0, 8000.0
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    starts = range(0, len(padded) - 1024 + 1, 256)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(1024), np.arange(513)) / 1024)
    spectrum = np.stack([padded[start : start + 1024] * window for start in starts]) @ turns
    power = spectrum.real**2 + spectrum.imag**2
    magnitude = np.sqrt(power + (1e-9 if convention == "B" else 0.0))
    bands = magnitude @ triangles(low, high).T
    log10 = np.log10(np.maximum(bands, 1e-5)).T
    return np.clip((20 * log10 + 80) / 100, 0, 1) if convention == "A" else log10


def triangles(low: float, high: float) -> np.ndarray:
    """Slaney's filterbank, one triangle at a time: a mel is 200/3 Hz up to 1 kHz, then 27 of them are a factor 6.4."""

    def mel(hz: float) -> float:
        return hz * 3 / 200 if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)

    def hertz(m: float) -> float:
        return m * 200 / 3 if m < 15 else 1000 * 6.4 ** ((m - 15) / 27)

    corners = [hertz(m) for m in np.linspace(mel(low), mel(high), 82)]
    bins = np.arange(513) * 16_000 / 1024
    rows = []
    for left, centre, right in zip(corners, corners[1:], corners[2:], strict=False):
        row = np.interp(bins, [left, centre, right], [0.0, 1.0, 0.0], left=0.0, right=0.0)
        rows.append(row * 2 / (right - left))
    return np.stack(rows)


def sounds() -> dict[str, np.ndarray]:
    """Two seconds each: the cases in which front ends go apart."""
    time = np.arange(32_000) / 16_000
    noise = np.random.RandomState(0).standard_normal(32_000)
    sine = np.sin(2 * np.pi * 997 * time)
    return {
        "noise": 0.1 * noise,
        "silence": np.zeros(32_000),
        "full-scale sine": sine,
        "full-scale square": np.where(sine >= 0, 1.0, -1.0),
        "noise at -80 dB": 1e-4 * noise / np.sqrt(np.mean(noise**2)),
    }


@pytest.mark.parametrize("name", list(sounds()))
@pytest.mark.parametrize(("convention", "frames"), [("A", 126), ("B", 125)])
def test_convention_is_what_its_definition_says(name: str, convention: str, frames: int) -> None:
    wave = sounds()[name].astype(np.float32)
    front = MelSpectrogram(AudioSpec(convention=convention))
    mel = front.to_vocoder(front(torch.from_numpy(wave)[None]))
    assert mel.shape == (1, 1, 80, frames)
    assert np.abs(mel[0, 0].numpy() - by_definition(wave.astype(np.float64), convention)).max() <= 1e-5


@pytest.mark.parametrize("samples", [256, 1024, 9999, 10_000, 159_744, 160_000])
def test_frame_counts(samples: int) -> None:
    wave = torch.zeros(1, samples)
    assert MelSpectrogram(AudioSpec(convention="A"))(wave).shape[-1] == 1 + samples // 256
    assert MelSpectrogram(AudioSpec(convention="B"))(wave).shape[-1] == max(samples // 256, 1)


def test_convention_b_matches_reference() -> None:
    data = reference("mel")
    mel = MelSpectrogram(AudioSpec())(torch.from_numpy(data["wav"]).float()[None])
    assert mel.shape == (1, 1, 80, 125)
    assert np.abs(mel[0, 0].numpy() - data["mel_gen_b_log10"]).max() < 1e-5


def test_convention_a_matches_reference() -> None:
    data = reference("mel")
    front = MelSpectrogram(AudioSpec(convention="A"))
    mel = front(torch.from_numpy(data["wav"]).float()[None])
    assert mel.shape == (1, 1, 80, 126)
    assert np.abs(front.to_vocoder(mel)[0, 0].numpy() - data["mel_gen_a_01"]).max() < 1e-5


@pytest.mark.parametrize("convention", ["A", "B"])
def test_units_invert(convention: str) -> None:
    front = MelSpectrogram(AudioSpec(convention=convention))
    log10 = torch.linspace(-4.0, 1.0, 50)
    assert torch.allclose(front.to_log10(front.from_log10(log10)), log10, atol=1e-5)
    assert front.from_log10(torch.tensor(-5.0)).item() == pytest.approx(front.silence)


def test_a_tone_lands_in_its_band() -> None:
    spec = AudioSpec()
    for hz in (200.0, 1000.0, 5000.0):
        t = torch.arange(16_000) / spec.sample_rate
        mel = MelSpectrogram(spec)(0.5 * torch.sin(2 * torch.pi * hz * t)[None])
        band = int(mel[0, 0, :, 30].argmax())
        assert edges(spec)[band] <= hz <= edges(spec)[band + 2]


def test_very_short_waves_work() -> None:
    assert MelSpectrogram(AudioSpec())(torch.zeros(1, 256)).shape[-1] >= 1


def test_slaney_scale_inverts() -> None:
    hz = np.array([0.0, 60.0, 999.0, 1001.0, 7999.0])
    assert np.allclose(SLANEY.to_hz(SLANEY.to_mel(hz)), hz)
    assert np.all(np.diff(centres(AudioSpec())) > 0)


def test_fill_hole_hides_the_hole() -> None:
    mel = torch.randn(1, 1, 80, 32)
    make = torch.zeros(1, 1, 80, 32, dtype=torch.bool)
    make[..., 8:16] = True
    other = torch.where(make, torch.randn_like(mel), mel)
    assert torch.equal(fill_hole(mel, make), fill_hole(other, make))
    assert torch.equal(fill_hole(mel, make)[~make], mel[~make])
    everything = torch.ones_like(make)
    assert torch.isfinite(fill_hole(mel, everything)).all()
