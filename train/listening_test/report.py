"""Mean opinion scores with 95 % intervals that know that raters and clips are samples, too."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from train.listening_test.material import Material
from train.listening_test.plan import FAITHFULNESS, QUALITY
from train.listening_test.store import Rating

DRAWS = 4000
PASSED = 0.5  # least share of the checks that a rater has to pass
MOS = {QUALITY: "MOS-Q", FAITHFULNESS: "MOS-F"}


@dataclass(frozen=True)
class ReportLine:
    """A mean opinion score, 20 to 100."""

    measure: str  # MOS-Q or MOS-F
    shown: str  # what faithfulness was asked about: text, picture or clip; "" for quality
    system: str
    mean: float
    low: float
    high: float
    ratings: int
    raters: int
    clips: int


def careless(ratings: Sequence[Rating]) -> dict[int, tuple[int, int]]:
    """Raters who passed fewer than half of their checks: (passed, answered)."""
    found: dict[int, list[bool]] = {}
    for one in ratings:
        if one.trial.check:
            found.setdefault(one.rater, []).append(one.trial.low <= one.score <= one.trial.high)
    return {rater: (sum(ok), len(ok)) for rater, ok in sorted(found.items()) if sum(ok) < PASSED * len(ok)}


def mean_interval(
    scores: NDArray[np.float64], raters: NDArray[np.int64], clips: NDArray[np.int64], seed: int = 0
) -> tuple[float, float, float]:
    """Mean of scores [N] and its 95 % interval by a bootstrap that draws raters and clips, each with replacement.

    A score counts as often as its rater times as often as its clip was drawn (Owen, 2007): two scores of one rater,
    or of one clip, are not two independent ones. With one rater or one clip that side cannot vary.

    Args:
        raters, clips: [N], whose score it is, and of what.
    """
    rng = np.random.default_rng(seed)
    weights = np.ones((DRAWS, len(scores)))
    for names in (raters, clips):
        _, places = np.unique(names, return_inverse=True)
        count = int(places.max()) + 1
        weights *= rng.multinomial(count, np.full(count, 1 / count), DRAWS)[:, places]
    total = weights.sum(1)
    means = (weights @ scores)[total > 0] / total[total > 0]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(scores.mean()), float(low), float(high)


def opinions(ratings: Sequence[Rating], material: Material, everybody: bool = False) -> list[ReportLine]:
    """A line for each measure, what was shown, and system, in the order of the folders.

    Args:
        everybody: also count raters who failed their checks.
    """
    out = {} if everybody else careless(ratings)
    groups: dict[tuple[str, str, str], list[Rating]] = {}
    for one in ratings:
        if one.trial.check or one.rater in out:
            continue
        shown = material.shown(one.trial.clip) if one.trial.question == FAITHFULNESS else ""
        groups.setdefault((MOS[one.trial.question], shown, one.trial.system), []).append(one)
    lines = []
    for (measure, shown, system), own in sorted(groups.items(), key=lambda item: (item[0][0] != "MOS-Q", item[0])):
        scores = np.array([one.score for one in own], np.float64)
        raters = np.array([one.rater for one in own], np.int64)
        names = sorted({one.trial.clip for one in own})
        clips = np.array([names.index(one.trial.clip) for one in own], np.int64)
        mean, low, high = (round(value, 2) for value in mean_interval(scores, raters, clips))
        count = len(set(raters.tolist()))
        lines.append(ReportLine(measure, shown, system, mean, low, high, len(own), count, len(names)))
    return lines


def report_csv(lines: Sequence[ReportLine]) -> str:
    """The lines as CSV with a header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(ReportLine)])
    writer.writerows(list(asdict(line).values()) for line in lines)
    return text.getvalue()


def report_text(lines: Sequence[ReportLine], ratings: Sequence[Rating], counts: tuple[int, int, int]) -> str:
    """The report for people: scores, who was left out, and what is still to come."""
    out = careless(ratings)
    head = f"{'measure':<9}{'shown':<9}{'system':<24}{'mean':>7}  {'95 % interval':<18}"
    text = [f"{head}{'ratings':>8}{'raters':>8}{'clips':>7}"]
    for line in lines:
        interval = f"[{line.low:.1f}, {line.high:.1f}]"
        text.append(
            f"{line.measure:<9}{line.shown:<9}{line.system:<24}{line.mean:>7.1f}  {interval:<18}"
            f"{line.ratings:>8}{line.raters:>8}{line.clips:>7}"
        )
    raters, given, answered = counts
    text.append(f"{raters} raters have answered {answered} of the {given} questions that they were given.")
    if out:
        who = ", ".join(f"{rater} ({passed} of {asked})" for rater, (passed, asked) in out.items())
        text.append(f"Raters who passed fewer than half of their checks, by number: {who}.")
    if not lines:
        text.append("There is no rating that counts.")
    if any(line.raters < 2 for line in lines):
        text.append("With one rater the interval says nothing about other raters.")
    return "\n".join(text)
