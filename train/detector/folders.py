"""Folders of recordings and of generated sounds, as windows that a detector may go by, and the cues that it may not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from maa.audio.io import read
from maa.audio.sound import Audio
from maa.models.detector import Windows
from maa.pipeline.detecting import heard
from train.data.records import AUDIO

REAL = "real"
CUES = ("level", "seconds", "band", "rate")  # of files as they are; a fair detector is deaf to them


@dataclass(frozen=True, eq=False)
class Clip:
    """A file of which enough can be heard."""

    source: str  # REAL, or the name of its generator
    stem: str  # its name without ending: files of one name, in whatever folder, stay on one side of every split
    windows: Tensor  # [W, mels, T], float16
    cues: tuple[float, ...]  # as CUES


@dataclass(frozen=True)
class HeardFolder:
    """All clips, and the files that could not be used: path -> why."""

    clips: list[Clip]
    left_out: dict[str, str]

    @property
    def generators(self) -> list[str]:
        """Names of the generators, in the order in which they were given."""
        return list(dict.fromkeys(clip.source for clip in self.clips if clip.source != REAL))

    def labels(self) -> NDArray[np.int64]:
        """1 for generated, [N]."""
        return np.array([clip.source != REAL for clip in self.clips], np.int64)


def sound_files(folder: Path) -> list[Path]:
    """Every sound in a folder and below, sorted. ValueError where there is none."""
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO and not p.name.startswith("."))
    if not found:
        raise ValueError(f"There is no sound in {folder}.")
    return found


def hear(real: Sequence[Path], generated: dict[str, list[Path]], windows: int, most: int, seed: int) -> HeardFolder:
    """Read all folders.

    Args:
        real: folders of recordings. generated: folders by the name of their generator.
        windows: of one sound at most. most: sounds of one source at most, drawn by chance; 0 = all.

    Raises:
        ValueError: a folder has no sound, or a source has none that can be used.
    """
    front, rng = Windows(), np.random.default_rng(seed)
    clips: list[Clip] = []
    left_out: dict[str, str] = {}
    for source, folders in {REAL: list(real), **generated}.items():
        paths = [path for folder in folders for path in sound_files(folder)]
        if most and len(paths) > most:
            paths = [paths[int(k)] for k in sorted(rng.choice(len(paths), most, replace=False))]
        before = len(clips)
        for path in tqdm(paths, desc=source, unit="file", disable=None):
            try:
                audio = read(path)
            except ValueError as error:
                left_out[str(path)] = str(error)
                continue
            with torch.inference_mode():
                found = front(heard(audio), windows)
            if len(found):
                clips.append(Clip(source, path.stem, found.half(), cues(audio)))
            else:
                left_out[str(path)] = "less than a second, or silent"
        if len(clips) == before:
            raise ValueError(f"Not one of the {len(paths)} sounds of {source} can be used: {left_out[str(paths[0])]}")
    return HeardFolder(clips, left_out)


def cues(audio: Audio) -> tuple[float, ...]:
    """What a file gives away before anybody listens: decibels, seconds, Hz below which is 99.9 % of the power, rate."""
    wave = audio.samples.mean(axis=0, dtype=np.float64)
    level = 10 * math.log10(max(float(np.mean(np.square(wave))), 1e-12))
    power = np.cumsum(np.square(np.abs(np.fft.rfft(wave))))
    band = float(np.searchsorted(power, 0.999 * power[-1])) / max(1, len(power) - 1) * audio.sample_rate / 2
    return level, audio.seconds, band, float(audio.sample_rate)
