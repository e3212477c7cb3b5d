"""The manifest: one line for every recording, with what is heard, its licence and its hash."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath

MANIFEST = Path(__file__).with_name("manifest.csv")


@dataclass(frozen=True)
class Recording:
    """A recording as training sees it."""

    id: str  # "package/file name"
    concept: str  # what a user would type: "dog barking"
    family: str  # "animals", "tools", …
    captions: tuple[str, ...]  # sentences about it
    split: str  # "train" or "test"; siblings such as wolf_00 and wolf_01 share one
    path: Path  # below the folder of recordings: package/usr/share/…; files from archives lie in the archive's name
    sustained: bool = field(default=False, kw_only=True)  # goes on for as long as it lasts, as rain does


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
        return Recording(**{one.name: getattr(self, one.name) for one in fields(Recording)})


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
    )
