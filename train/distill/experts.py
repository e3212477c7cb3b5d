"""What an expert is, and how the words it gives are cleaned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from train.distill.sounds import SoundFile

LONGEST = 300  # characters of a caption


class Expert(Protocol):
    """Something that says what may be heard: a captioner or a retrieval."""

    name: str  # what its captions are signed with

    def propose(self, sounds: Sequence[SoundFile]) -> list[list[str]]:
        """Captions for each sound, the best first; as many lists as sounds."""


def cleaned(captions: Sequence[str]) -> list[str]:
    """Captions on one line each, none empty or longer than 300 characters, none twice, in their order."""
    plain = (" ".join(caption.split())[:LONGEST].strip() for caption in captions)
    first = {caption.rstrip(".").casefold(): caption for caption in reversed(list(plain)) if caption.rstrip(".")}
    return list(reversed(first.values()))
