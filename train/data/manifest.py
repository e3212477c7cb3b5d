"""The manifest: one line for every recording, with what is heard, its licence and its hash.

The split is one of three. "train" is what weights are made of, "valid" is what anything may be chosen on (steps, a
learning rate, a vocoder's options), and "test" is only reported. The rule, by which the column was written:

1. Siblings share a split: recordings of one package whose file names differ by a number, a letter or a word such as
   "left" or "soft" (`siblings`), and all notes of one sampled instrument.
2. So do near copies: recordings of about equal length whose log-mel spectrograms correlate by more than 0.95. Where a
   near copy or a sibling of a held-out recording was in training, the held-out one was moved there. Nothing moves out.
3. What is held out is divided group by group, within each family and apart for pitched and unpitched groups: in the
   order of the SHA-256 of the groups' names, groups become "valid" until they hold 40 % of the recordings.
4. A concept is held out only where "train" has it too, and new recordings only where it has three groups or more.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath

MANIFEST = Path(__file__).with_name("manifest.csv")
SPLITS = ("train", "valid", "test")

# Endings of file names that tell takes and variants of one thing apart: numbers, letters and notes; words.
NUMBERED = re.compile(r"(?:(?<=\d)[a-z]|[-_. ][a-z]|[-_. ][a-g](?:sharp|flat)?|[-\d_. #])+$")
VARIANT = re.compile(
    r"(?:^|(?<=[-_. ])|(?<=[a-z]{3}))(?:left|right|tiny|small|medium|large|big|huge|soft|hard|hardest|long|short|low"
    r"|mid|high|hi|opens?|close[sd]?|day|night|start|stop|loop|begin|end|fast|slow|heavy|light|faint|moderate|loud"
    r"|inside|outside)$"
)


@dataclass(frozen=True)
class Recording:
    """A recording as training sees it."""

    id: str  # "package/file name"
    concept: str  # what a user would type: "dog barking"
    family: str  # "animals", "tools", …
    captions: tuple[str, ...]  # sentences about it
    split: str  # one of SPLITS; siblings such as wolf_00 and wolf_01 share one
    path: Path  # below the folder of recordings: package/usr/share/…; files from archives lie in the archive's name
    sustained: bool = field(default=False, kw_only=True)  # a sound that lasts, as rain does: it may be looped
    # A class label names all of it, so that it may be sampled as an event (the database D of Sec. 3.2.2).
    event: bool = field(default=True, kw_only=True)
    window: tuple[int, int] = field(default=(1, 1), kw_only=True)  # which of how many equal windows of a long recording


@dataclass(frozen=True)
class Row(Recording):
    """A line of the manifest: the recording and where it comes from."""

    package: str  # Debian package
    version: str  # of the package whose hash this is
    sha256: str  # of the recording's file
    seconds: float
    licence: str  # SPDX-like: GPL-2+, CC0, …
    author: str
    synthetic: bool = False  # a synthesiser, a sampled instrument or a machine's voice made it

    def recording(self) -> Recording:
        """The part that training needs."""
        return Recording(**{part.name: getattr(self, part.name) for part in fields(Recording)})


def load_manifest(path: Path = MANIFEST) -> list[Row]:
    """Every line of the manifest, in its order.

    Raises:
        ValueError: the file is missing, has other columns, or a line cannot be read.
    """
    if not path.is_file():
        raise ValueError(f"There is no manifest at {path}; it belongs to the repository, so restore it from there.")
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return [_row(line) for line in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a manifest of recordings: {error!r}; restore it from there.") from error


def siblings(row: Recording) -> str:
    """The name of a recording's group: equal for files of one package that are takes or variants of one thing."""
    package = row.path.parts[0]
    if row.path.parent.suffix == ".sf2":  # all notes of an instrument
        return f"{package}/{row.concept}"
    name = row.path.stem.lower()
    while (shorter := VARIANT.sub("", NUMBERED.sub("", name))) != name and shorter:
        name = shorter
    if VARIANT.fullmatch(name):  # explosions/large and explosions/small, but not shots/large
        name = f"{row.path.parent.name}/*"
    return f"{package}/{name}"


def sources(rows: Iterable[Row]) -> dict[str, set[str]]:
    """The packages of each concept: two or more make it possible to ask for recordings from elsewhere."""
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.concept, set()).add(row.package)
    return found


def _row(line: dict[str, str]) -> Row:
    inside = PurePosixPath(line["path"])
    if inside.is_absolute() or ".." in inside.parts:
        raise ValueError(f"{inside} leads out of its package")
    return Row(
        id=f"{line['package']}/{inside.name}",
        concept=line["concept"],
        family=line["family"],
        captions=tuple(line["caption"].split("|")),
        split=line["split"],
        path=Path(line["package"]) / inside,
        package=line["package"],
        version=line["version"],
        sha256=line["sha256"],
        seconds=float(line["seconds"]),
        licence=line["licence"],
        author=line["author"],
        synthetic=line.get("synthetic") == "yes",
        sustained=line.get("sustained") == "yes",
    )
