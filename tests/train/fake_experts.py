"""Experts and a CLAP that know two pitches, and sounds for them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import soundfile
import torch
from torch import Tensor

from tests.sounds import sine_wave
from train.distill.distilling import Distillation, DistilOptions
from train.distill.experts import Expert
from train.distill.sounds import SoundFile, sound_sources

CPU = torch.device("cpu")


class Pitches:
    """A joint space in which a sound points to the word of its pitch, as loud as its name says (`JointSpace`)."""

    words = ("low", "high")

    def embed_text(self, texts: list[str]) -> Tensor:
        """[N, 3]: what of "low" and "high" is in it, and a rest."""
        found = torch.tensor([[*(float(word in text) for word in self.words), 0.5] for text in texts])
        return torch.nn.functional.normalize(found, dim=-1)

    def embed_audio(self, wave: Tensor, rate: int) -> Tensor:
        """[B, 3]"""
        crossings = (wave[:, 1:] * wave[:, :-1] < 0).float().mean(1) * rate / 2
        high = (crossings > 500).float()
        return torch.stack([1 - high, high, torch.zeros_like(high)], dim=1)


class Guesser:
    """Says the same of everything (`Expert`)."""

    name = "guesser"

    def __init__(self, wait: float = 0.0) -> None:
        self.wait = wait  # seconds

    def propose(self, sounds: Sequence[SoundFile]) -> list[list[str]]:
        """Two captions, one of them in two spellings, and nothing."""
        time.sleep(self.wait)
        return [["a low  tone", "A low tone.", "", "a high tone"] for _ in sounds]


class Mumbler:
    """Says nothing that can be kept (`Expert`)."""

    name = "mumbler"

    def propose(self, sounds: Sequence[SoundFile]) -> list[list[str]]:
        """One caption about nothing."""
        return [["something"] for _ in sounds]


def tones(folder: Path, count: int) -> Path:
    """Low and high tones in turn, in folders of five, and one file that is none."""
    for k in range(count):
        path = folder / f"part {k // 5}" / f"tone{k:03d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sine_wave(200 if k % 2 == 0 else 1500, 0.3 + 0.01 * k)[0], 16_000)
    (folder / "part 0" / "broken.wav").write_bytes(b"no sound")
    return folder


def distillation(*experts: Expert) -> Distillation:
    return Distillation(experts, Pitches(), {"experts": "fakes"}, CPU)


def distil(sounds: Path, out: Path, shard: tuple[int, int] = (0, 1), threshold: float = 0.6, wait: float = 0.0) -> Path:
    """Captions for a folder of tones by the two experts above, the first of them slow."""
    root, sources = sound_sources(str(sounds))
    return distillation(Guesser(wait), Mumbler()).run(sources, root, out, DistilOptions(threshold, batch=3), shard)
