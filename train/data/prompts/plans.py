"""What a clip is made of before it is rendered, and everything that can be said of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COMMA = 0.3  # share of captions that a number follows behind a comma
# How often something is heard, in words that follow a sentence or a name alike.
TIMES = (
    ("once", "a single time"),
    ("twice", "two times"),
    ("three times",),
    ("several times", "again and again", "many times", "repeatedly"),
)


@dataclass(frozen=True)
class Event:
    """One sound within a clip, in samples."""

    start: int
    end: int
    caption: str
    recording: int  # its index in the library
    alone: bool = True  # nothing else sounds within its span
    others: tuple[int, ...] = ()  # recordings that its caption is true of as well


@dataclass(frozen=True)
class Plan:
    """A clip before it is rendered.

    Pieces are rows of (from, to, length, event, first, last, join): samples, counted in the library's waveform and in
    the clip, the index of the event they belong to, the span at whose ends they fade, and over how much.
    """

    caption: str
    events: tuple[Event, ...]
    pieces: NDArray[np.int64]  # [P, 7]
    gains: NDArray[np.float32]  # [P]
    overall: float
    speeds: NDArray[np.float32] | None = None  # [P] samples of the library for each of the clip; None = 1
    dull: NDArray[np.float32] | None = None  # [P] how much of their treble pieces lose; None = none
    sounding: tuple[NDArray[np.int64], ...] = ()  # of each event, spans [S, 2] of its single sounds; () = all of it
    countable: tuple[bool, ...] = ()  # events of which the number of sounds is known
    # What says how often something is heard. Of one event, for one, two, three and more of its sounds, as far as there
    # are so many; of two, the caption with the numbers that the clip has; else nothing.
    counted: tuple[str, ...] = ()


def captions_of(plan: Plan) -> list[tuple[str, int | None]]:
    """The caption of each set of a plan's events, and the recording where it is only one.

    Entry k is the set whose bits make k + 1. All of them together are the plan's caption; some of them are named in
    the order in which they begin.
    """
    everything = (1 << len(plan.events)) - 1
    found: list[tuple[str, int | None]] = []
    for chosen in range(1, everything + 1):
        events = sorted((e for k, e in enumerate(plan.events) if chosen >> k & 1), key=lambda event: event.start)
        if len(events) == 1:
            found.append((plan.caption if chosen == everything else events[0].caption, events[0].recording))
        elif chosen == everything:
            found.append((plan.caption, None))
        else:
            found.append((_in_order(events), None))
    return found


def _in_order(events: list[Event]) -> str:
    """Events by their beginnings: "then" where one ends before the next, "and" where they sound together."""
    caption, end = events[0].caption, events[0].end
    for event in events[1:]:
        caption += f", then {event.caption}" if event.start >= end else f" and {event.caption} at the same time"
        end = max(end, event.end)
    return caption


def counted(plan: Plan, sentence: str, rng: np.random.Generator) -> tuple[str, ...]:
    """The captions of a plan that say how often something is heard (`Plan.counted`)."""
    if len(plan.events) > 2 or not any(plan.countable):
        return ()
    if len(plan.events) == 1:
        most = min(len(TIMES), len(plan.sounding[0]))
        return tuple(often(plan.events[0].caption, times, rng) for times in range(1, most + 1))
    counts = [len(spans) if known else 0 for spans, known in zip(plan.sounding, plan.countable, strict=True)]
    pairs = zip(plan.events, counts, strict=True)
    worded = [often(event.caption, n, rng, comma=0.0) if n else event.caption for event, n in pairs]
    return (sentence.format(*worded),)


def often(caption: str, times: int, rng: np.random.Generator, comma: float = COMMA) -> str:
    """A caption and how often it is true: "a dog barks, three times"."""
    words = TIMES[min(times, len(TIMES)) - 1]
    return f"{caption}{', ' if rng.random() < comma else ' '}{one_of(words, rng)}"


def one_of(captions: tuple[str, ...], rng: np.random.Generator) -> str:
    """One caption of several."""
    return captions[int(rng.integers(len(captions)))]
