"""Does a prompt name a sound that goes on, such as rain? Then it is asked for without holes, and judged by them."""

from __future__ import annotations

import re
from collections.abc import Sequence

LITTLE = {"a", "an", "the", "of", "on", "in", "at", "by", "off", "to", "and", "being"}
SHORTEST = 3  # letters that are left of a word without its ending


def names_sustained(prompt: str, sustained: Sequence[str], concepts: Sequence[str] = ()) -> bool:
    """Whether a sustained sound is among those that a prompt names.

    A name counts as there when its head is: its last word that is no -ing form ("car engine", "wind blowing"), singular
    or plural, as a verb or not. Another sound that shares more words with the prompt takes the head for itself: "a wind
    chime" is no wind, "a machine gun" no humming machine.

    Args:
        prompt: any sentence.
        sustained: names of sounds that go on, as `Model.sustained` has them.
        concepts: names of all sounds that the model knows.
    """
    said = set(stems(prompt))
    others = [set(stems(name)) & said for name in concepts if name not in sustained]
    for name in sustained:
        found = set(stems(name)) & said
        if head(name) in found and not any(found < other for other in others):
            return True
    return False


def head(name: str) -> str:
    """The stem of the word that says what sounds: "engin" of "car engine", "rain" of "rain"."""
    words = [word for word in _words(name) if not word.endswith("ing")] or _words(name) or [""]
    return word_stem(words[-1])


def stems(text: str) -> list[str]:
    """The words of a text without their endings and without little words."""
    return [word_stem(word) for word in _words(text)]


def word_stem(word: str) -> str:
    """A word without plural, -ing, -ed or -y, and without a doubled or silent last letter: "running" is "run"."""
    for ending in ("ies", "es", "s"):
        if word.endswith(ending) and not word.endswith("ss"):
            word = _without(word, ending)
            break
    for ending in ("ing", "ed", "y"):
        shorter = _without(word, ending) if word.endswith(ending) else word
        if shorter != word:
            word = shorter
            break
    if len(word) > SHORTEST and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word[:-1] if len(word) > SHORTEST and word.endswith("e") else word


def _without(word: str, ending: str) -> str:
    rest = word[: -len(ending)]
    return rest if len(rest) >= SHORTEST and re.search("[aeiouy]", rest) else word


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]+", text.lower()) if word not in LITTLE]
