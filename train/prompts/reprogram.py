"""Dynamic reprogramming (Sec. 3.2.2): a clip of one to three sounds and the sentence that describes their order.

A plan is drawn first: which recordings, where each piece of them lies, how loud, and the words; that is cheap and needs
no sound. `Composer` then renders many plans at once on any device that holds the library's samples, so examples are
made online where training runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from train.data import Library
from train.prompts.templates import MIXES, TEMPLATES, write

EXTRA = (0.5, 0.35, 0.15)  # odds of N = 0, 1, 2 sampled events
MOST = len(EXTRA)  # events in a clip
SILENCE_AT_MOST = 0.3  # of a clip; padding would teach the network to be quiet
JOIN = 0.03  # seconds over which neighbouring sounds fade out and in
LEVEL = 0.1  # RMS of the loudest 0.4 s that every event is brought to before it is mixed
BOOST = 4.0  # at most, so that a click is not blown up to be as loud as rain
LEVELS = (-2.0, 2.0)  # dB by which sounds after one another differ
BESIDE = (-3.0, 3.0)  # dB of a second sound that is named as an equal
BEHIND = (-14.0, -8.0)  # dB of one that is named as the background
OVERALL = (-0.3, 0.05)  # log10 of the whole clip's gain
SPEEDS = (0.94, 1.06)  # at which events are played for training, pitch and all: one semitone at most
SHORTEST = 1000  # samples of a recording that can be played at another speed


@dataclass(frozen=True)
class Event:
    """One sound within a clip, in samples."""

    start: int
    end: int
    caption: str
    recording: int  # its index in the library
    alone: bool = True  # nothing else sounds within its span


@dataclass(frozen=True)
class Plan:
    """A clip before it is rendered. Pieces are rows of (from, to, length, event, first, last): samples, counted in the
    library's waveform and in the clip, the index of the event they belong to, and the span at whose ends they fade."""

    caption: str
    events: tuple[Event, ...]
    pieces: NDArray[np.int64]  # [P, 6]
    gains: NDArray[np.float32]  # [P]
    overall: float
    speeds: NDArray[np.float32] | None = None  # [P] samples of the library for each of the clip; None = 1


def sayings(plan: Plan) -> list[tuple[str, int | None]]:
    """What is said of each set of a plan's events, and the recording where it is only one.

    Entry k is the set whose bits make k + 1. All of them together are the plan's caption; some of them are named in
    the order in which they begin.
    """
    everything = (1 << len(plan.events)) - 1
    found: list[tuple[str, int | None]] = []
    for chosen in range(1, everything + 1):
        events = sorted((e for k, e in enumerate(plan.events) if chosen >> k & 1), key=lambda event: event.start)
        if len(events) == 1:
            found.append((events[0].caption, events[0].recording))
        elif chosen == everything:
            found.append((plan.caption, None))
        else:
            found.append((_in_order(events), None))
    return found


def _in_order(events: list[Event]) -> str:
    """Events by their beginnings: "then" where one ends before the next, "and" where they sound together."""
    said, end = events[0].caption, events[0].end
    for event in events[1:]:
        said += f", then {event.caption}" if event.start >= end else f" and {event.caption} at the same time"
        end = max(end, event.end)
    return said


@dataclass(frozen=True)
class Over:
    """A sound that lies over `count` of the others, from the `first` on."""

    recording: int
    said: str
    behind: bool
    first: int
    count: int


