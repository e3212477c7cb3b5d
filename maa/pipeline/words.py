"""What a model makes of a person's words: known captions in their place, and a sentence's sounds in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from maa.checkpoint import Model
from maa.models.vocabulary import Vocabulary
from maa.pipeline import conditioning
from maa.pipeline.checks import text as check_prompt
from maa.pipeline.events import Event
from maa.pipeline.leading import Led, Prompts
from maa.pipeline.tasks import check_seconds
from maa.pipeline.timeline import Placed, placed, told


class Words:
    """The part of `MakeAnAudio` that listens to what is said."""

    model: Model

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The sounds that the model was trained on; None where it does not say."""
        return self.model.vocabulary

    def heard(self, prompt: str | Led, *, literal: bool = False, captions: Sequence[str] = ()) -> Led:
        """What the network listens to for a prompt: known sounds in place of words that it does not know.

        Args:
            prompt: any sentence; what has been led already stays as it is.
            literal: take the words as they are.
            captions: what to listen to instead, for each clause a known sound or the clause itself; none = the nearest.

        Raises:
            ValueError: the captions do not fit the clauses, or are none that the model knows.
        """
        return conditioning.heard(self.model, prompt, literal, captions)

    def understood(
        self,
        prompt: str | Led,
        negative: str = "",
        *,
        literal: bool = False,
        in_time: bool = False,
        captions: Sequence[str] = (),
    ) -> Prompts | Placed:
        """What is listened to for a prompt (`heard`), with notes of what is not understood.

        Args:
            prompt: any sentence.
            negative: what to lead away from.
            literal: take the words as they are.
            in_time: a sentence of several sounds is placed in time, as `text_to_audio` does it.
            captions: as for `heard`, of all events in their order.
        """
        if in_time:
            return self._placed((), prompt, negative, literal, None, captions)
        return self._prompts(prompt, negative, literal, captions)

    def _prompts(self, prompt: str | Led, negative: str, literal: bool, captions: Sequence[str] = ()) -> Prompts:
        led = self.heard(prompt, literal=literal, captions=captions)
        knows = self.vocabulary is not None
        return Prompts(led, negative, literal and knows, knows, conditioning.notes_of(self.model, [led], negative))

    def timeline(self, prompt: str, seconds: float | None = None) -> tuple[Event, ...]:
        """The events that a sentence tells of, such as "first a dog barks, then rain"; none where it is one sound.

        Args:
            prompt: any sentence.
            seconds: of the sound that they share; None is the model's own length.
        """
        check_seconds(seconds)
        length = self.model.config.audio.seconds if seconds is None else seconds
        return told(check_prompt(prompt), length, self.vocabulary, self._embed)

    def _embed(self, texts: list[str]) -> torch.Tensor:
        return conditioning.embed_words(self.model, texts)

    def _placed(
        self,
        events: Sequence[Event],
        prompt: str | Led,
        negative: str,
        literal: bool,
        seconds: float | None,
        captions: Sequence[str] = (),
    ) -> Prompts | Placed:
        """The events that were given, or that the prompt tells of; else the prompt alone."""
        if not events and not literal and self.vocabulary is not None and not isinstance(prompt, Led):
            events = self.timeline(prompt, seconds)
        captions = () if literal else captions
        if not events:
            return self._prompts(prompt, negative, literal, captions)
        said = prompt.said if isinstance(prompt, Led) else prompt
        made = placed(events, said, negative, literal, self, captions)
        return replace(made, notes=conditioning.notes_of(self.model, made.clauses, negative))
