"""Events: what sounds from when to when, and how they are told apart in time and in loudness.

Training composes its clips (dynamic reprogramming, Sec. 3.2.2), so the network can be asked the same way: which sound
lies where. Events that do not overlap share a layer, one latent that is sampled at once; those that sound together are
made in layers of their own and mixed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.pipeline import checks

MAX_EVENTS = 32
SHORTEST = 0.1  # seconds of an event
LATEST = 30.0  # seconds: no sound is longer
QUIETEST, LOUDEST = -40.0, 20.0  # dB
RISE, FALL = 0.005, 0.04  # seconds in which an event comes and goes
FORM = "[start s, end s, text] or [start s, end s, text, gain dB]"
GAIN = re.compile(r"^(.*\S)\s*@\s*([+-]?\d+(?:\.\d+)?)\s*dB$", re.IGNORECASE)


@dataclass(frozen=True)
class Event:
    """One sound in time.

    Attributes:
        text: what is heard; 1 to 1,000 characters.
        start, end: seconds from the beginning of the take, at least 0.1 apart, up to 30.
        gain: dB by which it is louder than it was made, -40 to 20.

    Raises:
        ValueError: one of them is not so; the sentence says which.
    """

    text: str
    start: float
    end: float
    gain: float = 0.0

    def __post_init__(self) -> None:
        said = checks.text(self.text, "text of an event", needed=True)
        name = f"“{said[:40]}”"
        start = checks.number(self.start, f"The start of {name}", 0.0, LATEST)
        end = checks.number(self.end, f"The end of {name}", 0.0, LATEST)
        if end - start < SHORTEST - 1e-9:
            raise ValueError(f"{name} must last at least {SHORTEST:g} s, so it cannot go from {start:g} to {end:g} s.")
        gain = checks.number(self.gain, f"The gain of {name}", QUIETEST, LOUDEST)
        for field, value in (("text", said), ("start", start), ("end", end), ("gain", gain)):
            object.__setattr__(self, field, value)

    def row(self) -> list[Any]:
        """As settings and endpoints have it: [start, end, text], and the gain after it if there is one."""
        plain: list[Any] = [self.start, self.end, self.text]
        return [*plain, self.gain] if self.gain else plain


def event_of(value: Any) -> Event:
    """An event from what a caller, a file or a request gives: an `Event` or a row. "@ -6 dB" after a text is its gain.

    Raises:
        ValueError: it is neither, or not what an event may be.
    """
    if isinstance(value, Event):
        return value
    if not isinstance(value, list | tuple) or len(value) not in (3, 4):
        raise ValueError(f"Each event should be {FORM}, not {checks.shown(value)}.")
    start, end, text = (_typed(value[0]), _typed(value[1]), value[2])
    gain = value[3] if len(value) == 4 else 0.0
    if isinstance(text, str) and len(value) == 3 and (said := GAIN.match(text.strip())):
        text, gain = said[1], float(said[2])
    return Event(text, start, end, gain)


def _typed(value: Any) -> Any:
    """A number that a command line gives as text."""
    try:
        return float(value) if isinstance(value, str) and len(value) <= checks.SHOWN else value
    except ValueError:
        return value


def events_of(value: Any) -> tuple[Event, ...]:
    """A list of up to 32 events; None is none."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or len(value) > MAX_EVENTS:
        raise ValueError(f"Give up to {MAX_EVENTS} events, each as {FORM}.")
    return tuple(event_of(one) for one in value)


def rows_of(value: Any) -> list[tuple[Any, ...]]:
    """The same as rows, for settings."""
    return [tuple(event.row()) for event in events_of(value)]


def length_of(events: Sequence[Event], seconds: float | None, native: float) -> float | None:
    """How long a sound of these events is: as asked for, else the model's own length, or longer if an event needs it.

    Raises:
        ValueError: an event ends after the length that was asked for.
    """
    last = max(events, key=lambda event: event.end)
    if seconds is None:
        return last.end if last.end > native else None
    if last.end > seconds + 1e-6:
        raise ValueError(
            f"“{last.text[:40]}” ends at {last.end:g} s, after the end of the sound ({seconds:g} s); "
            "make the sound longer."
        )
    return seconds


def layers(events: Sequence[Event]) -> list[list[Event]]:
    """Events that do not overlap together, by their beginnings; as few layers as there are sounds at once."""
    found: list[list[Event]] = []
    for event in sorted(events, key=lambda one: (one.start, -one.end)):
        free = next((layer for layer in found if layer[-1].end <= event.start + 1e-9), None)
        if free is None:
            found.append([event])
        else:
            free.append(event)
    return found


def columns_of(event: Event, rate: int, samples: int, columns: int) -> tuple[int, int]:
    """The latent columns that an event touches: the first, and one after the last.

    Args:
        rate: Hz. samples: of a column. columns: of the whole latent.
    """
    first = min(int(event.start * rate / samples + 1e-6), columns - 1)
    last = math.ceil(event.end * rate / samples - 1e-6)
    return first, min(max(last, first + 1), columns)


def envelope(events: Sequence[Event], rate: int, length: int) -> NDArray[np.float32]:
    """The gain of one layer over time [length]: nothing outside its events, each at its own gain, without clicks.

    Where one event begins as another ends, one gain passes into the other.
    """
    shape = np.zeros(length, np.float32)
    for number, event in enumerate(events):
        gain = 10 ** (event.gain / 20)
        first, last = (min(round(edge * rate), length) for edge in (event.start, event.end))
        if last <= first:
            continue
        before = events[number - 1] if number and events[number - 1].end >= event.start - 1e-9 else None
        after = number + 1 < len(events) and events[number + 1].start <= event.end + 1e-9
        own = np.full(last - first, gain, np.float32)
        rise = min(round((FALL if before else RISE) * rate), len(own))
        begin = 10 ** (before.gain / 20) if before else 0.0
        own[:rise] = begin + (gain - begin) * _ramp(rise)
        fall = min(round(FALL * rate), len(own))
        if not after and last < length:
            own[len(own) - fall :] *= 1 - _ramp(fall)
        shape[first:last] = own
    return shape


def _ramp(count: int) -> NDArray[np.float32]:
    """From 0 to 1 as a half wave of a cosine."""
    angle = np.pi * (np.arange(count, dtype=np.float32) + 0.5) / max(count, 1)
    return (0.5 - 0.5 * np.cos(angle)).astype(np.float32)
