"""(c, continued) Sounds with their times: two at once, and how late or early a placed one begins."""

from __future__ import annotations

from typing import Any

import numpy as np

from train.data.prompts.composer import Composer, Event
from train.evaluation.events import best_concepts, one_of, share_of
from train.evaluation.generation import nested
from train.evaluation.metrics import order_of
from train.evaluation.prompts import two_events
from train.evaluation.reference import Reference
from train.evaluation.sounds import Wave

SHORT = 1.0  # seconds of a placed sound
BELOW = 20.0  # dB under its loudest moment at which it counts as begun
BEFORE, BEHIND = 0.3, 0.2  # seconds around it that are looked at


def timed_scores(reference: Reference, every: int = 1) -> dict[str, Any]:
    """Both questions about the first of every so many pairs of two events."""
    names = two_events(best_concepts(reference))[::every]
    return {"prompts": len(names), "at_once": at_once(reference, names), "onsets": onsets(reference, names)}


def at_once(reference: Reference, names: list[tuple[str, str]]) -> dict[str, Any]:
    """Two sounds over the whole of a take, and two real ones mixed: are both among the five nearest concepts?"""
    judge, library = reference.judge, reference.library
    end = judge.samples / judge.rate
    jobs = [("", ((0.0, end, one), (0.0, end, two)), 710_000 + k) for k, (one, two) in enumerate(names)]
    groups, rng = library.by_concept("train"), np.random.default_rng(3)
    composer = Composer(library, library.indices("train"), judge.samples, judge.rate)
    real = []
    for pair in names:
        events = tuple(Event(0, judge.samples, name, one_of(groups[name], rng)) for name in pair)
        real.append(composer.render([composer.lay(events, "", rng)])[0].numpy())
    first, second = (reference.labels_of([pair[k] for pair in names]) for k in (0, 1))
    sides = {}
    for one in reference.everyone:
        report = {}
        for name, waves in (("generated", judge.placed(jobs, "two at once")), ("real", real)):
            vectors = one.directions(one.embedded("at once", waves, real=name == "real"))
            nearest = order_of(vectors, one.centres)[:, :5]
            there = [(nearest == label[:, None]).any(1) for label in (first, second)]
            report[name] = float(np.mean(there[0] & there[1]))
        sides[one.by] = report | {"share_of_real": share_of(report["generated"], report["real"])}
    return nested(reference, sides)


def onsets(reference: Reference, names: list[tuple[str, str]]) -> dict[str, float]:
    """How late or early placed sounds of a second begin, in seconds: two in a take, at random places apart."""
    judge, rng = reference.judge, np.random.default_rng(4)
    middle, end = judge.samples / judge.rate / 2, judge.samples / judge.rate
    jobs, starts = [], []
    for k, (one, two) in enumerate(names):
        places = ((BEFORE, middle - SHORT - BEFORE), (middle, end - SHORT))
        begin = [round(float(rng.uniform(low, high)), 3) for low, high in places]
        starts.append(begin)
        rows = tuple((at, round(at + SHORT, 3), name) for at, name in zip(begin, (one, two), strict=True))
        jobs.append(("", rows, 720_000 + k))
    errors = []
    for wave, begin in zip(judge.placed(jobs, "placed sounds"), starts, strict=True):
        errors += [abs(onset(wave, at, judge.rate) - at) for at in begin]
    found = np.array(errors)
    return {
        "median": float(np.median(found)),
        "p90": float(np.percentile(found, 90)),
        "share_within_0.6": float(np.mean(found <= 0.6)),
        "sounds": len(found),
    }


def onset(wave: Wave, near: float, rate: int) -> float:
    """Second at which a sound of a second that should begin at `near` does: when it first comes within 20 dB of its
    loudest 10 ms. 0.3 s before it and 0.2 s behind it are looked at as well."""
    step = rate // 100
    first, last = (max(0, round(edge * 100)) for edge in (near - BEFORE, near + SHORT + BEHIND))
    power = np.square(wave[: len(wave) // step * step].reshape(-1, step)).mean(1)[first:last]
    loud = power >= 10 ** (-BELOW / 10) * power.max()
    return (first + int(np.argmax(loud))) / 100
