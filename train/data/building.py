"""Write a library in shards (`train.data.shards`): several processes decode, one writes.

It is put together in `library-16k.new/` beside the old one and takes its place when it is complete. A shard is there
whole or not at all, and with it what it was made from: a run that is killed loses one shard at most, and what an
earlier library begins with in the same way is taken from there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from maa.aside import write_text
from maa.foreign import foreign
from train.data.apart import Digests, Known, digests_of
from train.data.check import Findings, Problem, examine
from train.data.level import RATE, at_rate, to_int16, windows
from train.data.library import shard_folders
from train.data.manifest import Recording
from train.data.shards import FORMAT, HEAD, index_line, recording_of, shard_name
from train.data.storing import SHARD, Told, write_index, write_shard

AHEAD = 32  # recordings that are being decoded or wait to be written
DIGESTS = "held-out.jsonl"  # while it is built: digests of what is held out, a line each

Job = TypeVar("Job")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Item:
    """A recording that shall be in a library."""

    recording: Recording  # with a path that is its own among all data sets
    file: Path
    rate: int | None  # Hz that the file must have, where its data set promises one


@dataclass(frozen=True)
class Ready:
    """A recording as a worker gives it back: either a problem, or windows and digests."""

    windows: list[tuple[Told, NDArray[np.int16]]]  # those in which something is heard
    digests: Digests | None
    problem: Problem | None


def prepare(item: Item, rate: int = RATE) -> Ready:
    """Decode a recording, and cut and level it."""
    findings = Findings()
    sound = examine(item.recording.id, item.file, findings, rate=item.rate)
    if sound is None:
        return Ready([], None, findings.problems[0])
    found = windows(at_rate(sound.samples, sound.rate, rate), rate)
    ready = []
    for k, one in enumerate(found):
        if one is not None:
            wave = to_int16(one)
            ready.append((Told.of(replace(item.recording, window=(k + 1, len(found))), wave, rate), wave))
    return Ready(ready, digests_of(sound), None)


def digest(item: Item) -> Digests | None:
    """What a recording is known by; None for a bad one."""
    sound = examine(item.recording.id, item.file, Findings(), rate=item.rate)
    return None if sound is None else digests_of(sound)


@dataclass
class Shard:
    """What a shard was made from and what is in it, without its samples."""

    mark: str  # a digest of the recordings that it was made from, and of the shards before it
    last: int  # number of the item behind those that it was made from
    rows: list[dict[str, Any]]  # what is told of each, as JSON
    digests: list[tuple[str, str, list[str]]]  # name, split and digests of each good recording
    problems: list[dict[str, str]]


class Builder:
    """One library at one rate.

    Args:
        items: every recording, in the order of the library; what is known to be the same by name is out already.
        to: the folder that holds it.
        findings: gets what is wrong with recordings.
        workers: processes that decode; 1 = this one.
    """

    def __init__(self, items: Sequence[Item], to: Path, findings: Findings, rate: int = RATE, workers: int = 1) -> None:
        self.items, self.findings, self.rate, self.workers = items, findings, rate, workers
        self.new, self.place = shard_folders(to, rate)
        self.known = Known()

    def build(self) -> Path:
        """Write it, from where an earlier run was stopped; returns its folder.

        Raises:
            ValueError: not one recording is good.
        """
        settle(self.new, self.place)
        self.new.mkdir(parents=True, exist_ok=True)
        context = get_context("forkserver")
        pool = nullcontext() if self.workers == 1 else ProcessPoolExecutor(self.workers, mp_context=context)
        with tqdm(total=len(self.items), unit=" recordings", disable=None) as bar, pool as processes:
            mark, sizes, at = self._hold_out(processes), list[int](), 0
            while at < len(self.items):
                number = len(sizes)
                shard = self._kept(number, at, mark) or self._write(number, at, mark, processes)
                sizes.append(sum(row["samples"] for row in shard.rows))
                bar.update(shard.last - at)
                at, mark = shard.last, shard.mark
        if not any(sizes):
            raise ValueError(f"No recording can be used: {self.findings.summary(len(self.items))}")
        self._finish(sizes, mark)
        return self.place

    def _hold_out(self, pool: ProcessPoolExecutor | None) -> str:
        """Learn what is not for training before anything is decoded that is; a digest of it."""
        path = self.new / DIGESTS
        remembered = _remembered(path)
        held = [item for item in self.items if item.recording.split != "train"]
        todo = [item for item in held if _stamp(item) not in remembered]
        with path.open("a", encoding="utf-8") as file:
            for item, found in zip(todo, _in_order(digest, todo, pool), strict=True):
                remembered[_stamp(item)] = None if found is None else [one.hex() for one in found]
                file.write(json.dumps([_stamp(item), remembered[_stamp(item)]]) + "\n")
                file.flush()
        for item in held:
            digests = remembered[_stamp(item)] or ()
            self.known.hold_out(item.recording.id, item.recording.split, map(bytes.fromhex, digests))
        told = sorted((key.hex(), *owner) for key, owner in self.known.held_out.items())
        return hashlib.sha256(json.dumps([FORMAT, self.rate, SHARD, told]).encode()).hexdigest()

    def _kept(self, number: int, first: int, mark: str) -> Shard | None:
        """A shard that is there already, made of the same recordings behind the same shards."""
        for folder in (self.new, self.place):
            shard = read_shard(folder, number)
            if shard is None or shard.mark != self._mark(mark, first, shard.last):
                continue
            for name in () if folder == self.new else (shard_name(number), _described(number)):
                (self.new / name).unlink(missing_ok=True)
                _link(folder / name, self.new / name)
            for name, split, digests in shard.digests:
                self.known.why_not(name, split, map(bytes.fromhex, digests))
            self.findings.problems += [Problem(**one) for one in shard.problems]
            return shard
        return None

    def _write(self, number: int, first: int, mark: str, pool: ProcessPoolExecutor | None) -> Shard:
        """Decode recordings from number `first` on until a shard is full."""
        waves: list[NDArray[np.int16]] = []
        shard, size, before = Shard("", first, [], [], []), 0, len(self.findings.problems)
        jobs = (self.items[number] for number in range(first, len(self.items)))
        for one in _in_order(partial(prepare, rate=self.rate), jobs, pool):
            item = self.items[shard.last]
            shard.last += 1
            row, problem = item.recording, one.problem
            if one.digests is not None:
                problem = self.known.why_not(row.id, row.split, one.digests)
            if problem is not None or one.digests is None:
                self.findings.problems += [] if problem is None else [problem]
                continue
            shard.digests.append((row.id, row.split, [digest.hex() for digest in one.digests]))
            for told, wave in one.windows:
                waves.append(wave)
                shard.rows.append({**asdict(told), "row": json.loads(index_line(told.row))})
                size += len(wave)
            if size >= SHARD:
                break
        shard.problems = [asdict(problem) for problem in self.findings.problems[before:]]
        shard.mark = self._mark(mark, first, shard.last)
        (self.new / _described(number)).unlink(missing_ok=True)
        write_shard(self.new, number, waves)
        write_text(self.new / _described(number), json.dumps(asdict(shard), ensure_ascii=False))
        return shard

    def _mark(self, before: str, first: int, last: int) -> str:
        found = hashlib.sha256(before.encode())
        for item in self.items[first:last]:
            found.update(f"{index_line(item.recording)} {item.rate} {_stamp(item)}\n".encode())
        return found.hexdigest()

    def _told(self, shards: int) -> Iterator[Told]:
        for number in range(shards):
            shard = read_shard(self.new, number)
            if shard is None:
                raise ValueError(f"Shard {number} in {self.new} was changed meanwhile; run the same command again.")
            for row in shard.rows:
                yield Told(**{**row, "row": recording_of(row["row"])})

    def _finish(self, sizes: Sequence[int], digest: str) -> None:
        write_text(self.new / "left-out.txt", "".join(f"{problem}\n" for problem in self.findings.problems))
        for path in (self.new / DIGESTS, *_beyond(self.new, len(sizes))):
            path.unlink(missing_ok=True)
        told = partial(self._told, len(sizes))
        write_index(self.new, told, sizes, self.rate, digest, self.findings.count())
        settle(self.new, self.place)


def settle(new: Path, place: Path) -> None:
    """Let a library that is complete take its place; until then it is opened where it is."""
    if (new / HEAD).is_file():
        shutil.rmtree(place, ignore_errors=True)
        os.rename(new, place)


def read_shard(folder: Path, number: int) -> Shard | None:
    """What is known of a shard; None where it is not there, or damaged."""
    path = folder / _described(number)
    if not path.is_file() or not (folder / shard_name(number)).is_file():
        return None
    with suppress(ValueError), foreign("damaged"):
        shard = Shard(**json.loads(path.read_text(encoding="utf-8")))
        samples = np.load(folder / shard_name(number), mmap_mode="r" if shard.rows else None, allow_pickle=False)
        return shard if len(samples) == sum(row["samples"] for row in shard.rows) else None
    return None


def _described(number: int) -> str:
    return f"shard-{number:05d}.json"


def _beyond(folder: Path, count: int) -> Iterator[Path]:
    """Shards that an earlier run left behind those that belong to this one."""
    for path in folder.glob("shard-*.*"):
        if int(path.stem.removeprefix("shard-")) >= count:
            yield path


def _stamp(item: Item) -> str:
    """What changes when a file does."""
    stat = item.file.stat() if item.file.is_file() else None
    return json.dumps([str(item.file), None if stat is None else (stat.st_size, stat.st_mtime_ns)])


def _remembered(path: Path) -> dict[str, list[str] | None]:
    """Digests by stamp that a run left that was stopped; its last line may be half."""
    found: dict[str, list[str] | None] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else ():
        with suppress(ValueError), foreign("half a line"):
            stamp, digests = json.loads(line)
            found[stamp] = digests
    return found


def _link(source: Path, to: Path) -> None:
    try:
        os.link(source, to)
    except OSError:
        shutil.copy2(source, to)


def _in_order(make: Callable[[Job], Made], jobs: Iterable[Job], pool: ProcessPoolExecutor | None) -> Iterator[Made]:
    """What is made of jobs, in their order, by processes that are never far ahead of whoever asks."""
    if pool is None:
        yield from map(make, jobs)
        return
    source, waiting = iter(jobs), deque[Future[Made]]()
    waiting.extend(pool.submit(make, job) for job in islice(source, AHEAD))
    try:
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(make, job) for job in islice(source, 1))
    finally:
        for future in waiting:
            future.cancel()
