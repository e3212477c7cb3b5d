"""A request's events: told by its sentence or given one by one, each led to words that the network knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from maa.models.vocabulary import Vocabulary
from maa.pipeline.events import LATEST, LONGEST, Event
from maa.pipeline.leading import Embed, Finder, Led
from maa.pipeline.notes import NOTHING, Notes
from maa.pipeline.sentences import events_in

SOUND = 0.45  # cosine to a known caption above which a clause is taken for a sound, not for a circumstance


class Leads(Protocol):
    """What leads the words of an event, and tells events from a sentence: `MakeAnAudio`."""

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The known sounds."""

    def heard(self, prompt: str, *, literal: bool = False, captions: Sequence[str] = ()) -> Led:
        """What the network listens to for a prompt."""

    def timeline(self, prompt: str, seconds: float | None = None) -> tuple[Event, ...]:
        """The events that a sentence tells of."""


@dataclass(frozen=True)
class Placed:
    """A prompt, and the events that are made for it.

    Attributes:
        said: the prompt.
        events: as the person said them.
        heard: what the network listens to; where there is something behind all events, it comes first.
        clauses: what was led, for `heard` and `unknown` in the settings.
    """

    said: str
    negative: str
    events: tuple[Event, ...]
    heard: tuple[Event, ...]
    clauses: tuple[Led, ...]
    literal: bool = False
    knows: bool = False
    notes: Notes = NOTHING

    @property
    def text(self) -> str:
        """What takes are judged by: everything that should be heard."""
        return ", ".join(dict.fromkeys(event.text for event in self.heard))

    def __bool__(self) -> bool:
        return True

    def to_settings(self) -> dict[str, Any]:
        """For the settings of a take, as `Prompts.to_settings`; with the events as rows."""
        found: dict[str, Any] = {"prompt": self.said, "negative": self.negative}
        if self.literal:
            found["literal"] = True
        elif self.knows:
            found["heard"] = [caption for led in self.clauses for caption in led.captions]
        return found | self.notes.to_settings() | {"events": [event.row() for event in self.events]}


def told(sentence: str, seconds: float, vocabulary: Vocabulary | None, embed: Embed) -> tuple[Event, ...]:
    """The events of a sentence. With a vocabulary "and" parts what it knows as two sounds, and "after dawn" is none."""
    if vocabulary is None or not vocabulary.sounds:
        return tuple(events_in(sentence, seconds))
    find = Finder(vocabulary, embed)

    def apart(clause: str) -> list[str]:
        return [one.said for one in find.at_once(clause)]

    def known(clause: str) -> bool:
        return find.clause(clause).similarity >= SOUND

    return tuple(events_in(sentence, seconds, apart, known))


def placed(
    events: Sequence[Event], prompt: str, negative: str, literal: bool, leads: Leads, captions: Sequence[str] = ()
) -> Placed:
    """Events with what the network listens to for each.

    The prompt lies behind them where it is a sound of its own: not empty, none of the events, no sentence of several.

    Raises:
        ValueError: there are not as many captions as clauses of all events together.
    """
    alone = prompt and prompt not in {event.text for event in events}
    behind = alone and not leads.timeline(prompt, LONGEST)  # it may tell of a time after the model's own length
    bed = [Event(prompt, 0.0, LATEST)] if behind else []
    led = tuple(leads.heard(event.text, literal=literal) for event in (*bed, *events))
    led = _instead(led, captions, leads) if captions else led
    heard = tuple(replace(event, text=one.text) for event, one in zip((*bed, *events), led, strict=True))
    knows = leads.vocabulary is not None and not literal
    return Placed(prompt, negative, tuple(events), heard, led, literal and leads.vocabulary is not None, knows)


def _instead(led: Sequence[Led], captions: Sequence[str], leads: Leads) -> tuple[Led, ...]:
    """The same with captions that a person has chosen, clause by clause through all events."""
    counts = [len(one.clauses) for one in led]
    if sum(counts) != len(captions):
        raise ValueError(f"The prompt has {sum(counts)} parts; give a caption for each of them, not {len(captions)}.")
    found, at = [], 0
    for one, count in zip(led, counts, strict=True):
        found.append(leads.heard(one.said, captions=captions[at : at + count]) if count else one)
        at += count
    return tuple(found)
