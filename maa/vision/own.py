"""The sound that a clip has of its own, in its place under the picture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maa.foreign import drawn, foreign
from maa.timeline import pauses
from maa.vision.video import DECODE_SECONDS, Reel, open_video

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

RATE = 48_000  # Hz of every sound track written here
MAX_VALUES = 2**26  # samples times channels; 11 minutes of stereo
MAX_FRAMES = 200_000  # decoded pieces of a track; a second has 50 or so
_BEFORE = 1.0  # seconds before the first picture from which on sound is looked at


def own_sound(source: Path, least: float) -> NDArray[np.float32] | None:
    """A clip's sound at 48 kHz, mono or folded down to stereo, [channels, n]; None if it has none.

    It begins with the first picture and goes on to the clip's end, or for `least` seconds. What its time stamps leave
    out is silence, so that all of it is heard when it was.

    Raises:
        ValueError: damaged, or more of it than can be mixed.
    """
    with open_video(source) as clip, open_video(source) as index:
        if not clip[0].streams.audio or clip[0].streams.audio[0].codec_context is None:
            return None
        reel = Reel(source, clip, index)
        origin = reel.begin
        longest = max(least, reel.describe().seconds)
    frames, kind = _frames(source, origin, longest)
    if not frames:
        return None
    rate, layout = frames[0].sample_rate, "mono" if len(frames[0].layout.channels) == 1 else "stereo"
    gaps = pauses([frame.time for frame in frames], [frame.samples for frame in frames], rate, kind)
    begun = next((frame.time for frame in frames if frame.time is not None), origin) - origin
    starts = [0, *(k for k in range(1, len(frames)) if gaps[k])]
    whole = np.zeros((1 if layout == "mono" else 2, round(longest * RATE)), np.float32)
    at = 0  # samples of the track so far, silence included
    damaged = f"The sound of {source.name!r} is damaged; export the clip again, or replace its sound."
    for first, last in zip(starts, [*starts[1:], len(frames)], strict=True):
        at += gaps[first]
        with foreign(damaged):
            piece = _resampled(frames[first:last], layout)
        _lay(whole, piece, round(begun * RATE) + round(at / rate * RATE))
        at += sum(frame.samples for frame in frames[first:last])
    end = max(1, min(whole.shape[1], round(begun * RATE) + round(at / rate * RATE)))
    return whole[:, :end]


def _frames(source: Path, origin: float, longest: float) -> tuple[list[AudioFrame], str]:
    """The decoded pieces of the sound that is heard from just before `origin` for `longest` seconds; the format."""
    name = source.name
    damaged = f"The sound of {name!r} is damaged; export the clip again, or replace its sound."
    deadline = time.monotonic() + DECODE_SECONDS
    found: list[AudioFrame] = []
    values = 0
    with open_video(source) as (container, _):
        track = container.streams.audio[0]
        for frame in drawn(container.decode(track), damaged):
            if time.monotonic() > deadline or len(found) == MAX_FRAMES:
                raise ValueError(f"The sound of {name!r} takes too long to decode; replace it, or use a shorter clip.")
            moment = None if frame.time is None else frame.time - origin
            if moment is not None and moment + frame.samples / frame.sample_rate < -_BEFORE:
                continue
            if moment is not None and moment > longest:
                break
            values += frame.samples * len(frame.layout.channels)
            if values > MAX_VALUES or (moment is None and values > longest * 8 * frame.sample_rate * 2):
                raise ValueError(f"The sound of {name!r} is too long to be mixed; replace it, or use a shorter clip.")
            found.append(frame)
        return found, container.format.name


def _resampled(frames: list[AudioFrame], layout: str) -> NDArray[np.float32]:
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler(format="fltp", layout=layout, rate=RATE)
    blocks: list[NDArray[Any]] = []
    for frame in [*frames, None]:
        blocks += [block.to_ndarray() for block in resampler.resample(frame)]
    return np.concatenate(blocks, axis=1).astype(np.float32)


def _lay(whole: NDArray[np.float32], piece: NDArray[np.float32], at: int) -> None:
    """Put a piece [channels, n] at sample `at`, which may lie before the beginning; what does not fit is left out."""
    first, last = max(0, at), min(whole.shape[1], at + piece.shape[1])
    if first < last:
        whole[:, first:last] = piece[:, first - at : last - at]
