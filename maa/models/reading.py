"""What a text tower cannot read of a text: what lies beyond its length, and signs that its tokenizer does not know."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer
from tokenizers.models import BPE

from maa.models.text import TextEncoder

UNKNOWN = ("[UNK]", "<unk>")  # of BERT and T5


@dataclass(frozen=True)
class Reading:
    """How much of a text reaches a tower.

    Attributes:
        cut: the end of the text that the tower never sees; "" = it sees all of it.
        unread: stretches in which nothing is told apart: signs without a token of their own, and letters that are not
            Latin, of which the towers here know the shapes and no words.
    """

    cut: str = ""
    unread: tuple[str, ...] = ()


def reading(tower: TextEncoder, text: str) -> Reading:
    """What a tower misses of a text.

    Args:
        tower: its tokenizer cuts at the tower's length and keeps what it has cut.
        text: any, tidy.
    """
    if not text:
        return Reading()
    row = tower.tokenizer.encode(text)
    beyond = [span for more in row.overflowing for span in _spans(more)]
    cut = text[min(first for first, _ in beyond) :] if beyond else ""
    unknown = _unknown(tower.tokenizer)
    rows = [row, *row.overflowing]
    lost = {at for one in rows for k, span in enumerate(one.offsets) if one.ids[k] == unknown for at in range(*span)}
    lost |= {at for at, sign in enumerate(text) if foreign(sign)}
    return Reading(cut.strip(), tuple(_stretches(text, lost)))


def foreign(sign: str) -> bool:
    """Whether a sign is a letter of another script than Latin."""
    return sign.isalpha() and "LATIN" not in unicodedata.name(sign, "LATIN")


def _spans(row: Encoding) -> list[tuple[int, int]]:
    """Where the tokens of a piece lie in the text; marks and padding lie nowhere."""
    return [(first, stop) for first, stop in row.offsets if stop > first]


def _stretches(text: str, lost: Iterable[int]) -> list[str]:
    """Places of a text as words: each once, joined over white space."""
    found: list[str] = []
    last = -2
    for at in sorted(lost):
        between = text[last + 1 : at] if last >= 0 else ""
        if last >= 0 and not between.strip():
            found[-1] += between + text[at]
        else:
            found.append(text[at])
        last = at
    return list(dict.fromkeys(word.strip() for word in found if word.strip()))


def _unknown(tokenizer: Tokenizer) -> int | None:
    """The id of the token that stands for whatever a tokenizer does not know; None where it knows every byte (BPE)."""
    if isinstance(tokenizer.model, BPE):
        return None
    return next((found for found in map(tokenizer.token_to_id, UNKNOWN) if found is not None), None)
