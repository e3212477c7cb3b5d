"""Dynamic reprogramming (Sec. 3.2.2): a clip of one to three sounds and the sentence that describes their order.

A plan is drawn first: which recordings, where each piece of them lies, how loud, and the words; that is cheap and needs
no sound. `Composer` then renders many plans at once on any device that holds the library's samples, so examples are
made online where training runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.device import send
from train.data import Library
from train.data.prompts.laying import JOIN, Laid, Sources, lay_event
from train.data.prompts.mixing import MOST, Groups, Mixing
from train.data.prompts.plans import Event, Plan, counted, one_of
from train.data.prompts.samples import between, fade
from train.data.prompts.synonyms import framed, reword
from train.data.prompts.templates import MIXES, TEMPLATES, fill_template
from train.data.sound import Held, sound_of

__all__ = ["MOST", "Composer", "Mixing"]
MIXING = Mixing()
SILENCE_AT_MOST = 0.3  # of a clip that one repeated recording fills
LEVEL = 0.1  # RMS of the loudest 0.4 s that every event is brought to before it is mixed
BOOST = 4.0  # at most, so that a click is not blown up to be as loud as rain
LEVELS = (-2.0, 2.0)  # dB by which sounds after one another differ
BESIDE = (-3.0, 3.0)  # dB of a second sound that is named as an equal
BEHIND = (-14.0, -8.0)  # dB of one that is named as the background
OVERALL = (-0.3, 0.05)  # log10 of the whole clip's gain
NAMED = 0.3  # share of clips at hand that are told by their concept's name
KIN = 0.5  # share of events whose sounds are all of one series
NAMES = 8192  # recordings whose series are remembered
MOST_ALIKE = 8  # others of its concept that an event of a streamed library may be made of
SHORTEST = 1000  # samples of a recording that can be played at another speed


@dataclass(frozen=True)
class Over:
    """A sound that lies over `count` of the others, from the `first` on."""

    number: int
    behind: bool
    first: int
    count: int


@dataclass(frozen=True)
class Draft:
    """What has been drawn of a clip before its sounds are laid: sounds in the order of their words, `order` in that of
    time; `sentence` has a place {k} for the words of each."""

    sounds: tuple[tuple[int, str, str], ...]  # (recording, its caption in the manifest, and in other words)
    order: tuple[int, ...]
    over: Over | None
    sentence: str


class Composer:
    """Draws plans from some recordings of a library and renders them on a device.

    Args:
        library: where the sounds are; its samples are copied to `device` once, or as they are needed.
        indices: the recordings to draw from.
        length: samples of a clip.
        rate: Hz.
        mixing: how many events join a clip, and how. They are drawn from those of the recordings that a class label
            names; where there is none such, nothing joins.
        speeds: between which events are played, slower or faster and pitch with it; a little of it keeps a small
            library from being learned by heart.
        natural: lay events as they come in life (`train.data.prompts.laying`), and say it in many words
            (`train.data.prompts.synonyms`); else one recording fills its span, repeated.
    """

    def __init__(
        self,
        library: Library,
        indices: NDArray[np.int64],
        length: int,
        rate: int,
        device: torch.device | str = "cpu",
        mixing: Mixing = MIXING,
        speeds: tuple[float, float] = (1.0, 1.0),
        natural: bool = False,
    ) -> None:
        self.library, self.length, self.rate, self.mixing = library, length, rate, mixing
        self.speeds = speeds
        self.sources = Sources(library, rate) if natural else None
        self.groups = Groups(library.groups(indices))
        self.database = Groups(library.groups(indices[library.events[indices]]))
        self.device = torch.device(device)
        self.sound = sound_of(library, self.device)
        self.named: dict[int, str] = {}

    @cached_property
    def lift(self) -> NDArray[np.float32]:
        """The gain that brings each recording of the library to LEVEL."""
        return np.minimum(BOOST, LEVEL / np.maximum(self.library.levels, 1e-6)).astype(np.float32)

    def plan(self, rng: np.random.Generator, recording: int | None = None) -> Plan:
        """Draw the sounds, their order or overlap, their places and the sentence.

        Args:
            recording: of the clip at hand; None = any.
        """
        recording = self.pick(rng) if recording is None else recording
        sounds, order, sentence = [self._captioned(recording, rng)], [0], "{0}"
        over: Over | None = None
        extra = int(rng.choice(len(self.mixing.extra), p=self.mixing.extra))
        for number in range(1, 1 + (extra if self.database else 0)):
            other = self.database.draw(rng)
            sounds.append(self._named(other, rng))
            place = f"{{{number}}}"
            if over is None and rng.random() < self.mixing.together:
                mix = MIXES[int(rng.integers(len(MIXES)))]
                sentence = fill_template(mix, sentence, place, rng)
                over = Over(number, mix.behind, 0, len(order))
                continue
            template = TEMPLATES[int(rng.integers(len(TEMPLATES)))]
            sentence = fill_template(template, sentence, place, rng)
            order = [*order, number] if template.x_first else [number, *order]
            if over is not None and not template.x_first:
                over = replace(over, first=over.first + 1)
        return self._lay_out(Draft(tuple(sounds), tuple(order), over, sentence), rng)

    def pick(self, rng: np.random.Generator) -> int:
        """A recording of those to draw from."""
        return self.groups.draw(rng)

    def _captioned(self, recording: int, rng: np.random.Generator) -> tuple[int, str, str]:
        """A recording, its caption, and that in other words."""
        row = self.library.rows[recording]
        if self.sources is not None and rng.random() < NAMED and row.event:
            return self._named(recording, rng)
        caption = one_of(row.captions, rng)
        return recording, caption, caption if self.sources is None else reword(caption, row.concept, rng)

    def _named(self, recording: int, rng: np.random.Generator) -> tuple[int, str, str]:
        """The same with the name of what it is."""
        concept = self.library.rows[recording].concept
        return recording, concept, concept if self.sources is None else reword(concept, concept, rng)

    def _lay_out(self, draft: Draft, rng: np.random.Generator) -> Plan:
        """Events one after another over the whole clip, and a mixed one over those that were said before it."""
        order, over = draft.order, draft.over
        cuts = _cuts(len(order), self.length, rng)
        covered = range(over.first, over.first + over.count) if over else range(0)
        spans = {number: (cuts[k], cuts[k + 1], k not in covered) for k, number in enumerate(order)}
        behind: dict[int, bool] = {}
        if over is not None:
            spans[over.number] = (cuts[covered.start], cuts[covered.stop], False)
            behind[len(order)] = over.behind
        events: list[Event] = []
        place: dict[int, int] = {}
        for number, (start, end, alone) in spans.items():
            recording, written, worded = draft.sounds[number]
            place[number] = len(events)
            events.append(Event(start, end, worded, recording, alone, self.others(recording, written, rng)))
        caption = draft.sentence.format(*(worded for _, _, worded in draft.sounds))
        if self.sources is not None and len(events) == 1:
            row = self.library.rows[events[0].recording]
            caption = framed(caption, row.concept if row.event else "", rng)  # a sentence is no name
        plan = self.lay(tuple(events), caption, rng, behind)
        sentence = draft.sentence.format(*(f"{{{place[number]}}}" for number in range(len(events))))
        return replace(plan, counted=counted(plan, sentence, rng))

    def another_caption(self, plan: Plan, rng: np.random.Generator) -> str | None:
        """What else is said of the concept of a clip of one sound, in some wording; None for other clips."""
        if self.sources is None or len(plan.events) > 1:
            return None
        recording = plan.events[0].recording
        concept, group = self.library.rows[recording].concept, self.alike(recording)
        row = self.library.rows[int(group[int(rng.integers(len(group)))])]
        return reword(one_of((concept, *row.captions), rng), concept, rng)

    def others(self, recording: int, caption: str, rng: np.random.Generator) -> tuple[int, ...]:
        """Recordings of the same caption: half of the time only those that were made with it, if there are."""
        if self.sources is None:
            return ()
        rows, concept = self.library.rows, self.library.rows[recording].concept
        group = self.alike(recording)
        if self.library.streamed and len(group) > MOST_ALIKE:
            group = group[rng.integers(len(group), size=MOST_ALIKE)]
        listed = (int(i) for i in group)
        possible = [i for i in listed if i != recording and (caption == concept or caption in rows[i].captions)]
        kin = [i for i in possible if self.series(i) == self.series(recording)]
        return tuple(kin if kin and rng.random() < KIN else possible)

    def alike(self, recording: int) -> NDArray[np.int64]:
        """Those of the recordings to draw from that have a recording's concept."""
        return self.groups.groups.of(int(self.library.concept_of[recording]))

    def series(self, i: int) -> str:
        """Recordings of the same name but for numbers are of one series."""
        if i not in self.named:
            if len(self.named) >= NAMES:
                self.named.clear()
            self.named[i] = re.sub(r"\d+", "", self.library.rows[i].path.with_suffix("").as_posix())
        return self.named[i]

    def lay(
        self, events: tuple[Event, ...], caption: str, rng: np.random.Generator, behind: dict[int, bool] | None = None
    ) -> Plan:
        """The plan of given events. `behind` holds those that lie over others, and whether as the background."""
        laid, numbers, gains = [], [], []
        for number, event in enumerate(events):
            over = None if behind is None else behind.get(number)
            level = rng.uniform(*(LEVELS if over is None else BEHIND if over else BESIDE))
            own = self._laid(event, rng)
            laid.append(own)
            numbers.append(np.insert(own.pieces, 3, number, axis=1))
            gains.append(own.gains * self.lift[own.recordings] * 10 ** (level / 20))
        overall = float(10 ** rng.uniform(*OVERALL))
        plain = self.sources is None and self.speeds == (1.0, 1.0)
        joined = [np.concatenate(columns).astype(np.float32) for columns in (gains, *_columns(laid))]
        return Plan(
            caption,
            events,
            np.concatenate(numbers).astype(np.int64),
            joined[0],
            overall,
            None if plain else joined[1],
            None if self.sources is None else joined[2],
            tuple(own.spans for own in laid),
            tuple(own.countable for own in laid),
        )

    def _laid(self, event: Event, rng: np.random.Generator) -> Laid:
        span = (event.start, event.end)
        if self.sources is not None:
            return lay_event(self.sources, (event.recording, *event.others), span, self.length, rng)
        speed = self._speed(event, rng)
        pieces, gains = self._pieces(event, speed, rng)
        ones = np.ones(len(pieces))
        all_of_it = np.array([span], np.int64)
        recordings = np.full(len(pieces), event.recording)
        return Laid(pieces, gains, recordings, speed * ones, 0 * ones, all_of_it, countable=False)

    def _speed(self, event: Event, rng: np.random.Generator) -> float:
        length = self.library.offsets[event.recording + 1] - self.library.offsets[event.recording]
        return 1.0 if self.speeds == (1.0, 1.0) or length < SHORTEST else float(rng.uniform(*self.speeds))

    def _pieces(
        self, event: Event, speed: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(from, to, length, first, last, join) of one event's pieces, and their gains.

        A stretch of a long recording, or a short one repeated: one that neither begins nor ends in quiet goes on
        without a break, each repeat faded into the next; others have gaps that leave at most 30 % silence.
        """
        first, last = self.library.offsets[event.recording], self.library.offsets[event.recording + 1]
        have, need, join = int(last - first), event.end - event.start, int(JOIN * self.rate)
        have = have if speed == 1.0 else int((have - 3) / speed)  # interpolation looks two samples ahead
        if have >= need:
            start = int(speed * rng.integers(0, have - need + 1))
            return np.array([[first + start, event.start, need, event.start, event.end, join]], np.int64), np.ones(1)
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
        return np.column_stack([np.full(len(at), first), to, lengths, *ends, np.full(len(at), join)]), gains

    def hold(self, plans: list[Plan]) -> Held:
        """The samples that plans are rendered from."""
        table = np.concatenate([plan.pieces for plan in plans])
        speeds = (np.ones(len(plan.pieces), np.float32) if plan.speeds is None else plan.speeds for plan in plans)
        return self.sound.hold(table[:, 0], np.ceil(table[:, 2] * np.concatenate([*speeds])).astype(np.int64))

    def render(self, plans: list[Plan], held: Held | None = None) -> Tensor:
        """Waveforms [len(plans), length] of plans, on the device.

        Args:
            held: what `hold` gave for these plans, where it was called ahead.
        """
        samples, moved = self.hold(plans) if held is None else held
        if samples.device.type != self.device.type:
            samples = send(samples, self.device)
        sizes = [len(plan.pieces) for plan in plans]
        table = np.concatenate([plan.pieces for plan in plans])
        clip = np.repeat(np.arange(len(plans)), sizes)
        columns = np.column_stack([table[:, 0] + moved, table[:, 1:3], clip * self.length, table[:, 4:]])
        source, to, lengths, base, start, end, join = torch.from_numpy(columns).to(self.device).unbind(1)
        gains = torch.from_numpy(np.concatenate([plan.gains for plan in plans])).to(self.device)

        total = int(table[:, 2].sum())
        piece = torch.repeat_interleave(torch.arange(len(table), device=self.device), lengths, output_size=total)
        within = torch.arange(total, device=self.device) - (lengths.cumsum(0) - lengths)[piece]
        place = to[piece] + within
        sound = self._read(samples, plans, source[piece], within, piece) / 32768 * gains[piece]
        sound *= fade(place, start[piece], end[piece], join[piece])
        waves = torch.zeros(len(plans) * self.length, device=self.device)
        waves.index_add_(0, base[piece] + place, sound)
        waves = waves.view(len(plans), self.length)
        overall = torch.tensor([plan.overall for plan in plans], device=self.device)[:, None]
        peak = (waves * overall).abs().amax(dim=1, keepdim=True).clamp_min(1e-9)
        return waves * overall * (0.98 / peak).clamp_max(1.0)

    def _read(self, samples: Tensor, plans: list[Plan], source: Tensor, within: Tensor, piece: Tensor) -> Tensor:
        """Samples of the library, each piece at its speed."""
        if all(plan.speeds is None for plan in plans):
            return samples[source + within].float()
        ones = (np.ones(len(plan.pieces), np.float32) if plan.speeds is None else plan.speeds for plan in plans)
        speeds = torch.from_numpy(np.concatenate([*ones])).to(self.device)
        at = source + within * speeds[piece].double()
        if all(plan.dull is None for plan in plans):
            return between(samples, at)
        none = (np.zeros(len(plan.pieces), np.float32) if plan.dull is None else plan.dull for plan in plans)
        dull = torch.from_numpy(np.concatenate([*none])).to(self.device)
        return between(samples, at, dull[piece])


def _columns(laid: list[Laid]) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    return [own.speeds for own in laid], [own.dull for own in laid]


def _cuts(parts: int, length: int, rng: np.random.Generator) -> list[int]:
    shares = rng.uniform(0.6, 1.4, parts)
    inner = np.cumsum(shares / shares.sum())[:-1] * length
    return [0, *(int(x) for x in inner), length]
