"""How the recordings of one concept fill a stretch of a clip as they would in life.

A sound that goes on, goes on: pieces fade into one another. Single sounds come one, two, three or many times, each from
another recording where there is one, never twice at the same speed, level and distance, with uneven gaps between them
and whatever silence is left behind the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.data import Library
from train.data.bursts import Bursts, find_bursts

JOIN = 0.03  # seconds over which neighbouring sounds fade out and in
RELEASE = 0.015  # seconds over which the end of a single sound's recording fades out
LONGEST_JOIN = 1.0  # of a sound that goes on, where its pieces are long enough
MOST_HITS = 24  # of one event
SPEEDS = (0.94, 1.06)  # at which events are played for training, pitch and all: one semitone at most
APART = (0.97, 1.03)  # relative speed of the sounds of one event
AGAIN = (0.9, 1.11)  # of one recording heard again
QUIETER = -6.0  # dB of the quietest of an event's sounds
DULL = (-0.1, 0.2)  # of a whole event: below 0 brighter, 0.2 takes 4.4 dB at 8 kHz and 2 dB at 4 kHz
FAR = 0.2  # more of it for the quietest sounds
ODDS = (0.25, 0.17, 0.13, 0.25, 0.2)  # of one, two, three, four to eight sounds, and as many as there is room for
LEAD = 0.12  # seconds before the first sound, in the mean
LOOSE = (0.1, 0.7)  # spread of gaps, as that of their logarithm: from a clock's to a dog's
SHORTEST_GAP = 0.05  # seconds
MOSTLY = 0.4  # share of a concept's recordings that are steady, in a library without marks
NOT_SHORT = 1.0  # seconds of a recording that is taken for one that goes on
ANOTHER = 0.25  # share of pieces of a sound that goes on that another recording of it takes over


@dataclass(frozen=True)
class Laid:
    """The pieces of one event, and where it sounds.

    pieces are rows of (from, to, length, first, last, join): samples of the library and of the clip, the span at whose
    ends they fade and over how much. spans [S, 2] are the clip's samples of each single sound; `countable` where their
    number leaves no doubt.
    """

    pieces: NDArray[np.int64]  # [P, 6]
    gains: NDArray[np.float64]  # [P] before the recordings' own lift
    recordings: NDArray[np.int64]  # [P]
    speeds: NDArray[np.float64]  # [P]
    dull: NDArray[np.float64]  # [P]
    spans: NDArray[np.int64]  # [S, 2]
    countable: bool


class Sources:
    """A library's recordings with their events, found when they are first asked for."""

    def __init__(self, library: Library, rate: int) -> None:
        self.library, self.rate = library, rate
        self.sustained = library.sustained if library.sustained.any() else _guess(library, rate)
        self.known: dict[int, Bursts] = {}

    def bursts(self, i: int) -> Bursts:
        """The events of recording `i`: a library in shards knows them."""
        if self.library.stored is not None:
            return self.library.stored.bursts(i)
        if i not in self.known:
            self.known[i] = find_bursts(self.library.wave(i), self.rate)
        return self.known[i]

    def begin(self, i: int) -> int:
        """The first sample of recording `i`."""
        return int(self.library.offsets[i])

    def length(self, i: int) -> int:
        """Samples of recording `i`."""
        return int(self.library.offsets[i + 1] - self.library.offsets[i])

    def goes_on(self, i: int) -> bool:
        """True where recording `i` can be prolonged: it is of such a kind, and long enough to fade into itself."""
        first, last = self.bursts(i).core
        return bool(self.sustained[i]) and last - first > 4 * JOIN * self.rate


def _guess(library: Library, rate: int) -> NDArray[np.bool_]:
    """What goes on in a library without marks: recordings that are not short, of concepts of which many neither begin
    nor end in quiet."""
    steady = np.zeros(len(library.rows), bool)
    for group in library.by_concept().values():
        steady[group] = library.steady[group].mean() >= MOSTLY
    return np.asarray(steady & (np.diff(library.offsets) > NOT_SHORT * rate))


def lay_event(
    sources: Sources, recordings: Sequence[int], span: tuple[int, int], length: int, rng: np.random.Generator
) -> Laid:
    """One event of one or several recordings of the same thing, the first of them the event's own.

    Args:
        span: its stretch of the clip. length: of the whole clip; both in samples.
    """
    if sources.goes_on(recordings[0]):
        return _going_on(sources, [i for i in recordings if sources.goes_on(i)], span, length, rng)
    return _single(sources, [recordings[0], *(i for i in recordings[1:] if not sources.goes_on(i))], span, rng)


