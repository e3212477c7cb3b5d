"""Work shared by processes: each opens the model once and computes with its part of the cores.

So the work between two parallel loops, which threads wait for, is shared too.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing.connection import wait
from threading import Thread
from typing import Any, Protocol, TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


class Opener(Hashable, Protocol):
    """What a worker opens its model from; to be told from others by its value, and picklable."""

    def open(self) -> Any:
        """The model, with all that belongs to it."""


class Workers:
    """Processes that call functions with a model of their own."""

    def __init__(self, setup: Opener, count: int) -> None:
        self.setup, self.count = setup, count
        self.threads = max(1, (os.cpu_count() or 1) // count)
        # Started afresh: a forked copy of a process whose threads have computed can hang.
        self.pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_end_with_parent)

    def map(self, function: Callable[[Any, Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """function(model, item) for every item, in the items' order; function must be a module's own."""
        return self.pool.map(partial(_call, self.setup, self.threads, function), items)

    def close(self) -> None:
        """End the processes."""
        self.pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Let this process end as soon as the one that started it does, however that was ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _follow(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@cache
def _opened(setup: Opener, threads: int) -> Any:
    torch.set_num_threads(threads)
    return setup.open()


def _call(setup: Opener, threads: int, function: Callable[[Any, Item], Result], item: Item) -> Result:
    return function(_opened(setup, threads), item)
