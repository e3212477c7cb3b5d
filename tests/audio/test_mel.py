"""Both mel conventions against the reference tensors, and the front end's own promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from maa.audio.mel import MelSpectrogram, centres, edges, fill_hole, hz_to_mel, mel_to_hz
from maa.config import AudioSpec
from tests.reference import reference


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
    assert np.allclose(mel_to_hz(hz_to_mel(hz)), hz)
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
