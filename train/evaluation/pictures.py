"""(e) Is a picture heard as what it shows? Drawings that come with a recording of the same thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maa import MakeAnAudio
from train.data import Library

PACKAGE = "tuxpaint-stamps-default"
TOP = 5


def stamps(library: Library, recordings: Path) -> list[tuple[Path, str]]:
    """Pictures beside the recordings of that package, each with the recording's concept."""
    found = []
    for row in library.rows:
        if row.path.parts[0] == PACKAGE:
            picture = (recordings / row.path).with_suffix(".png")
            if picture.is_file():
                found.append((picture, row.concept))
    return sorted(set(found))


def recognised_pictures(maa: MakeAnAudio, pictures: list[tuple[Path, str]]) -> dict[str, Any]:
    """Share of pictures whose concept is the first of the words they are heard as, or among the first five."""
    if not pictures:
        return {"pictures": 0}
    first, five, missed = 0, 0, []
    for picture, concept in pictures:
        words = [word for word, _ in maa.describe_image(picture)][:TOP]
        first += words[0] == concept
        five += concept in words
        if concept not in words:
            missed.append(f"{picture.stem} ({concept}): {', '.join(words)}")
    count = len(pictures)
    return {"pictures": count, "top1": first / count, "top5": five / count, "missed": missed}
