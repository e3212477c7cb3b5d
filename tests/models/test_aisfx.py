"""aiSFX: the front end by its definition, whole clips heard, and the published weights' own numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from maa.dsp import resample_on_device
from maa.models.aisfx import AisfxEncoder, AisfxFrontEnd, aisfx_filterbank

WEIGHTS = Path(__file__).resolve().parents[2] / "checkpoints" / "small" / "clap_audio.safetensors"
SWEEP = [1.98618, 1.95651, 0.91192, 2.5364, 1.77286, 1.40989, 1.49223, 1.3099]  # every 64th number


def sine(hz: float, seconds: float, rate: int) -> torch.Tensor:
    return 0.5 * torch.sin(2 * torch.pi * hz * torch.arange(round(seconds * rate), dtype=torch.float64) / rate)[None]


@pytest.fixture(scope="module")
def encoder() -> AisfxEncoder:
    torch.manual_seed(0)
    return AisfxEncoder(32).eval()


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.85])
def test_resampling_keeps_a_sine_to_minus_80_db(rate: int, share: float) -> None:
    hz = share * min(rate, 44_100) / 2
    wave = resample_on_device(sine(hz, 0.5, rate), rate, 44_100)
    expected = sine(hz, 0.5, 44_100)
    assert wave.shape == expected.shape
    inside = slice(2000, -2000)  # the ends know no samples beyond them
    assert (wave - expected)[:, inside].abs().max() < 1e-4 * 0.5


def test_resampling_gives_the_rounded_length_and_refuses_odd_rates() -> None:
    assert resample_on_device(torch.zeros(2, 160_001), 16_000, 44_100).shape == (2, 441_003)
    assert resample_on_device(torch.ones(1, 1), 16_000, 44_100).shape == (1, 3)
    with pytest.raises(ValueError, match="44100"):
        resample_on_device(torch.zeros(1, 100), 44_101, 44_100)


def test_mel_bands_weigh_one_each_and_silence_is_zero() -> None:
    filters = aisfx_filterbank()
    assert filters.shape == (1025, 96)
    assert torch.allclose(filters.sum(0), torch.ones(96), atol=1e-5)
    mel = AisfxFrontEnd()(torch.zeros(1, 5000))
    assert mel.shape == (1, 6, 96)
    assert not mel.any()


def test_a_sine_lands_in_its_band() -> None:
    mel = AisfxFrontEnd()(sine(1000.0, 0.5, 44_100).float())[0, 10]
    edges = 700 * (10 ** (torch.linspace(0, 3923.34, 98) / 2595) - 1)  # HTK mel of 22,050 Hz is 3923.34
    band = int(mel.argmax())
    assert edges[band] < 1000 < edges[band + 2]


def test_a_short_clip_is_followed_by_silence(encoder: AisfxEncoder) -> None:
    wave = torch.rand(1, 12_000) - 0.5
    padded = torch.cat([wave, torch.zeros(1, 99 * 1024 - 12_000)], dim=1)
    with torch.inference_mode():
        assert torch.allclose(encoder.embed(wave), encoder.embed(padded), atol=1e-6)


def test_the_last_samples_of_a_long_clip_are_heard(encoder: AisfxEncoder) -> None:
    wave = 0.01 * (torch.rand(1, 160_000) - 0.5)
    louder = wave.clone()
    louder[:, -600:] *= 50
    with torch.inference_mode():
        assert encoder.embed_blocks(wave).shape == (1, 3, 32)
        assert not torch.equal(encoder.embed_blocks(wave)[:, -1], encoder.embed_blocks(louder)[:, -1])


def test_each_clip_of_a_batch_is_heard_alone(encoder: AisfxEncoder) -> None:
    wave = torch.rand(2, 20_000) - 0.5
    with torch.inference_mode():
        both = encoder.embed(wave, 16_000)
        assert both.shape == (2, 32)
        assert torch.allclose(both[1:], encoder.embed(wave[1:], 16_000), atol=1e-6)


@pytest.mark.parametrize("shape", [(0,), (1, 0), (1, 1, 5)])
def test_anything_but_a_batch_of_samples_is_refused(encoder: AisfxEncoder, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="batch, samples"):
        encoder.embed(torch.zeros(shape))


@pytest.mark.skipif(not WEIGHTS.is_file(), reason="checkpoints/small is absent")
def test_published_weights_give_the_published_numbers() -> None:
    """The values are the original package's for this sweep, from its own spectrogram and network."""
    encoder = AisfxEncoder().eval()
    encoder.load_state_dict(load_file(WEIGHTS))
    time = torch.arange(3 * 44_100, dtype=torch.float64) / 44_100
    sweep = (0.5 * torch.sin(2 * torch.pi * (100 * time + 500 * time**2)))[None].float()
    with torch.inference_mode():
        vector = encoder.embed_blocks(sweep)[0, 0]
    assert vector[::64].tolist() == pytest.approx(SWEEP, abs=5e-3 * float(vector.max()))
