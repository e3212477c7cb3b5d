"""(c, continued) Two events in a prompt: are both there, and in the right order?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.data.prompts.composer import Composer, Event
from train.evaluation.generation import nested
from train.evaluation.metrics import order_of
from train.evaluation.prompts import sentence, two_events
from train.evaluation.reference import Reference
from train.evaluation.sounds import Wave

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


def halves(reference: Reference, waves: list[Wave], real: bool = False) -> NDArray[np.int64]:
    """For each sound the five nearest concepts of what comes before and after its change point, [N, 2, 5]."""
    judge = reference.judge
    hop = judge.maa.config.audio.hop
    parts = []
    for wave in waves:
        cut = change_point(judge.mel(wave)) * hop
        parts += [wave[:cut], wave[cut:]]
    orders = order_of(reference.directions(reference.embedded("halves", parts, real=real)), reference.centres)[:, :5]
    return orders.reshape(len(waves), 2, -1)


def both(found: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Share of sounds with the first concept among the first half's five and the second among the second's."""
    return float(np.mean((found[:, 0] == first[:, None]).any(1) & (found[:, 1] == second[:, None]).any(1)))


def two_event_scores(reference: Reference) -> dict[str, Any]:
    """Takes of two-event prompts and real concatenations of the same pairs, in the right and the swapped order."""
    pairs = two_events(best_concepts(reference))
    first, second = (reference.labels_of([pair[k] for pair in pairs]) for k in (0, 1))
    judge = reference.judge
    jobs = [(sentence(*pair), 700_000 + k) for k, pair in enumerate(pairs)]
    made = judge.takes(jobs, "two events")
    real = concatenations(reference, pairs)
    sides = {}
    for one in reference.everyone:
        report: dict[str, Any] = {}
        for name, waves in (("generated", made), ("real", real)):
            found = halves(one, waves, name == "real")
            report[name] = {"right_order": both(found, first, second), "swapped_order": both(found, second, first)}
        right, swapped = report["generated"]["right_order"], report["generated"]["swapped_order"]
        whole = report["real"]["right_order"]
        report["share_of_real"] = right / whole if whole else float("nan")
        report["right_over_swapped"] = right / swapped if swapped else float("inf") if right else float("nan")
        sides[one.by] = report
    return {"prompts": len(pairs)} | nested(reference, sides)


def concatenations(reference: Reference, pairs: list[tuple[str, str]]) -> list[Wave]:
    """Real train recordings of each pair, one after the other as training composes them, as long as a take."""
    library, spec, seconds = reference.library, reference.judge.maa.config.audio, reference.judge.seconds
    samples = spec.samples if seconds is None else round(seconds * spec.sample_rate)
    groups = library.by_concept("train")
    composer = Composer(library, library.indices("train"), samples, spec.sample_rate)
    rng = np.random.default_rng(2)
    waves = []
    for names in pairs:
        recordings = [int(groups[name][int(rng.integers(len(groups[name])))]) for name in names]
        cut = int(samples * rng.uniform(0.4, 0.6))
        events = (Event(0, cut, names[0], recordings[0]), Event(cut, samples, names[1], recordings[1]))
        waves.append(composer.render([composer.lay(events, "", rng)])[0].numpy())
    return waves
