"""How many sampled events join a clip, and which recordings are drawn (Sec. 3.2.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.data.grouped import Grouped

EXTRA = (0.5, 0.35, 0.15)  # odds of N = 0, 1, 2 sampled events
MOST = len(EXTRA)  # events in a clip


@dataclass(frozen=True)
class Mixing:
    """How clips are put together.

    Attributes:
        extra: odds of N = 0, 1, ... sampled events, at most two.
        together: share of the sampled events that sound at the same time as the clip at hand instead of before or after
            it.
    """

    extra: tuple[float, ...] = EXTRA
    together: float = 0.15

    def __post_init__(self) -> None:
        if not 1 <= len(self.extra) <= MOST or min(self.extra) < 0 or abs(sum(self.extra) - 1) > 1e-6:
            said = " ".join(map(str, self.extra))
            raise ValueError(f"The odds of 0 to {MOST - 1} more events should add up to 1, not {said}.")


class Groups:
    """Recordings of one concept each.

    A concept is drawn by the square root of how many recordings it has, then one of them: uniform concepts would learn
    the few recordings of rare ones by heart; uniform recordings would hear mostly drums.
    """

    def __init__(self, groups: Grouped) -> None:
        self.groups = groups
        odds = np.sqrt(groups.sizes)
        self.odds = np.cumsum(odds / odds.sum())

    def __len__(self) -> int:
        return len(self.groups)

    def draw(self, rng: np.random.Generator) -> int:
        """A recording."""
        group = self.groups[min(int(np.searchsorted(self.odds, rng.random(), side="right")), len(self.groups) - 1)]
        return int(group[int(rng.integers(len(group)))])
