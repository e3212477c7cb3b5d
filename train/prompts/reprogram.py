"""Dynamic reprogramming (Sec. 3.2.2): a clip of one to three sounds and the sentence that describes their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.crops import fill
from train.data import Library
from train.prompts.templates import TEMPLATES, write

SILENCE_AT_MOST = 0.3  # of a clip; padding would teach the network to be quiet
JOIN = 0.03  # seconds over which neighbouring sounds cross-fade


@dataclass(frozen=True)
class Event:
    """One sound within a clip, in samples."""

    start: int
    end: int
    caption: str
    recording: int  # its index in the library


@dataclass(frozen=True)
class Clip:
    """A composed training example."""

    wave: NDArray[np.float32]  # [samples]
    caption: str
    events: tuple[Event, ...]


def compose(library: Library, indices: NDArray[np.int64], length: int, rate: int, rng: np.random.Generator) -> Clip:
    """A clip of `length` samples with N in {0, 1, 2} sampled events beside the original; half have none."""
    extra = int(rng.choice(3, p=(0.5, 0.35, 0.15)))
    order = [int(pick(library, indices, rng))]
    caption = one_of(library.rows[order[0]].captions, rng)
    captions = [caption]
    for _ in range(extra):
        other = int(pick(library, indices, rng))
        template = TEMPLATES[int(rng.integers(len(TEMPLATES)))]
        event = library.rows[other].concept
        caption = write(template, caption, event, rng)
        order = [*order, other] if template.x_first else [other, *order]
        captions = [*captions, event] if template.x_first else [event, *captions]
    cuts = _cuts(len(order), length, rng)
    wave = np.zeros(length, np.float32)
    events = []
    for recording, own, start, end in zip(order, captions, cuts[:-1], cuts[1:], strict=True):
        _lay(wave, stretch(library, recording, end - start, rng), start, int(JOIN * rate))
        events.append(Event(start, end, own, recording))
    wave *= 10 ** rng.uniform(-0.3, 0.05)
    wave *= min(1.0, 0.98 / max(1e-9, float(np.abs(wave).max())))
    return Clip(wave, caption, tuple(events))


def pick(library: Library, indices: NDArray[np.int64], rng: np.random.Generator) -> int:
    """A recording: first a concept by the square root of how many recordings it has, then one of them.

    Uniform concepts would learn the few recordings of rare ones by heart; uniform recordings would hear mostly drums.
    """
    groups = library.groups(tuple(indices.tolist()))
    odds = np.sqrt([len(group) for group in groups])
    group = groups[int(rng.choice(len(groups), p=odds / odds.sum()))]
    return int(group[int(rng.integers(len(group)))])


def one_of(captions: tuple[str, ...], rng: np.random.Generator) -> str:
    """One caption of several."""
    return captions[int(rng.integers(len(captions)))]


def stretch(library: Library, recording: int, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """`length` samples of one recording, short ones repeated with gaps that leave at most 30 % silence."""
    wave = library.wave(recording)
    if len(wave) >= length:
        return fill(wave, length, rng)
    out = np.zeros(length, np.float32)
    at = 0
    while at < length:
        part = wave[: length - at]
        out[at : at + len(part)] += part * np.float32(10 ** rng.uniform(-0.15, 0.0))
        longest = int(len(wave) * SILENCE_AT_MOST / (1 - SILENCE_AT_MOST))
        at += len(wave) + int(rng.integers(0, longest + 1))
    return out


def _cuts(parts: int, length: int, rng: np.random.Generator) -> list[int]:
    shares = rng.uniform(0.6, 1.4, parts)
    inner = np.cumsum(shares / shares.sum())[:-1] * length
    return [0, *(int(x) for x in inner), length]


def _lay(wave: NDArray[np.float32], part: NDArray[np.float32], start: int, join: int) -> None:
    """Add a part with equal-power edges inside its own span."""
    part = part.copy()
    ramp = np.sin(np.linspace(0.0, np.pi / 2, min(join, len(part) // 2), dtype=np.float32))
    if len(ramp):
        part[: len(ramp)] *= ramp
        part[-len(ramp) :] *= ramp[::-1]
    wave[start : start + len(part)] += part
