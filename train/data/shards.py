"""A library on disk that may be larger than any memory: samples in memory-mapped shards, recordings in a mapped index.

A folder `library-16k/` (of another rate: its kHz) holds

    library.json       the head: format, rate, samples of each shard, a digest of it all; written last
    shard-00000.npy    int16 [n], waveforms one after another; a recording never crosses shards
    index.npy          COLUMNS [recordings + 1], what is asked of all recordings at once
    bursts.npy         int32 [events, 2], the samples between which single events of a recording sound
    rows.jsonl         a line of JSON for each recording: its words, split and path
    concepts.json      the names that `index.npy` numbers, sorted
    left-out.txt       why recordings were left out, a line each
    shard-00000.json   what the shard was made from, so that a build goes on and a later one may use it again

and is read with NumPy alone.
"""

from __future__ import annotations

import json
import mmap
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from maa.foreign import foreign
from train.data.bursts import Bursts
from train.data.manifest import Recording

FORMAT = 1
HEAD = "library.json"
MAPPED = 64  # shards that are mapped at a time: each holds a file open and, where it was read, address space
REMEMBERED = 4096  # recordings whose lines stay parsed
COLUMNS = np.dtype(
    [
        ("first", "<i8"),  # sample of the library at which a recording begins; behind the last, their number
        ("line", "<i8"),  # byte of rows.jsonl at which its line begins; likewise
        ("concept", "<i4"),  # its number in concepts.json
        ("burst", "<i8"),  # row of bursts.npy at which its single events begin; likewise
        ("core", "<i4", 2),  # samples of it between which it is at its usual level
        ("level", "<f4"),  # RMS of its loudest 0.4 s
        ("split", "i1"),  # its number in SPLITS
        ("sustained", "?"),
        ("steady", "?"),
        ("sure", "?"),  # the number of its events leaves no doubt
        ("event", "?"),
    ]
)


def folder_name(rate: int) -> str:
    """The folder of a library of one rate in Hz."""
    return f"library-{rate // 1000}k"


def shard_name(number: int) -> str:
    """The file of a shard's samples."""
    return f"shard-{number:05d}.npy"


def index_line(row: Recording) -> str:
    """A recording as a line of JSON."""
    return json.dumps({**asdict(row), "path": row.path.as_posix()}, ensure_ascii=False)


def recording_of(content: dict[str, Any]) -> Recording:
    """A recording from its JSON; of older files, too."""
    parsed: dict[str, Any] = {name: tuple(content[name]) for name in ("captions", "window") if name in content}
    return Recording(**{**content, **parsed, "path": Path(content["path"])})


class Shards:
    """The samples int16 of a library, one waveform after another; only what is read comes into memory.

    Any number of threads may read.

    Args:
        folder: of the shards. sizes: samples of each.
    """

    def __init__(self, folder: Path, sizes: Sequence[int]) -> None:
        self.folder = folder
        self.bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.lock = threading.Lock()
        self.mapped: OrderedDict[int, NDArray[np.int16]] = OrderedDict()
        self.begins: dict[str, int] = {}  # byte of each shard's first sample, where it was looked at

    def __len__(self) -> int:
        return int(self.bounds[-1])

    def __getitem__(self, stretch: slice) -> NDArray[np.int16]:
        """A copy of consecutive samples."""
        first, last, _ = stretch.indices(len(self))
        found = np.empty(max(0, last - first), np.int16)
        self.read(first, found)
        return found

    def read(self, first: int, into: NDArray[np.int16]) -> None:
        """Fill `into` [n] with the samples from number `first` on."""
        number, at = int(np.searchsorted(self.bounds, first, side="right")) - 1, 0
        while at < len(into):
            begin = first + at - int(self.bounds[number])
            count = min(len(into) - at, int(self.bounds[number + 1] - self.bounds[number]) - begin)
            if count > 0:
                into[at : at + count] = self._shard(number)[begin : begin + count]
                at += count
            number += 1

    def _shard(self, number: int) -> NDArray[np.int16]:
        with self.lock:
            if number not in self.mapped:
                path = self.folder / shard_name(number)
                with foreign(f"{path} is missing or damaged; build the library again."):
                    self.mapped[number] = self._map(path, int(self.bounds[number + 1] - self.bounds[number]))
            self.mapped.move_to_end(number)
            while len(self.mapped) > MAPPED:
                self.mapped.popitem(last=False)  # unmapped when its last reader is done
            return self.mapped[number]

    def _map(self, path: Path, size: int) -> NDArray[np.int16]:
        with open(path, "rb") as file:
            if path.name not in self.begins:
                whole = np.load(path, mmap_mode="r", allow_pickle=False)
                if whole.dtype != np.int16 or whole.shape != (size,):
                    raise ValueError
                self.begins[path.name] = whole.offset
            # What `np.load` does besides takes ten times as long, and each row of a batch may be of another shard.
            bytes_of_it = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            return np.frombuffer(bytes_of_it, np.int16, size, self.begins[path.name])


