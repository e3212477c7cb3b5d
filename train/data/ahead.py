"""What training needs next, made by threads while it is busy with what it has."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Made = TypeVar("Made")
READERS = min(8, os.cpu_count() or 1)  # threads: they wait for a disk, and copy outside of Python's lock


class Ahead(Generic[Made]):
    """The items number 0, 1, 2 … of a series in which each depends on its number alone.

    Args:
        make: an item by its number; runs in several threads at once if there are several.
        depth: items that are made ahead of the last one asked for.
        stride: from the number of one item that is asked for to the next.
        threads: how many make them.
    """

    def __init__(self, make: Callable[[int], Made], depth: int, stride: int = 1, threads: int = READERS) -> None:
        self.make, self.depth, self.stride = make, depth, stride
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="ahead")
        self.coming: dict[int, Future[Made]] = {}

    def get(self, number: int) -> Made:
        """An item; whatever `make` raises is raised here."""
        wanted = [number + k * self.stride for k in range(self.depth + 1)]
        for other in self.coming.keys() - set(wanted):
            self.coming.pop(other).cancel()
        for one in wanted:
            if one not in self.coming:
                self.coming[one] = self.pool.submit(self.make, one)
        return self.coming.pop(number).result()

    def close(self) -> None:
        """Make no more, and wait for what is being made."""
        self.pool.shutdown(cancel_futures=True)
        self.coming.clear()
