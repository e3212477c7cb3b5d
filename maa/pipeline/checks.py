"""Checks of values that come from outside: a caller, a command line, a request, a file's tags, a browser's history.

Whatever type a value has, it comes back as what it should be, or ValueError says in one sentence what is wrong. A
message repeats at most 60 characters of the value. Nothing heavy is imported here: the command line needs it.
"""

from __future__ import annotations

import math
import numbers
import reprlib
from collections.abc import Collection
from typing import Any

SHOWN = 60  # characters of a value that a message repeats
MAX_PROMPT = 1000  # characters

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = SHOWN
_REPR.maxlevel = 2


def shown(value: object) -> str:
    """A value as a message repeats it: whatever it is, one line of at most 60 characters."""
    try:
        text = _REPR.repr(value)
    except (ValueError, RecursionError):  # a whole number of more digits than Python writes
        text = f"a {type(value).__name__}"
    text = " ".join(text.splitlines())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def number(value: object, name: str, low: float = -math.inf, high: float = math.inf, says: str = "") -> float:
    """A finite number from `low` to `high`.

    Args:
        value: of any type; NumPy's numbers are numbers, true and false are not.
        name: begins the message.
        low: the least.
        high: the most.
        says: what a number is told that lies outside; "" names the limits.
    """
    try:
        given = math.nan if isinstance(value, bool) or not isinstance(value, numbers.Real) else float(value)
    except OverflowError:  # a whole number beyond every float
        given = math.inf if value > 0 else -math.inf  # type: ignore[operator]
    if says and not math.isnan(given) and not low <= given <= high:
        raise ValueError(f"{name} {says}, not {shown(value)}.")
    if not math.isfinite(given) or not low <= given <= high:
        within = f" from {low:g} to {high:g}" if math.isfinite(low) and math.isfinite(high) else ""
        raise ValueError(f"{name} must be a number{within}, not {shown(value)}.")
    return given


def whole(value: object, name: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`; 25.0 is none."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not low <= int(value) <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, not {shown(value)}.")
    return int(value)


def choice(value: object, name: str, choices: Collection[Any]) -> Any:
    """One of `choices`, as it stands there: strings, or whole numbers."""
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    for one in choices if plain else ():
        if one == value:
            return one
    raise ValueError(f"{name} must be one of {', '.join(map(str, choices))}, not {shown(value)}.")


def switch(value: object, name: str) -> bool:
    """True or false."""
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):  # NumPy's
        return bool(value)
    raise ValueError(f"{name} must be true or false, not {shown(value)}.")


def text(value: object, name: str = "prompt", *, needed: bool = False, most: int = MAX_PROMPT) -> str:
    """Text with its white space tidied.

    Raises:
        ValueError: it is no text, longer than `most` characters, no Unicode, or empty though `needed`.
    """
    if not isinstance(value, str):
        raise ValueError(f"The {name} must be text, not {type(value).__name__}.")
    tidy = " ".join(value.split())
    if needed and not tidy:
        raise ValueError(f"The {name} is empty; describe the sound you want, for example: a dog barks twice.")
    if len(tidy) > most:
        raise ValueError(f"The {name} has {len(tidy):,} characters; use at most {most:,}.")
    try:
        tidy.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"The {name} holds half a character, which no program can write; type it again.") from None
    return tidy
