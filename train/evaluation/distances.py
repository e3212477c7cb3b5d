"""The published measures over embeddings, in float64, and how far they would move with other clips of the same kind.

FD is the Fréchet distance of one vector for each sound, FAD of one for each of its stretches (arXiv 1706.08500, Eq. 6;
1812.08466). KL is paired: of the recording's classes from those of the sound made for it (arXiv 2110.08791). IS is
over splits of the generated sounds (arXiv 1606.03498), KID the unbiased one with the cubic kernel (arXiv 1801.01401).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
LEAST = 1e-6  # added to shares before their logarithm
SPLITS, SHUFFLED_BY = 10, 2020  # of IS, as SpecVQGAN's and AudioLDM's evaluations have them
TOO_FEW = "too few sounds"


def frechet_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Fréchet distance of the normal distributions fitted to rows a [N, D] and b [M, D]; NaN below two rows.

    The trace of the root of the covariances' product is the nuclear norm of the product of the centred rows: exact for
    fewer rows than dimensions, too, where a matrix root has to be helped.
    """
    if min(len(a), len(b)) < 2:
        return float("nan")
    first, second = (np.asarray(rows, np.float64) for rows in (a, b))
    gap = np.square(first.mean(0) - second.mean(0)).sum()
    first, second = ((rows - rows.mean(0)) / np.sqrt(len(rows) - 1) for rows in (first, second))
    spread = np.square(first).sum() + np.square(second).sum()
    left, right = _short(first), _short(second)
    cross = np.linalg.svd(left @ right.T, compute_uv=False).sum()
    return float(max(0.0, gap + spread - 2 * cross))


def frechet_quickly(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """`frechet_distance` to about five digits, several times as fast for many rows: for intervals."""
    if min(len(a), len(b)) <= a.shape[1]:
        return frechet_distance(a, b)
    (first, second), covariances = (a.mean(0), b.mean(0)), []
    for rows, mean in ((a, first), (b, second)):
        centred = np.asarray(rows - mean, np.float32)
        covariances.append((centred.T @ centred).astype(np.float64) / (len(rows) - 1))
    values, vectors = np.linalg.eigh(covariances[0])
    root = np.sqrt(values.clip(0))[:, None] * vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ covariances[1] @ root.T).clip(0)).sum()
    return float(np.square(first - second).sum() + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * cross)


def _short(rows: Matrix) -> Matrix:
    """Rows with the same products among their columns, no more of them than columns."""
    if len(rows) <= rows.shape[1]:
        return rows
    values, vectors = np.linalg.eigh(rows.T @ rows)
    return np.sqrt(values.clip(0))[:, None] * vectors.T


def log_softmax(logits: NDArray[np.floating]) -> Matrix:
    """Logarithms of shares that add up to one, over the last axis."""
    values = np.asarray(logits, np.float64)
    values = values - values.max(axis=-1, keepdims=True)
    return values - np.log(np.exp(values).sum(axis=-1, keepdims=True))


def divergences(real: NDArray[np.floating], made: NDArray[np.floating]) -> Matrix:
    """Kullback-Leibler divergence of made classes from real ones in nats, pair by pair, [N], from logits [N, C].

    The logarithms are of shares plus 1e-6, which bounds what a class that is hardly there can add. SpecVQGAN's and
    AudioLDM's evaluations add it to the made shares alone: theirs lies lower by at most 1e-6 for each class.
    """
    q, p = np.exp(log_softmax(real)), np.exp(log_softmax(made))
    return np.asarray((q * (np.log(q + LEAST) - np.log(p + LEAST))).sum(axis=1))


