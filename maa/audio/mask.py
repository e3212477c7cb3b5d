"""Masks on the mel grid: what to make new (True) and what to keep, in the units of people and of the networks.

A mask is bool [mels, frames], row 0 the lowest band, one column every 16 ms (paper Sec. 4.2).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.grid import centres, edges
from maa.config import AudioSpec

Mask = NDArray[np.bool_]

# Seconds and hertz arrive rounded for reading: an edge this close to a frame or a band's centre is meant to be on it.
_SLACK_FRAMES = 1e-3
_SLACK_HZ = 0.5


@dataclass(frozen=True)
class Box:
    """A rectangle to make new, in seconds and hertz. Its default height is everything.

    Raises:
        ValueError: inverted, empty, below zero or not a number.
    """

    start: float
    end: float
    low: float = 0.0
    high: float = math.inf

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:  # also catches NaN
            raise ValueError(
                f"A box from {self.start:g} s to {self.end:g} s holds nothing; give a start from 0 on and a later end."
            )
        if not 0 <= self.low < self.high:
            raise ValueError(
                f"A box from {self.low:g} Hz to {self.high:g} Hz holds nothing; give a low edge and a higher one."
            )


def row_of(hertz: NDArray[np.floating[Any]] | float, spec: AudioSpec) -> Any:
    """Height of a frequency on the mel grid: band k reaches from row k to k + 1, its centre lies at k + 0.5."""
    return np.interp(hertz, edges(spec), np.arange(spec.mels + 2) - 0.5)


def from_boxes(boxes: Sequence[Box], spec: AudioSpec, frames: int) -> Mask:
    """The mask of some boxes on a sound of `frames` frames; no boxes give an empty mask.

    A box takes every frame it touches, and every band whose centre lies in it (at least the nearest one). What reaches
    beyond the sound is cut off.

    Raises:
        ValueError: a box that lies wholly beyond the sound's end or above its highest frequency.
    """
    mask = np.zeros((spec.mels, frames), dtype=bool)
    for box in boxes:
        mask[_bands(box, spec), _columns(box, spec, frames)] = True
    return mask


def _columns(box: Box, spec: AudioSpec, frames: int) -> slice:
    first = math.floor(box.start / spec.frame_seconds + _SLACK_FRAMES)
    if first >= frames:
        raise ValueError(
            f"A box from {box.start:g} s on lies behind the end of the sound, which is "
            f"{frames * spec.frame_seconds:.2f} s long."
        )
    last = frames if math.isinf(box.end) else math.ceil(box.end / spec.frame_seconds - _SLACK_FRAMES)
    return slice(first, max(last, first + 1))


def _bands(box: Box, spec: AudioSpec) -> slice:
    low, high = box.low, box.high
    top = spec.frequency_range[1]
    if low >= top:
        raise ValueError(f"A box from {low:g} Hz up lies above {top:g} Hz, the highest frequency that can be made new.")
    middle = centres(spec)
    inside = np.flatnonzero((middle >= low - _SLACK_HZ) & (middle <= high + _SLACK_HZ))
    if inside.size == 0:
        inside = np.array([np.abs(middle - (low + min(high, top)) / 2).argmin()])
    return slice(int(inside[0]), int(inside[-1]) + 1)


def from_frames(spans: Sequence[tuple[float, float]], spec: AudioSpec, frames: int) -> Mask:
    """The mask of full-height time spans, (start, end) in seconds: the paper's frame mask."""
    return from_boxes([Box(start, end) for start, end in spans], spec, frames)


def check(mask: NDArray[Any], spec: AudioSpec, frames: int) -> Mask:
    """The mask as bool [mels, frames], for masks that come from outside.

    Raises:
        ValueError: another shape, or values other than 0 and 1.
    """
    mask = np.asarray(mask)
    if mask.shape != (spec.mels, frames):
        raise ValueError(
            f"The mask has shape {list(mask.shape)}; this sound needs [{spec.mels}, {frames}] (bands, frames of "
            f"{1000 * spec.frame_seconds:g} ms)."
        )
    if mask.dtype != bool and not (mask.dtype.kind in "iuf" and np.isin(mask, (0, 1)).all()):
        raise ValueError("The mask should hold only True (make new) and False (keep).")
    return mask.astype(bool)


def to_latent(mask: Mask, factor: int = 8) -> Mask:
    """mask [mels, frames] to latent cells [mels / factor, frames / factor]; a cell is new when any part of it is.

    Both sides must be multiples of `factor`.
    """
    rows, columns = mask.shape
    if rows % factor or columns % factor:
        raise ValueError(f"A mask of {rows} x {columns} does not divide into cells of {factor} x {factor}.")
    return np.asarray(mask.reshape(rows // factor, factor, columns // factor, factor).any(axis=(1, 3)))


def frame_spans(mask: Mask) -> list[tuple[int, int]]:
    """Runs of frames in which anything is new, as (first, last + 1), in order, apart from each other."""
    busy = np.concatenate(([False], mask.any(axis=0), [False]))
    edges = np.flatnonzero(busy[1:] != busy[:-1])
    return [(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]


def mask_digest(mask: Mask) -> str:
    """Twelve hexadecimal digits that tell this mask from any other, for the settings."""
    shape = "x".join(map(str, mask.shape)).encode()
    return hashlib.sha256(shape + np.packbits(mask).tobytes()).hexdigest()[:12]


def regrid(mask: Mask, source: AudioSpec, target: AudioSpec) -> Mask:
    """A mask on another convention's bands: every target band that meets a painted one.

    Frames are the same in both; at least one band is painted for each that was.
    """
    below, above = _borders(source), _borders(target)
    meets = (below[:-1, None] < above[None, 1:]) & (below[1:, None] > above[None, :-1])  # [source bands, target bands]
    return np.any(meets.T[:, :, None] & mask[None], axis=1)


def _borders(spec: AudioSpec) -> NDArray[np.float64]:
    """Where one band ends and the next begins, in Hz: [mels + 1]; the outer bands reach to the ends of the scale."""
    middle = centres(spec)
    return np.concatenate([[0.0], (middle[1:] + middle[:-1]) / 2, [np.inf]])
