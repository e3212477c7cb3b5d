"""The order in which training takes the items of a library that is too large to take them at random."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray


class Order:
    """All of `count` items, shuffled anew for each epoch: none comes twice before every other has come.

    Which item has a turn depends on the seed and the turn's number alone. So a run that is resumed at a step goes on as
    it would have, and processes that share out the turns of a step share out the items.

    Args:
        count: items, one at least. key: of the shuffling; the seed, and what the order is for.
    """

    def __init__(self, count: int, *key: int) -> None:
        self.count, self.key = count, key
        self.lock = threading.Lock()
        self.epochs: dict[int, NDArray[np.int64]] = {}

    def at(self, turns: NDArray[np.int64]) -> NDArray[np.int64]:
        """The items 0..count - 1 whose turns these are, [N]; turns count from 0 and go on through the epochs."""
        epochs, within = np.divmod(turns, self.count)
        found = np.empty(len(turns), np.int64)
        for epoch in np.unique(epochs).tolist():
            mine = epochs == epoch
            found[mine] = self._epoch(epoch)[within[mine]]
        return found

    def _epoch(self, epoch: int) -> NDArray[np.int64]:
        with self.lock:
            if epoch not in self.epochs:
                while len(self.epochs) > 1:  # steps that are prepared ahead may lie in the next epoch already
                    del self.epochs[min(self.epochs)]
                self.epochs[epoch] = np.random.default_rng([*self.key, epoch]).permutation(self.count)
            return self.epochs[epoch]
