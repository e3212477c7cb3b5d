"""What a browser gets to hear: the same kind of file for every system, without a name or a tag."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maa.aside import aside
from maa.audio.io import read, resample
from maa.audio.loudness import gain_to
from maa.audio.sound import Audio, mono
from train.listening_test.material import Material
from train.listening_test.plan import NOISE, Trial
from train.trainer.journal import write_wave

RATE = 48_000  # Hz of every file, whatever a system's own is
DULL = 900.0  # Hz; nothing above it is left of a drowned recording
DROWNED = 12.0  # decibels by which noise is above it


class Blind:
    """Copies of sounds to hand out, made when they are first asked for.

    Args:
        folder: for the copies; nothing else may be in it.
        loudness: LUFS that every sound is brought to; None = as loud as it is.
    """

    def __init__(self, material: Material, folder: Path, loudness: float | None) -> None:
        self.material, self.folder, self.loudness = material, folder, loudness

    def file(self, trial: Trial) -> Path | None:
        """Mono 16-bit WAV of what a trial lets hear; None when the material does not have it any more."""
        source = self.material.sounds.get(trial.system, {}).get(trial.clip)
        if source is None:
            return None
        drowned = trial.check == NOISE
        name = hashlib.sha256(f"{trial.system}\0{trial.clip}\0{drowned}".encode()).hexdigest()
        path = self.folder / f"{name}.wav"
        if not path.is_file():
            audio = read(source)
            wave = resample(mono(audio.samples), audio.sample_rate, RATE)
            wave = drown(wave) if drowned else wave
            gain = 1.0 if self.loudness is None else gain_to(wave[None], RATE, self.loudness)
            with aside(path) as neighbour:
                write_wave(neighbour, (wave * np.float32(gain)).astype(np.float32), RATE)
        return path

    def check(self) -> None:
        """Read every file once.

        Raises:
            ValueError: one cannot be read.
        """
        for files in self.material.sounds.values():
            for path in files.values():
                audio: Audio = read(path)
                if not audio.samples.any():
                    raise ValueError(f"{path} is silent; a rater could only guess.")


def drown(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """A wave [n] at 48 kHz that nobody calls good: without its highs, under noise, cut off at the top."""
    spectrum = np.fft.rfft(wave)
    spectrum[np.fft.rfftfreq(len(wave), 1 / RATE) > DULL] = 0
    dull = np.fft.irfft(spectrum, len(wave))
    level = max(float(np.sqrt(np.mean(np.square(dull)))), 1e-4)
    noise = np.random.default_rng(0).normal(0, level * 10 ** (DROWNED / 20), len(wave))
    mixed = dull + noise
    top = 2 * float(np.sqrt(np.mean(np.square(mixed))))
    return (0.5 * mixed.clip(-top, top) / top).astype(np.float32)
