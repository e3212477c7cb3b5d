"""The mel convention, by name and by listening; the shipped autoencoder and vocoder are the real networks to hear."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from maa import MakeAnAudio
from maa.config import TINY
from maa.models.autoencoder import Autoencoder
from maa.official import conventions


@pytest.mark.parametrize(
    ("name", "convention"),
    [
        ("ta40multi_epoch=000085.ckpt", "A"), ("ta54_epoch=000216.ckpt", "A"), ("inpaint7_epoch00047.ckpt", "A"),
        ("maa1_caps.ckpt", "B"), ("maa1_full.ckpt", "B"), ("bigvnat/best_netG.pt", "B"), ("bigvgan/best_netG.pt", "B"),
        ("bigv16k53w/best_netG.pt", "A"), ("hifi_0127/best_netG.pt", "A"), ("mine/best.ckpt", None),
    ],
)  # fmt: skip
def test_published_names(tmp_path: Path, name: str, convention: str | None) -> None:
    assert conventions.of_file(tmp_path / name) == convention


@pytest.mark.parametrize(
    ("settings", "convention"),
    [
        ("fmin: 125\nfmax: 7600\n", "A"),
        ("fmin: 0\nfmax: 8000\n", "B"),
        ("fmin: 50\n", None),
        ("- 1", None),
        (":", None),
    ],
)
def test_vocoder_settings_beside_the_file(tmp_path: Path, settings: str, convention: str | None) -> None:
    (tmp_path / "args.yml").write_text(settings)
    assert conventions.of_file(tmp_path / "best_netG.pt") == convention


def in_convention_a(network: Autoencoder) -> Autoencoder:
    """The same network for the other units: log10 = 2.5 x - 1.5 goes into its first and its last layer."""
    other = copy.deepcopy(network).requires_grad_(False)
    first, last = other.encoder.conv_in, other.decoder.conv_out
    first.bias += -1.5 * first.weight.sum((1, 2, 3))
    first.weight *= 2.5
    last.weight /= 2.5
    last.bias.add_(1.5).div_(2.5)
    return other


def test_a_trained_autoencoder_tells(small: MakeAnAudio) -> None:
    network = small.model.autoencoder
    assert conventions.of_autoencoder(network) == "B"
    assert conventions.of_autoencoder(in_convention_a(network)) == "A"


def test_a_trained_vocoder_tells(small: MakeAnAudio) -> None:
    vocoder = small.model.vocoder

    def other(mel: Tensor) -> Tensor:
        return vocoder(5.0 * mel - 4.0)  # log10 from [0, 1]

    assert conventions.of_vocoder(vocoder) == "B"
    assert conventions.of_vocoder(other) == "A"


def test_random_weights_tell_nothing() -> None:
    torch.manual_seed(0)
    assert conventions.of_autoencoder(Autoencoder(TINY.autoencoder).eval()) is None
    assert conventions.of_vocoder(lambda mel: torch.randn(1, 256 * mel.shape[-1])) is None
