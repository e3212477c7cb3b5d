"""What of a prompt is not understood, and one sentence for each such thing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHOWN = 80  # characters of a person's words that a sentence repeats

# Small words of languages; what English has as well is in no other's list but where it is its commonest.
_WORDS = {
    "German": "ein eine einen einem und der das dem den auf mit von nicht oder ist sind bellt zum über ich wie durch",
    "French": "un une le la les des du et dans sur avec est qui au aux ne pas sous il elle deux",
    "Spanish": "el los las un una y del con por que en es muy hay sobre está la perro lluvia",
    "Italian": "il lo gli un una di della del che e nel sul con sulla è piove cane",
    "Portuguese": "o os um uma da do das dos no na com que em é cachorro chuva",
    "English": "the a an of and in on with at by to is as it from over into then while",
    "Dutch": "een het de van op met en niet zijn voor naar uit aan hond",
}
SIGNS = {name: frozenset(words.split()) for name, words in _WORDS.items()}


@dataclass(frozen=True)
class Notes:
    """What is not understood.

    Attributes:
        unknown: clauses near which nothing is known.
        cut: ends of prompts that lie beyond the text encoder's length.
        unread: signs that the text encoder does not tell apart, such as emoji and other scripts.
        numbers: clauses whose numbers would be read better as words, which the library for it is not there to do.
        language: what the words seem to be in, where that is not English; "" = nothing seems so.
    """

    unknown: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    language: str = ""
    numbers: tuple[str, ...] = ()

    def to_settings(self) -> dict[str, Any]:
        """JSON types, and only what there is."""
        lists = {"unknown": list(self.unknown), "cut": list(self.cut), "unread": list(self.unread)}
        lists["numbers"] = list(self.numbers)
        found: dict[str, Any] = {name: words for name, words in lists.items() if words}
        return found | ({"language": self.language} if self.language else {})

    def sentences(self) -> list[str]:
        """One for each thing that is not understood."""
        return sentences(self.to_settings())


NOTHING = Notes()


def language(text: str) -> str:
    """The language other than English that a text seems to be in; "" where there is no sign of one.

    Two small words of a language give it away, or one among few; English ones speak against it.
    """
    words = set(re.findall(r"[^\W\d_]+", text.lower()))
    hits = {name: len(words & signs) for name, signs in SIGNS.items()}
    against = hits.pop("English")
    name = max(hits, key=lambda one: hits[one])
    enough = hits[name] >= 2 or (hits[name] == 1 and 2 <= len(words) <= 4 and not against)
    return name if enough and hits[name] > against else ""


def sentences(settings: Mapping[str, Any]) -> list[str]:
    """The sentences for what the settings of a take say of its prompt."""
    found = []
    if settings.get("unread"):
        found.append(f"The model cannot read {_quoted(settings['unread'])} and hears nothing of it.")
    if settings.get("language"):
        found.append(f"The model reads English only, and this looks like {settings['language']}.")
    if settings.get("unknown"):
        found.append(f"It knows nothing like {_quoted(settings['unknown'])}, so expect a guess.")
    if settings.get("numbers"):
        found.append(f"Numbers are heard best as words: write {_quoted(settings['numbers'])} out, or install wetext.")
    if settings.get("cut"):
        found.append(f"The prompt is too long for the model: it does not hear {_quoted(settings['cut'])}.")
    return found


def _quoted(words: Sequence[Any]) -> str:
    """A list of a person's words, cut where they are long."""
    text = ", ".join(f"“{word}”" for word in map(str, words))
    return text if len(text) <= SHOWN else text[: SHOWN - 1].rstrip() + "…”"
