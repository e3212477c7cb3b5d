"""Sounds that want a caption: where they lie, which of them are one process's, and what is heard of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.data.check import Findings, examine
from train.data.library import at_rate, trim_and_level
from train.data.records import AUDIO
from train.data.sets import SETS, load_set


@dataclass(frozen=True)
class SoundSource:
    """A sound on the disk. A class label, where its data set has one, is left behind (App. A)."""

    id: str  # unique among all sources of a run
    path: Path  # below the root of the run
    dataset: str
    split: str  # "train", "valid" or "test"
    origin: tuple[str, str] | None = None  # where its data set says that it was published first, as of a `Record`
    span: tuple[float, float] | None = None  # seconds of that


@dataclass(frozen=True, eq=False)
class SoundFile:
    """What an expert hears of a source: mono, without silent edges, at most 12 s, as training hears it."""

    id: str
    wave: NDArray[np.float32]  # [n], not empty, within ±1
    rate: int  # Hz


def sound_sources(given: str) -> tuple[Path, list[SoundSource]]:
    """Root and sounds, sorted by id, of NAME=FOLDER with a data set's name, or of a folder with sounds anywhere below.

    Raises:
        ValueError: there is no such set or folder, there is nothing in it, or two sounds have one id.
    """
    name, equals, folder = given.partition("=")
    if equals and name in SETS:
        root = Path(folder)
        records = load_set(name, root)
        told = ((one.id, one.path.relative_to(root), one.dataset, one.split, one.origin, one.span) for one in records)
        found = [SoundSource(*one) for one in told]
    else:
        root = Path(given)
        if not root.is_dir():
            raise ValueError(f"There is no folder {root}; give one with sounds, or NAME=FOLDER of a data set.")
        paths = [path.relative_to(root) for path in root.rglob("*") if path.suffix.lower() in AUDIO]
        found = [SoundSource(path.as_posix(), path, root.resolve().name, "train") for path in paths]
    found.sort(key=lambda one: one.id)
    double = next((one.id for one, after in pairwise(found) if one.id == after.id), None)
    if double is not None:
        raise ValueError(f"Two sounds of {given} are called {double!r}; their captions could not be told apart.")
    if not found:
        raise ValueError(f"There is no sound in {root}.")
    return root, found


def own_share(text: str) -> tuple[int, int]:
    """ "2/8" as (2, 8): the third of eight shards.

    Raises:
        ValueError: it is not i/n with 0 <= i < n.
    """
    first, _, second = text.partition("/")
    if not (first.isdecimal() and second.isdecimal() and int(first) < int(second)):
        raise ValueError(f"A shard is i/n with i from 0 to n - 1, such as 0/4, not {text!r}.")
    return int(first), int(second)


def hear_sound(sources: Sequence[SoundSource], root: Path, rate: int) -> tuple[list[SoundFile], dict[str, str]]:
    """The sounds that can be used, and for each other id what is wrong with its file."""
    sounds, wrong = [], {}
    for source in sources:
        findings = Findings()
        decoded = examine(source.id, root / source.path, findings)
        if decoded is None:
            wrong[source.id] = f"{findings.problems[0].kind}; {findings.problems[0].detail}"
        else:
            sounds.append(
                SoundFile(source.id, trim_and_level(at_rate(decoded.samples, decoded.rate, rate), rate), rate)
            )
    return sounds, wrong
