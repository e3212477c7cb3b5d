"""Which sounds last, as rain does and a bark does not: measured on their recordings, then looked over by name."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maa.aside import aside
from train.data.library import Library
from train.data.manifest import MANIFEST

SHORTEST = 1.0  # seconds; what is shorter proves nothing
FRAME = 0.05  # seconds
SPREAD = 15.0  # dB between the 10th and the 95th percentile of the frames' levels
EDGE = 15.0  # dB that the first and the last tenth of a second may lie below the median

# A note may last, but an instrument is played and a voice breathes: silence between two notes is right.
PLAYED = ("instruments and drums", "human", "creatures and magic", "weapons and explosions", "birds")

# Sounds that last although their recordings are cut short, fade, pass by or have single events in them.
LASTING = frozenset(
    (
        "ambient drone",
        "applause",
        "bee buzzing",
        "car engine",
        "city traffic",
        "construction site",
        "crickets chirping",
        "crowd cheering",
        "crowd talking",
        "electric fan",
        "fire roaring",
        "forest ambience",
        "helicopter",
        "jackhammer",
        "jet engine",
        "liquid bubbling",
        "machine humming",
        "ocean waves",
        "propeller engine",
        "rain",
        "steam hissing",
        "tank rolling",
        "vacuum cleaner",
        "washing machine",
        "water running",
        "waterfall",
        "wind blowing",
        "windmill turning",
        "farm ambience",
        "harbour ambience",
        "market ambience",
        "underwater ambience",
        "electric hum",
        "tyres rolling",
        "racing car engine",
    )
)

# Sounds that end or become others, although their recordings are even: calls, warnings, machines that start and stop.
ENDING = frozenset(
    (
        "aircraft flaps moving",
        "bus driving off",
        "gavel knocking",
        "heart monitor beeping",
        "landing gear moving",
        "lion roaring",
        "metal scraping",
        "railway crossing bell",
        "rooster crowing",
        "stall warning horn",
        "telephone ringing",
        "turbine shutting down",
        "turbine starting",
        "typing on a keyboard",
    )
)


def lasts(wave: NDArray[np.float32], rate: int) -> bool | None:
    """Whether a recording [samples] goes on evenly and neither begins nor ends in quiet; None if too short."""
    if len(wave) < SHORTEST * rate:
        return None
    size = int(FRAME * rate)
    frames = wave[: len(wave) // size * size].reshape(-1, size)
    level = 20 * np.log10(np.sqrt(np.square(frames).mean(axis=1)) + 1e-6)
    edge = min(level[:2].max(), level[-2:].max())
    spread = np.percentile(level, 95) - np.percentile(level, 10)
    return bool(spread < SPREAD and edge > np.median(level) - EDGE)


def sustained_concepts(library: Library) -> frozenset[str]:
    """Concepts of which more than half of the recordings last, but for PLAYED and ENDING, and all of LASTING."""
    votes: dict[str, list[bool]] = {}
    for i, row in enumerate(library.rows):
        verdict = lasts(library.wave(i), library.rate)
        if verdict is not None and row.family not in PLAYED and row.concept not in ENDING:
            votes.setdefault(row.concept, []).append(verdict)
    counts = Counter(row.concept for row in library.rows)
    measured = {concept for concept, cast in votes.items() if 2 * sum(cast) > counts[concept]}
    return frozenset(measured | (LASTING & set(library.concepts)))


def mark(library: Library, manifest: Path = MANIFEST) -> frozenset[str]:
    """Write the manifest's column `sustained` ("yes" or empty) from the library's recordings; returns the concepts."""
    found = sustained_concepts(library)
    with manifest.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    with aside(manifest) as neighbour, neighbour.open("w", newline="", encoding="utf-8") as file:
        names = [*(name for name in lines[0] if name != "sustained"), "sustained"]
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**line, "sustained": "yes" if line["concept"] in found else ""} for line in lines)
    return found
