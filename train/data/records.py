"""One record for every data set, and the words of captions written out."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from train.data.manifest import Recording

AUDIO = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus")
PLAIN = re.compile(r"[a-z' ,.;:!?()-]*", re.IGNORECASE)  # nothing in it that needs writing out
DOTTED = re.compile(r"\b(dr|mr|mrs|st|no|vs|etc|approx|e\.g|i\.e)\.(?=\s|$)", re.IGNORECASE)
ABBREVIATIONS = {
    "approx": "approximately",
    "vs": "versus",
    "etc": "et cetera",
    "e.g": "for example",
    "i.e": "that is",
    "no": "number",
}


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

    def recording(self, root: Path) -> Recording:
        """What training's library reads, with its path below `root`. Labels serve as captions where there are none."""
        said = self.captions or self.labels
        if not said:
            raise ValueError(f"{self.id} of {self.dataset} has neither captions nor labels; give it some first.")
        concept = self.labels[0] if self.labels else said[0]
        single = len(self.labels) == 1 and not self.captions
        return Recording(self.id, concept, self.dataset, said, self.split, self.path.relative_to(root), event=single)


def normalise(text: str) -> str:
    """A caption with numbers, money, dates, measures and abbreviations written as words (paper Sec. 5.1, item 3).

    Raises:
        ValueError: the text needs it and the library for it is not installed.
    """
    text = " ".join(text.split())
    if PLAIN.fullmatch(text) and not DOTTED.search(text):
        return text
    text = DOTTED.sub(lambda match: ABBREVIATIONS.get(match[1].lower(), match[0]), text)
    text = re.sub(r"\b(\d+)0s\b", lambda match: _decade(match[1]), text)
    return " ".join(_written_out(text).split())


def _decade(tens: str) -> str:
    names = {"1": "tens", "2": "twenties", "3": "thirties", "4": "forties", "5": "fifties"}
    names |= {"6": "sixties", "7": "seventies", "8": "eighties", "9": "nineties", "0": "hundreds"}
    if len(tens) == 1:
        return names[tens] if tens in "23456789" else f"{tens}0s"  # "10s" is a time, "80s" a decade
    return f"{tens[:-1]} {names[tens[-1]]}" if len(tens) == 3 else f"{tens}0s"


@lru_cache(maxsize=100_000)
def _written_out(text: str) -> str:
    return str(_normaliser().normalize(text))


@cache
def _normaliser() -> Any:
    try:
        from wetext import Normalizer
    except ImportError as error:
        raise ValueError("Captions with numbers need wetext: run `pip install wetext`.") from error
    return Normalizer(lang="en")


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
