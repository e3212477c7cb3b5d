"""What frozen towers give for the sounds and texts of a library; computed once, it never changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.aside import aside
from maa.foreign import foreign
from maa.models.aisfx import AisfxEncoder
from maa.models.msclap import Cnn14
from maa.models.text import TextEncoder, mean_pool
from train.data.library import Library
from train.data.manifest import Recording
from train.data.vectors import Vectors

SoundTower = AisfxEncoder | Cnn14


def features_file(library: Library, cache: Path, kind: str = "sounds") -> Path:
    """Where a folder keeps the vectors of a library's recordings, by its digest and by what has made them: of a
    streamed one, in a folder."""
    name = f"{kind}-{library.digest()[:16]}"
    return cache / (name if library.streamed else f"{name}.npy")


@torch.inference_mode()
def sound_features(library: Library, encoder: SoundTower, rate: int, cache: Path) -> Tensor:
    """One vector per recording, [N, width]; remembered in the folder `cache` under the library's digest.

    Of Cnn14, which hears at most nine seconds at once, it is the mean over a recording's windows.
    """
    path = features_file(library, cache, _kind(encoder))
    if not path.is_file():
        found = _heard(library, encoder, rate, range(len(library.rows)))
        with aside(path) as neighbour:
            np.save(neighbour, found)
    with foreign(f"{path} is damaged; delete it, and it is made anew."):
        return torch.from_numpy(np.load(path, allow_pickle=False))


def streamed_sound_features(library: Library, encoder: SoundTower, rate: int, cache: Path, first: float) -> Vectors:
    """The same of a streamed library, in files of which only what is asked for is read.

    Args:
        first: where to begin, as a share of all: processes that begin apart share out the work.
    """
    path = features_file(library, cache, _kind(encoder))
    vectors = Vectors(path, len(library.rows), lambda rows: _heard(library, encoder, rate, rows))
    vectors.make(first)
    return vectors


def _kind(encoder: SoundTower) -> str:
    return "cnn14" if isinstance(encoder, Cnn14) else "sounds"


@torch.inference_mode()
def _heard(library: Library, encoder: SoundTower, rate: int, rows: Sequence[int]) -> NDArray[np.float32]:
    device = next(encoder.parameters()).device
    waves = (torch.from_numpy(library.wave(i)).to(device)[None] for i in rows)
    return torch.cat([_vector(encoder, wave, rate) for wave in waves]).cpu().numpy()


def _vector(encoder: SoundTower, wave: Tensor, rate: int) -> Tensor:
    """[1, width] of a wave [1, n]."""
    return encoder.embed_windows(wave, rate).mean(1) if isinstance(encoder, Cnn14) else encoder.embed(wave, rate)


class SoundVectors:
    """The vectors of a library's own recordings in some space: of all of them at once, or made when they are asked for.

    Args:
        width: of a vector; 0 where there is no space.
        known: [recordings, width] of all. make: [1, width] of one, by its number; neither = only texts have vectors.
    """

    def __init__(
        self,
        width: int,
        device: torch.device,
        known: Tensor | None = None,
        make: Callable[[int], Tensor] | None = None,
    ) -> None:
        self.width, self.device, self.known, self.make = width, device, known, make

    def __bool__(self) -> bool:
        return self.known is not None or self.make is not None

    def of(self, recordings: Sequence[int]) -> Tensor:
        """Vectors [len(recordings), width]; anything for those below 0."""
        if self.known is not None:
            return self.known[torch.tensor(recordings).clamp_min(0).to(self.device)]
        found = torch.zeros(len(recordings), self.width, device=self.device)
        if self.make is not None:
            for row in sorted({row for row in recordings if row >= 0}):
                found[[k for k, one in enumerate(recordings) if one == row]] = self.make(row)
        return found


def sound_vectors(
    library: Library, encoder: SoundTower, rate: int, cache: Path, embed: Callable[[Tensor], Tensor]
) -> SoundVectors:
    """The vectors of a library's recordings, where `embed` takes what the encoder says [N, width] to."""
    device = next(encoder.parameters()).device
    if not library.streamed:
        known = embed(sound_features(library, encoder, rate, cache).to(device)).clone()
        return SoundVectors(known.shape[1], device, known)

    @torch.inference_mode()
    def make(row: int) -> Tensor:
        return embed(torch.from_numpy(_heard(library, encoder, rate, [row])).to(device))

    return SoundVectors(make(0).shape[1], device, make=make)


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

    def digest(self) -> str:
        """What tells these texts from others."""
        return hashlib.sha256(self.hashes.tobytes()).hexdigest()[:16]

    def text(self, number: int) -> str:
        """The text of a number."""
        wanted = int(self.hashes[number])
        return next(text for text in said_of(self.library.rows[int(self.rows[number])]) if _hash(text) == wanted)


def said_of(row: Recording) -> tuple[str, ...]:
    """The captions of a recording, and its concept."""
    return (*row.captions, row.concept)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def streamed_text_features(texts: Texts, read: Callable[[list[str]], Tensor], folder: Path, first: float) -> Vectors:
    """What `read` makes of texts, [M, width], in files of which only what is asked for is read; `first` as above."""

    def make(numbers: Sequence[int]) -> NDArray[np.float32]:
        return read([texts.text(number) for number in numbers]).float().cpu().numpy()

    vectors = Vectors(folder, len(texts), make)
    vectors.make(first)
    return vectors
