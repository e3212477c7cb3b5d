"""Recordings by their concepts, in as little memory for millions of them as for a few."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


class Grouped:
    """Indices of recordings in groups of one concept each, in the order of the concepts.

    Args:
        indices: of the recordings, [N]. concepts: their concepts' numbers, [N].
    """

    def __init__(self, indices: NDArray[np.int64], concepts: NDArray[np.int32]) -> None:
        order = np.argsort(concepts, kind="stable")
        self.indices = indices[order]
        self.concepts, first = np.unique(concepts[order], return_index=True)  # [G] of each group
        self.bounds = np.append(first, len(indices))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Recordings in each group, [G]."""
        return np.diff(self.bounds)

    def __len__(self) -> int:
        return len(self.concepts)

    def __getitem__(self, number: int) -> NDArray[np.int64]:
        return self.indices[self.bounds[number] : self.bounds[number + 1]]

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        return (self[number] for number in range(len(self)))

    def of(self, concept: int) -> NDArray[np.int64]:
        """The group of a concept, by its number; empty where there is none."""
        number = int(np.searchsorted(self.concepts, concept))
        known = number < len(self) and self.concepts[number] == concept
        return self[number] if known else self.indices[:0]
