"""What is chosen for a sentence of several sounds: it follows the order of the sounds, not of the words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from maa.models.vocabulary import Vocabulary
from maa.pipeline.events import Event
from maa.pipeline.leading import Led, captions_instead, lead
from maa.pipeline.timeline import placed, told
from tests.words import embed, small_vocabulary


class Knowing:
    """Leads as a model does that knows three sounds."""

    @property
    def vocabulary(self) -> Vocabulary:
        return small_vocabulary()

    def heard(self, prompt: str, *, literal: bool = False, captions: Sequence[str] = ()) -> Led:
        led = Led(prompt, prompt) if literal else lead(prompt, self.vocabulary, embed)
        return captions_instead(led, captions, self.vocabulary) if captions else led

    def timeline(self, prompt: str, seconds: float | None = None) -> tuple[Event, ...]:
        return told(prompt, seconds or 10.0, self.vocabulary, embed)


def test_captions_go_to_the_events_in_their_order() -> None:
    leads, said = Knowing(), "after a hound woofs twice, it pours"
    events = leads.timeline(said)
    natural = placed(events, said, "", False, leads)
    assert natural.to_settings()["heard"] == ["a dog barks twice", "heavy rain"]
    chosen = placed(events, said, "", False, leads, ["a hound woofs twice", "church bell"])
    assert [event.text for event in chosen.heard] == ["a hound woofs twice", "church bell"]
    assert [(event.start, event.end) for event in chosen.heard] == [(event.start, event.end) for event in natural.heard]
    assert chosen.to_settings()["heard"] == ["a hound woofs twice", "church bell"]
    again = placed(events, said, "", False, leads, chosen.to_settings()["heard"])
    assert again == chosen


def test_what_lies_behind_comes_first() -> None:
    found = placed([Event("a hound woofs", 1.0, 2.0)], "it pours", "", False, Knowing(), ["church bell", "rain"])
    assert [(event.text, event.start) for event in found.heard] == [("church bell", 0.0), ("rain", 1.0)]


def test_too_few_are_refused_and_unknown_ones_too() -> None:
    events = [Event("a hound woofs", 0.0, 1.0), Event("it pours", 1.0, 2.0)]
    with pytest.raises(ValueError, match="has 2 parts"):
        placed(events, "", "", False, Knowing(), ["rain"])
    with pytest.raises(ValueError, match="no sound that the model knows"):
        placed(events, "", "", False, Knowing(), ["rain", "a spell"])
