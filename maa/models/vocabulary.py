"""The sounds that a model has learned, with what is said of them as the text encoder sees it.

A folder keeps them as `vocabulary.json` (names, families, captions) and `vocabulary.safetensors` (a unit vector for
every caption: the mean of its token states).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save_file
from torch import Tensor

from maa.aside import aside, write_text

WORDS = "vocabulary.json"
VECTORS = "vocabulary.safetensors"
AGREEMENT = 1.0  # how much the mean over a sound's captions counts beside the nearest one
MUCH_NEARER = 0.2  # cosine by which another caption has to be nearer than the name to be said in its place


@dataclass(frozen=True)
class KnownSound:
    """A kind of sound that the network was trained on."""

    name: str  # "dog barking"
    family: str  # "animals", "tools", …
    sustained: bool  # goes on without a pause, as rain does
    captions: tuple[str, ...]  # what is said of it, its name among them


@dataclass(frozen=True)
class Match:
    """A known sound near a prompt."""

    sound: KnownSound
    caption: str  # of the sound, the nearest
    similarity: float  # cosine of the prompt and that caption, -1..1
    named: float = 1.0  # the same of the prompt and the sound's name

    @property
    def words(self) -> str:
        """The sound in words that the network knows: its name, or the nearest caption where that is much nearer."""
        return self.sound.name if self.similarity - self.named <= MUCH_NEARER else self.caption


class Vocabulary:
    """Known sounds, to be found by what a prompt means.

    Args:
        sounds: all of them; no caption belongs to two.
        vectors: [captions, D], unit norm, in the order of the sounds and of their captions.

    Raises:
        ValueError: there are more or fewer vectors than captions.
    """

    def __init__(self, sounds: Sequence[KnownSound], vectors: Tensor) -> None:
        self.sounds = tuple(sounds)
        self.captions = tuple(caption for sound in self.sounds for caption in sound.captions)
        if vectors.ndim != 2 or len(vectors) != len(self.captions):
            raise ValueError(f"{len(self.captions)} captions need as many vectors, not {tuple(vectors.shape)}.")
        self.vectors: NDArray[np.float32] = vectors.detach().cpu().float().numpy()
        counts = [len(sound.captions) for sound in self.sounds]
        self.firsts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int) if counts else np.zeros(0, int)
        self.counts = np.array(counts, int)
        self._owners = {caption.casefold(): sound for sound in self.sounds for caption in sound.captions}

    def sound_of(self, caption: str) -> KnownSound | None:
        """The sound that a caption or a name belongs to, whatever the case of its letters; None where none does."""
        return self._owners.get(caption.casefold())

    def nearest(self, vector: Tensor, count: int = 5) -> list[Match]:
        """The sounds that a unit vector [D] is nearest to, best first.

        A sound counts by its nearest caption and, less, by the mean over its captions: one odd caption is no proof.
        """
        if not self.sounds:
            return []
        # PyTorch multiplies: NumPy's own threads would spin on for a tenth of a second, in the way of the next network.
        cosines = torch.mv(torch.from_numpy(self.vectors), vector.detach().cpu().float()).numpy()
        best = np.maximum.reduceat(cosines, self.firsts)
        mean = np.add.reduceat(cosines, self.firsts) / self.counts
        matches = []
        for k in np.argsort(-(best + AGREEMENT * mean), kind="stable")[:count]:
            sound, own = self.sounds[k], cosines[self.firsts[k] : self.firsts[k] + self.counts[k]]
            named = float(own[sound.captions.index(sound.name)]) if sound.name in sound.captions else -1.0
            matches.append(Match(sound, sound.captions[int(own.argmax())], float(best[k]), named))
        return matches

    def save(self, folder: Path) -> None:
        """Write both files."""
        listed = [asdict(sound) for sound in self.sounds]
        write_text(folder / WORDS, json.dumps(listed, indent=1) + "\n")
        with aside(folder / VECTORS, f"{VECTORS}.tmp") as neighbour:
            save_file({"vectors": torch.from_numpy(self.vectors).half()}, str(neighbour))

    @classmethod
    def load(cls, folder: Path) -> Vocabulary | None:
        """The vocabulary of a model folder; None where it has none.

        Raises:
            ValueError: the files are damaged or do not belong together; the sentence names them.
        """
        if not (folder / WORDS).is_file() or not (folder / VECTORS).is_file():
            return None
        try:
            listed = json.loads((folder / WORDS).read_text(encoding="utf-8"))
            vectors = load((folder / VECTORS).read_bytes())["vectors"]  # not mapped: the file may be replaced
            return cls([_sound(one) for one in listed], vectors)
        except Exception as error:  # whatever damage makes of it
            wrong = f"{folder / WORDS} and {VECTORS} beside it are damaged ({str(error)[:200]}); restore them."
            raise ValueError(wrong) from error


def _sound(one: dict[str, Any]) -> KnownSound:
    captions = tuple(str(caption) for caption in one["captions"])
    if not captions:
        raise ValueError(f"{one['name']!r} has no captions")
    return KnownSound(str(one["name"]), str(one["family"]), bool(one["sustained"]), captions)
