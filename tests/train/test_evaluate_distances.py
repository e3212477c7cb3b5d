"""The harness's measures against closed forms, and their intervals against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from train.evaluation import distances
from train.evaluation.distances import Value, with_interval

RNG = np.random.default_rng(7)


def exactly(mean: np.ndarray, deviations: np.ndarray, count: int) -> np.ndarray:
    """Rows whose own mean and covariance are exactly these, along a random basis."""
    width = len(mean)
    rows = RNG.normal(size=(count, width))
    rows -= rows.mean(0)
    white = np.linalg.qr(rows)[0] * np.sqrt(count - 1)
    return mean + white * deviations


def test_frechet_distance_of_gaussians_in_closed_form() -> None:
    """With one basis it is |m - n|² + sum (s - t)²."""
    m, n, s, t = RNG.normal(size=6), RNG.normal(size=6), RNG.uniform(0.5, 2, 6), RNG.uniform(0.5, 2, 6)
    found = distances.frechet_distance(exactly(m, s, 300), exactly(n, t, 211))
    assert found == pytest.approx(np.square(m - n).sum() + np.square(s - t).sum(), rel=1e-9)


@pytest.mark.parametrize(("count", "width"), [(400, 20), (30, 200), (10, 300)])
def test_frechet_distance_is_the_one_by_a_matrix_root(count: int, width: int) -> None:
    """With more rows than dimensions and with fewer, where covariances are singular."""
    mix = RNG.normal(size=(width, width)) / np.sqrt(width)
    a, b = RNG.normal(size=(count, width)), RNG.normal(size=(count + 3, width)) @ mix + 0.3
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second + 1e-12 * np.eye(width))
    by_root = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(first + second - 2 * np.real(root))
    assert distances.frechet_distance(a, b) == pytest.approx(by_root, rel=2e-3)
    assert distances.frechet_quickly(a, b) == pytest.approx(distances.frechet_distance(a, b), rel=1e-3)
    assert distances.frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-9)


def test_divergence_of_known_distributions() -> None:
    """The example of SpecVQGAN's evaluation, (9, 12, 4) / 25 against thirds: 0.0853; of Bernoulli pairs by hand."""
    q, p = np.log([[9 / 25, 12 / 25, 4 / 25]]), np.log([[1 / 3] * 3])
    assert distances.divergences(q, p + 5.0)[0] == pytest.approx(0.0852996, abs=1e-5)
    assert distances.divergences(np.log([[0.5, 0.5]]), np.log([[0.9, 0.1]]))[0] == pytest.approx(
        0.5 * np.log(0.5 / 0.9) + 0.5 * np.log(0.5 / 0.1), abs=1e-5
    )
    logits = RNG.normal(size=(5, 527)) * 20
    assert (distances.divergences(logits, logits) == 0).all(), "the same sound has nothing to tell"


def test_inception_score_counts_kinds() -> None:
    """Ten kinds, every one in each split, none in doubt: 10. All alike: 1."""
    sure = np.tile(np.eye(10) * 1e3, (400, 1))
    assert distances.inception(sure, splits=4) == pytest.approx(10, rel=5e-3)
    assert distances.inception(np.tile(RNG.normal(size=10), (100, 1))) == pytest.approx(1)
    assert np.isnan(distances.inception(sure[:5]))


def test_kernel_distance_of_known_kernels() -> None:
    """By two loops; and for points that are all one, from the kernel alone: k(x,x) + k(y,y) - 2 k(x,y)."""
    a, b = RNG.normal(size=(6, 3)), RNG.normal(size=(5, 3))

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 3 + 1) ** 3)

    within = [np.mean([kernel(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j]) for x in (a, b)]
    by_hand = sum(within) - 2 * np.mean([kernel(x, y) for x in a for y in b])
    assert distances.kernel_distance(a, b) == pytest.approx(by_hand)
    x, y = np.array([1.0, 0, 0]), np.array([0, 2.0, 0])
    one = distances.kernel_distance(np.tile(x, (4, 1)), np.tile(y, (7, 1)))
    assert one == pytest.approx((4 / 3) ** 3 + (7 / 3) ** 3 - 2)


def test_kernel_distance_is_unbiased() -> None:
    """Two samples of one kind: nothing on average, though each has few rows."""
    found = [distances.kernel_distance(RNG.normal(size=(20, 8)), RNG.normal(size=(20, 8))) for _ in range(300)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(300)


def test_intervals_of_a_mean_are_those_of_the_mean() -> None:
    values = RNG.normal(2.0, 1.0, size=400)
    clips = [str(k) for k in range(400)]
    found = with_interval(lambda rows, _: float(values[rows].mean()), clips, [], False, 500)
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.value == pytest.approx(half, rel=0.15) == found.value - found.low


def test_sounds_of_one_clip_are_drawn_together() -> None:
    """Five equal sounds a clip are not five clips: the interval is as wide as for one each."""
    values = RNG.normal(size=100)
    clips = [str(k) for k in range(100)]
    found = []
    for each in (1, 5):
        rows_of = np.repeat(values, each)
        named = np.repeat(clips, each).tolist()
        found.append(with_interval(lambda rows, _, v=rows_of: float(v[rows].mean()), named, [], False, 400))
    one, five = found
    assert five.high - five.low == pytest.approx(one.high - one.low, rel=0.1)


def test_an_interval_covers_what_another_sample_gives() -> None:
    """Of two samples of the same kinds, nine in ten at least lie in each other's intervals."""
    inside = 0
    for _ in range(20):
        a, b, other = (RNG.normal(size=(80, 4)) + shift for shift in (0.0, 0.7, 0.0))
        clips = [str(k) for k in range(80)]
        found = with_interval(lambda r, s, a=a, b=b: distances.frechet_distance(a[r], b[s]), clips, clips, False, 100)
        width = (found.high - found.low) * np.sqrt(2) / 2
        inside += abs(distances.frechet_distance(other, b) - found.value) <= width
    assert inside >= 17


def test_overlap() -> None:
    assert Value(1, 0, 2).overlaps(Value(2, 1.5, 3)) and not Value(1, 0, 2).overlaps(Value(3, 2.5, 4))
    assert Value(1, np.nan, np.nan).overlaps(Value(9, 8, 10)), "where nothing is known no difference was seen"
