"""ROC-AUC with intervals that know which clips belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Auc:
    """An area under the ROC curve and its 95 % interval; 0.5 = by chance."""

    value: float
    low: float
    high: float
    real: int  # clips
    generated: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def auc(scores: Floats, labels: Labels, weights: Floats | None = None) -> float:
    """Share of the pairs of a generated and a real clip in which the generated one scores higher; ties count half.

    Args:
        scores: [N]. labels: [N], 1 = generated. weights: [N], how often each clip counts; None = once.

    Returns:
        0 to 1; NaN where one of the kinds is missing.
    """
    weights = np.ones(len(scores)) if weights is None else weights
    values, places = np.unique(scores, return_inverse=True)
    fake = np.bincount(places, weights * (labels == 1), len(values))
    real = np.bincount(places, weights * (labels == 0), len(values))
    pairs = fake.sum() * real.sum()
    below = np.cumsum(real) - real
    return float((fake * (below + 0.5 * real)).sum() / pairs) if pairs else float("nan")


def pooled_rows(scores: Floats, labels: Labels, folds: Labels, weights: Floats | None = None) -> float:
    """AUC of scores by several detectors, each on its own fold: pairs are formed within folds only.

    Args:
        folds: [N], which detector a score is by.
    """
    weights = np.ones(len(scores)) if weights is None else weights
    won, pairs = 0.0, 0.0
    for fold in np.unique(folds):
        own = folds == fold
        count = float(weights[own & (labels == 1)].sum() * weights[own & (labels == 0)].sum())
        if count:
            won += count * auc(scores[own], labels[own], weights[own])
            pairs += count
    return won / pairs if pairs else float("nan")


def measured(scores: Floats, labels: Labels, folds: Labels, names: Sequence[str], seed: int = 0) -> Auc:
    """AUC with its interval, by a bootstrap over names [N]: clips of one name are drawn together."""
    _, places = np.unique(np.array(names), return_inverse=True)
    count = int(places.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = [
        pooled_rows(scores, labels, folds, rng.multinomial(count, np.full(count, 1 / count))[places].astype(np.float64))
        for _ in range(DRAWS)
    ]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    real = int((labels == 0).sum())
    value = pooled_rows(scores, labels, folds)
    return Auc(round(value, 4), round(float(low), 4), round(float(high), 4), real, len(labels) - real)
