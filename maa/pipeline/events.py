"""Events: what sounds from when to when, and how they are told apart in time and in loudness.

Training composes its clips (dynamic reprogramming, Sec. 3.2.2), so the network can be asked the same way: which sound
lies where. Events that do not overlap share a layer, one latent that is sampled at once; those that sound together are
made in layers of their own and mixed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maa.pipeline import checks

MAX_EVENTS = 32
SHORTEST = 0.1  # seconds of an event
SLACK = 0.25  # seconds by which an event may outlast the sound: 10 s in one of 9.984 s
LATEST = 180.0  # seconds: no clip is longer
LONGEST = 30.0  # seconds of a sound that is no clip's
QUIETEST, LOUDEST = -40.0, 20.0  # dB
FORM = "[start s, end s, text] or [start s, end s, text, gain dB]"
GAIN = re.compile(r"^(.*\S)\s*@\s*([+-]?\d+(?:\.\d+)?)\s*dB$", re.IGNORECASE)


@dataclass(frozen=True)
class Event:
    """One sound in time.

    Attributes:
        text: what is heard; 1 to 1,000 characters.
        start, end: seconds from the beginning of the take, at least 0.1 apart, up to 180.
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
        ValueError: an event ends a quarter of a second or more after what was asked for (what is less is cut), or
            after the longest sound.
    """
    last = max(events, key=lambda event: event.end)
    if seconds is None:
        if last.end > LONGEST:
            raise ValueError(f"“{last.text[:40]}” ends at {last.end:g} s, and a sound has at most {LONGEST:g} s.")
        return last.end if last.end > native else None
    if last.end > seconds + SLACK:
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
