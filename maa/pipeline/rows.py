"""Lists that a request holds, row by row: regions of a mask, and the words that a picture is heard as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maa.pipeline import checks

MAX_WORDS = 20  # that a picture may be heard as
MAX_WEIGHT = 1e6
BOXES = 64  # regions of one request
MAX_HEARD = 64  # clauses of a prompt that something can be listened to for


def regions(value: Any, edges: int) -> list[tuple[float, ...]]:
    """Rows of [start s, end s, low Hz, high Hz], or with `edges` 2 of [start s, end s]; None is none.

    Their order and range are for `maa.audio.mask.Box` to judge.
    """
    row_text = f"[{', '.join(('start s', 'end s', 'low Hz', 'high Hz')[:edges])}]"
    if value is None:
        return []
    if not isinstance(value, list | tuple) or len(value) > BOXES:
        raise ValueError(f"Give up to {BOXES} regions, each as {row_text}.")
    rows = []
    for row in value:
        if not isinstance(row, list | tuple) or len(row) != edges:
            raise ValueError(f"Each region should be {row_text}.")
        rows.append(tuple(checks.number(edge, "Each edge of a region") for edge in row))
    return rows


def check_words(words: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Sounds that a person hears in a picture: at most 20, with weights above 0 that are made to add up to 1."""
    if not isinstance(words, list | tuple) or len(words) > MAX_WORDS:
        raise ValueError(f"Give at most {MAX_WORDS} words, each with its weight.")
    pairs: list[tuple[str, float]] = []
    for pair in words:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError("Each word should come with its weight, such as ('rain', 0.5).")
        word = checks.text(pair[0], "word", needed=True)
        weight = checks.number(pair[1], "The weight of a word", 0.0, MAX_WEIGHT)
        if weight > 0:
            pairs.append((word, weight))
    if words and not pairs:
        raise ValueError("Every word has weight 0; give at least one of them more.")
    total = sum(weight for _, weight in pairs)
    if abs(total - 1) > 0.01:  # weights that this function gave out come back as they are
        pairs = [(word, round(weight / total, 4)) for word, weight in pairs]
    return sorted(pairs, key=lambda pair: -pair[1])
