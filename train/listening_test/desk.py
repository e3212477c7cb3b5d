"""What is done with what a browser sends."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from train.listening_test.material import Material
from train.listening_test.store import Standing, Store, code_of

HEARD = 0.9  # share of a sound that has to be played before it is rated


@dataclass(frozen=True)
class RatingDesk:
    """What the page's handlers work with. Browsers send a code, a token and a number, and none becomes a path."""

    material: Material
    store: Store
    most: int  # clips for a rater; 0 = all
    seed: int | None  # of the orders; None = another one each time

    def enter(self, code: object) -> Standing:
        """Let a rater in. ValueError where the code is none."""
        return self.store.begin(code_of(code), self.material, self.most, np.random.default_rng(self.seed))

    def rate(self, code: object, token: object, score: object, heard: object) -> Standing:
        """Save an answer and go on. ValueError where it is none."""
        mine = code_of(code)
        if not isinstance(score, int) or isinstance(score, bool):
            raise ValueError("Choose a score first.")
        share = float(heard) if isinstance(heard, int | float) and math.isfinite(heard) else 0.0
        standing = self.store.standing(mine)
        if standing is None:
            raise ValueError("This code is not known here any more; load the page again.")
        if standing.trial is not None and standing.trial.token == token and share < HEARD:
            raise ValueError("Listen to the whole sound first.")
        self.store.rate(mine, str(token), score, min(share, 1.0))
        after = self.store.standing(mine)
        assert after is not None
        return after
