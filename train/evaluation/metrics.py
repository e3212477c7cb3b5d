"""Measures over embeddings: nearest centroids, kernel distance with its interval, recall, and their chance levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.evaluation.distances import kernel_distance

Vectors = NDArray[np.float32]  # [N, width]
Labels = NDArray[np.int64]  # [N]

COMPONENTS = 64  # of the Fréchet distance: 512 dimensions would need thousands of clips
KID_SUBSETS, KID_SIZE = 200, 100


@dataclass(frozen=True)
class Score:
    """Share of sounds whose concept's centroid is the nearest, or among the five nearest."""

    top1: float
    top5: float
    sounds: int


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Rows scaled to length one; zero rows stay."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(norms, 1e-12)).astype(np.float32)


def centroids(vectors: Vectors, labels: Labels, count: int) -> Vectors:
    """Mean of each label's unit vectors, [count, width]; NaN for labels without a vector."""
    sums = np.zeros((count, vectors.shape[1]), np.float64)
    np.add.at(sums, labels, vectors)
    sizes = np.bincount(labels, minlength=count)[:, None]
    with np.errstate(invalid="ignore"):
        return (sums / sizes).astype(np.float32)


def order_of(vectors: Vectors, centres: Vectors) -> NDArray[np.int64]:
    """Labels by cosine to each vector, nearest first, [N, count]; labels without a centroid come last."""
    cosine = vectors @ np.nan_to_num(unit(centres)).T
    cosine[:, np.isnan(centres).any(axis=1)] = -np.inf
    return np.argsort(-cosine, axis=1, kind="stable")


def rank_sounds(vectors: Vectors, labels: Labels, centres: Vectors) -> Score:
    """Top-1 and top-5 by cosine."""
    hits = order_of(vectors, centres) == labels[:, None]
    return Score(float(hits[:, :1].any(1).mean()), float(hits[:, :5].any(1).mean()), len(labels))


def rank_real(vectors: Vectors, labels: Labels, count: int) -> Score:
    """The same for the recordings that make the centroids, each left out of its own concept's."""
    centres, sizes = centroids(vectors, labels, count), np.bincount(labels, minlength=count)
    orders = np.empty((len(labels), count), np.int64)
    for i, (vector, label) in enumerate(zip(vectors, labels, strict=True)):
        own = centres.copy()
        own[label] = (centres[label] * sizes[label] - vector) / (sizes[label] - 1) if sizes[label] > 1 else np.nan
        orders[i] = order_of(vector[None], own)[0]
    hits = orders == labels[:, None]
    return Score(float(hits[:, :1].any(1).mean()), float(hits[:, :5].any(1).mean()), len(labels))


def mean_score(scores: list[Score]) -> Score:
    """Scores pooled, each sound counting once."""
    sounds = sum(score.sounds for score in scores)
    if not sounds:
        return Score(float("nan"), float("nan"), 0)
    tops = [sum(getattr(s, name) * s.sounds for s in scores if s.sounds) / sounds for name in ("top1", "top5")]
    return Score(tops[0], tops[1], sounds)


@dataclass(frozen=True)
class Components:
    """Principal components of some real embeddings."""

    mean: NDArray[np.float64]
    basis: NDArray[np.float64]  # [width, k]

    @classmethod
    def fit(cls, vectors: NDArray[np.floating], count: int = COMPONENTS) -> Components:
        """The `count` directions of largest variance (fewer where there are fewer vectors or dimensions)."""
        mean = vectors.mean(axis=0, dtype=np.float64)
        _, _, basis = np.linalg.svd(vectors - mean, full_matrices=False)
        return cls(mean, basis[: min(count, len(basis))].T.astype(np.float64))

    def of(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Coordinates [N, k]."""
        return (vectors - self.mean) @ self.basis


def kid(a: Vectors, b: Vectors, rng: np.random.Generator) -> dict[str, float]:
    """Unbiased kernel distance (arXiv 1801.01401) with the 95 % interval of its mean over random subsets.

    The kernel is (x·y / width + 1)³. Vectors should have entries of about unit size, so unit vectors are scaled by the
    root of their width; the result is multiplied by a thousand.
    """
    size = min(KID_SIZE, len(a), len(b))
    if size < 2:
        return {"mean": float("nan"), "low": float("nan"), "high": float("nan")}
    values = [
        squared_discrepancy(a[rng.choice(len(a), size, replace=False)], b[rng.choice(len(b), size, replace=False)])
        for _ in range(KID_SUBSETS)
    ]
    low, high = np.percentile(values, (2.5, 97.5))
    # Subsets overlap, so their spread divided by the root of how many would fit in the data is the mean's.
    shrink = np.sqrt(size / min(len(a), len(b)))
    mean = float(squared_discrepancy(a, b)) if max(len(a), len(b)) <= 4000 else float(np.mean(values))
    centre = float(np.mean(values))
    return {
        "mean": 1e3 * mean,
        "low": 1e3 * (mean + (low - centre) * shrink),
        "high": 1e3 * (mean + (high - centre) * shrink),
    }


def squared_discrepancy(a: Vectors, b: Vectors) -> float:
    """The same for all vectors at once, unscaled."""
    root = np.sqrt(a.shape[1])
    return kernel_distance(root * a, root * b)


def recall(
    similarity: NDArray[np.floating], queries: Labels, sounds: Labels, ranks: tuple[int, ...]
) -> dict[int, float]:
    """Share of queries with any sound of their concept among the first k, for each k: similarity is [Q, N]."""
    order = np.argsort(-similarity, axis=1, kind="stable")
    hits = sounds[order] == queries[:, None]
    return {k: float(hits[:, :k].any(axis=1).mean()) for k in ranks}


def recall_by_chance(
    similarity: NDArray[np.floating],
    queries: Labels,
    sounds: Labels,
    ranks: tuple[int, ...],
    rng: np.random.Generator,
    rounds: int = 200,
) -> dict[int, float]:
    """The same with the sounds' concepts shuffled, averaged."""
    rows = [recall(similarity, queries, rng.permutation(sounds), ranks) for _ in range(rounds)]
    return {k: float(np.mean([row[k] for row in rows])) for k in ranks}
