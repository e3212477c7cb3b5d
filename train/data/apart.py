"""No clip that is held out in one data set is trained on through another: sets share sources, and copy one another.

AudioCaps is a part of AudioSet, VGGSound is from YouTube like both; Clotho, FSD50K, UrbanSound8K and ESC-50 are from
Freesound. Of recordings that are the same, test wins over valid and valid over train; what loses is set aside.

The same are: stretches of one YouTube video that overlap in time; cuts of one Freesound recording, whichever they are;
files of the same bytes, and files that decode to the same samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from train.data.check import HELD_OUT, Decoded, Problem
from train.data.manifest import SPLITS
from train.data.records import YOUTUBE, Record

Digests = tuple[bytes, bytes]  # of a file's bytes and of its samples


def wins(split: str, over: str) -> bool:
    """Whether a recording of one split stays and the same one of the other is set aside."""
    return SPLITS.index(split) > SPLITS.index(over)


def known_elsewhere(records: Sequence[tuple[str, Record]]) -> dict[int, Problem]:
    """Records to be set aside for what their data sets say of their sources, by their numbers.

    Args:
        records: of all data sets, each with the name that it is called by.
    """
    held: dict[tuple[str, str], list[tuple[str, Record]]] = {}
    for name, record in records:
        if record.origin is not None and record.split != "train":
            held.setdefault(record.origin, []).append((name, record))
    found: dict[int, Problem] = {}
    for number, (name, record) in enumerate(records):
        for owner, other in held.get(record.origin, ()) if record.origin is not None else ():
            if wins(other.split, record.split) and _overlap(record, other):
                source = " ".join(other.origin or ())
                detail = f"{owner}, of the split {other.split!r}, is of the same source ({source})."
                found[number] = Problem(name, HELD_OUT, detail)
                break
    return found


def _overlap(one: Record, other: Record) -> bool:
    """Whether two records of one source may share sound: of a video only stretches that overlap do."""
    if one.origin is None or one.origin[0] != YOUTUBE or one.span is None or other.span is None:
        return True
    return one.span[0] < other.span[1] and other.span[0] < one.span[1]


def digests_of(sound: Decoded) -> Digests:
    """What tells whether two files are the same."""
    samples = hashlib.sha256(f"{sound.rate} {sound.samples.shape}".encode() + sound.samples.tobytes()).digest()
    return bytes.fromhex(sound.sha256)[:16], samples[:16]


@dataclass
class Known:
    """The sounds of several data sets, by their digests."""

    held_out: dict[bytes, tuple[str, str]] = field(default_factory=dict)  # digest -> name and split of who has it
    seen: dict[bytes, str] = field(default_factory=dict)  # digest -> name of the first recording that has it

    def hold_out(self, name: str, split: str, digests: Iterable[bytes]) -> None:
        """Note a recording that is not for training, before any is asked about."""
        for digest in digests:
            if digest not in self.held_out or wins(split, self.held_out[digest][1]):
                self.held_out[digest] = name, split

    def why_not(self, name: str, split: str, digests: Iterable[bytes]) -> Problem | None:
        """Why a recording is left out; None where it is not, and from now on it is known."""
        digests = tuple(digests)
        for digest in digests:
            owner, other = self.held_out.get(digest, ("", split))
            if wins(other, split):
                return Problem(name, HELD_OUT, f"{owner}, of the split {other!r}, is the same sound.")
        first = next((self.seen[digest] for digest in digests if digest in self.seen), name)
        if first != name:
            return Problem(name, "duplicate", f"the same sound as {first}.")
        for digest in digests:
            self.seen.setdefault(digest, name)
        return None
