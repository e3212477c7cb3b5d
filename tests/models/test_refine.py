"""Magnitudes from the mel, phase from the vocoder."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from maa.audio.mel import MelSpectrogram
from maa.checkpoint.model import random_model
from maa.config import TINY, AudioSpec
from maa.config.vocoders import IstftConfig, RefineConfig
from maa.models.refine import envelope, least_squares, refine
from maa.models.stft import istft, spectrum_of, stft, wave_of
from train.adversarial.losses import FrameLines

SPEC = AudioSpec()
FRONT = MelSpectrogram(SPEC)
WINDOW = torch.hann_window(SPEC.n_fft)
SIDE = (SPEC.n_fft - SPEC.hop) // 2


def sounds(frames: int = 64) -> Tensor:
    """A chord and a band of noise, [2, hop * frames]."""
    time = torch.arange(SPEC.hop * frames) / SPEC.sample_rate
    chord = sum(0.1 * torch.sin(2 * torch.pi * f * time) for f in (220.0, 331.0, 1250.0))
    noise = 0.1 * torch.randn(len(time), generator=torch.Generator().manual_seed(0))
    return torch.stack([torch.as_tensor(chord), noise])


def refined(wave: Tensor, mel: Tensor, **changes: float) -> Tensor:
    return refine(spectrum_of(wave, WINDOW, SPEC), mel, FRONT.filters, SPEC, replace(RefineConfig(), **changes))


def test_the_inverse_gives_every_sample_back() -> None:
    wave = sounds()
    back = istft(stft(wave, WINDOW, SPEC), WINDOW, SPEC)
    assert back.shape == wave.shape
    assert torch.allclose(back[:, 64:-64], wave[:, 64:-64], atol=1e-5)
    assert torch.allclose(wave_of(spectrum_of(wave, WINDOW, SPEC), WINDOW, SPEC), wave, atol=1e-5)


def test_least_squares_reaches_a_mel_that_can_be_reached() -> None:
    spectrum = stft(sounds(), WINDOW, SPEC).abs()
    wanted = FRONT.filters @ spectrum
    start = torch.full_like(spectrum, 0.1)
    errors = [
        float(((FRONT.filters @ least_squares(FRONT.filters, wanted, start, n)) - wanted).norm()) for n in (0, 5, 50)
    ]
    assert errors[0] > 4 * errors[1] > 4 * errors[2]
    assert errors[2] < 0.02 * float(wanted.norm())


def test_the_envelope_of_a_flat_spectrum_is_flat() -> None:
    mel = (FRONT.filters @ torch.full((1, SPEC.n_fft // 2 + 1, 4), 0.3)).log10()
    assert torch.allclose(envelope(FRONT.filters, mel), torch.tensor(0.3), atol=1e-4)


def test_a_true_waveform_stays_and_a_wrong_one_is_led_to_the_mel() -> None:
    wave = sounds()
    mel = FRONT(wave)
    stranger = 0.05 * torch.randn(wave.shape, generator=torch.Generator().manual_seed(1))

    def distance(x: Tensor) -> float:
        return float((FRONT(x) - mel).abs().mean())

    assert distance(refined(wave, mel)) < 0.1
    assert distance(refined(stranger, mel)) < 0.4 * distance(stranger)


def test_nothing_is_left_at_zero_hertz_and_at_the_highest_frequency() -> None:
    wave = sounds()
    mel = FRONT(wave)
    alternating = 0.3 * torch.cos(torch.pi * torch.arange(wave.shape[1]))
    power = torch.fft.rfft(refined(wave + 0.3 + alternating, mel)).abs().square()
    frequency = torch.fft.rfftfreq(wave.shape[1], 1 / SPEC.sample_rate)
    total = power.sum(1)
    assert float((power[:, frequency < 20].sum(1) / total).max()) < 0.005
    assert float((power[0, frequency > 7850].sum() / total[0]).max()) < 0.005


def test_a_batch_is_what_its_rows_are_and_the_same_again() -> None:
    wave = sounds()
    mel = FRONT(wave)
    both = refined(wave, mel)
    alone = torch.cat([refined(wave[k : k + 1], mel[k : k + 1]) for k in range(2)])
    assert torch.allclose(both, alone, atol=1e-5)
    assert torch.equal(both, refined(wave, mel))


def test_gradients_reach_the_waveform() -> None:
    wave = sounds(16).requires_grad_()
    refined(wave, FRONT(wave.detach())).square().sum().backward()
    assert wave.grad is not None
    assert bool(wave.grad.isfinite().all())
    assert bool(wave.grad.any())


def test_what_does_not_belong_together_is_refused() -> None:
    wave = sounds(16)
    with pytest.raises(ValueError, match="16 frames does not belong to a spectrum of 15"):
        refined(wave[:, :-256], FRONT(wave))
    with pytest.raises(ValueError, match="convention B"):
        refine(
            spectrum_of(wave, WINDOW, SPEC), FRONT(wave), FRONT.filters, replace(SPEC, convention="A"), RefineConfig()
        )


def test_a_model_refines_when_its_vocoder_says_so() -> None:
    model = random_model(TINY, parts=("vocoder",))
    assert model.vocoder is not None
    mel = FRONT(sounds(16))
    with torch.inference_mode():
        raw, made = model.vocoder(mel), model.vocode(mel)
        model.config = replace(TINY, vocoder=IstftConfig(width=16, layers=1, expansion=2))
        plain = model.vocode(mel)
    assert made.shape == raw.shape
    assert torch.equal(plain, raw)
    assert float((FRONT(made) - mel).abs().mean()) < float((FRONT(raw) - mel).abs().mean())


def test_lines_at_the_frame_rate_are_told_from_noise() -> None:
    length, rate = 16384, SPEC.sample_rate
    noise = 0.1 * torch.randn(2, length, generator=torch.Generator().manual_seed(2))
    time = torch.arange(length) / rate
    buzz = sum(0.02 * torch.sin(2 * torch.pi * 62.5 * k * time + k * k) for k in range(6, 120))
    lines = FrameLines(length, SPEC.hop, rate)
    assert float(lines(noise + buzz, noise)) > 0.5
    assert float(lines(noise[:1], noise[1:])) < 0.15
    assert float(lines(noise + buzz, noise + buzz)) == 0.0
