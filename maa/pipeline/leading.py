"""Prompts in anybody's words, led to captions that the network was trained on (cf. prompt enhancement, Sec. 3.2).

A network of few recordings knows few words: "a hound woofing" makes it nothing like a dog. The text encoder knows that
they are near each other, so what is near no known caption listens to the nearest one instead. A sentence of several
sounds is led clause by clause; what joins them stays, because the network has learned it from the templates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from maa.models.vocabulary import Match, Vocabulary
from maa.pipeline.sentences import TIMES

NEAR = 0.85  # cosine above which a clause counts as known and stays in its own words
FAR = 0.40  # and below which nothing known is near, so that it stays as well
CANDIDATES = 5

Embed = Callable[[list[str]], Tensor]  # N texts to unit vectors [N, D]

# How often something sounds is for the network to hear; a caption is looked for without it.
COUNT = re.compile(rf"^(.*?)(,?\s+{TIMES})$", re.IGNORECASE)
JOINTS = re.compile(
    rf"(^first,?\s+|\s*[,;.]?\s*\b(?:and then|after that|followed by|following|then|before|after|while|until)\b,?\s*"
    rf"|\s*[;.]\s+|\s*,\s+(?!{TIMES}\b)(?:and\s+)?)",
    re.IGNORECASE,
)
ALSO = re.compile(r"(\s+(?:and|with|plus)\s+)", re.IGNORECASE)


@dataclass(frozen=True)
class Clause:
    """One sound of a prompt.

    Attributes:
        said: as the person said it.
        heard: what the network listens to; the same, or a known caption.
        candidates: known sounds near it, best first.
        known: there is a known sound near it.
    """

    said: str
    heard: str
    candidates: tuple[Match, ...]
    known: bool

    @property
    def led(self) -> bool:
        """Whether other words take the place of the person's own."""
        return self.heard != self.said

    @property
    def similarity(self) -> float:
        """Cosine to the nearest known caption."""
        return self.candidates[0].similarity


@dataclass(frozen=True)
class Led:
    """A prompt and what the network listens to instead."""

    said: str
    text: str
    clauses: tuple[Clause, ...] = ()

    @property
    def captions(self) -> list[str]:
        """What is heard, clause by clause, for the settings of a take."""
        return [clause.heard for clause in self.clauses]

    @property
    def unknown(self) -> list[str]:
        """Clauses near which nothing is known."""
        return [clause.said for clause in self.clauses if not clause.known]

    @property
    def changed(self) -> bool:
        """Whether the network listens to other words than were said."""
        return self.text != self.said


@dataclass(frozen=True)
class Prompts:
    """What a request says, and what the network listens to."""

    led: Led
    negative: str = ""
    literal: bool = False  # the person's own words were asked for
    knows: bool = False  # there is a vocabulary that could have led

    @property
    def text(self) -> str:
        """What the network listens to, and what takes are judged by."""
        return self.led.text

    def __bool__(self) -> bool:
        return bool(self.led.said or self.negative)

    def to_settings(self) -> dict[str, Any]:
        """For the settings of a take.

        `heard` are the captions that the network listened to, clause by clause, and `unknown` those clauses that are
        near nothing that it knows.
        """
        found: dict[str, Any] = {"prompt": self.led.said, "negative": self.negative}
        if self.literal:
            found["literal"] = True
        elif self.knows and self.led.said:
            found["heard"] = self.led.captions
            if self.led.unknown:
                found["unknown"] = self.led.unknown
        return found


def lead(prompt: str, vocabulary: Vocabulary | None, embed: Embed) -> Led:
    """What the network should listen to for a prompt; the prompt itself where there is no vocabulary.

    Args:
        prompt: any sentence, tidy; empty stays empty.
        embed: texts to unit vectors in the space of the vocabulary.
    """
    if vocabulary is None or not vocabulary.sounds or not prompt:
        return Led(prompt, prompt)
    whole = clause_of(prompt, vocabulary, embed)
    pieces = [prompt] if not whole.led and whole.known else _cut(prompt, JOINTS)
    clauses: list[Clause] = []
    text = ""
    for index, piece in enumerate(pieces):
        if index % 2 or not piece:  # what joins two clauses
            text += piece
            continue
        own, joints = _clauses(piece, vocabulary, embed)
        clauses += own
        text += "".join(clause.heard + joint for clause, joint in zip(own, [*joints, ""], strict=True))
    return Led(prompt, text, tuple(clauses))


def clause_of(said: str, vocabulary: Vocabulary, embed: Embed) -> Clause:
    """One sound in a person's words, with the known sounds that are near it."""
    counted = COUNT.match(said)
    core, times = (counted[1], counted[2]) if counted else (said, "")
    matches = vocabulary.nearest(embed([core])[0], CANDIDATES)
    best = matches[0]
    if best.similarity < FAR:
        return Clause(said, said, tuple(matches), known=False)
    if max(match.similarity for match in matches) >= NEAR:
        return Clause(said, said, tuple(matches), known=True)
    return Clause(said, best.caption + times, tuple(matches), known=True)


def clauses_of(said: str, vocabulary: Vocabulary, embed: Embed) -> list[Clause]:
    """The sounds that are heard at once in a clause: one, or the two or three that "and" joins."""
    return _clauses(said, vocabulary, embed)[0]


def _clauses(said: str, vocabulary: Vocabulary, embed: Embed) -> tuple[list[Clause], list[str]]:
    """A clause, or the two or three that "and" joins, where each of them alone is nearer to something known."""
    whole = clause_of(said, vocabulary, embed)
    parts = _cut(said, ALSO)
    if len(parts) == 1 or (not whole.led and whole.known):
        return [whole], []
    each = [clause_of(part, vocabulary, embed) for part in parts[::2]]
    if min(clause.similarity for clause in each) <= whole.similarity:
        return [whole], []
    return each, parts[1::2]


def _cut(text: str, joint: re.Pattern[str]) -> list[str]:
    """Clauses and what joins them, in turn; a clause may be empty at the beginning."""
    pieces = joint.split(text)
    if pieces[-1].strip(" .,;"):
        return pieces
    return [*pieces[:-3], pieces[-3] + pieces[-2] + pieces[-1]] if len(pieces) > 2 else [text]


def captions_instead(led: Led, heard: Sequence[str]) -> Led:
    """The same prompt with other captions for its clauses, as a person has chosen them.

    Raises:
        ValueError: not as many as there are clauses.
    """
    if len(heard) != len(led.clauses):
        raise ValueError(f"The prompt has {len(led.clauses)} parts; give a caption for each of them, not {len(heard)}.")
    text, at = "", 0
    rest = led.text
    for clause, caption in zip(led.clauses, heard, strict=True):
        at = rest.index(clause.heard)
        text, rest = text + rest[:at] + caption, rest[at + len(clause.heard) :]
    return Led(led.said, text + rest, led.clauses)
