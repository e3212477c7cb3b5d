"""A sentence of several sounds to events in time: "first a dog barks, then rain" says which sound comes when.

The order of words is not the order of sounds: "after the thunder, rain" begins with the thunder. The grammar is small:
joints of time ("then", "after", "before", "while", "followed by", "and"), the carriers of the paper's twelve templates
(Appendix F: "after hearing a noisy sound of rain, a dog barks"), times ("at 2 s", "from 1 to 3 s", "for 2 s", "until
the end"), and lists with times of their own: "a dog barks(1-2, 3-4); rain(0-10)".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from maa.pipeline.events import MAX_EVENTS, SHORTEST, Event

Apart = Callable[[str], Sequence[str]]  # the sounds at once in a clause: "rain and thunder" -> both
Known = Callable[[str], bool]  # whether a clause is a sound, so that "shortly after dawn" stays what it is

TIMES = r"(?:once|twice|thrice|again and again|repeatedly|(?:\w+|\d+) times|non-?stop)"  # how often something sounds
BEHIND = -8.0  # dB of what is said to be in the background
_NUMBER = r"(\d{1,3}(?:\.\d{1,3})?)"
_SILENT = re.compile(r"^(?:a\s+)?(?:moment\s+of\s+)?(?:silence|quiet|pause|nothing)$", re.IGNORECASE)
_S = r"\s*(?:s|secs?|seconds?)\b"
_S_OR_NOT = rf"(?:{_S})?"
_RANGE = rf"{_NUMBER}{_S_OR_NOT}\s*[-–]\s*{_NUMBER}{_S_OR_NOT}"
_LISTED = re.compile(rf"\s*([^();]+?)\s*\(\s*({_RANGE}(?:\s*,[^()]*)?)\)\s*(?:[;,.]|$)")
_SPAN = re.compile(rf"^\s*{_RANGE}\s*$", re.IGNORECASE)

_CARRIER = re.compile(
    r"^(?:(?:and|then|also|there\s+(?:is|are|comes)|is|are|hearing|noticing|listening\s+to|appearing|"
    r"(?:we|you|i)\s+(?:can\s+)?hear)\s+)*"
    r"(?:(?:a|an|the|some)\s+(?:(?:clear|noisy|close-up|weird|clean)\s+)?(?:audio|sound|voice|noise)s?\s+of\s+)?",
    re.IGNORECASE,
)
_FIRST = re.compile(r"^first(?:ly|\s+of\s+all)?(?:\s+(?:is|comes|there\s+is))?,?\s+", re.IGNORECASE)
_THEN = re.compile(
    r"\s*[,;.]?\s*(?:\band\s+)?\b(?:then|second(?:ly)?\s+is|secondly|third(?:ly)?\s+is|thirdly|after\s+that|afterwards|"
    r"later|finally|lastly|followed\s+by)\b,?\s*|\s*[;.]\s+|\s+second\s+is\s+",
    re.IGNORECASE,
)
_COMMA = re.compile(rf",\s+(?!(?:{TIMES})\b|(?:at|from|for|until|till)\b)", re.IGNORECASE)
_NO_TIME = r"(?!\s*\d|\s+(?:the\s+(?:very\s+)?end|another|the\s+other|each\s+other|dawn|dusk|dark|midnight|noon|sun)\b)"
_AFTER_FIRST = re.compile(rf"^(?:after|following|behind)\b{_NO_TIME}\s+([^,]+),\s*(.+)$", re.IGNORECASE)
_BEFORE_FIRST = re.compile(rf"^(?:before|in\s+front\s+of)\b{_NO_TIME}\s+([^,]+),\s*(.+)$", re.IGNORECASE)
_WHILE_FIRST = re.compile(r"^(?:while|during)\s+([^,]+),\s*(.+)$", re.IGNORECASE)
_AFTER = re.compile(rf"^(.+?),?\s+(?:after|following)\b{_NO_TIME}\s+(.+)$", re.IGNORECASE)
_BEFORE = re.compile(rf"^(.+?),?\s+(?:before|until)\b{_NO_TIME}\s+(.+)$", re.IGNORECASE)
_BACK = re.compile(
    r"^(.+?),?\s+with\s+(.+?)\s+in\s+the\s+background$"
    r"|^(.+?)\s+over\s+((?:a|the|some)\s+(?:\w+\s+)?(?:audio|sound|voice)\s+of\s+.+)$",
    re.IGNORECASE,
)
_WHILE = re.compile(
    r"^(.+?),?\s+(?:while|during|together\s+with|along\s+with|at\s+the\s+same\s+time\s+as)\s+(.+)$", re.IGNORECASE
)
_SAME_TIME = re.compile(r"^(.+)\s+and\s+(.+?)\s+at\s+the\s+same\s+time$", re.IGNORECASE)

_FROM_TO = re.compile(
    rf",?\s+(?:from|between)\s+{_NUMBER}{_S_OR_NOT}\s*(?:to|and|until|till|-|–)\s*{_NUMBER}{_S}$", re.IGNORECASE
)
_AT = re.compile(rf",?\s+(?:at|from|after|starting\s+at)\s+{_NUMBER}{_S}(?:\s+on)?$", re.IGNORECASE)
_AT_FIRST = re.compile(rf"^(?:at|after)\s+{_NUMBER}{_S},?\s+", re.IGNORECASE)
_FOR = re.compile(rf",?\s+for\s+{_NUMBER}{_S}$", re.IGNORECASE)
_UNTIL = re.compile(rf",?\s+(?:until|till|to)\s+{_NUMBER}{_S}$", re.IGNORECASE)
_UNTIL_END = re.compile(r",?\s+(?:until|till|to)\s+the\s+(?:very\s+)?end$", re.IGNORECASE)


@dataclass(frozen=True)
class Sound:
    """One sound of a sentence, with the times that are said of it."""

    text: str
    start: float | None = None
    end: float | None = None
    lasts: float | None = None
    to_end: bool = False
    gain: float = 0.0

    @property
    def timed(self) -> bool:
        """Whether the sentence says when."""
        return self.start is not None or self.end is not None or self.lasts is not None


@dataclass(frozen=True)
class Group:
    """Sounds after one another, or at once."""

    parts: tuple[Sound | Group, ...]
    at_once: bool


Tree = Sound | Group


def _alone(clause: str) -> list[str]:
    return [clause]


def _anything(clause: str) -> bool:
    return True


def events_in(sentence: str, seconds: float, apart: Apart = _alone, known: Known = _anything) -> list[Event]:
    """The events that a sentence tells of, over a sound of `seconds`; none where it is one sound without a time.

    Args:
        sentence: any text.
        apart: parts a clause into sounds at once, where they are several.
        known: whether a clause is a sound at all; a joint between others is no joint.
    """
    listed = _listed(sentence, seconds)
    if listed:
        return listed
    tree = _parsed(sentence, apart, known)
    if isinstance(tree, Sound) and not tree.timed:
        return []
    found = _laid(tree, 0.0, seconds, seconds)
    return found if found and len(found) <= MAX_EVENTS else []


def _listed(sentence: str, seconds: float) -> list[Event]:
    """Events of a list with times: every part of it has some, or it is none."""
    found: list[Event] = []
    at = 0
    while at < len(sentence.rstrip()):
        part = _LISTED.match(sentence, at)
        if part is None:
            return []
        for span in part[2].split(","):
            edges = _SPAN.match(span)
            if edges is None:
                return []
            start, end = float(edges[1]), min(float(edges[2]), seconds)
            if end - start < SHORTEST:
                return []
            found.append(Event(part[1], start, end))
        at = part.end()
    return found if len(found) <= MAX_EVENTS else []


def _parsed(text: str, apart: Apart, known: Known) -> Tree:
    """The sounds of a sentence and how they follow one another."""
    text = text.strip(" ,.;")
    for joint in (_then, _in_time):
        parts, at_once, gains = joint(text)
        if len(parts) > 1 and all(_has_words(part) and known(_bare(part)) for part in parts):
            trees = [_parsed(part, apart, known) for part in parts]
            return Group(tuple(_louder(tree, gain) for tree, gain in zip(trees, gains, strict=True)), at_once)
    one = _sound(text)
    sounds = apart(one.text)
    if len(sounds) > 1:
        return Group(tuple(replace(one, text=_bare(sound)) for sound in sounds), at_once=True)
    return one


def _then(text: str) -> tuple[list[str], bool, list[float]]:
    """Parts of a sentence that come one after the other in the order in which they are said."""
    parts = [part for part in _THEN.split(_FIRST.sub("", text)) if part and part.strip(" ,.;")]
    if len(parts) > 1 and not any(opening.match(text) for opening in (_AFTER_FIRST, _BEFORE_FIRST, _WHILE_FIRST)):
        parts = [one for part in parts for one in _COMMA.split(part) if one.strip(" ,.;")]  # "a bell, a dog, then rain"
    return parts, False, [0.0] * len(parts)


def _in_time(text: str) -> tuple[list[str], bool, list[float]]:
    """Two parts in the order in which they are heard, or at once."""
    for pattern, swapped, at_once in (
        (_AFTER_FIRST, False, False), (_BEFORE_FIRST, True, False), (_WHILE_FIRST, True, True),
        (_AFTER, True, False), (_BEFORE, False, False), (_SAME_TIME, False, True), (_WHILE, False, True),
    ):  # fmt: skip
        if found := pattern.match(text):
            one, two = found[1], found[2]
            return ([two, one] if swapped else [one, two]), at_once, [0.0, 0.0]
    if found := _BACK.match(text):
        one, two = found[1] or found[3], found[2] or found[4]
        return [one, two], True, [0.0, BEHIND]
    return [text], False, [0.0]


def _has_words(part: str) -> bool:
    return bool(re.search(r"\w", _bare(part)))


def _bare(clause: str) -> str:
    """A clause without what carries the sound: "hearing a noisy audio of rain" is rain. Times are taken off, too."""
    return _sound(clause).text


def _sound(clause: str) -> Sound:
    """A clause as a sound, with the times that are said at its end or beginning."""
    text, one = clause.strip(" ,.;"), Sound("")
    if found := _AT_FIRST.match(text):
        one, text = replace(one, start=float(found[1])), text[found.end() :]
    for _ in range(3):  # "at 2 s until the end"
        if found := _FROM_TO.search(text):
            one = replace(one, start=float(found[1]), end=float(found[2]))
        elif found := _UNTIL_END.search(text):
            one = replace(one, to_end=True)
        elif found := _FOR.search(text):
            one = replace(one, lasts=float(found[1]))
        elif found := _UNTIL.search(text):
            one = replace(one, end=float(found[1]))
        elif found := _AT.search(text):
            one = replace(one, start=float(found[1]))
        else:
            break
        text = text[: found.start()]
    bare = _CARRIER.sub("", text, count=1).strip(" ,.;")
    return replace(one, text=bare or text)


def _louder(tree: Tree, gain: float) -> Tree:
    """The same with every sound at another level."""
    if not gain:
        return tree
    if isinstance(tree, Sound):
        return replace(tree, gain=tree.gain + gain)
    return replace(tree, parts=tuple(_louder(part, gain) for part in tree.parts))


def _laid(tree: Tree, begin: float, end: float, seconds: float) -> list[Event]:
    """Events from `begin` to `end`: what is after one another shares the time, what is at once has all of it."""
    if isinstance(tree, Sound):
        start = begin if tree.start is None else min(tree.start, seconds)
        last = seconds if tree.to_end else end if tree.end is None else min(tree.end, seconds)
        last = min(start + tree.lasts, seconds) if tree.lasts is not None else last
        heard = last - start >= SHORTEST and not _SILENT.match(tree.text)
        return [Event(tree.text, round(start, 3), round(last, 3), tree.gain)] if heard else []
    if tree.at_once:
        return [event for part in tree.parts for event in _laid(part, begin, end, seconds)]
    edges = _edges(tree.parts, begin, end)
    spans = zip(tree.parts, pairwise(edges), strict=True)
    return [event for part, (first, last) in spans for event in _laid(part, first, last, seconds)]


def _edges(parts: Sequence[Tree], begin: float, end: float) -> list[float]:
    """Where each of several parts begins, and the end of the last: as the sentence says, and evenly between."""
    said: list[float | None] = [_first(part).start for part in parts]
    for k, part in enumerate(parts[:-1]):
        one = _first(part)
        if said[k + 1] is None and one.end is not None:
            said[k + 1] = one.end
        if said[k + 1] is None and one.lasts is not None and (one.start is not None or k == 0):
            said[k + 1] = (begin if one.start is None else one.start) + one.lasts
    said[0] = begin if said[0] is None else said[0]
    fixed = [(k, edge) for k, edge in enumerate(said) if edge is not None] + [(len(parts), end)]
    if any(b <= a for (_, a), (_, b) in pairwise(fixed)):
        fixed = [(0, begin), (len(parts), end)]
    edges: list[float] = []
    for (i, a), (j, b) in pairwise(fixed):
        edges += [a + (b - a) * k / (j - i) for k in range(j - i)]
    return [*edges, end]


def _first(tree: Tree) -> Sound:
    return tree if isinstance(tree, Sound) else _first(tree.parts[0])
