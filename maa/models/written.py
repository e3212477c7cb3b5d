"""Numbers, money, dates, measures and abbreviations as words, as captions are read (paper Sec. 5.1, item 3)."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any

PLAIN = re.compile(r"[a-z' ,.;:!?()-]*", re.IGNORECASE)  # nothing in it that needs writing out
DIGIT = re.compile(r"\d")
PROSE = re.compile(r"(?!.*--)[a-z0-9'\s,.;:!?()%$&/+-]*", re.IGNORECASE | re.DOTALL)  # no markup, code or options
DOTTED = re.compile(r"\b(dr|mr|mrs|st|vs|etc|approx|e\.g|i\.e|no(?=\.\s*\d))\.(?=\s|$)", re.IGNORECASE)
ABBREVIATIONS = {
    "approx": "approximately",
    "vs": "versus",
    "etc": "et cetera",
    "e.g": "for example",
    "i.e": "that is",
    "no": "number",
}


def is_plain(text: str) -> bool:
    """True when there is nothing in a text, its white space tidied, that needs writing out."""
    return bool(PLAIN.fullmatch(text)) and not DOTTED.search(text)


def can_write() -> bool:
    """True when the library is there that writes numbers out."""
    return find_spec("wetext") is not None


def in_words(text: str) -> str:
    """A person's words with numbers and abbreviations written out; as they are where there are none, in another script,
    or where the library is not there."""
    return normalise(text) if needs_words(text) and can_write() else text


def needs_words(text: str) -> bool:
    """True when something in a person's words is to be written out: a number, or a shortened word."""
    return PROSE.fullmatch(text) is not None and (DIGIT.search(text) or DOTTED.search(text)) is not None


def unwritten(text: str) -> bool:
    """True when something in a person's words stays as it is only because the library is not there."""
    return needs_words(text) and not can_write()


def normalise(text: str) -> str:
    """A caption with all of these written as words.

    Raises:
        ValueError: the text needs it and the library for it is not installed.
    """
    text = " ".join(text.split())
    if is_plain(text):
        return text
    text = DOTTED.sub(lambda match: ABBREVIATIONS.get(match[1].lower(), match[0]), text)
    text = re.sub(r"\b(\d+)0s\b", lambda match: _decade(match[1]), text)
    return " ".join(_written_out(text).split())


def _decade(tens: str) -> str:
    names = {"1": "tens", "2": "twenties", "3": "thirties", "4": "forties", "5": "fifties"}
    names |= {"6": "sixties", "7": "seventies", "8": "eighties", "9": "nineties", "0": "hundreds"}
    if len(tens) == 1:
        return names[tens] if tens in "23456789" else f"{tens}0s"  # "10s" is a time, "80s" a decade
    return f"{tens[:-1]} {names[tens[-1]]}" if len(tens) == 3 else f"{tens}0s"


@lru_cache(maxsize=100_000)
def _written_out(text: str) -> str:
    return str(_normaliser().normalize(text))


@cache
def _normaliser() -> Any:
    try:
        from wetext import Normalizer
    except ImportError as error:
        raise ValueError("Captions with numbers need wetext: run `pip install wetext`.") from error
    return Normalizer(lang="en")