def inception(logits: NDArray[np.floating], splits: int = SPLITS) -> float:
    """Mean over shuffled splits of exp of the mean divergence from a split's mean classes; NaN for too few sounds."""
    if len(logits) < splits:
        return float("nan")
    logs = log_softmax(logits)[np.random.RandomState(SHUFFLED_BY).permutation(len(logits))]
    scores = []
    for k in range(splits):
        part = logs[k * len(logs) // splits : (k + 1) * len(logs) // splits]
        shares = np.exp(part)
        scores.append(np.exp((shares * (part - np.log(shares.mean(axis=0)))).sum(axis=1).mean()))
    return float(np.mean(scores))


def kernel_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Unbiased squared maximum mean discrepancy of rows a [N, D] and b [M, D], kernel (x·y / D + 1)³."""
    if min(len(a), len(b)) < 2:
        return float("nan")
    x, y = (np.asarray(rows, np.float64) for rows in (a, b))

    def kernel(u: Matrix, v: Matrix) -> Matrix:
        return np.asarray((u @ v.T / u.shape[1] + 1) ** 3)

    def within(u: Matrix) -> float:
        products = kernel(u, u)
        return float((products.sum() - np.trace(products)) / (len(u) * (len(u) - 1)))

    return within(x) + within(y) - 2 * float(kernel(x, y).mean())


@dataclass(frozen=True)
class Value:
    """A measure with its 95 % interval over other clips; NaN where there is none."""

    value: float
    low: float
    high: float

    @property
    def settled(self) -> bool:
        """Whether it is a number at all."""
        return bool(np.isfinite(self.value))

    def overlaps(self, other: Value) -> bool:
        """Whether the intervals touch: then no difference was seen. True where one of them is unknown."""
        edges = (self.low, self.high, other.low, other.high)
        return not np.isfinite(edges).all() or (self.low <= other.high and other.low <= self.high)


Score = Callable[[NDArray[np.int64], NDArray[np.int64]], float]  # of rows of generated sounds and of recordings


def with_interval(
    score: Score,
    generated: Sequence[str],
    reference: Sequence[str],
    paired: bool,
    rounds: int,
    quick: Score | None = None,
) -> Value:
    """A measure of all sounds, and the interval that resampling whole clips gives.

    A drawn clip brings all of its sounds. Drawing repeats clips, which shifts most of these measures, so only the
    spread around the rounds' own mean is taken, and laid around the value of all sounds.

    Args:
        score: of row numbers on both sides.
        generated: the clip of each generated sound.
        reference: the clip of each recording.
        paired: the two sides are drawn together.
        rounds: of resampling; 0 = no interval.
        quick: a nearly equal score that the rounds take, where the score is slow.
    """
    whole = score(np.arange(len(generated)), np.arange(len(reference)))
    if rounds < 2 or not np.isfinite(whole):
        return Value(whole, float("nan"), float("nan"))
    rng = np.random.default_rng(0)
    left, right = _rows_of(generated), _rows_of(reference)
    both = sorted(left.keys() | right.keys())
    found = []
    for _ in range(rounds):
        if paired or not reference:
            first = second = _drawn(both, rng)
        else:
            first, second = _drawn(sorted(left), rng), _drawn(sorted(right), rng)
        rows = [
            np.array([row for clip in clips for row in side.get(clip, ())], np.int64)
            for side, clips in ((left, first), (right, second))
        ]
        found.append((quick or score)(rows[0], rows[1]))
    known = np.array(found)[np.isfinite(found)]
    if len(known) < 2:
        return Value(whole, float("nan"), float("nan"))
    low, high = np.percentile(known, (2.5, 97.5)) - known.mean()
    return Value(whole, whole + float(low), whole + float(high))


def mean_of(values: NDArray[np.floating], clips: Sequence[str], rounds: int) -> Value:
    """The mean of a number for each sound, and its interval over clips."""

    def score(rows: NDArray[np.int64], _: NDArray[np.int64]) -> float:
        return float(values[rows].mean())

    return with_interval(score, clips, [], False, rounds)


def _drawn(clips: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [clips[k] for k in rng.integers(len(clips), size=len(clips))]


def _rows_of(clips: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, clip in enumerate(clips):
        found.setdefault(clip, []).append(row)
    return found
