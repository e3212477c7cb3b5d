"""Which sounds a rater hears, and in which order: drawn once, when the rater begins."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from train.listening_test.material import REFERENCE, Material

QUALITY, FAITHFULNESS = "quality", "faithfulness"  # MOS-Q and MOS-F
SCALE = (20, 40, 60, 80, 100)
NOISE, INSTRUCTION = "noise", "instruction"  # checks of attention
POOR = (20, 40)  # what a drowned recording may get
EVERY = 10  # ratings for each check
TRIES = 50  # of an order in which no clip follows itself


@dataclass(frozen=True)
class Trial:
    """One question to a rater."""

    token: str  # by which a browser knows it: drawn by chance, says nothing
    question: str  # QUALITY or FAITHFULNESS
    system: str  # of a check: whose sound it is made of
    clip: str
    check: str = ""  # NOISE, INSTRUCTION, or "" for a rating that counts
    low: int = SCALE[0]  # a check is passed from here
    high: int = SCALE[-1]  # to here


def rating_plan(material: Material, assigned: Mapping[str, int], most: int, rng: np.random.Generator) -> list[Trial]:
    """Questions for one rater: some clips by every system, first for their quality, then for their faithfulness.

    The rater hears each of the clips by each system, so that systems are compared by the same ears on the same clips.

    Args:
        assigned: how many raters have got each clip; clips that fewer have got come first.
        most: clips for one rater; 0 = all.
    """
    clips = sorted(material.clips, key=lambda clip: (assigned.get(clip, 0), rng.random()))[: most or None]
    quality = [_trial(QUALITY, system, clip) for system in material.sounds for clip in clips]
    asked = [clip for clip in clips if material.shown(clip)]
    faithful = [_trial(FAITHFULNESS, system, clip) for system in material.sounds for clip in asked]
    return [*_with_checks(quality, material, rng), *_with_checks(faithful, material, rng)]


def _trial(question: str, system: str, clip: str) -> Trial:
    return Trial(secrets.token_urlsafe(16), question, system, clip)


def _with_checks(trials: Sequence[Trial], material: Material, rng: np.random.Generator) -> list[Trial]:
    """In a random order, with a check for every ten, at least one and none first."""
    ordered = _ordered(trials, rng)
    if not ordered:
        return []
    kept = REFERENCE if REFERENCE in material.sounds else next(iter(material.sounds))
    for _ in range(max(1, len(ordered) // EVERY)):
        base = ordered[int(rng.integers(len(ordered)))]
        if base.question == QUALITY:
            made = Trial(secrets.token_urlsafe(16), QUALITY, kept, base.clip, NOISE, *POOR)
        else:
            wanted = int(rng.choice(SCALE[:-1]))
            made = Trial(secrets.token_urlsafe(16), FAITHFULNESS, base.system, base.clip, INSTRUCTION, wanted, wanted)
        ordered.insert(int(rng.integers(1, len(ordered) + 1)), made)
    return ordered


def _ordered(trials: Sequence[Trial], rng: np.random.Generator) -> list[Trial]:
    """A random order; where one can be found soon, one in which no clip follows itself."""
    ordered = [trials[int(k)] for k in rng.permutation(len(trials))]
    for _ in range(TRIES):
        if all(one.clip != after.clip for one, after in pairwise(ordered)):
            break
        ordered = [trials[int(k)] for k in rng.permutation(len(trials))]
    return ordered
