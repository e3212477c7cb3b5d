"""Prompts in anybody's words, led to captions that the network was trained on (cf. prompt enhancement, Sec. 3.2).

A network of few recordings knows few words: "a hound woofing" makes it nothing like a dog. The text encoder knows that
they are near each other, so what is near no known caption listens to the nearest sound instead: by its name, which is
what the network makes best, or where another caption is much nearer, by that. A sentence of several sounds is led
clause by clause; what joins them stays, because the network has learned it from the templates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from torch import Tensor

from maa.models.vocabulary import Match, Vocabulary
from maa.models.written import in_words, unwritten
from maa.pipeline import checks
from maa.pipeline.notes import NOTHING, Notes
from maa.pipeline.rows import MAX_HEARD
from maa.pipeline.sentences import TIMES

NEAR = 0.85  # cosine above which a clause counts as known and stays in its own words
FAR = 0.40  # and below which nothing known is near, so that it stays as well
FAR_ABROAD = 0.65  # the same for words of another language, whose spelling is near this and that
CANDIDATES = 6  # the best and five to take in its place
MAX_PIECES = MAX_HEARD // 2  # of a sentence, each of which "and" may part once more

Embed = Callable[[list[str]], Tensor]  # N texts to unit vectors [N, D]

# How often something sounds is for the network to hear; a caption is looked for without it.
COUNT = re.compile(rf"^(.*?)(,?\s+{TIMES})$", re.IGNORECASE)
JOINTS = re.compile(
    rf"(^first,?\s+|\s*[,;.]?\s*\b(?:and then|after that|followed by|following|then|before|after|while|until)\b,?\s*"
    rf"|\s*[;.]\s+|\s*,\s+(?!{TIMES}\b)(?:and\s+)?)",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W_]{2}")  # a letter alone means nothing
ALSO = re.compile(r"(\s+(?:and|with|plus)\s+)", re.IGNORECASE)


@dataclass(frozen=True)
class Clause:
    """One sound of a prompt.

    Attributes:
        said: as the person said it.
        heard: what the network listens to; the same, or a known sound.
        candidates: known sounds near it, best first.
        known: there is a known sound near it, or a person has chosen one.
        times: how often, as it was said: " twice"; it goes with every sound.
    """

    said: str
    heard: str
    candidates: tuple[Match, ...]
    known: bool
    times: str = ""

    @property
    def led(self) -> bool:
        """Whether other words take the place of the person's own."""
        return self.heard != self.said

    @property
    def own(self) -> bool:
        """Whether the network listens to the person's own words, numbers in them written out."""
        return self.heard in (self.said, in_words(self.said))

    @property
    def choices(self) -> list[str]:
        """What may be heard instead, best first: known sounds in words that the network knows."""
        return [match.words + self.times for match in self.candidates]

    @property
    def similarity(self) -> float:
        """Cosine to the nearest known caption."""
        return self.candidates[0].similarity


@dataclass(frozen=True)
class Led:
    """A prompt and what the network listens to instead.

    Attributes:
        said: the prompt.
        text: what is heard.
        clauses: the sounds in it; none where nothing could lead it.
        joints: what stands before, between and behind the clauses, one more than there are clauses.
    """

    said: str
    text: str
    clauses: tuple[Clause, ...] = ()
    joints: tuple[str, ...] = ()

    @classmethod
    def of(cls, said: str, clauses: Sequence[Clause], joints: Sequence[str]) -> Led:
        """From its parts."""
        heard = [clause.heard for clause in clauses]
        text = "".join(joint + words for joint, words in zip_longest(joints, heard, fillvalue=""))
        return cls(said, text, tuple(clauses), tuple(joints))

    def __bool__(self) -> bool:
        return bool(self.said)

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
    notes: Notes = NOTHING

    @property
    def text(self) -> str:
        """What the network listens to, and what takes are judged by."""
        return self.led.text

    @property
    def clauses(self) -> tuple[Led, ...]:
        """What was led: the prompt."""
        return (self.led,)

    def __bool__(self) -> bool:
        return bool(self.led.said or self.negative)

    def to_settings(self) -> dict[str, Any]:
        """For the settings of a take.

        `heard` are the captions that the network listened to, clause by clause, and `unknown` those clauses that are
        near nothing that it knows; what the text encoder could not read is said by the notes.
        """
        found: dict[str, Any] = {"prompt": self.led.said, "negative": self.negative}
        if self.literal:
            found["literal"] = True
        elif self.knows and self.led.said:
            found["heard"] = self.led.captions
        return found | self.notes.to_settings()


def lead(
    prompt: str, vocabulary: Vocabulary | None, embed: Embed, *, abroad: bool = False, parts: int | None = None
) -> Led:
    """What the network should listen to for a prompt; the prompt itself where there is no vocabulary.

    Args:
        prompt: any sentence, tidy; empty stays empty.
        embed: texts to unit vectors in the space of the vocabulary.
        abroad: the words seem to be of another language, so that only what is very near counts.
        parts: how many clauses somebody saw in it; where it can be cut into so many, it is.
    """
    if vocabulary is None or not vocabulary.sounds or not prompt:
        return Led(prompt, prompt)
    pieces = _cut(prompt, JOINTS, MAX_PIECES - 1)
    find = Finder(vocabulary, embed, FAR_ABROAD if abroad else FAR)
    find.learn([prompt])
    find.learn([*pieces[::2], *(part for piece in pieces[::2] for part in _cut(piece, ALSO, 2)[::2])])
    found = _by_nearness(prompt, pieces, find)
    if parts is None or len(found.clauses) == parts:
        return found
    ways = (_cut_up(prompt, cut, find) for cut in ([prompt], pieces, _finest(pieces)))
    return next((led for led in ways if len(led.clauses) == parts), found)


