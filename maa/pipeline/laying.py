"""Sounds placed in time: every event in a latent of its own, then all of them laid into one take.

A piece begins where its event does and is as long as it, but not shorter than what the network was trained on: behind a
short event there is silence, which the network is given as known. Tokens are heard in the event's columns only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.audio.mel import FLOOR
from maa.pipeline import conditioning
from maa.pipeline.events import Event, columns_of, envelope, layers
from maa.pipeline.options import Sampling
from maa.pipeline.render import Renderer, Start, decided, window_parts
from maa.pipeline.steps import OnStep

LEAST = 20  # latent columns of a piece: 2.6 s
APART = 0x9E3779B9  # between the seeds of two pieces


@dataclass(frozen=True)
class Piece:
    """One event as a latent of its own: where it begins, how many columns it has, and how many of them sound."""

    event: Event
    first: int  # column of the whole
    columns: int  # even
    sounding: int

    @classmethod
    def of(cls, event: Event, rate: int, samples: int, columns: int) -> Piece:
        """The piece of an event of a sound of so many columns of so many samples."""
        first, last = columns_of(event, rate, samples, columns)
        sounding = last - first
        return cls(event, first, max(sounding + sounding % 2, LEAST), sounding)


def lay(
    renderer: Renderer,
    events: Sequence[Event],
    negative: str,
    sampling: Sampling,
    length: int,
    on_step: OnStep | None,
) -> tuple[NDArray[np.float32], tuple[int, ...]]:
    """Takes with every event in its time: waveforms [takes, length] as the vocoder made them, and their seeds.

    Args:
        events: in the words that the network should hear.
        sampling: settled.
    """
    spec, factor = renderer.model.config.audio, renderer.model.config.autoencoder.factor
    samples = spec.hop * factor
    columns = -(-length // samples)
    placed = [Piece.of(event, spec.sample_rate, samples, columns) for layer in layers(events) for event in layer]
    seeds: tuple[int, ...] = ()
    waves = np.zeros((sampling.count, length), np.float32)
    progress = _Progress(on_step, len(placed), columns, renderer)
    for number, piece in enumerate(placed):
        seed = (decided(sampling.seed, "seed") + number * APART) % 2**32
        start = start_of(renderer, piece, negative)
        latents, own = renderer.takes(start, replace(sampling, seed=seed), progress.of(piece, number))
        seeds = seeds or own
        mel = renderer.decode(latents)
        progress.keep(piece, renderer.model.front.to_log10(mel)[0, 0].cpu().numpy())
        shape = envelope([piece.event], spec.sample_rate, length)
        at = slice(piece.first * samples, min(length, piece.first * samples + piece.columns * samples))
        waves[:, at] += renderer.vocode(mel)[:, : at.stop - at.start] * shape[at]
    return waves, seeds


def start_of(renderer: Renderer, piece: Piece, negative: str) -> Start:
    """What a piece is sampled from."""
    model, spare = renderer.model, piece.columns - piece.sounding
    condition, null = conditioning.from_text(model, piece.event.text, negative)
    factor = model.config.autoencoder.factor
    frames = piece.columns * factor
    if spare <= 1:
        parts = window_parts(renderer.spans(piece.columns), [(condition, null)])
        return Start(condition, null, frames, parts=parts)
    tokens = condition.tokens
    if tokens is not None:
        when = torch.zeros(1, tokens.shape[1], piece.columns, dtype=torch.bool, device=tokens.device)
        when[..., : piece.sounding] = True
        everywhere = torch.ones_like(when)
        condition, null = replace(condition, when=when), replace(null, when=everywhere)
    known, make = _silence_behind(renderer, piece)
    condition, null = (replace(one, known=known, make=make) for one in (condition, null))
    return Start(condition, null, frames)


@torch.inference_mode()
def _silence_behind(renderer: Renderer, piece: Piece) -> tuple[Tensor, Tensor]:
    """The latent of silence [1, C, H, W], and the mask of what is to be made [1, 1, H, W]: the event's columns."""
    config, front = renderer.model.config, renderer.model.front
    frames = piece.columns * config.autoencoder.factor
    mel = torch.full((1, 1, config.audio.mels, frames), front.silence, device=renderer.device)
    known = renderer.autoencoder.encode(mel)
    make = torch.zeros(1, 1, *known.shape[2:], device=renderer.device)
    make[..., : piece.sounding] = 1.0
    return known, make


class _Progress:
    """Steps over all pieces as those of one take, each with a picture of everything that has been made so far."""

    def __init__(self, on_step: OnStep | None, pieces: int, columns: int, renderer: Renderer) -> None:
        config = renderer.model.config
        self.on_step, self.pieces = on_step, pieces
        self.factor = config.autoencoder.factor
        self.picture = np.full((config.audio.mels, columns * self.factor), np.log10(FLOOR), np.float32)

    def of(self, piece: Piece, number: int) -> OnStep | None:
        """The callback of a piece, the `number`-th from 0."""
        if self.on_step is None:
            return None
        on_step = self.on_step

        def report(step: int, total: int, preview: Callable[[], NDArray[np.float32]]) -> None:
            on_step(number * total + step, self.pieces * total, lambda: self.joined(piece, preview()))

        return report

    def joined(self, piece: Piece, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """The picture so far with one more piece's log10 mel [mels, frames] in it."""
        shown = self.picture.copy()
        first = piece.first * self.factor
        width = min(mel.shape[1], piece.sounding * self.factor, shown.shape[1] - first)
        part = shown[:, first : first + width]
        np.maximum(part, mel[:, :width], out=part)
        return shown

    def keep(self, piece: Piece, mel: NDArray[np.float32]) -> None:
        """A piece is made."""
        self.picture = self.joined(piece, mel)
