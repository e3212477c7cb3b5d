"""(c, continued) Two events after one another: are both there, and in the right order?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.data.prompts.composer import Composer, Event
from train.evaluation.generation import nested
from train.evaluation.metrics import order_of
from train.evaluation.prompts import sentence, two_events
from train.evaluation.reference import Reference
from train.evaluation.sounds import Rows, Wave

BEST = 20  # concepts with the best real recall
EDGE = 0.15  # of a clip; the second event begins neither before nor after


def change_point(mel: NDArray[np.float32]) -> int:
    """The frame where a clip's second half begins: the cut that leaves the least variance of the log mel within the two
    sides. No label is asked."""
    frames = mel.shape[1]
    low, high = max(1, round(EDGE * frames)), min(frames - 1, round((1 - EDGE) * frames))
    sums = np.cumsum(mel.astype(np.float64), axis=1)
    ends = np.arange(low, high + 1)
    before, after = sums[:, ends - 1], sums[:, -1:] - sums[:, ends - 1]
    between = np.square(before).sum(0) / ends + np.square(after).sum(0) / (frames - ends)
    return int(ends[int(np.argmax(between))])


def best_concepts(reference: Reference) -> list[str]:
    """The concepts whose real clips are recognised most often (top-5, left out of their own centroid)."""
    sizes = np.bincount(reference.labels, minlength=len(reference.names))
    hits = np.zeros(len(reference.names))
    for vector, label in zip(reference.vectors, reference.labels, strict=True):
        own = reference.centres.copy()
        own[label] = (reference.centres[label] * sizes[label] - vector) / (sizes[label] - 1)
        hits[label] += label in order_of(vector[None], own)[0, :5]
    best = np.argsort(-(hits / sizes), kind="stable")[:BEST]
    return [reference.names[k] for k in sorted(best)]


def halves(
    reference: Reference, waves: list[Wave], cuts: NDArray[np.int64] | None = None, real: bool = False
) -> NDArray[np.int64]:
    """For each sound the five nearest concepts of what comes before and after a cut, [N, 2, 5].

    Args:
        cuts: samples [N]; None = where each sound changes.
    """
    judge = reference.judge
    hop = judge.maa.config.audio.hop
    if cuts is None:
        cuts = np.array([change_point(judge.mel(wave)) * hop for wave in waves], np.int64)
    parts = [part for wave, cut in zip(waves, cuts, strict=True) for part in (wave[:cut], wave[cut:])]
    orders = order_of(reference.directions(reference.embedded("halves", parts, real=real)), reference.centres)[:, :5]
    return orders.reshape(len(waves), 2, -1)


def both(found: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Share of sounds with the first concept among the first half's five and the second among the second's."""
    return float(np.mean((found[:, 0] == first[:, None]).any(1) & (found[:, 1] == second[:, None]).any(1)))


@dataclass(frozen=True)
class Pairs:
    """Two concepts after one another: their names, where the second begins (samples), and real clips of them."""

    names: list[tuple[str, str]]
    cuts: NDArray[np.int64]
    real: list[Wave]

    def rows(self, rate: int, samples: int) -> list[Rows]:
        """As events in time."""
        found: list[Rows] = []
        for (one, two), cut in zip(self.names, self.cuts, strict=True):
            middle, end = round(float(cut) / rate, 3), samples / rate
            found.append(((0.0, middle, one), (middle, end, two)))
        return found


def two_event_scores(reference: Reference, every: int = 1) -> dict[str, Any]:
    """Two sounds in order: from a sentence as a person's are made, from events with their times, and from the sentence
    as one text; beside real concatenations. Then two at once, and how late placed sounds begin.

    Args:
        every: the first of so many pairs are asked for.
    """
    judge = reference.judge
    pairs = concatenations(reference, two_events(best_concepts(reference))[::every])
    first, second = (reference.labels_of([pair[k] for pair in pairs.names]) for k in (0, 1))
    seeds = [700_000 + k for k in range(len(pairs.names))]
    said = [sentence(*pair) for pair in pairs.names]
    made = {
        "generated": judge.placed([(text, (), seed) for text, seed in zip(said, seeds, strict=True)], "two events"),
        "given": judge.placed(
            [("", rows, seed) for rows, seed in zip(pairs.rows(judge.rate, judge.samples), seeds, strict=True)],
            "two events, in their times",
        ),
        "one_text": judge.takes(list(zip(said, seeds, strict=True)), "two events, one text"),
        "real": pairs.real,
    }
    sides = {}
    for one in reference.everyone:
        report: dict[str, Any] = {}
        for name, waves in made.items():
            found = halves(one, waves, real=name == "real")
            report[name] = {"right_order": both(found, first, second), "swapped_order": both(found, second, first)}
            if name in ("given", "real"):
                known = halves(one, waves, pairs.cuts, real=name == "real")
                report[name]["known_cut"] = both(known, first, second)
        right, swapped = report["generated"]["right_order"], report["generated"]["swapped_order"]
        report["share_of_real"] = share_of(right, report["real"]["right_order"])
        report["given"]["share_of_real"] = share_of(report["given"]["known_cut"], report["real"]["known_cut"])
        report["right_over_swapped"] = right / swapped if swapped else float("inf") if right else float("nan")
        sides[one.by] = report
    return {"prompts": len(pairs.names)} | nested(reference, sides)


def concatenations(reference: Reference, names: list[tuple[str, str]]) -> Pairs:
    """Real train recordings of each pair, one after the other as training composes them, as long as a take."""
    library, judge = reference.library, reference.judge
    groups = library.by_concept("train")
    composer = Composer(library, library.indices("train"), judge.samples, judge.rate)
    rng = np.random.default_rng(2)
    waves, cuts = [], []
    for pair in names:
        recordings = [one_of(groups[name], rng) for name in pair]
        cut = int(judge.samples * rng.uniform(0.4, 0.6))
        events = (Event(0, cut, pair[0], recordings[0]), Event(cut, judge.samples, pair[1], recordings[1]))
        waves.append(composer.render([composer.lay(events, "", rng)])[0].numpy())
        cuts.append(cut)
    return Pairs(names, np.array(cuts, np.int64), waves)


def one_of(group: Sequence[int] | NDArray[np.int64], rng: np.random.Generator) -> int:
    """One recording of several."""
    return int(group[int(rng.integers(len(group)))])


def share_of(made: float, real: float) -> float:
    """One score as a share of another."""
    return made / real if real else float("nan")