def _by_nearness(prompt: str, pieces: list[str], find: Finder) -> Led:
    """A known prompt as a whole; another one clause by clause."""
    whole = find.clause(prompt)
    if whole.own and whole.known:
        return Led.of(prompt, [whole], ["", ""])
    clauses: list[Clause] = []
    joints = [""]
    for index, piece in enumerate(pieces):
        if index % 2 or not piece:  # what joins two clauses
            joints[-1] += piece
            continue
        own, between = _clauses(piece, find)
        clauses += own
        joints += [*between, ""]
    return Led.of(prompt, clauses, joints)


def _cut_up(prompt: str, pieces: Sequence[str], find: Finder) -> Led:
    """A prompt cut in one certain way: clauses and joints in turn."""
    clauses = [find.clause(piece) for piece in pieces[::2] if piece]
    joints = [pieces[0] + "".join(pieces[1:2])] if not pieces[0] else [""]
    rest = pieces[3::2] if not pieces[0] else pieces[1::2]
    return Led.of(prompt, clauses, [*joints, *rest, ""])


def _finest(pieces: Sequence[str]) -> list[str]:
    """The same with each clause cut wherever "and" stands."""
    return [part for index, piece in enumerate(pieces) for part in ([piece] if index % 2 else _cut(piece, ALSO, 2))]


class Finder:
    """Looks for the sounds that clauses are near.

    Args:
        vocabulary: of all known sounds.
        embed: texts to unit vectors in its space.
        far: cosine below which nothing is near.
    """

    def __init__(self, vocabulary: Vocabulary, embed: Embed, far: float = FAR) -> None:
        self.vocabulary, self.embed, self.far = vocabulary, embed, far
        self.vectors: dict[str, Tensor] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Embed clauses that will be looked for, all at once: a long sentence has dozens, which are short."""
        new = [core for core in dict.fromkeys(_counted(text)[0] for text in texts) if core not in self.vectors]
        if new:
            self.vectors |= dict(zip(new, self.embed(new), strict=True))

    def clause(self, said: str) -> Clause:
        """One sound in a person's words, with the known sounds that are near it."""
        self.learn([said])
        core, times = _counted(said)
        before = len(times) - len(times.lstrip(", "))  # what parts it from the sound
        times = times[:before] + in_words(times[before:])
        matches = tuple(self.vocabulary.nearest(self.vectors[core], CANDIDATES))
        if max(match.similarity for match in matches) >= NEAR:
            trained = self.vocabulary.sound_of(core) is not None  # on these very words, figures and all
            return Clause(said, said if trained else in_words(said), matches, True, times)
        known = matches[0].similarity >= self.far and WORD.search(core) is not None
        return Clause(said, matches[0].words + times if known else in_words(said), matches, known, times)

    def at_once(self, said: str) -> list[Clause]:
        """The sounds that are heard at once in a clause: one, or the two or three that "and" joins."""
        return _clauses(said, self)[0]


def _counted(said: str) -> tuple[str, str]:
    """A clause without how often it sounds, and that."""
    counted = COUNT.match(said)
    return (counted[1], counted[2]) if counted and counted[1] else (said, "")


def _clauses(said: str, find: Finder) -> tuple[list[Clause], list[str]]:
    """A clause, or the two or three that "and" joins, where each of them alone is nearer to something known."""
    whole = find.clause(said)
    parts = _cut(said, ALSO, 2)
    if len(parts) == 1 or (whole.own and whole.known):
        return [whole], []
    each = [find.clause(part) for part in parts[::2]]
    if min(clause.similarity for clause in each) <= whole.similarity:
        return [whole], []
    return each, parts[1::2]


def _cut(text: str, joint: re.Pattern[str], most: int) -> list[str]:
    """Clauses and what joins them, in turn, cut at `most` joints; a clause may be empty at the beginning."""
    pieces = joint.split(text, maxsplit=most)
    if pieces[-1].strip(" .,;"):
        return pieces
    return [*pieces[:-3], pieces[-3] + pieces[-2] + pieces[-1]] if len(pieces) > 2 else [text]


def check_said(prompt: str | Led, *, needed: bool = False) -> str | Led:
    """A prompt with its white space tidied, or one that has been led already."""
    checks.text(prompt.said if isinstance(prompt, Led) else prompt, needed=needed)
    return prompt if isinstance(prompt, Led) else checks.text(prompt, needed=needed)


def captions_instead(led: Led, heard: Sequence[str], vocabulary: Vocabulary | None = None) -> Led:
    """The same prompt with other captions for its clauses, as a person has chosen them.

    Args:
        led: as `lead` gives it.
        heard: for each clause what the network shall listen to; the clause itself leaves the person's own words.
        vocabulary: what may be listened to besides; None = anything.

    Raises:
        ValueError: not as many as there are clauses, or something that the vocabulary does not have.
    """
    if len(heard) != len(led.clauses):
        raise ValueError(f"The prompt has {len(led.clauses)} parts; give a caption for each of them, not {len(heard)}.")
    chosen = []
    for clause, caption in zip(led.clauses, heard, strict=True):
        own = caption in (clause.said, in_words(clause.said))
        known = vocabulary is None or vocabulary.sound_of(_counted(caption)[0]) is not None
        if not own and not known and caption != clause.heard and not unwritten(clause.said):
            raise ValueError(f"{checks.shown(caption)} is no sound that the model knows; choose one of its vocabulary.")
        chosen.append(replace(clause, heard=caption, known=clause.known if own else True))
    return Led.of(led.said, chosen, led.joints)
