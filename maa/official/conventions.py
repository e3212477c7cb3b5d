"""Which mel convention a file was trained on: told by the user, by its published name, or by a round trip.

The authors' networks of both conventions have the same tensors, so nothing in the weights says it outright
(`AudioSpec`). But an autoencoder, or a vocoder, repeats what it was trained on and garbles the other convention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import torch
import yaml
from torch import Tensor

from maa.audio.mel import MelSpectrogram
from maa.config import AudioSpec, Convention
from maa.models.autoencoder import Autoencoder

# The published files and folders; a name counts wherever it begins a file's or its folder's name.
KNOWN: dict[str, Convention] = {
    "ta40multi": "A",
    "ta54": "A",
    "inpaint7": "A",
    "hifi_0127": "A",
    "bigv16k53w": "A",
    "maa1_caps": "B",
    "maa1_full": "B",
    "bigvnat": "B",
    "bigvgan": "B",
}
FRAMES = 64  # of each test sound
GOOD = 0.5  # mean error in log10 units (0.5 = 10 dB) that a trained network stays under
CLEARLY = 1.5  # times as large the other convention's error has to be


def of_file(path: Path) -> Convention | None:
    """What the file's name, its folder's name, or the vocoder settings beside it say; None when nothing does."""
    for name in (path.name, path.parent.name):
        for start, convention in KNOWN.items():
            if name.lower().startswith(start):
                return convention
    return _of_settings(path.with_name("args.yml"))


def _of_settings(path: Path) -> Convention | None:
    """A vocoder's settings give the filterbank's edges, which differ between the conventions."""
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    if not isinstance(settings, dict):
        return None
    edges = (settings.get("fmin"), settings.get("fmax"))
    return next((c for c in get_args(Convention) if edges == AudioSpec(convention=c).frequency_range), None)


@torch.inference_mode()
def of_autoencoder(network: Autoencoder) -> Convention | None:
    """The convention whose silence and noise come back from encoder and decoder; None when that is not clear."""

    def error(front: MelSpectrogram, wave: Tensor) -> float:
        mel = front(wave)[..., :FRAMES]
        made = network.decode(network.encode(mel))
        return float((front.to_log10(made) - front.to_log10(mel)).abs().mean())

    return _clearest(error)


@torch.inference_mode()
def of_vocoder(network: Callable[[Tensor], Tensor]) -> Convention | None:
    """The convention in which the vocoder renders noise and a tone as they were; None when that is not clear."""

    def error(front: MelSpectrogram, wave: Tensor) -> float:
        mel = front(wave)[..., :FRAMES]
        again = front(network(front.to_vocoder(mel)))[..., :FRAMES]
        return float((front.to_log10(again) - front.to_log10(mel))[..., 2:-2].abs().mean())  # ends hear the padding

    return _clearest(error)


def _clearest(error: Callable[[MelSpectrogram, Tensor], float]) -> Convention | None:
    """The convention with the smaller mean error over the test sounds, where one is good and clearly better."""
    errors = {}
    for convention in get_args(Convention):
        front = MelSpectrogram(replace(AudioSpec(), convention=convention))
        sounds = list(_sounds())
        errors[convention] = sum(error(front, sound) for sound in sounds) / len(sounds)
    best, other = sorted(errors, key=lambda name: errors[name])
    clear = errors[best] < GOOD and errors[other] > CLEARLY * errors[best]
    return best if clear else None


def _sounds() -> Iterable[Tensor]:
    """Silence, noise at -26 dB, and a tone over faint noise: [1, FRAMES * hop] each."""
    spec = AudioSpec()
    length = FRAMES * spec.hop
    noise = torch.randn(1, length, generator=torch.Generator().manual_seed(0))
    seconds = torch.arange(length) / spec.sample_rate
    yield torch.zeros(1, length)
    yield 0.05 * noise
    yield 0.3 * torch.sin(2 * torch.pi * 880.0 * seconds)[None] + 1e-4 * noise
