"""How training reads a library that does not fit into memory: batches per second, and the memory that is held.

A library of any length is made up in a few hundred megabytes: one shard of noise bursts, linked to as often as it
takes, and an index in which every recording is its own. Each length is measured in a process of its own.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from train.data.bursts import find_bursts
from train.data.crops import WaveCrops
from train.data.level import RATE
from train.data.library import Library, shard_folders
from train.data.manifest import Recording
from train.data.order import Order
from train.data.prompts.composer import Composer
from train.data.shards import shard_name
from train.data.storing import Told, write_index, write_shard
from train.trainer.draw import Draw

SECONDS = 10  # of a recording
EACH = 360  # recordings in a shard: an hour
NAMES = 527  # classes of half of the recordings; of the others each has a caption of its own
CROP, CLIP = 16_384, 159_744  # samples: of a vocoder's crops, of a diffusion network's clips
Events = tuple[list[list[int]], bool, tuple[int, int]]
WARM = 0.25  # share of what is measured that is done before
HEAD = (
    f"{'hours':>6} {'read from':<10}{'recordings':>11}{'private MiB':>13}{'of them grown':>15}{'file MiB':>10}"
    f"{'crops/s':>10}{'/CPU s':>8}{'clips/s':>9}{'/CPU s':>8}"
)


@dataclass(frozen=True)
class Measured:
    """A line of the table. MiB: private = anonymous memory of the process, with PyTorch in it; grown = how much of it
    came in the second half of the work; file = mapped pages of files, which the system takes back when it likes."""

    hours: int
    source: str  # "disk" or "memory"
    recordings: int
    private: float
    grown: float
    file: float
    crops: tuple[float, float]  # waveforms a second, and a second of a CPU's time: others may be at work there
    clips: tuple[float, float]

    def __str__(self) -> str:
        return (
            f"{self.hours:>6} {self.source:<10}{self.recordings:>11,}{self.private:>13.0f}{self.grown:>15.1f}"
            f"{self.file:>10.0f}{self.crops[0]:>10.0f}{self.crops[1]:>8.0f}{self.clips[0]:>9.1f}{self.clips[1]:>8.1f}"
        )


def bench(hours: Sequence[int], held: int, batches: int, clips: int, to: Path | None = None) -> Iterator[str]:
    """The lines of the table, one by one.

    Args:
        hours: of libraries that are read from the disk; those up to `held` also from memory.
        batches: of 64 crops. clips: of 9.984 s, composed.
        to: folder for the made up library; None = a temporary one.

    Raises:
        ValueError: the system does not say how much memory a process has.
    """
    if not Path("/proc/self/status").is_file():
        raise ValueError("Only Linux says how much memory of a process is its own; run this there.")
    yield HEAD
    with tempfile.TemporaryDirectory(dir=to) as folder:
        for count in hours:
            root = Path(folder) / str(count)
            make_up(root, count, Path(folder) / shard_name(0))
            for source in ("disk", "memory") if count <= held else ("disk",):
                # A process that was not there before has no memory of what was measured before.
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                    yield str(pool.submit(measure_stream, root, count, source, batches, clips).result())


def make_up(root: Path, hours: int, shard: Path) -> None:
    """A library of so many hours, every shard of it a link to one that is made if it is not there."""
    folder, size = shard_folders(root, RATE)[1], SECONDS * RATE
    folder.mkdir(parents=True)
    if not shard.is_file():
        write_shard(shard.parent, 0, list(_bursts(size)))
    for number in range(hours):
        os.link(shard, folder / shard_name(number))
    heard = [
        find_bursts(wave.astype(np.float32) / np.float32(32768), RATE) for wave in np.load(shard).reshape(EACH, -1)
    ]
    told = partial(_told, hours * EACH, size, [(bursts.spans.tolist(), bursts.sure, bursts.core) for bursts in heard])
    write_index(folder, told, [EACH * size] * hours, RATE, f"made up, {hours} hours")


def _bursts(size: int) -> Iterator[NDArray[np.int16]]:
    """Recordings of noise that comes and goes, for one shard."""
    rng = np.random.default_rng(0)
    for _ in range(EACH):
        loud = np.repeat(rng.random(20) < 0.5, size // 20)
        yield (rng.standard_normal(size, dtype=np.float32) * (40 + 2000 * loud)).astype(np.int16)


def _told(count: int, size: int, bursts: Sequence[Events]) -> Iterator[Told]:
    for i in range(count):
        event = i % 2 == 0
        said = f"class {i // 2 % NAMES}" if event else f"somebody describes recording number {i} in a sentence"
        row = Recording(f"made/{i}", said, "made up", (said,), "train", Path(f"made/{i}.wav"), event=event)
        yield Told(row, size, 0.1, i % 4 == 0, *bursts[i % EACH])


def measure_stream(root: Path, hours: int, source: str, batches: int, clips: int) -> Measured:
    """Crop and compose in this process, as the stages do."""
    torch.set_num_threads(1)
    library = Library.open(root)
    if source == "memory":
        library = Library(library.rows[:], library.samples, library.offsets, (), library.rate)
    crops, order = WaveCrops(library, "train", CROP), Order(len(library.rows), 0)
    composer = Composer(library, library.indices("train"), CLIP, RATE, natural=True)

    def clip(number: int) -> None:
        at_hand = int(order.at(np.array([number]))[0])
        composer.render([composer.plan(np.random.default_rng([0, number]), at_hand)])

    def batch(step: int) -> None:
        crops.of(Draw(0, step, 0.0), 64)

    fast, crops_grown = _timed(batch, batches)
    rates, clips_grown = _timed(clip, clips)
    fast, grown = (64 * fast[0], 64 * fast[1]), crops_grown + clips_grown
    recordings, private, file = len(library.rows), _mebibytes("RssAnon"), _mebibytes("RssFile")
    return Measured(hours, source, recordings, private, grown, file, fast, rates)


def _timed(work: Callable[[int], None], count: int) -> tuple[tuple[float, float], float]:
    """How often a second and a second of the CPU, and by how many MiB private memory grew in the second half."""
    first = int(WARM * count)
    for number in range(first):
        work(number)
    started, busy, halfway = time.monotonic(), time.process_time(), _mebibytes("RssAnon")
    for number in range(first, first + count):
        if number == first + count // 2:
            halfway = _mebibytes("RssAnon")
        work(number)
    rates = count / (time.monotonic() - started), count / (time.process_time() - busy)
    return rates, _mebibytes("RssAnon") - halfway


def _mebibytes(name: str) -> float:
    """A line of what Linux says of this process's memory."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
