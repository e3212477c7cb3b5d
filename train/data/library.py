"""All recordings at one rate: decoded, trimmed and levelled once, then kept in one compressed file that is read into
memory, or in shards that are not (`train.data.shards`, written by `train.data.building`)."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maa.aside import aside
from maa.foreign import foreign
from train.data.blocks import decode_blocks, forget_blocks
from train.data.check import Findings, examine
from train.data.grouped import Grouped
from train.data.level import RATE, at_rate, is_steady, loudest_level, to_int16, trim_and_level
from train.data.manifest import MANIFEST, SPLITS, Recording, load_manifest
from train.data.shards import HEAD, Lines, Shards, Stored, folder_name, index_line, read_stored, recording_of


def cache_name(rate: int = RATE) -> str:
    """The file that keeps a library of one rate in Hz."""
    return f"library-{rate // 1000}k.npz"


CACHE = cache_name()
BLOCKS = ".blocks"  # beside it, while it is built


class Library:
    """Recordings and their waveforms.

    Args:
        rows: the recordings.
        samples: int16 [total], the waveforms one after another, in memory or in shards.
        offsets: int64 [rows + 1], where each begins.
        left_out: paths of recordings that were found to be bad.
        rate: Hz of the waveforms.
        stored: the folder of shards that all this is from.

    Attributes:
        streamed: True where the samples are in shards: nothing may ask for all of them, and training takes every
            recording once before it takes one again (`train.data.order`).
    """

    def __init__(
        self,
        rows: Sequence[Recording],
        samples: NDArray[np.int16] | Shards,
        offsets: NDArray[np.int64],
        left_out: Sequence[str] = (),
        rate: int = RATE,
        stored: Stored | None = None,
    ) -> None:
        if len(offsets) != len(rows) + 1 or offsets[-1] != len(samples):
            raise ValueError("The library's waveforms do not fit its rows; delete the cache file and open it again.")
        self.rows: Sequence[Recording] = rows if isinstance(rows, Lines) else tuple(rows)
        self.store = samples
        self.offsets = offsets
        self.left_out = frozenset(left_out)
        self.rate = rate
        self.stored = stored

    @property
    def streamed(self) -> bool:
        return isinstance(self.store, Shards)

    @property
    def samples(self) -> NDArray[np.int16]:
        """All samples [total], read into memory where they are in shards."""
        return self.store[:] if isinstance(self.store, Shards) else self.store

    @classmethod
    def of(cls, stored: Stored) -> Library:
        """A library in shards."""
        first = np.ascontiguousarray(stored.columns["first"])
        return cls(stored.rows, stored.samples, first, (), stored.rate, stored)

    @classmethod
    def open(cls, root: Path = Path("data"), manifest: Path = MANIFEST, rate: int = RATE) -> Library:
        """Open `root`/library-16k (or that of another rate), load `root`/library-16k.npz, or build that from
        `root`/recordings and save it.

        A cache that was built from another manifest is built again when the recordings are there, or gets new labels
        where only those differ; without them it serves as it is, so a machine that trains needs nothing but this file.
        """
        for folder in shard_folders(root, rate):
            if (folder / HEAD).is_file():
                return cls.of(read_stored(folder))
        cached, recordings = root / cache_name(rate), root / "recordings"
        stored = cls.load(cached) if cached.is_file() else None
        if stored is not None and not recordings.is_dir():
            return stored
        present = [row.recording() for row in load_manifest(manifest) if (recordings / row.path).is_file()]
        if stored is not None:
            wanted = [row for row in present if not stored.rejects(recordings / row.path, row.path.as_posix(), cached)]
            if not present or list(stored.rows) == wanted:
                return stored
            if [row.path for row in stored.rows] == [row.path for row in wanted]:  # the same sounds, other words
                stored = cls(wanted, stored.samples, stored.offsets, sorted(stored.left_out), rate)
                stored.save(cached)
                return stored
        if not present:
            raise ValueError(f"There are no recordings in {recordings}; fetch them with `python -m train.data fetch`.")
        findings = Findings()
        kept = root / BLOCKS
        built = cls.build(present, recordings, findings, rate=rate, kept=kept)
        if findings.problems:
            print("\n".join(map(str, findings.problems)), findings.summary(len(present)), sep="\n", file=sys.stderr)
        built.save(cached)
        forget_blocks(kept)
        return built

    @classmethod
    def build(
        cls,
        rows: Sequence[Recording],
        recordings: Path,
        findings: Findings | None = None,
        rates: Sequence[int | None] | None = None,
        rate: int = RATE,
        kept: Path | None = None,
    ) -> Library:
        """Decode every recording below `recordings`; bad ones are left out and noted in `findings`.

        Args:
            rates: Hz that each file must have, where its data set promises one.
            rate: Hz of the library.
            kept: folder for what is decoded already, so that a run that is killed goes on; see `decode_blocks`.

        Raises:
            ValueError: not one recording is good.
        """
        findings = Findings() if findings is None else findings
        promised = rates or [None] * len(rows)

        def decode(k: int, found: Findings) -> NDArray[np.int16] | None:
            sound = examine(rows[k].path.as_posix(), recordings / rows[k].path, found, rate=promised[k])
            return None if sound is None else to_int16(trim_and_level(at_rate(sound.samples, sound.rate, rate), rate))

        folder = None if kept is None else kept / f"{rate}"
        decoded = dict(decode_blocks(rows, recordings, decode, findings, folder))
        good, waves = [rows[k] for k in decoded], list(decoded.values())
        if not good:
            raise ValueError(f"No recording in {recordings} can be used: {findings.summary(len(rows))}")
        offsets = np.cumsum([0, *(len(wave) for wave in waves)], dtype=np.int64)
        return cls(good, np.concatenate(waves), offsets, [problem.row for problem in findings.problems], rate)

    @classmethod
    def load(cls, path: Path) -> Library:
        """Read a cache file; needs nothing but NumPy. ValueError where it is damaged."""
        damaged = f"{path} is damaged; delete it, and build it again."
        with path.open("rb") as stream, foreign(damaged), np.load(stream, allow_pickle=False) as file:
            lines = json.loads(str(file["rows"]))
            rows = [recording_of(line) for line in lines]
            left_out = json.loads(str(file["left_out"])) if "left_out" in file.files else []
            rate = int(file["rate"]) if "rate" in file.files else RATE
            return cls(rows, file["samples"], file["offsets"], left_out, rate)

    def save(self, path: Path) -> None:
        """Write the cache file, whole or not at all."""
        lines = [json.loads(index_line(row)) for row in self.rows]
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside(path, f"{path.name}.part") as neighbour, neighbour.open("wb") as file:
            rows, left_out = (np.array(json.dumps(x)) for x in (lines, sorted(self.left_out)))
            rate = np.array(self.rate)
            np.savez_compressed(
                file, samples=self.samples, offsets=self.offsets, rows=rows, left_out=left_out, rate=rate
            )

    def rejects(self, path: Path, name: str, cached: Path) -> bool:
        """Whether the file was found to be bad when `cached` was made, and has not changed since."""
        return name in self.left_out and path.stat().st_mtime <= cached.stat().st_mtime

    def wave(self, i: int) -> NDArray[np.float32]:
        """Waveform [samples] of recording `i`, within ±1."""
        return self.store[int(self.offsets[i]) : int(self.offsets[i + 1])].astype(np.float32) / np.float32(32768)

    def seconds(self, i: int) -> float:
        """Length of recording `i` after trimming."""
        return float(self.offsets[i + 1] - self.offsets[i]) / self.rate

    def digest(self) -> str:
        """What tells this library's sounds from those of another."""
        if self.stored is not None:
            return self.stored.digest
        return hashlib.sha256(self.samples.tobytes() + self.offsets.tobytes()).hexdigest()

    @cached_property
    def concepts(self) -> tuple[str, ...]:
        """All concepts, sorted."""
        return tuple(sorted({row.concept for row in self.rows})) if self.stored is None else self.stored.concepts

    @cached_property
    def concept_of(self) -> NDArray[np.int32]:
        """The number of each recording's concept among all, [N]."""
        if self.stored is not None:
            return np.ascontiguousarray(self.stored.columns["concept"][:-1])
        numbers = {concept: number for number, concept in enumerate(self.concepts)}
        return np.array([numbers[row.concept] for row in self.rows], np.int32)

    def indices(self, split: str | None = None) -> NDArray[np.int64]:
        """Indices of the recordings of one split ("train", "valid", "test"), or of all."""
        if self.stored is not None and split is not None:
            return np.flatnonzero(self.stored.columns["split"][:-1] == SPLITS.index(split))
        if split is None:
            return np.arange(len(self.rows), dtype=np.int64)
        return np.array([i for i, row in enumerate(self.rows) if row.split == split], dtype=np.int64)

    def by_concept(self, split: str | None = None) -> dict[str, NDArray[np.int64]]:
        """Indices of the recordings of each concept, sorted by concept."""
        groups = self.groups(self.indices(split))
        return {self.concepts[self.concept_of[group[0]]]: group for group in groups}

    @cached_property
    def levels(self) -> NDArray[np.float32]:
        """RMS of the loudest 0.4 s of each recording, within 1."""
        if self.stored is not None:
            return np.ascontiguousarray(self.stored.columns["level"][:-1])
        return np.array([loudest_level(self.wave(i), self.rate) for i in range(len(self.rows))], np.float32)

    @cached_property
    def sustained(self) -> NDArray[np.bool_]:
        """Recordings of sounds that last, [N]: rain, an engine, a crowd; not a bark."""
        return self._flags("sustained")

    @cached_property
    def events(self) -> NDArray[np.bool_]:
        """Recordings that may be sampled as events, [N]: a class label names all that is heard."""
        return self._flags("event")

    def _flags(self, name: str) -> NDArray[np.bool_]:
        if self.stored is not None:
            return np.ascontiguousarray(self.stored.columns[name][:-1])
        return np.array([getattr(row, name) for row in self.rows], bool)

    @cached_property
    def sustained_concepts(self) -> frozenset[str]:
        """Names of the sounds that last: what a clip of one of them must never fall silent in."""
        return frozenset(self.concepts[number] for number in np.unique(self.concept_of[self.sustained]))

    @cached_property
    def steady(self) -> NDArray[np.bool_]:
        """Recordings that neither begin nor end in quiet, as rain does and a bark does not: they can be looped."""
        if self.stored is not None:
            return self._flags("steady")
        return np.array([is_steady(self.wave(i), self.rate) for i in range(len(self.rows))], bool)

    def groups(self, indices: Sequence[int] | NDArray[np.int64]) -> Grouped:
        """The same indices, grouped by concept."""
        chosen = np.asarray(indices, np.int64)
        return Grouped(chosen, self.concept_of[chosen])


def shard_folders(root: Path, rate: int) -> tuple[Path, Path]:
    """Where a library in shards may lie: a new one that was not yet moved to its place, and that place."""
    name = folder_name(rate)
    return root / f"{name}.new", root / name
