"""Masks to train inpainting on: the six kinds of the paper's Table 2 (Sec. 4.2), and the one that people paint most.

Irregular masks are LaMa's (arXiv 2109.07161): polygonal chains dilated by a high random width, and boxes of arbitrary
aspect; its thin, medium and thick settings, which are for 256 x 256 pictures, are scaled to the mel. Frame masks are
wav2vec 2.0's (arXiv 2006.11477): spans of whole frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

SPAN = 32  # frames of a wav2vec span: 0.5 s
SLANT = 0.4  # mel bands are few beside frames; strokes run mostly along time


@dataclass(frozen=True)
class Stroke:
    """How LaMa paints: at most so many chains and boxes, of such widths, in cells of a mel of 80 bands."""

    chains: int
    radius: tuple[float, float]  # bands; twice as many frames
    length: tuple[float, float]  # frames of one leg
    boxes: int
    sides: tuple[int, int]  # shortest and longest side of a box: bands; twice to four times as many frames


IRREGULAR = {
    "thin": Stroke(chains=6, radius=(1.0, 3.0), length=(30, 160), boxes=0, sides=(4, 10)),
    "medium": Stroke(chains=4, radius=(3.0, 8.0), length=(30, 140), boxes=3, sides=(8, 30)),
    "thick": Stroke(chains=4, radius=(8.0, 18.0), length=(30, 160), boxes=3, sides=(16, 80)),
}
FRAME = {"frame 30": 0.3, "frame 50": 0.5, "frame 70": 0.7}
KINDS = (*IRREGULAR, *FRAME)


@dataclass(frozen=True)
class MaskShares:
    """How often a clip's mask is one of its events, one span, or one of Table 2's kinds (all alike)."""

    event: float = 0.35
    span: float = 0.25
    kinds: tuple[str, ...] = KINDS


def kinds_of(names: Sequence[str]) -> tuple[str, ...]:
    """Kinds of masks by names as a command line has them: thin, medium, thick, or frame-50 with any percentage.

    Raises:
        ValueError: there is no such kind.
    """
    found = tuple(name.replace("-", " ") for name in names)
    for kind in found:
        if kind not in IRREGULAR and _share(kind) is None:
            known = ", ".join(known.replace(" ", "-") for known in KINDS)
            raise ValueError(f"There is no mask kind {kind!r}; choose {known}, or frame- with another percentage.")
    return found


def _share(kind: str) -> float | None:
    """The share that "frame 30" covers; None for what is no such kind."""
    word, _, percent = kind.partition(" ")
    return int(percent) / 100 if word == "frame" and percent.isdecimal() and 1 <= int(percent) <= 95 else None


def draw_mask(kind: str, mels: int, frames: int, rng: np.random.Generator) -> Mask:
    """A mask [mels, frames] of one kind of Table 2, or of frames with another percentage; True = make new.

    Raises:
        ValueError: there is no such kind.
    """
    if (share := _share(kind)) is not None:
        return frame_mask(mels, frames, share, rng)
    if kind in IRREGULAR:
        return irregular(mels, frames, rng, IRREGULAR[kind])
    raise ValueError(f"There is no mask kind {kind!r}; choose {', '.join(KINDS)}.")


def frame_mask(mels: int, frames: int, share: float, rng: np.random.Generator, span: int = SPAN) -> Mask:
    """Spans of whole frames that cover about `share` of the clip, after wav2vec 2.0's span sampling."""
    mask = np.zeros(frames, bool)
    starts = max(1, round(-np.log1p(-min(share, 0.95)) * frames / span))  # overlaps leave the wanted share covered
    for start in rng.integers(-span // 2, frames - span // 2, starts):
        mask[max(0, start) : max(0, start + span)] = True
    return np.repeat(mask[None], mels, 0)


def one_span(mels: int, frames: int, rng: np.random.Generator) -> Mask:
    """One span of whole frames, 0.3 s to half of the clip: what people paint most."""
    width = int(rng.integers(20, max(21, frames // 2)))
    start = int(rng.integers(0, max(1, frames - width)))
    mask = np.zeros((mels, frames), bool)
    mask[:, start : start + width] = True
    return mask


def irregular(mels: int, frames: int, rng: np.random.Generator, stroke: Stroke = IRREGULAR["thick"]) -> Mask:
    """Boxes and dilated polygonal chains, at least one of them."""
    mask = np.zeros((mels, frames), bool)
    chains = int(rng.integers(0 if stroke.boxes else 1, stroke.chains + 1))
    boxes = int(rng.integers(0 if chains else 1, stroke.boxes + 1)) if stroke.boxes else 0
    for _ in range(boxes):
        low, high = stroke.sides
        height = int(rng.integers(low, min(high, mels) + 1))
        width = min(frames, int(rng.integers(2 * low, 4 * high + 1)))
        at, bottom = int(rng.integers(0, frames - width + 1)), int(rng.integers(0, mels - height + 1))
        mask[bottom : bottom + height, at : at + width] = True
    for _ in range(chains):
        _chain(mask, stroke, rng)
    return mask


def _chain(mask: Mask, stroke: Stroke, rng: np.random.Generator) -> None:
    mels, frames = mask.shape
    row, column = rng.uniform(0, mels), rng.uniform(0, frames)
    for _ in range(int(rng.integers(1, 6))):
        radius = rng.uniform(*stroke.radius)  # of every leg, as LaMa's public code draws it
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(*stroke.length)
        end_row = float(np.clip(row + SLANT * length * np.sin(angle), 0, mels))
        end_column = float(np.clip(column + length * np.cos(angle), 0, frames))
        _leg(mask, (row, column), (end_row, end_column), radius)
        row, column = end_row, end_column


def _leg(mask: Mask, start: tuple[float, float], end: tuple[float, float], radius: float) -> None:
    """Everything within `radius` bands (twice as many frames) of a line."""
    mels, frames = mask.shape
    reach = int(2 * radius) + 1
    first = max(0, int(min(start[1], end[1])) - reach)
    last = min(frames, int(max(start[1], end[1])) + reach + 1)
    rows, columns = np.arange(mels)[:, None] - start[0], (np.arange(first, last)[None] - start[1]) / 2
    along = np.array([end[0] - start[0], (end[1] - start[1]) / 2])
    share = np.clip((rows * along[0] + columns * along[1]) / max(1e-9, float(along @ along)), 0, 1)
    distance = (rows - share * along[0]) ** 2 + (columns - share * along[1]) ** 2
    mask[:, first:last] |= distance <= radius**2
