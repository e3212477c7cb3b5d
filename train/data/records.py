"""One record for every data set, and the words of captions written out."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maa.models.written import normalise
from train.data.manifest import Recording

AUDIO = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus")
YOUTUBE, FREESOUND = "youtube", "freesound"  # where several data sets come from


@dataclass(frozen=True)
class Record:
    """A recording of any data set: what every loader yields."""

    dataset: str  # its name in Table 4 of the paper
    id: str  # unique within the data set
    path: Path  # of the audio file, whether or not it exists
    captions: tuple[str, ...]  # sentences by people; empty where the set has only labels or nothing
    labels: tuple[str, ...]  # class names in plain words; empty where the set has none
    split: str  # "train", "valid" or "test", as published
    rate: int | None = None  # Hz that every file of the set has, where it has one
    span: tuple[float, float] | None = None  # seconds of the source that the file holds, where it is cut from one
    origin: tuple[str, str] | None = None  # where the sound was published first, and its id there: (YOUTUBE, video)

    def recording(self, root: Path) -> Recording:
        """What training's library reads, with its path below `root`. Labels serve as captions where there are none."""
        said = self.captions or self.labels
        if not said:
            raise ValueError(f"{self.id} of {self.dataset} has neither captions nor labels; give it some first.")
        concept = self.labels[0] if self.labels else said[0]
        single = len(self.labels) == 1 and not self.captions
        return Recording(self.id, concept, self.dataset, said, self.split, self.path.relative_to(root), event=single)


def label(name: str) -> str:
    """A class name in plain words: "Electric_guitar" -> "electric guitar"."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(normalise(re.sub(r"[_/]+", " ", name)).lower().split())


def captions(*texts: str | None) -> tuple[str, ...]:
    """The sentences that say something, written out, each once."""
    kept = (normalise(text) for text in texts if text and text.strip())
    return tuple(dict.fromkeys(text for text in kept if text))


def csv_rows(path: Path, columns: tuple[str, ...], delimiter: str = ",") -> Iterator[dict[str, str]]:
    """The lines of a CSV file with a header.

    Raises:
        ValueError: the file is missing or lacks a column.
    """
    if not path.is_file():
        raise ValueError(f"There is no {path.name} in {path.parent}; give the folder as it is published.")
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        missing = [column for column in columns if column not in (reader.fieldnames or [])]
        if missing:
            raise ValueError(f"{path} lacks the column {missing[0]!r}; give the file as it is published.")
        yield from reader


def inside(root: Path, *parts: str) -> Path:
    """`root`/parts; ValueError where a name in a table leads out of the data set."""
    path = root.joinpath(*parts)
    if any(part in ("..", "") or Path(part).is_absolute() or ".." in Path(part).parts for part in parts):
        raise ValueError(f"{'/'.join(parts)} leads out of {root}; the table is broken.")
    return path


def first_file(root: Path, *names: str) -> Path:
    """The first of several names that exists with any audio ending, else the first name as .wav."""
    for name in names:
        for ending in AUDIO:
            if (path := inside(root, name + ending)).is_file():
                return path
    return inside(root, names[0] + ".wav")