def _going_on(
    sources: Sources, recordings: list[int], span: tuple[int, int], length: int, rng: np.random.Generator
) -> Laid:
    """Pieces that fade into one another at equal power, from one end of the span to the other."""
    speed = float(rng.uniform(*SPEEDS))
    cores = {i: sources.bursts(i).core for i in recordings}
    shortest = min(int((last - first) / speed) for first, last in cores.values())
    join = int(min(LONGEST_JOIN * sources.rate, max(JOIN * sources.rate, shortest / 4)))
    start, end = span
    # At the ends of a clip nothing fades: there the sound has begun before and goes on behind.
    outer = (start - (join if start == 0 else 0), end + (join if end == length else 0))
    rows: list[tuple[int, ...]] = []
    used: list[int] = []
    at = start
    while at < end - (join if end < length else 0):
        change = rows and rng.random() < ANOTHER
        i = recordings[int(rng.integers(len(recordings)))] if change else used[-1] if used else recordings[0]
        first, last = cores[i]
        have, need = int((last - first) / speed) - 3, end - at
        # The first piece begins anywhere, but far enough from the recording's end to be faded.
        skip = int(rng.integers(0, max(1, have - min(need, max(have // 2, 3 * join)) + 1))) if not rows else 0
        count = min(have - skip, need)
        begin = sources.begin(i) + first + int(skip * speed)
        fades = (at if rows else outer[0], at + count if count < need else outer[1])
        rows.append((begin, at, count, *fades, join))
        used.append(i)
        if count == need:
            break
        at += count - join
    ones = np.ones(len(rows))
    dull = ones * rng.uniform(*DULL)
    spans = np.array([span], np.int64)
    return Laid(np.array(rows, np.int64), ones, np.array(used), ones * speed, dull, spans, countable=False)


def _single(sources: Sources, recordings: list[int], span: tuple[int, int], rng: np.random.Generator) -> Laid:
    """Single sounds with gaps, as many as the odds say and the span holds."""
    start, end = span
    rate, need, join = sources.rate, end - start, int(RELEASE * sources.rate)
    own = sources.bursts(recordings[0])
    loud = own.last - own.first
    if loud > need:
        return _part(sources, recordings[0], span, rng)
    around = [i for i in recordings[1:] if _fits(sources.bursts(i), max(2 * loud, rate), need)]
    voices = [recordings[0], *around]
    lead = int(min(JOIN * rate + rng.exponential(LEAD * rate), need / 4))
    room = need - lead
    count, gap = _how_many(loud, room, rate, rng)
    loose = rng.uniform(*LOOSE)
    base, dull = float(rng.uniform(*SPEEDS)), float(rng.uniform(*DULL))
    turns = _turns(voices, count, rng)
    rows, spans, kept, numbers = [], [], [], []
    onset, whole = start + lead, True
    for k, i in enumerate(turns):
        bursts = sources.bursts(i)
        speed = base * float(rng.uniform(*(AGAIN if i in turns[:k] else APART)))
        if k and onset + (bursts.last - bursts.first) / speed > end:
            break
        quieter = float(rng.uniform(QUIETER, 0.0)) if count > 1 else 0.0
        at = onset - int(bursts.first / speed)
        skip = max(0, start - at)
        have = int((sources.length(i) - 3) / speed)
        stop = min(at + have, end)
        # Nothing fades in that begins as it was recorded: that would take the edge off a knock.
        fades = (at + skip - (0 if skip else join), stop)
        rows.append((sources.begin(i) + int(skip * speed), at + skip, stop - at - skip, *fades, join))
        kept.append(i)
        numbers.append((quieter, speed, dull + FAR * float(rng.random()) * quieter / QUIETER))
        heard = at + (bursts.spans / speed).astype(np.int64)
        spans.append(heard[heard[:, 0] < end].clip(start, end))
        whole = whole and bursts.sure and int(heard[-1, 1]) <= end
        onset = int(heard[-1, 1] + max(SHORTEST_GAP * rate, gap * np.exp(loose * rng.standard_normal())))
    pieces = np.array(rows, np.int64)
    quieter, speeds, dulls = np.array(numbers).T
    return Laid(pieces, 10 ** (quieter / 20), np.array(kept), speeds, dulls, np.concatenate(spans), whole)


def _part(sources: Sources, i: int, span: tuple[int, int], rng: np.random.Generator) -> Laid:
    """A stretch of one recording that is longer than the span, from the beginning of one of its events on."""
    start, end = span
    bursts, speed, join = sources.bursts(i), float(rng.uniform(*SPEEDS)), int(JOIN * sources.rate)
    possible = bursts.spans[:, 0][bursts.spans[:, 0] <= sources.length(i) - (end - start) * speed]
    first = max(0, (int(possible[int(rng.integers(len(possible)))]) if len(possible) else bursts.first) - join)
    have = min(end - start, int((sources.length(i) - first - 3) / speed))
    heard = start + ((bursts.spans - first) / speed).astype(np.int64)
    spans = heard[(heard[:, 1] > start) & (heard[:, 0] < end)].clip(start, end)
    pieces = np.array([(sources.begin(i) + first, start, have, start, end, join)], np.int64)
    one = np.ones(1)
    return Laid(pieces, one, np.array([i]), one * speed, one * rng.uniform(*DULL), spans, countable=False)


def _fits(bursts: Bursts, longest: int, need: int) -> bool:
    """True for a recording that does not change the measure of an event."""
    return bursts.last - bursts.first <= min(longest, need)


def _how_many(loud: int, room: int, rate: int, rng: np.random.Generator) -> tuple[int, float]:
    """How many sounds of `loud` samples, and the usual gap between them."""
    least = SHORTEST_GAP * rate
    most = int(min(MOST_HITS, 1 + max(0, room - loud) // (loud + 2 * least)))
    choice = int(rng.choice(len(ODDS), p=ODDS))
    count = min(most, (1, 2, 3, int(rng.integers(4, 9)), most)[choice])
    free = (room - count * loud) / max(1, count)
    widest = max(1.1 * least, min(free, 1.5 * rate))
    return count, float(np.exp(rng.uniform(np.log(least), np.log(widest))))


def _turns(voices: list[int], count: int, rng: np.random.Generator) -> list[int]:
    """`count` recordings in random order, the first voice always among them, none twice before all have been heard."""
    first = [voices[0], *rng.permutation(voices[1:]).tolist()][:count]
    turns = rng.permutation(first).tolist()
    while len(turns) < count:
        some = rng.permutation(voices).tolist()
        if some[0] == turns[-1]:
            some = [*some[1:], some[0]]
        turns += some
    return [int(i) for i in turns[:count]]
