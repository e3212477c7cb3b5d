"""Write what `train.data.shards` reads."""

from __future__ import annotations

import json
import shutil
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maa.aside import aside, write_text
from train.data.bursts import find_bursts
from train.data.level import is_steady, loudest_level
from train.data.library import Library, shard_folders
from train.data.manifest import SPLITS, Recording
from train.data.shards import COLUMNS, FORMAT, HEAD, index_line, shard_name

SHARD = 1 << 26  # samples after which a shard ends: 128 MiB, 70 minutes at 16 kHz


@dataclass(frozen=True)
class Told:
    """What an index says of a recording."""

    row: Recording
    samples: int
    level: float  # RMS of its loudest 0.4 s
    steady: bool  # it neither begins nor ends in quiet
    spans: Sequence[Sequence[int]]  # [K, 2] samples of its single events
    sure: bool  # their number leaves no doubt
    core: Sequence[int]  # samples between which it is at its usual level

    @classmethod
    def of(cls, row: Recording, wave: NDArray[np.int16], rate: int) -> Told:
        """What is told of a recording with this waveform [samples]."""
        sound = wave.astype(np.float32) / np.float32(32768)
        bursts = find_bursts(sound, rate)
        level, steady = float(loudest_level(sound, rate)), bool(is_steady(sound, rate))
        return cls(row, len(wave), level, steady, bursts.spans.tolist(), bursts.sure, bursts.core)


def write_shard(folder: Path, number: int, waves: Sequence[NDArray[np.int16]]) -> int:
    """The samples of a shard, whole or not at all; how many."""
    samples = np.concatenate(waves) if waves else np.zeros(0, np.int16)
    with aside(folder / shard_name(number)) as neighbour:
        np.save(neighbour, samples)
    return len(samples)


def write_index(
    folder: Path,
    told: Callable[[], Iterable[Told]],
    sizes: Sequence[int],
    rate: int,
    digest: str,
    left_out: Mapping[str, int] | None = None,
) -> None:
    """Complete a folder that holds its shards; the head comes last, and without it there is no library.

    Args:
        told: all recordings in their order; called twice, so that they need not be in memory.
        sizes: samples of each shard. digest: of all that is in the library.
        left_out: how many recordings for what reason.
    """
    names = [one.row.concept for one in told()]
    concepts = sorted(set(names))
    numbers = {concept: number for number, concept in enumerate(concepts)}
    columns, spans = np.zeros(len(names) + 1, COLUMNS), array("i")
    with aside(folder / "rows.jsonl") as neighbour, neighbour.open("wb") as file:
        for k, one in enumerate(told()):
            file.write(index_line(one.row).encode() + b"\n")
            columns["first"][k + 1] = columns["first"][k] + one.samples
            columns["line"][k + 1] = file.tell()
            columns["concept"][k], columns["split"][k] = numbers[one.row.concept], SPLITS.index(one.row.split)
            columns["level"][k], columns["steady"][k] = one.level, one.steady
            columns["core"][k], columns["sure"][k] = one.core, one.sure
            spans.extend(edge for span in one.spans for edge in span)
            columns["burst"][k + 1] = len(spans) // 2
            for name in ("sustained", "event"):
                columns[name][k] = getattr(one.row, name)
    with aside(folder / "index.npy") as neighbour, neighbour.open("wb") as out:
        np.save(out, columns)
    with aside(folder / "bursts.npy") as neighbour, neighbour.open("wb") as out:
        np.save(out, np.array(spans, np.int32).reshape(-1, 2))
    write_text(folder / "concepts.json", json.dumps(concepts, ensure_ascii=False))
    head = {"format": FORMAT, "rate": rate, "recordings": len(names), "samples": list(sizes), "digest": digest}
    write_text(folder / HEAD, json.dumps({**head, "left out": dict(left_out or {})}) + "\n")


def write_stored(library: Library, root: Path, shard: int = SHARD) -> Path:
    """A library that is in memory as shards of about `shard` samples below `root`, where `Library.open` finds them."""
    folder = shard_folders(root, library.rate)[1]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sizes: list[int] = []
    for waves in _shares(library, shard):
        sizes.append(write_shard(folder, len(sizes), waves))

    def told() -> Iterator[Told]:
        for i, row in enumerate(library.rows):
            wave = library.store[int(library.offsets[i]) : int(library.offsets[i + 1])]
            yield Told.of(row, wave, library.rate)

    write_index(folder, told, sizes, library.rate, library.digest())
    return folder


def _shares(library: Library, shard: int) -> Iterator[list[NDArray[np.int16]]]:
    """Waveforms, as many at a time as a shard takes."""
    waves: list[NDArray[np.int16]] = []
    for first, last in zip(library.offsets[:-1].tolist(), library.offsets[1:].tolist(), strict=True):
        waves.append(library.store[first:last])
        if sum(map(len, waves)) >= shard:
            yield waves
            waves = []
    if waves:
        yield waves
