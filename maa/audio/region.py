"""What an edit works on: boxes in seconds and hertz, painted cells, or both, at the rate of any sound."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.grid import centres
from maa.audio.mask import Box, Mask, frame_spans, row_of
from maa.audio.sound import Audio
from maa.audio.splice import MODEL, intervals
from maa.config import AudioSpec

SOFT = 2  # bins of a spectrum over which an edge in frequency goes from nothing to all
Rows = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Region:
    """A part of a sound in time and frequency.

    Attributes:
        boxes: exact to the sample; they may reach up to half of any sound's rate.
        cells: bool [mels, frames] of the whole sound, True = in it; None = there are only boxes. What lies above the
            highest band goes with it.
        spec: what rows and columns of `cells` are.
    """

    boxes: tuple[Box, ...] = ()
    cells: Mask | None = None
    spec: AudioSpec = MODEL

    def spans(self) -> list[tuple[float, float]]:
        """(start, end) in seconds of everything in it, in order; they may overlap."""
        painted = [] if self.cells is None else frame_spans(self.cells)
        frame = self.spec.frame_seconds
        return sorted([(box.start, box.end) for box in self.boxes] + [(a * frame, b * frame) for a, b in painted])

    def pieces(self, source: Audio) -> list[tuple[int, int]]:
        """The same as (first, stop) in samples of a sound, apart from each other.

        Raises:
            ValueError: nothing is marked, or a box lies beyond the sound or above what its rate can hold.
        """
        top, length = source.sample_rate / 2, source.seconds
        for box in self.boxes:
            if box.start >= length:
                raise ValueError(
                    f"A box from {box.start:g} s on lies behind the end of the sound, which is {length:.2f} s long."
                )
            if box.low >= top:
                raise ValueError(f"A box from {box.low:g} Hz up lies above {top:g} Hz, the highest in this sound.")
        found = intervals(self.spans(), source)
        if not found:
            raise ValueError("Nothing is marked, or less than 10 ms of it; mark a part of the sound first.")
        return found

    def height(self, start: float, end: float, top: float) -> float:
        """The narrowest run of frequencies in it between two seconds, in Hz; `top` is the highest there is."""
        heights = [min(box.high, top) - box.low for box in self.boxes if box.start < end and box.end > start]
        rows = self._rows(start, end)
        if rows.size:
            border = borders(self.spec)
            border[-1] = top
            ends = np.diff(np.pad(rows.astype(np.int8), ((1, 1), (0, 0))), axis=0)
            heights += [
                border[last] - border[first]
                for column in np.unique(ends, axis=1).T
                for first, last in zip(np.flatnonzero(column == 1), np.flatnonzero(column == -1), strict=True)
            ]
        return float(min(heights, default=top))

    def weights(self, hertz: Rows, seconds: Rows, within: tuple[float, float]) -> NDArray[np.float32]:
        """How far each frequency belongs to it at each time, [frequencies, times], 0 to 1.

        Before and behind the span `within` (start, end in seconds) it goes on as it is at the span's ends: the change
        itself ends there.

        Args:
            hertz: evenly spaced from 0 on.
            seconds: times in ascending order.
        """
        start, end = within
        seconds = np.clip(seconds, start, np.nextafter(end, start))
        found = np.zeros((len(hertz), len(seconds)), np.float32)
        soft = SOFT * float(hertz[1] - hertz[0])
        for box in self.boxes:
            there = (seconds >= box.start) & (seconds < box.end)
            if not there.any():
                continue
            below = np.clip((hertz - box.low) / soft + 0.5, 0.0, 1.0) if box.low > 0 else np.ones(len(hertz))
            above = np.clip((box.high - hertz) / soft + 0.5, 0.0, 1.0)
            np.maximum(found, (below * above)[:, None] * there, out=found, casting="same_kind")
        rows = self._rows(start, end)
        if rows.size:
            frame = self.spec.frame_seconds
            first = math.floor(start / frame + 1e-3)
            column = np.clip(np.floor(seconds / frame).astype(int) - first, 0, rows.shape[1] - 1)
            np.maximum(found, self._heights(rows, hertz)[:, column], out=found)
        return found

    def moved(self, seconds: float) -> Region:
        """The boxes of it that far later in time; it must have no cells."""
        boxes = [replace(box, start=box.start + seconds, end=box.end + seconds) for box in self.boxes]
        return replace(self, boxes=tuple(boxes))

    def _rows(self, start: float, end: float) -> Mask:
        """The cells of a span, [mels, frames]."""
        if self.cells is None:
            return np.zeros((0, 0), bool)
        frame = self.spec.frame_seconds
        first = math.floor(start / frame + 1e-3)
        return self.cells[:, first : max(math.ceil(end / frame - 1e-3), first + 1)]

    def _heights(self, rows: Mask, hertz: Rows) -> NDArray[np.float32]:
        """Cells [mels, frames] on the frequencies of a spectrum, [frequencies, frames], with soft edges."""
        band = np.clip(np.floor(row_of(hertz, self.spec)), 0, self.spec.mels - 1).astype(int)
        sharp = rows[band].astype(np.float32)
        wide = np.pad(sharp, ((1, 1), (0, 0)), mode="edge")
        return np.asarray((wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4, dtype=np.float32)


def borders(spec: AudioSpec) -> NDArray[np.float64]:
    """Where one mel band ends and the next begins, in Hz: [mels + 1], from the lowest to the highest frequency."""
    middle, (low, high) = centres(spec), spec.frequency_range
    return np.concatenate([[low], (middle[1:] + middle[:-1]) / 2, [high]])


def rectangles(mask: Mask, spec: AudioSpec) -> list[tuple[float, float, float, float]]:
    """A mask bool [mels, frames] as boxes (start s, end s, low Hz, high Hz) that give the same mask again.

    Cells of one frame go together upwards, and what has the same height in the next frame is one box with it.
    """
    border, frame = borders(spec), spec.frame_seconds
    open_boxes: dict[tuple[int, int], int] = {}  # rows -> first frame
    found = []
    for column in range(mask.shape[1] + 1):
        here = set(frame_spans(mask[:, column][None])) if column < mask.shape[1] and mask[:, column].any() else set()
        for rows in [rows for rows in open_boxes if rows not in here]:
            found.append((open_boxes.pop(rows), column, *rows))
        for rows in here:
            open_boxes.setdefault(rows, column)
    return [
        (round(a * frame, 6), round(b * frame, 6), round(float(border[low]), 2), round(float(border[high]), 2))
        for a, b, low, high in sorted(found)
    ]
