"""Sounds placed in time: every event in a latent of its own, then all of them laid into one take.

A piece begins where its event does and is as long as it, but not shorter than what the network was trained on: behind a
short event there is silence, which the network is given as known. Tokens are heard in the event's columns only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.audio.mel import FLOOR
from maa.pipeline import conditioning
from maa.pipeline.events import Event, layers
from maa.pipeline.options import Sampling
from maa.pipeline.render import Renderer, Start, decided, window_parts
from maa.pipeline.steps import OnStep

RISE, FALL = 0.005, 0.04  # seconds in which an event comes and goes
LEAST = 20  # latent columns of a piece: 2.6 s
APART = 0x9E3779B9  # between the seeds of two pieces


def columns_of(event: Event, rate: int, samples: int, columns: int) -> tuple[int, int]:
    """The latent columns that an event touches: the first, and one after the last.

    Args:
        rate: Hz. samples: of a column. columns: of the whole latent.
    """
    first = min(int(event.start * rate / samples + 1e-6), columns - 1)
    last = math.ceil(event.end * rate / samples - 1e-6)
    return first, min(max(last, first + 1), columns)


def envelope(events: Sequence[Event], rate: int, length: int) -> NDArray[np.float32]:
    """The gain of one layer over time [length]: nothing outside its events, each at its own gain, without clicks.

    Where one event begins as another ends, one gain passes into the other.
    """
    shape = np.zeros(length, np.float32)
    for number, event in enumerate(events):
        gain = 10 ** (event.gain / 20)
        first, last = (min(round(edge * rate), length) for edge in (event.start, event.end))
        if last <= first:
            continue
        before = events[number - 1] if number and events[number - 1].end >= event.start - 1e-9 else None
        after = number + 1 < len(events) and events[number + 1].start <= event.end + 1e-9
        own = np.full(last - first, gain, np.float32)
        rise = min(round((FALL if before else RISE) * rate), len(own))
        begin = 10 ** (before.gain / 20) if before else 0.0
        own[:rise] = begin + (gain - begin) * _ramp(rise)
        fall = min(round(FALL * rate), len(own))
        if not after and last < length:
            own[len(own) - fall :] *= 1 - _ramp(fall)
        shape[first:last] = own
    return shape


def _ramp(count: int) -> NDArray[np.float32]:
    """From 0 to 1 as a half wave of a cosine."""
    angle = np.pi * (np.arange(count, dtype=np.float32) + 0.5) / max(count, 1)
    return (0.5 - 0.5 * np.cos(angle)).astype(np.float32)


@dataclass(frozen=True)
class Placement:
    """One event as a latent of its own: where it begins, how many columns it has, and how many of them sound."""

    event: Event
    first: int  # column of the whole
    columns: int  # even
    sounding: int

    @classmethod
    def of(cls, event: Event, rate: int, samples: int, columns: int) -> Placement:
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
    placed = [Placement.of(event, spec.sample_rate, samples, columns) for layer in layers(events) for event in layer]
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


def start_of(renderer: Renderer, piece: Placement, negative: str) -> Start:
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
def _silence_behind(renderer: Renderer, piece: Placement) -> tuple[Tensor, Tensor]:
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

    def of(self, piece: Placement, number: int) -> OnStep | None:
        """The callback of a piece, the `number`-th from 0."""
        if self.on_step is None:
            return None
        on_step = self.on_step

        def report(step: int, total: int, preview: Callable[[], NDArray[np.float32]]) -> None:
            on_step(number * total + step, self.pieces * total, lambda: self.joined(piece, preview()))

        return report

    def joined(self, piece: Placement, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """The picture so far with one more piece's log10 mel [mels, frames] in it."""
        shown = self.picture.copy()
        first = piece.first * self.factor
        width = min(mel.shape[1], piece.sounding * self.factor, shown.shape[1] - first)
        part = shown[:, first : first + width]
        np.maximum(part, mel[:, :width], out=part)
        return shown

    def keep(self, piece: Placement, mel: NDArray[np.float32]) -> None:
        """A piece is made."""
        self.picture = self.joined(piece, mel)
