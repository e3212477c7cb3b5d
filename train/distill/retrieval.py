"""Retrieval: the captions of a bank that lie nearest to a sound in a CLAP's space."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from maa.aside import aside
from maa.foreign import foreign
from maa.models.clap import JointSpace
from train.data.manifest import load_manifest
from train.data.records import csv_rows
from train.data.sets import SETS, load_set
from train.distill.experts import cleaned
from train.distill.sounds import SoundFile
from train.distill.spaces import embed_sound, texts_in_space

MANIFEST = ("package", "sha256", "concept")  # columns by which the manifest of recordings is known


def bank_of(given: str) -> list[str]:
    """Captions, each once, of a text file (one a line), a CSV with a column "caption" or the manifest's own, or of
    NAME=FOLDER, a captioned data set. Test clips' captions are left out.

    Raises:
        ValueError: there is no such file or set, or no caption in it.
    """
    name, equals, folder = given.partition("=")
    path = Path(given)
    if equals and name in SETS:
        found = [text for one in load_set(name, Path(folder)) if one.split != "test" for text in one.captions]
    elif not path.is_file():
        raise ValueError(f"There is no bank of captions {given}; give a .txt, a .csv, or NAME=FOLDER of a data set.")
    elif path.suffix.lower() == ".csv":
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            columns = file.readline().strip().split(",")
        if all(column in columns for column in MANIFEST):
            found = [text for row in load_manifest(path) if row.split == "train" for text in row.captions]
        else:
            found = [row["caption"] for row in csv_rows(path, ("caption",))]
    else:
        found = path.read_text(encoding="utf-8", errors="replace").splitlines()
    bank = cleaned(found)
    if not bank:
        raise ValueError(f"There is not one caption in {given}.")
    return bank


class Retrieval:
    """The nearest captions of a bank (`Expert`).

    Args:
        space: the CLAP to look with.
        bank: captions. vectors: of them, unit, [N, joint].
        count: captions for each sound.
    """

    def __init__(
        self, space: JointSpace | None, bank: Sequence[str], vectors: Tensor, count: int = 5,
        device: torch.device | None = None,
    ) -> None:  # fmt: skip
        self.name, self.space, self.bank, self.vectors, self.count = "retrieval", space, list(bank), vectors, count
        self.device = device or torch.device("cpu")

    def nearest(self, vectors: Tensor) -> list[list[str]]:
        """Captions nearest to unit vectors [B, joint], the nearest first."""
        found = (vectors @ self.vectors.T).topk(min(self.count, len(self.bank)), dim=1).indices
        return [[self.bank[i] for i in row] for row in found.tolist()]

    def propose(self, sounds: Sequence[SoundFile]) -> list[list[str]]:
        """`count` captions for each sound, the nearest first."""
        assert self.space is not None
        heard = [embed_sound(self.space, sound.wave, sound.rate, self.device) for sound in sounds]
        return self.nearest(torch.stack(heard)) if heard else []


def open_retrieval(
    given: str, space: JointSpace, known: str, cache: Path, count: int, device: torch.device
) -> Retrieval:
    """A retrieval over a bank, whose vectors are kept in the folder `cache`.

    Args:
        given: as `bank_of` takes it. known: what tells this CLAP from others.
    """
    bank = bank_of(given)
    digest = hashlib.sha256("\n".join([known, *bank]).encode()).hexdigest()[:16]
    path = cache / f"bank-{digest}.npy"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with aside(path) as neighbour:
            np.save(neighbour, texts_in_space(space, bank).numpy())
    with foreign(f"{path} is damaged; delete it, and it is made anew."):
        vectors = torch.from_numpy(np.load(path, allow_pickle=False))
    return Retrieval(space, bank, vectors, count, device)
