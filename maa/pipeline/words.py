"""What a model makes of a person's words: known captions in their place, and a sentence's sounds in time."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from maa.checkpoint import Model
from maa.models.vocabulary import Vocabulary
from maa.pipeline import conditioning
from maa.pipeline.checks import text as check_prompt
from maa.pipeline.events import Event
from maa.pipeline.leading import Led, Prompts, lead
from maa.pipeline.tasks import check_seconds
from maa.pipeline.timeline import Placed, placed, told


class Words:
    """The part of `MakeAnAudio` that listens to what is said."""

    model: Model

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The sounds that the model was trained on; None where it does not say."""
        return self.model.vocabulary

    def heard(self, prompt: str, *, literal: bool = False) -> Led:
        """What the network listens to for a prompt: known captions in place of words that it does not know.

        Args:
            prompt: any sentence.
            literal: take the words as they are.
        """
        prompt = check_prompt(prompt)
        if literal or self.model.text is None:
            return Led(prompt, prompt)
        return lead(prompt, self.vocabulary, self._embed)

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

    def _prompts(self, prompt: str, negative: str, literal: bool) -> Prompts:
        knows = self.vocabulary is not None
        return Prompts(self.heard(prompt, literal=literal), negative, literal and knows, knows)

    def _placed(
        self, events: Sequence[Event], prompt: str, negative: str, literal: bool, seconds: float | None
    ) -> Prompts | Placed:
        """The events that were given, or that the prompt tells of; else the prompt alone."""
        if not events and not literal and self.vocabulary is not None:
            events = self.timeline(prompt, seconds)
        if events:
            return placed(events, prompt, negative, literal, self)
        return self._prompts(prompt, negative, literal)
