"""Compressed sound and the sound tracks of videos, through PyAV (which brings its own FFmpeg)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.pcm import Samples, from_numbers

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# Only containers that hold their own data: playlists (HLS, concat, ...) could name other files or addresses.
_FORMATS = (
    "mov,mp4,m4a,3gp,matroska,webm,avi,flv,asf,mpeg,mpegts,ogg,mp3,aac,ac3,eac3,flac,wav,w64,aiff,caf,au,amr,ape,"
    "wv,tta,dts,opus,voc,mpc,mpc8,tak"
)

DECODE_SECONDS = 60.0  # a file that keeps the decoder busy for longer is refused

# Called as admit(sample rate, channels, samples a channel so far or None); raises ValueError to refuse.
Admit = Callable[[int, int, int | None], None]


def read_track(path: Path, admit: Admit) -> tuple[Samples, str, int]:
    """Decode the first sound track of a file.

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
    from av.error import FFmpegError

    name = path.name
    unreadable = f"{name!r} is not a sound or video file that can be read; use WAV, FLAC, MP3, OGG, M4A or a video."
    try:
        # "file:" keeps a colon in the name from being taken for a protocol.
        container = av.open(f"file:{path}", options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"})
    except (FFmpegError, OSError, ValueError) as error:
        raise ValueError(unreadable) from error
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
        try:
            blocks = _decode(container, stream, name, admit)
        except (FFmpegError, OSError) as error:
            raise ValueError(f"{name!r} is damaged or ends early; export it again.") from error
    if not blocks:
        raise ValueError(f"{name!r} has no samples; choose a file with sound in it.")
    samples = np.concatenate(blocks, axis=1)
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
    return container.duration / 1_000_000 if container.duration else None


def _decode(container: InputContainer, stream: AudioStream, name: str, admit: Admit) -> list[NDArray[Any]]:
    """All samples as blocks [channels, n] in the decoder's own number type."""
    rate, channels, total = stream.sample_rate, stream.channels, 0
    blocks: list[NDArray[Any]] = []
    deadline = time.monotonic() + DECODE_SECONDS
    for frame in container.decode(stream):
        if time.monotonic() > deadline:
            raise ValueError(f"{name!r} takes longer than {DECODE_SECONDS:.0f} s to decode; use a shorter file.")
        values = frame.to_ndarray()
        if not frame.format.is_planar:
            values = values.reshape(-1, channels).T
        if frame.sample_rate != rate or len(values) != channels:
            raise ValueError(f"{name!r} changes its rate or channels half-way; export it again with one setting.")
        total += values.shape[1]
        admit(rate, channels, total)
        blocks.append(values)
    return blocks
