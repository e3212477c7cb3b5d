"""What frozen towers give for the sounds and texts of a library; computed once, it never changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.aside import aside
from maa.foreign import foreign
from maa.models.aisfx import AisfxEncoder
from maa.models.clap import ClapHeads
from maa.models.text import TextEncoder, mean_pool
from train.data.library import Library
from train.data.manifest import Recording
from train.data.vectors import Vectors


def features_file(library: Library, cache: Path) -> Path:
    """Where a folder keeps the vectors of a library's recordings, by its digest: of a streamed one in a folder."""
    name = f"sounds-{library.digest()[:16]}"
    return cache / (name if library.streamed else f"{name}.npy")


@torch.inference_mode()
def sound_features(library: Library, encoder: AisfxEncoder, rate: int, cache: Path) -> Tensor:
    """One vector per recording, [N, width]; remembered in the folder `cache` under the library's digest."""
    path = features_file(library, cache)
    if not path.is_file():
        found = _heard(library, encoder, rate, range(len(library.rows)))
        with aside(path) as neighbour:
            np.save(neighbour, found)
    with foreign(f"{path} is damaged; delete it, and it is made anew."):
        return torch.from_numpy(np.load(path, allow_pickle=False))


def streamed_sound_features(library: Library, encoder: AisfxEncoder, rate: int, cache: Path, first: float) -> Vectors:
    """The same of a streamed library, in files of which only what is asked for is read.

    Args:
        first: where to begin, as a share of all: processes that begin apart share out the work.
    """
    vectors = Vectors(
        features_file(library, cache), len(library.rows), lambda rows: _heard(library, encoder, rate, rows)
    )
    vectors.make(first)
    return vectors


@torch.inference_mode()
def _heard(library: Library, encoder: AisfxEncoder, rate: int, rows: Sequence[int]) -> NDArray[np.float32]:
    device = next(encoder.parameters()).device
    waves = (torch.from_numpy(library.wave(i)).to(device)[None] for i in rows)
    return torch.cat([encoder.embed(wave, rate) for wave in waves]).cpu().numpy()


class SoundVectors:
    """A library's own recordings in the joint space: known of all of them, or of a streamed library made when asked.

    Attributes:
        width: of a vector.
    """

    def __init__(self, library: Library, encoder: AisfxEncoder, heads: ClapHeads, rate: int, cache: Path) -> None:
        self.library, self.encoder, self.heads, self.rate = library, encoder, heads, rate
        self.device = next(heads.parameters()).device
        self.known: Tensor | None = None
        if not library.streamed:
            with torch.inference_mode():
                features = sound_features(library, encoder, rate, cache).to(self.device)
                self.known = heads.embed_audio(features).clone()
        self.width = heads.audio.linear1.out_features

    def of(self, recordings: Sequence[int]) -> Tensor:
        """Unit vectors [len(recordings), width] on the towers' device; anything for those below 0."""
        if self.known is not None:
            return self.known[torch.tensor(recordings).clamp_min(0).to(self.device)]
        found = torch.zeros(len(recordings), self.width, device=self.device)
        for row in sorted({row for row in recordings if row >= 0}):
            at = [k for k, one in enumerate(recordings) if one == row]
            features = torch.from_numpy(_heard(self.library, self.encoder, self.rate, [row])).to(self.device)
            found[at] = self.heads.embed_audio(features)
        return found


def token_states(encoder: TextEncoder, texts: Sequence[str]) -> tuple[Tensor, Tensor | None]:
    """Token states [M, K, D] of texts, and their mask [M, K] (True = a real token) where pads are hidden."""
    return encoder.token_states(list(texts))


@torch.inference_mode()
def text_features(encoder: TextEncoder, texts: Sequence[str], batch: int = 64) -> Tensor:
    """Mean-pooled token states, [M, width]."""
    return torch.cat(
        [mean_pool(*token_states(encoder, texts[start : start + batch])) for start in range(0, len(texts), batch)]
    )


class Texts(Mapping[str, int]):
    """All that is said of a streamed library's recordings, each text once, with its number.

    Sixteen bytes of each are in memory: a hash of it, and a recording that it is said of.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        hashes = np.fromiter((_hash(text) for row in library.rows for text in said_of(row)), np.uint64)
        self.hashes, first = np.unique(hashes, return_index=True)
        counts = np.cumsum([len(said_of(row)) for row in library.rows])
        self.rows = np.searchsorted(counts, first, side="right")

    def __len__(self) -> int:
        return len(self.hashes)

    def __iter__(self) -> Iterator[str]:
        return (self.text(number) for number in range(len(self)))

    def __getitem__(self, text: str) -> int:
        wanted = _hash(text)
        number = int(np.searchsorted(self.hashes, np.uint64(wanted)))
        if number == len(self) or int(self.hashes[number]) != wanted:
            raise KeyError(text)
        return number

    def text(self, number: int) -> str:
        """The text of a number."""
        wanted = int(self.hashes[number])
        return next(text for text in said_of(self.library.rows[int(self.rows[number])]) if _hash(text) == wanted)


def said_of(row: Recording) -> tuple[str, ...]:
    """The captions of a recording, and its concept."""
    return (*row.captions, row.concept)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def streamed_text_features(texts: Texts, encoder: TextEncoder, cache: Path, first: float) -> Vectors:
    """The texts' mean-pooled token states, in files of which only what is asked for is read; `first` as above."""

    def make(numbers: Sequence[int]) -> NDArray[np.float32]:
        return text_features(encoder, [texts.text(number) for number in numbers]).float().cpu().numpy()

    digest = hashlib.sha256(texts.hashes.tobytes()).hexdigest()[:16]
    vectors = Vectors(cache / f"texts-{digest}", len(texts), make)
    vectors.make(first)
    return vectors
