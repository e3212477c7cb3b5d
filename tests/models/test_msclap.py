"""MS-CLAP on narrow networks: whole clips heard, padding unread, one interface with the small CLAP, save and load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maa import checkpoint
from maa.config import TINY, ModelConfig, MsClapConfig, TextConfig
from maa.models import msclap
from maa.models.msclap import Cnn14, MsClapFrontEnd, MsClapHeads, msclap_filterbank, stored_front_end
from maa.models.text import spelling_tokenizer

CAPTION = TextConfig(
    vocabulary=128, width=32, layers=1, heads=2, intermediate=32, positions=100, tokens=100, projection=16,
    mask_pads=True, pooler=True,
)  # fmt: skip
NARROW = MsClapConfig(channels=2, classes=3, caption=CAPTION)


@pytest.fixture(scope="module")
def parts() -> tuple[MsClapHeads, Cnn14]:
    torch.manual_seed(0)
    return MsClapHeads(NARROW, spelling_tokenizer()).eval(), Cnn14(NARROW).eval()


def test_front_end_is_the_stored_convolutions() -> None:
    """Frames through the published files' own kernels and filters give the same decibels."""
    wave = 0.3 * torch.randn(1, 44_100, generator=torch.manual_seed(0))
    stored = stored_front_end()
    padded = torch.nn.functional.pad(wave[None], (512, 512), mode="reflect")
    real, imaginary = (
        torch.nn.functional.conv1d(padded, stored[f"spectrogram_extractor.stft.conv_{part}.weight"], stride=320)
        for part in ("real", "imag")
    )
    power = (real.square() + imaginary.square()).mT
    wanted = 10 * torch.log10((power @ stored["logmel_extractor.melW"]).clamp_min(1e-10))
    made = MsClapFrontEnd()(wave)
    assert made.shape == (1, 138, 64)
    assert (made - wanted).abs().max() < 2e-3  # decibels


def test_filters_stay_between_50_hz_and_14_khz() -> None:
    hz = torch.linspace(0, 22_050, 513)
    heard = msclap_filterbank().sum(1) > 0
    assert 50 < hz[heard].min() < 100
    assert 13_800 < hz[heard].max() < 14_000


def test_silence_is_the_floor() -> None:
    assert MsClapFrontEnd()(torch.zeros(1, 2000)).unique().tolist() == [-100.0]


@pytest.mark.parametrize(("samples", "windows"), [(1, 1), (9 * 44_100, 1), (9 * 44_100 + 1, 2), (20 * 44_100, 3)])
def test_windows_cover_the_clip(
    parts: tuple[MsClapHeads, Cnn14], monkeypatch: pytest.MonkeyPatch, samples: int, windows: int
) -> None:
    heard: list[torch.Tensor] = []
    monkeypatch.setattr(Cnn14, "__call__", lambda self, wave: heard.append(wave) or torch.zeros(1, 64))
    count = torch.arange(samples, dtype=torch.float64)[None]
    assert parts[1].embed_windows(count).shape == (1, windows, 64)
    assert max(window.shape[1] for window in heard) <= msclap.WINDOW
    assert len(torch.cat(heard, 1).unique()) == samples  # every sample is in some window


def test_a_change_anywhere_is_heard(parts: tuple[MsClapHeads, Cnn14]) -> None:
    space = parts[0].space(None, parts[1])
    wave = 0.01 * torch.randn(1, 160_000)
    vector = space.embed_audio(wave, 16_000)
    assert vector.shape == (1, 16)
    assert vector.norm() == pytest.approx(1, abs=1e-5)
    assert torch.equal(vector, space.embed_audio(wave, 16_000))
    for place in (0, 70_000, 159_000):
        louder = wave.clone()
        louder[:, place : place + 1000] *= 50
        assert not torch.equal(space.embed_audio(louder, 16_000), vector)


def test_captions_are_read_alone(parts: tuple[MsClapHeads, Cnn14]) -> None:
    space = parts[0].space(None, parts[1])
    both = space.embed_text(["rain", "a dog barks at the far end of a long street"])
    assert torch.allclose(both[:1], space.embed_text(["rain"]), atol=1e-5)
    assert torch.allclose(both.norm(dim=1), torch.ones(2), atol=1e-5)
    assert space.embed_text(["x " * 500]).shape == (1, 16)


@pytest.mark.parametrize("shape", [(0,), (1, 0), (1, 1, 5)])
def test_anything_but_a_batch_of_samples_is_refused(parts: tuple[MsClapHeads, Cnn14], shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="batch, samples"):
        parts[1].embed_windows(torch.zeros(shape))


def test_without_the_sound_side_only_words_compare(parts: tuple[MsClapHeads, Cnn14]) -> None:
    space = parts[0].space(None, None)
    assert space.embed_text(["rain"]).shape == (1, 16)
    with pytest.raises(ValueError, match="sound encoder is missing"):
        space.embed_audio(torch.zeros(1, 1000), 16_000)


@pytest.mark.parametrize("config", [TINY, replace(TINY, unet=replace(TINY.unet, global_dim=16), clap=NARROW)])
def test_both_claps_answer_alike(config: ModelConfig, tmp_path: Path) -> None:
    """The same questions to either CLAP, before and after a folder; the text encoder's settings stay its own."""
    model = checkpoint.random_model(config)
    wave = torch.randn(2, 16_000)
    assert model.joint is not None
    words, sounds = model.joint.embed_text(["rain", "a dog"]), model.joint.embed_audio(wave, 16_000)
    assert words.shape == sounds.shape == (2, 16)
    checkpoint.save(model, tmp_path, torch.float32)
    again = checkpoint.load(tmp_path)
    assert again.missing == {}
    assert again.joint is not None
    assert torch.allclose(again.joint.embed_text(["rain", "a dog"]), words, atol=1e-6)
    assert torch.allclose(again.joint.embed_audio(wave, 16_000), sounds, atol=1e-6)
    assert again.text is not None
    assert again.text.tokenize(["rain"])[0].shape == (1, TINY.text.tokens)
    again.clap = None
    assert again.joint is None
