"""Captions in other words: synonyms, what a thing is a kind of, and plain ways to speak of a sound.

synonyms.csv beside this file holds them by word, with the sense chosen by hand for every concept; they are words of
WordNet 3.0 (Copyright 2006 by Princeton University; its licence lies beside the table).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

TABLE = Path(__file__).with_name("synonyms.csv")
SWAPPED = 0.35  # share of captions with a word in place of which there is another
KIND = 0.25  # of these, that say what it is a kind of instead
FRAMED = 0.25  # share of captions of whole clips that are put into a sentence about a sound
NAMES = (  # for a concept's name, which is never a whole sentence
    "the sound of {x}",
    "sounds of {x}",
    "{x} can be heard",
    "a recording of {x}",
    "someone hears {x}",
    "there is {x}",
    "the noise of {x}",
    "listen to {x}",
    "{x} sound effect",
)
SENTENCES = (  # for anything that is said of a sound
    "{x} nearby",
    "sound effect: {x}",
    "field recording, {x}",
    "{x}, close to the microphone",
    "audio of this: {x}",
    "{x}, recorded outside of a studio",
)
DOUBLED = re.compile(r"\b(rap|tap|hum|thrum|snap|drip|flap|yip|yap|chop|blat)\b")
IRREGULAR = {"mouse": "mice", "goose": "geese", "person": "people", "woman": "women", "wolf": "wolves"}
SAME = {"scissors", "timpani", "vibes", "cattle", "poultry", "sheep", "castanets", "clappers", "applause", "deer"}


@dataclass(frozen=True)
class Entry:
    """A word, and what can stand in its place in captions of the named concepts, or of all with it in their names."""

    word: str
    verb: bool
    synonyms: tuple[str, ...]
    hypernyms: tuple[str, ...]
    concepts: tuple[str, ...]

    @classmethod
    def read(cls, line: dict[str, str]) -> Entry:
        """A line of the table."""
        several = (tuple(filter(None, line[key].split("|"))) for key in ("synonyms", "hypernyms", "concepts"))
        return cls(line["word"], line["kind"] == "verb", *several)

    def forms(self) -> tuple[Callable[[str], str], ...]:
        """What turns the dictionary's form into those of captions."""
        if self.verb:
            return (present_participle, third_person, str)
        return (plural, str) if plural(self.word) != self.word else (str,)

    def belongs(self, concept: str) -> bool:
        """Whether a concept is about this sense of the word."""
        if self.concepts:
            return concept in self.concepts
        return any(re.search(rf"\b{re.escape(form(self.word))}\b", concept) for form in self.forms())


@cache
def synonym_table(path: Path = TABLE) -> tuple[Entry, ...]:
    """The table, longer words first: a church bell is no bell."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(sorted(map(Entry.read, csv.DictReader(file)), key=lambda entry: -len(entry.word)))


@cache
def places(caption: str, concept: str) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """Words of a caption that have others: (word, synonyms, hypernyms) in the same form."""
    found: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
    for entry in synonym_table():
        if not entry.belongs(concept):
            continue
        for form in entry.forms():
            word = form(entry.word)
            if re.search(rf"\b{re.escape(word)}\b", caption) and not any(word in longer for longer, _, _ in found):
                found.append((word, tuple(map(form, entry.synonyms)), tuple(map(form, entry.hypernyms))))
                break
    return tuple(found)


def reword(caption: str, concept: str, rng: np.random.Generator) -> str:
    """The caption, sometimes with one word replaced by one that means the same or the kind of thing it is."""
    if rng.random() >= SWAPPED or not (possible := places(caption, concept)):
        return caption
    word, synonyms, hypernyms = possible[int(rng.integers(len(possible)))]
    others = hypernyms if rng.random() < KIND else synonyms
    return replaced(caption, word, others[int(rng.integers(len(others)))]) if others else caption


def replaced(caption: str, word: str, other: str) -> str:
    """One word for another, with the article that belongs to it."""
    said = re.sub(rf"\b{re.escape(word)}\b", other, caption, count=1)
    article = "an" if other[0] in "aeio" else "a"
    return re.sub(rf"\ban? {re.escape(other)}\b", f"{article} {other}", said)


def framed(caption: str, concept: str, rng: np.random.Generator) -> str:
    """The caption, sometimes as part of a sentence about a sound."""
    if rng.random() >= FRAMED:
        return caption
    frames = NAMES + SENTENCES[:4] if caption == concept else SENTENCES
    return frames[int(rng.integers(len(frames)))].format(x=caption)


def variants(caption: str, concept: str) -> set[str]:
    """Everything that `reword` and `framed` can make of a caption."""
    words = {caption}
    for word, synonyms, hypernyms in places(caption, concept):
        words |= {replaced(caption, word, other) for other in (*synonyms, *hypernyms)}
    return words | {frame.format(x=said) for said in words for frame in NAMES + SENTENCES}


def plural(word: str) -> str:
    """More than one of a thing: "church bells"."""
    head, _, last = word.rpartition(" ")
    if last in SAME:
        return word
    return f"{head} {IRREGULAR.get(last) or _with_s(last)}".strip()


def third_person(word: str) -> str:
    """What somebody does: "falls in"."""
    head, _, rest = word.partition(" ")
    return f"{_with_s(head)} {rest}".strip()


def present_participle(word: str) -> str:
    """What somebody is doing: "falling in"."""
    head, _, rest = word.partition(" ")
    if DOUBLED.fullmatch(head):
        head += head[-1]
    return f"{re.sub(r'(?<=[^e])e$', '', head)}ing {rest}".strip()


def _with_s(word: str) -> str:
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(s|x|z|ch|sh)$", word) else "s")
