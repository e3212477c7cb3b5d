"""A clip through PyAV: opening it, what it says about itself, and the frame that is on screen at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Only containers that hold their own data: playlists (HLS, concat, ...) could name other files or addresses.
_FORMATS = "mov,mp4,m4a,3gp,matroska,webm,avi,flv,asf,mpeg,mpegts,ogg,gif,mjpeg,h264,hevc,m4v,ivf,mxf,nut,rm,dv"
DECODE_SECONDS = 30.0  # a clip that keeps the decoder busy for longer is refused


@dataclass(frozen=True)
class VideoInfo:
    """A clip as it is shown: width and height in pixels after rotation."""

    seconds: float
    fps: float  # on average
    width: int
    height: int
    has_audio: bool


@contextmanager
def open_video(path: str | Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A clip and its picture track, closed at the end of the block.

    Raises:
        ValueError: no such file, no video, or no picture track (the cover of a song is none).
    """
    import av
    from av.error import FFmpegError
    from av.stream import Disposition

    path = Path(path)
    name = repr(path.name)
    if not path.is_file():
        raise ValueError(f"There is no video {str(path)!r}; check the name.")
    try:
        # "file:" keeps a colon in the name from being taken for a protocol.
        container = av.open(f"file:{path}", options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"})
    except (FFmpegError, OSError, ValueError) as error:
        raise ValueError(f"{name} is not a video that can be read, or is damaged; use MP4, MOV or WebM.") from error
    with container:
        tracks = [track for track in container.streams.video if not track.disposition & Disposition.attached_pic]
        if not tracks or tracks[0].codec_context is None:
            raise ValueError(f"{name} has no picture track that can be read; choose a video.")
        yield container, tracks[0]


def begin(stream: VideoStream) -> float:
    """When the first frame is shown, in seconds on the container's clock, which need not start at zero."""
    return 0.0 if stream.start_time is None else float(stream.start_time * _unit(stream))


def describe(container: InputContainer, stream: VideoStream) -> VideoInfo:
    """Length, mean frame rate and size as shown. Raises ValueError when no frame can be decoded."""
    first = next(_frames(container, stream), None)
    if first is None:
        raise ValueError(f"{Path(container.name).name!r} has no frames that can be decoded; choose another video.")
    fps = float(stream.average_rate or stream.guessed_rate or 25)
    size = (first.height, first.width) if first.rotation % 180 == 90 else (first.width, first.height)
    has_audio = bool(container.streams.audio)
    promised = 0.0 if stream.duration is None else float(stream.duration * _unit(stream))
    if not promised and not has_audio and container.duration:
        promised = container.duration / 1_000_000 - begin(stream)
    return VideoInfo(max(promised, _end(container, stream, 1 / fps) - begin(stream)), fps, *size, has_audio)


def _end(container: InputContainer, stream: VideoStream, frame_seconds: float) -> float:
    """When the last frame goes, in seconds on the container's clock, by the last packets.

    Headers state it wrongly where frames are stored in another order than shown, or for sound and picture together.
    """
    from av.error import FFmpegError

    end = begin(stream) + frame_seconds
    with suppress(FFmpegError):
        container.seek(2**62, stream=stream)
    with suppress(FFmpegError):
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None:
                lasts = float(packet.duration * _unit(stream)) if packet.duration else frame_seconds
                end = max(end, float(packet.pts * _unit(stream)) + lasts)
    return end


def picture_at(container: InputContainer, stream: VideoStream, seconds: float) -> NDArray[np.uint8] | None:
    """The frame on screen `seconds` after the first one began, upright, [H, W, 3]; None when nothing can be decoded."""
    due = math.floor((begin(stream) + seconds) / float(_unit(stream)) + 1e-6)
    shown, deadline = None, time.monotonic() + DECODE_SECONDS
    for earlier in (0.0, 10.0, seconds + 10.0):  # formats without an index may land behind the time they are asked for
        shown = _last_before(container, stream, due, round(due - earlier / float(_unit(stream))), deadline)
        if shown is not None and (shown.pts is None or shown.pts <= due):
            break
    if shown is None:
        return None
    return np.ascontiguousarray(np.rot90(shown.to_ndarray(format="rgb24"), round(shown.rotation / 90)))


def _last_before(
    container: InputContainer, stream: VideoStream, due: int, start: int, deadline: float
) -> VideoFrame | None:
    """The last frame that begins by tick `due`, decoding from the key frame before `start`; else the first after it."""
    from av.error import FFmpegError

    with suppress(FFmpegError):  # a format that cannot seek goes on from where it is
        container.seek(start, stream=stream)
    shown = None
    for frame in _frames(container, stream):
        if shown is not None and frame.pts is not None and frame.pts > due:
            break
        if time.monotonic() > deadline:
            raise ValueError(
                f"{Path(container.name).name!r} takes longer than {DECODE_SECONDS:.0f} s to decode; use a smaller clip."
            )
        shown = frame
    return shown


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Decoded frames up to the end of the clip or to the first damage."""
    from av.error import FFmpegError

    with suppress(FFmpegError):
        yield from container.decode(stream)


def _unit(stream: VideoStream) -> Fraction:
    """One tick of the track's time stamps, in seconds."""
    return stream.time_base or Fraction(1, 90_000)
