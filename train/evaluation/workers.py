"""Work shared by processes: each opens the model once and computes with its part of the cores.

Small networks at batch size one keep two cores busy as two processes, and not as two threads.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch

from maa import MakeAnAudio, Sampling

if TYPE_CHECKING:
    from train.evaluation.sounds import Judge

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Setup:
    """What a judge is opened from."""

    model: str
    device: str | None
    dtype: str | None
    folder: Path
    sampling: Sampling
    shared: Path | None = None
    seconds: float | None = None

    def open(self, workers: Workers | None = None) -> Judge:
        """The judge; raises ValueError where the model, the device or the precision is wrong."""
        from train.evaluation.sounds import Judge

        maa = MakeAnAudio.from_pretrained(self.model, device=self.device, dtype=self.dtype)
        return Judge(maa, self.folder, self.sampling, self.shared, self.seconds, workers)


class Workers:
    """Processes that call functions with a judge of their own."""

    def __init__(self, setup: Setup, count: int) -> None:
        self.setup, self.count = setup, count
        self.threads = max(1, (os.cpu_count() or 1) // count)
        # Started afresh: a forked copy of a process whose threads have computed can hang.
        self.pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))

    def map(self, function: Callable[[Judge, Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """function(judge, item) for every item, in the items' order; function must be a module's own."""
        return self.pool.map(partial(_call, self.setup, self.threads, function), items)

    def close(self) -> None:
        """End the processes."""
        self.pool.shutdown(cancel_futures=True)


@cache
def _opened(setup: Setup, threads: int) -> Judge:
    torch.set_num_threads(threads)
    return setup.open()


def _call(setup: Setup, threads: int, function: Callable[[Judge, Item], Result], item: Item) -> Result:
    return function(_opened(setup, threads), item)
