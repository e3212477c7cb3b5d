"""Compressed sound and the sound tracks of videos, through PyAV (which brings its own FFmpeg)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.pcm import Samples, from_numbers
from maa.foreign import drawn, foreign, hides_its_size
from maa.timeline import pauses

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# Only containers that hold their own data: playlists (HLS, concat, ...) could name other files or addresses.
_FORMATS = (
    "mov,mp4,m4a,3gp,matroska,webm,avi,flv,asf,mpeg,mpegts,ogg,mp3,aac,ac3,eac3,flac,wav,w64,aiff,caf,au,amr,ape,"
    "wv,tta,dts,opus,voc,mpc,mpc8,tak"
)

DECODE_SECONDS = 20.0  # a file that keeps the decoder busy for longer is refused
MAX_BLOCKS = 1_000_000  # packets of one sound; more are no sound but a way to keep a machine busy

# Called as admit(sample rate, channels, samples a channel so far or None); raises ValueError to refuse.
Admit = Callable[[int, int, int | None], None]


def read_track(path: Path, admit: Admit) -> tuple[Samples, str, int]:
    """Decode the first sound track of a file.

    It begins with its first sample; where its time stamps leave something out, there is silence.

    Args:
        path: an existing file of any kind that FFmpeg reads.
        admit: asked with what the header says before decoding, and again as samples arrive.

    Returns:
        samples [channels, n] and their subtype as in `maa.audio.pcm` (lossy formats decode to "FLOAT"), and the
        sample rate in Hz.

    Raises:
        ValueError: no sound file, no sound track, or damaged.
    """
    import av

    name = path.name
    unreadable = f"{name!r} is not a sound or video file that can be read; use WAV, FLAC, MP3, OGG, M4A or a video."
    with foreign(unreadable):
        if hides_its_size(path):
            raise ValueError
        # "file:" keeps a colon in the name from being taken for a protocol.
        container = av.open(f"file:{path}", options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"})
    with container:
        if not container.streams.audio:
            raise ValueError(f"{name!r} has no sound track; choose a file with sound.")
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise ValueError(unreadable)
        rate, seconds = stream.sample_rate, _promised_seconds(container, stream)
        # Where only the whole file states its length, that may be the length of its pictures.
        sure = stream.duration is not None or not container.streams.video
        admit(rate, stream.channels, None if seconds is None else round(seconds * rate))
        blocks = _decode(container, stream, name, admit)
    if not blocks:
        raise ValueError(f"{name!r} has no samples; choose a file with sound in it.")
    with foreign(f"{name!r} needs more memory than there is; use a shorter sound."):
        samples = np.concatenate(blocks, axis=1)
        blocks.clear()
    # A cut file still decodes up to the cut. Players round the length, so a tenth and half a second are tolerated.
    if sure and seconds is not None and samples.shape[1] < rate * min(0.9 * seconds, seconds - 0.5):
        raise ValueError(f"{name!r} ends early: {samples.shape[1] / rate:.1f} of {seconds:.1f} s; export it again.")
    return *from_numbers(samples), rate


def _promised_seconds(container: InputContainer, stream: AudioStream) -> float | None:
    """Length by the header, where the format states it; formats that only let FFmpeg guess by bit rate give None."""
    if container.format.name in ("mp3", "aac", "ac3", "eac3", "mpeg", "mpegts", "dts", "amr"):
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if not container.duration:
        return None
    late = stream.start_time * stream.time_base if stream.start_time and stream.time_base else 0
    return max(0.0, container.duration / 1_000_000 - max(0.0, float(late)))


def _decode(container: InputContainer, stream: AudioStream, name: str, admit: Admit) -> list[NDArray[Any]]:
    """All samples as blocks [channels, n] in the decoder's own number type, silence in the gaps included."""
    rate, channels, total = stream.sample_rate, stream.channels, 0
    blocks: list[NDArray[Any]] = []
    times: list[float | None] = []
    damaged = f"{name!r} is damaged or ends early; export it again."
    deadline = time.monotonic() + DECODE_SECONDS
    for frame in drawn(container.decode(stream), damaged):
        if time.monotonic() > deadline or len(blocks) == MAX_BLOCKS:
            raise ValueError(f"{name!r} takes longer than {DECODE_SECONDS:.0f} s to decode; use a shorter file.")
        if frame.sample_rate != rate or len(frame.layout.channels) != channels:
            raise ValueError(f"{name!r} changes its rate or channels half-way; export it again with one setting.")
        total += frame.samples
        admit(rate, channels, total)
        with foreign(damaged):
            blocks.append(values_of(frame, channels))
        times.append(frame.time)
    gaps = pauses(times, [block.shape[1] for block in blocks], rate, container.format.name)
    admit(rate, channels, total + sum(gaps))
    return [
        part for block, gap in zip(blocks, gaps, strict=True) for part in (_silence(block, gap), block) if part.size
    ]


def values_of(frame: AudioFrame, channels: int) -> NDArray[Any]:
    """A decoded frame as [channels, n] in its own number type."""
    values = frame.to_ndarray()
    return values if frame.format.is_planar else values.reshape(-1, channels).T


def _silence(block: NDArray[Any], count: int) -> NDArray[Any]:
    """`count` samples of nothing in the number type of a block."""
    return np.full((len(block), count), 128 if block.dtype == np.uint8 else 0, block.dtype)