class Composer:
    """Draws plans from some recordings of a library and renders them on a device.

    Args:
        library: where the sounds are; its samples are copied to `device` once.
        indices: the recordings to draw from.
        length: samples of a clip.
        rate: Hz.
        together: share of the sampled events that sound at the same time as the clip at hand instead of before or
            after it.
        speeds: between which events are played, slower or faster and pitch with it; a little of it keeps a small
            library from being learned by heart.
    """

    def __init__(
        self,
        library: Library,
        indices: NDArray[np.int64],
        length: int,
        rate: int,
        device: torch.device | str = "cpu",
        together: float = 0.15,
        speeds: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        self.library, self.length, self.rate, self.together = library, length, rate, together
        self.speeds = speeds
        self.groups = library.groups(tuple(indices.tolist()))
        odds = np.sqrt([len(group) for group in self.groups])
        self.odds = np.cumsum(odds / odds.sum())
        self.device = torch.device(device)
        self.samples = torch.from_numpy(library.samples).to(self.device)

    @cached_property
    def lift(self) -> NDArray[np.float32]:
        """The gain that brings each recording of the library to LEVEL."""
        return np.minimum(BOOST, LEVEL / np.maximum(self.library.levels, 1e-6)).astype(np.float32)

    def plan(self, rng: np.random.Generator) -> Plan:
        """Draw the sounds, their order or overlap, their places and the sentence."""
        order = [self.pick(rng)]
        caption = one_of(self.library.rows[order[0]].captions, rng)
        captions = [caption]
        over: Over | None = None
        for _ in range(int(rng.choice(3, p=EXTRA))):
            other = self.pick(rng)
            event = self.library.rows[other].concept
            if over is None and rng.random() < self.together:
                mix = MIXES[int(rng.integers(len(MIXES)))]
                caption = write(mix, caption, event, rng)
                over = Over(other, event, mix.behind, 0, len(order))
                continue
            template = TEMPLATES[int(rng.integers(len(TEMPLATES)))]
            caption = write(template, caption, event, rng)
            order = [*order, other] if template.x_first else [other, *order]
            captions = [*captions, event] if template.x_first else [event, *captions]
            if over is not None and not template.x_first:
                over = replace(over, first=over.first + 1)
        return self._lay_out(order, captions, over, caption, rng)

    def pick(self, rng: np.random.Generator) -> int:
        """A recording: first a concept by the square root of how many recordings it has, then one of them.

        Uniform concepts would learn the few recordings of rare ones by heart; uniform recordings would hear mostly
        drums.
        """
        group = self.groups[min(int(np.searchsorted(self.odds, rng.random(), side="right")), len(self.groups) - 1)]
        return int(group[int(rng.integers(len(group)))])

    def _lay_out(
        self, order: list[int], captions: list[str], over: Over | None, caption: str, rng: np.random.Generator
    ) -> Plan:
        """Events one after another over the whole clip, and a mixed one over those that were said before it."""
        cuts = _cuts(len(order), self.length, rng)
        covered = range(over.first, over.first + over.count) if over else range(0)
        events = [
            Event(cuts[k], cuts[k + 1], captions[k], recording, alone=k not in covered)
            for k, recording in enumerate(order)
        ]
        behind: dict[int, bool] = {}
        if over is not None:
            start, end = cuts[covered.start], cuts[covered.stop]
            events.append(Event(start, end, over.said, over.recording, alone=False))
            behind[len(events) - 1] = over.behind
        return self.lay(tuple(events), caption, rng, behind)

    def lay(
        self, events: tuple[Event, ...], caption: str, rng: np.random.Generator, behind: dict[int, bool] | None = None
    ) -> Plan:
        """The plan of given events. `behind` holds those that lie over others, and whether as the background."""
        pieces, gains, speeds = [], [], []
        for number, event in enumerate(events):
            over = None if behind is None else behind.get(number)
            level = rng.uniform(*(LEVELS if over is None else BEHIND if over else BESIDE))
            speed = self._speed(event, rng)
            own, each = self._pieces(event, speed, rng)
            speeds.append(np.full(len(own), speed, np.float32))
            pieces.append(np.insert(own, 3, number, axis=1))
            gains.append(each * self.lift[event.recording] * 10 ** (level / 20))
        overall = float(10 ** rng.uniform(*OVERALL))
        joined = np.concatenate(pieces).astype(np.int64)
        same = None if self.speeds == (1.0, 1.0) else np.concatenate(speeds)
        return Plan(caption, events, joined, np.concatenate(gains).astype(np.float32), overall, same)

    def _speed(self, event: Event, rng: np.random.Generator) -> float:
        length = self.library.offsets[event.recording + 1] - self.library.offsets[event.recording]
        return 1.0 if self.speeds == (1.0, 1.0) or length < SHORTEST else float(rng.uniform(*self.speeds))

    def _pieces(
        self, event: Event, speed: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(from, to, length, first, last) of one event's pieces, and their gains.

        A stretch of a long recording, or a short one repeated: one that neither begins nor ends in quiet goes on
        without a break, each repeat faded into the next; others have gaps that leave at most 30 % silence.
        """
        first, last = self.library.offsets[event.recording], self.library.offsets[event.recording + 1]
        have, need, join = int(last - first), event.end - event.start, int(JOIN * self.rate)
        have = have if speed == 1.0 else int((have - 3) / speed)  # interpolation looks two samples ahead
        if have >= need:
            start = int(speed * rng.integers(0, have - need + 1))
            return np.array([[first + start, event.start, need, event.start, event.end]], np.int64), np.ones(1)
        steady = bool(self.library.steady[event.recording]) and have > 4 * join
        if steady:
            at = np.arange(0, need - join, have - join)
        else:
            longest = int(have * SILENCE_AT_MOST / (1 - SILENCE_AT_MOST))
            gaps = rng.integers(0, longest + 1, -(-need // have) - 1)
            at = np.concatenate([[0], np.cumsum(have + gaps)])
            at = at[at < need]
        to, lengths = event.start + at, np.minimum(have, need - at)
        ends = (to, to + lengths) if steady else (np.full_like(at, event.start), np.full_like(at, event.end))
        gains = np.ones(len(at)) if steady else 10 ** rng.uniform(-0.15, 0.0, len(at))
        return np.column_stack([np.full(len(at), first), to, lengths, *ends]), gains

    def render(self, plans: list[Plan]) -> Tensor:
        """Waveforms [len(plans), length] of plans, on the device."""
        sizes = [len(plan.pieces) for plan in plans]
        table = np.concatenate([plan.pieces for plan in plans])
        clip = np.repeat(np.arange(len(plans)), sizes)
        columns = np.column_stack([table[:, :3], clip * self.length, table[:, 4:]])
        source, to, lengths, base, start, end = torch.from_numpy(columns).to(self.device).unbind(1)
        gains = torch.from_numpy(np.concatenate([plan.gains for plan in plans])).to(self.device)

        total = int(table[:, 2].sum())
        piece = torch.repeat_interleave(torch.arange(len(table), device=self.device), lengths, output_size=total)
        within = torch.arange(total, device=self.device) - (lengths.cumsum(0) - lengths)[piece]
        place = to[piece] + within
        sound = self._read(plans, source[piece], within, piece) / 32768 * gains[piece]
        sound *= _fade(place, start[piece], end[piece], int(JOIN * self.rate))
        waves = torch.zeros(len(plans) * self.length, device=self.device)
        waves.index_add_(0, base[piece] + place, sound)
        waves = waves.view(len(plans), self.length)
        overall = torch.tensor([plan.overall for plan in plans], device=self.device)[:, None]
        peak = (waves * overall).abs().amax(dim=1, keepdim=True).clamp_min(1e-9)
        return waves * overall * (0.98 / peak).clamp_max(1.0)

    def _read(self, plans: list[Plan], source: Tensor, within: Tensor, piece: Tensor) -> Tensor:
        """The library's samples, each piece at its speed."""
        if all(plan.speeds is None for plan in plans):
            return self.samples[source + within].float()
        ones = (np.ones(len(plan.pieces), np.float32) if plan.speeds is None else plan.speeds for plan in plans)
        speeds = torch.from_numpy(np.concatenate([*ones])).to(self.device)
        return _between(self.samples, source + within * speeds[piece].double())


def _between(samples: Tensor, at: Tensor) -> Tensor:
    """int16 samples at places between them, by cubic (Catmull-Rom) interpolation."""
    whole = at.floor().long()
    x = (at - whole).float()
    last = len(samples) - 1
    a, b, c, d = (samples[(whole + k).clamp(0, last)].float() for k in (-1, 0, 1, 2))
    return b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))


def _fade(place: Tensor, start: Tensor, end: Tensor, join: int) -> Tensor:
    """Equal-power edges inside a span."""
    edge = torch.minimum(place - start, end - 1 - place).float()
    width = torch.minimum(torch.tensor(float(join), device=place.device), ((end - start) // 2).float()).clamp_min(2.0)
    return torch.sin((edge / (width - 1)).clamp(0.0, 1.0) * (torch.pi / 2))


def one_of(captions: tuple[str, ...], rng: np.random.Generator) -> str:
    """One caption of several."""
    return captions[int(rng.integers(len(captions)))]


def _cuts(parts: int, length: int, rng: np.random.Generator) -> list[int]:
    shares = rng.uniform(0.6, 1.4, parts)
    inner = np.cumsum(shares / shares.sum())[:-1] * length
    return [0, *(int(x) for x in inner), length]
