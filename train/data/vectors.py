"""Vectors of very many things in files of which only what is asked for is read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.aside import aside
from maa.foreign import foreign

EACH = 1024  # vectors in a file
MAPPED = 256  # files that are mapped at a time


class Vectors:
    """A table [count, width] in memory-mapped files, made once.

    A run that is killed while it makes them loses one file at most, and several processes may make them together.

    Args:
        folder: of the files; its name stands for what they are made of.
        make: vectors [n, width] of things by their numbers.
    """

    def __init__(self, folder: Path, count: int, make: Callable[[Sequence[int]], NDArray[np.float32]]) -> None:
        self.folder, self.count, self._make = folder, count, make
        self.mapped: OrderedDict[int, NDArray[np.float32]] = OrderedDict()

    def make(self, first: float = 0.0) -> None:
        """Make the files that are missing, from a share `first` of all on, and then those before it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        files = -(-self.count // EACH)
        for k in range(files):
            number = (k + int(first * files)) % files
            if not self._path(number).is_file():
                found = self._make(range(number * EACH, min(self.count, (number + 1) * EACH)))
                with aside(self._path(number)) as neighbour:
                    np.save(neighbour, found)

    def __getitem__(self, numbers: Sequence[int] | NDArray[np.int64]) -> Tensor:
        """Vectors [len(numbers), width], on the CPU."""
        wanted = np.asarray(numbers, np.int64)
        files, within = np.divmod(wanted, EACH)
        parts = {number: self._file(number) for number in np.unique(files).tolist()}
        found = np.empty((len(wanted), next(iter(parts.values())).shape[1]), np.float32)
        for number, vectors in parts.items():
            mine = files == number
            found[mine] = vectors[within[mine]]
        return torch.from_numpy(found)

    def _file(self, number: int) -> NDArray[np.float32]:
        if number not in self.mapped:
            path = self._path(number)
            with foreign(f"{path} is missing or damaged; delete it, and it is made anew."):
                self.mapped[number] = np.load(path, mmap_mode="r", allow_pickle=False)
        self.mapped.move_to_end(number)
        while len(self.mapped) > MAPPED:
            self.mapped.popitem(last=False)
        return self.mapped[number]

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npy"
