"""The spectrogram of a long sound, measured once: of an edit only the spans that it changed are measured again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maa.aside import aside
from maa.audio.io import Audio, read
from maa.foreign import foreign
from maa.ui.chain.store import Chain, chain_of, mel_place

if TYPE_CHECKING:
    from maa.pipeline import MakeAnAudio

BESIDE = 0.5  # seconds beside a change that are measured with it
FEW = 0.5  # share of a sound up to which measuring the changes alone is worth it


def chain_mel(pipeline: MakeAnAudio, sound: Path) -> NDArray[np.float32]:
    """log10 mel [mels, frames] of a sound that lies in a folder of ours; it is kept beside it."""
    spec = pipeline.config.audio
    mel = _kept(sound, spec.mels)
    if mel is None:
        chain = chain_of(sound)
        mel = _from_before(pipeline, chain) if chain.folder is not None and chain.at else None
    if mel is None:
        mel = pipeline.spectrogram(sound)
    if not mel_place(sound).is_file():
        with aside(mel_place(sound)) as neighbour, neighbour.open("wb") as file:
            np.save(file, mel)
    return mel


def _kept(sound: Path, mels: int) -> NDArray[np.float32] | None:
    if not mel_place(sound).is_file():
        return None
    try:
        with foreign("no spectrogram"):
            mel = np.load(mel_place(sound), allow_pickle=False)
    except ValueError:
        return None
    return mel if mel.ndim == 2 and mel.shape[0] == mels and mel.dtype == np.float32 else None


def _from_before(pipeline: MakeAnAudio, chain: Chain) -> NDArray[np.float32] | None:
    """That of the step before, measured anew where this one differs; None where that is not known, or not worth it."""
    spec, spans = pipeline.config.audio, chain.steps[chain.at].spans
    before = _kept(chain.path(chain.at - 1), spec.mels)
    sound = read(chain.path(chain.at))
    known = before is not None and pipeline.frames_of(sound) == before.shape[1]
    if before is None or not known or sum(end - start for start, end in spans) > FEW * sound.seconds:
        return None
    mel = before.copy()
    step = spec.hop // math.gcd(spec.sample_rate, spec.hop)  # seconds, of which each has whole samples and whole frames
    for start, end in spans:
        first = step * max(0, math.floor((start - BESIDE) / step))
        last = step * math.ceil((end + BESIDE) / step)
        part = sound.samples[:, first * sound.sample_rate : last * sound.sample_rate]
        fresh = pipeline.spectrogram(Audio(part, sound.sample_rate, sound.subtype))
        offset = round(first / spec.frame_seconds)
        begin = max(0, math.floor((start - BESIDE / 4) / spec.frame_seconds))
        stop = min(mel.shape[1], math.ceil((end + BESIDE / 4) / spec.frame_seconds), offset + fresh.shape[1])
        mel[:, begin:stop] = fresh[:, begin - offset : stop - offset]
    return mel
