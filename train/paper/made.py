"""Folders that a network makes for a table: a list's sounds, or recordings with a hole filled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from maa import MakeAnAudio
from maa.audio import io
from train.data.masks import draw_mask
from train.evaluation.lists import read_list
from train.generate import CaptionOrder, generate
from train.paper.options import Work

HOLES = {"narrow": "thin", "wide": "thick"}  # Table 2's masks of evaluation: LaMa's, as it names them


def opened(work: Work, folder: Path) -> MakeAnAudio:
    """A model folder on the command's device."""
    return MakeAnAudio.from_pretrained(folder, device=work.args.device, dtype=work.args.dtype)


def listed_sounds(work: Work, maa: MakeAnAudio, captions: Path, to: Path) -> Path:
    """A list's sounds by one network."""
    generate(maa, read_list(captions), CaptionOrder(work.sampling(), work.args.seed, work.seconds), to)
    return to


def hole(row: int, kind: str, mels: int, frames: int) -> NDArray[np.bool_]:
    """A recording's mask [mels, frames]: the same one for every network."""
    return draw_mask(kind, mels, frames, np.random.default_rng([row, len(kind)]))


def filled_folder(work: Work, maa: MakeAnAudio, reference: Path, holes: str, to: Path) -> Path:
    """The recordings with a narrow or a wide hole each, filled without a prompt."""
    to.mkdir(parents=True, exist_ok=True)
    rate, mels = maa.config.audio.sample_rate, maa.config.audio.mels
    for row in tqdm(work.rows().tolist(), desc=f"{to.name}", disable=None):
        path = to / f"{row:05d}.wav"
        if path.is_file():
            continue
        sound = (rate, io.read(reference / path.name).mono())
        mask = hole(row, HOLES[holes], mels, maa.frames_of(sound))
        made = maa.inpaint(sound, mask, "", work.sampling(seed=(work.args.seed + row) % 2**32))
        io.write(path, made.audio[0], rate)
    return to
