"""A vocabulary of three sounds, in a space that is made up: a few other words lie near them."""

from __future__ import annotations

import torch
from torch import Tensor

from maa.models.vocabulary import KnownSound, Vocabulary

SOUNDS = (
    KnownSound("dog barking", "animals", False, ("dog barking", "a dog barks")),
    KnownSound("rain", "weather", True, ("rain", "rain falls", "heavy rain")),
    KnownSound("church bell", "objects", False, ("church bell", "a bell rings")),
)
NEARNESS = {"a hound woofs": ("a dog barks", 0.6), "it pours": ("heavy rain", 0.7), "chimes": ("a bell rings", 0.5)}
CAPTIONS = [caption for sound in SOUNDS for caption in sound.captions]
AXES = torch.eye(len(CAPTIONS) + 1)


def embed(texts: list[str]) -> Tensor:
    """Captions are the axes of a space; some other texts lie near one of them, and the rest on an axis of their own."""
    rows = []
    for text in texts:
        caption, cosine = (text, 1.0) if text in CAPTIONS else NEARNESS.get(text, (None, 0.0))
        own = AXES[-1]
        near = own if caption is None else AXES[CAPTIONS.index(caption)]
        rows.append(cosine * near + (1 - cosine**2) ** 0.5 * own)
    return torch.stack(rows)


def small_vocabulary() -> Vocabulary:
    """The three sounds with their vectors."""
    return Vocabulary(SOUNDS, embed(CAPTIONS))