class Lines(Sequence[Recording]):
    """The recordings of a library, each parsed when it is asked for."""

    def __init__(self, path: Path, begins: NDArray[np.int64]) -> None:
        self.begins = begins
        with path.open("rb") as file:
            self.text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.parsed = lru_cache(REMEMBERED)(self._parse)

    def __len__(self) -> int:
        return len(self.begins) - 1

    @overload
    def __getitem__(self, at: int) -> Recording: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Recording, ...]: ...
    def __getitem__(self, at: int | slice) -> Recording | tuple[Recording, ...]:
        if isinstance(at, slice):
            return tuple(self.parsed(i) for i in range(*at.indices(len(self))))
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return self.parsed(int(at) % len(self))

    def _parse(self, i: int) -> Recording:
        return recording_of(json.loads(self.text[int(self.begins[i]) : int(self.begins[i + 1])]))


@dataclass(frozen=True)
class Stored:
    """A library in shards, opened."""

    folder: Path
    rate: int  # Hz
    digest: str  # of its samples and rows
    columns: NDArray[np.void]  # COLUMNS [recordings + 1], mapped
    spans: NDArray[np.int32]  # of bursts.npy, mapped
    rows: Lines
    samples: Shards

    @cached_property
    def concepts(self) -> tuple[str, ...]:
        """All concepts, sorted."""
        return tuple(json.loads((self.folder / "concepts.json").read_text(encoding="utf-8")))

    def bursts(self, i: int) -> Bursts:
        """The events of recording `i`."""
        told, behind = self.columns[i], self.columns[i + 1]
        spans = np.array(self.spans[int(told["burst"]) : int(behind["burst"])], np.int64)
        return Bursts(spans, bool(told["sure"]), (int(told["core"][0]), int(told["core"][1])))


def read_stored(folder: Path) -> Stored:
    """Open a folder that is complete.

    Raises:
        ValueError: it is damaged, or from a later version of this program.
    """
    damaged = f"{folder} is damaged; build the library again."
    with foreign(damaged):
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        layout = head["format"]
    if layout != FORMAT:
        raise ValueError(f"{folder} has the layout {layout}, this program reads {FORMAT}; build the library again.")
    with foreign(damaged):
        columns = np.load(folder / "index.npy", mmap_mode="r", allow_pickle=False)
        spans = np.load(folder / "bursts.npy", mmap_mode="r", allow_pickle=False)
        samples = Shards(folder, head["samples"])
        rows = Lines(folder / "rows.jsonl", columns["line"])
        if columns.dtype != COLUMNS or columns["first"][-1] != len(samples) or columns["line"][-1] != len(rows.text):
            raise ValueError
        if spans.dtype != np.int32 or columns["burst"][-1] != len(spans):
            raise ValueError
        return Stored(folder, int(head["rate"]), str(head["digest"]), columns, spans, rows, samples)
