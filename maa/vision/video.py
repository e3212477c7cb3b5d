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

from maa.foreign import drawn, foreign, hides_its_size

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    Opened = tuple[InputContainer, VideoStream]

# Only containers that hold their own data: playlists (HLS, concat, ...) could name other files or addresses.
_FORMATS = "mov,mp4,m4a,3gp,matroska,webm,avi,flv,asf,mpeg,mpegts,ogg,gif,mjpeg,h264,hevc,m4v,ivf,mxf,nut,rm,dv"
DECODE_SECONDS = 25.0  # a clip that keeps the decoder busy for longer is refused
MAX_PIXELS = 40_000_000  # of a picture
_LIMITS = {"max_pixels": str(MAX_PIXELS)}  # later pictures may be larger than the header says: FFmpeg refuses them


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
    from av.stream import Disposition

    path = Path(path)
    name = repr(path.name)
    if not path.is_file():
        raise ValueError(f"There is no video {str(path)!r}; check the name.")
    with foreign(f"{name} is not a video that can be read, or is damaged; use MP4, MOV or WebM."):
        if hides_its_size(path):
            raise ValueError
        # "file:" keeps a colon in the name from being taken for a protocol.
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file", **_LIMITS}
        container = av.open(f"file:{path}", options=options)
    with container:
        tracks = [track for track in container.streams.video if not track.disposition & Disposition.attached_pic]
        if not tracks or tracks[0].codec_context is None:
            raise ValueError(f"{name} has no picture track that can be read; choose a video.")
        tracks[0].codec_context.options = dict(_LIMITS)
        yield container, tracks[0]


class Reel:
    """An open clip that is looked at from its beginning to its end, with one limit on time for all of it."""

    def __init__(self, path: str | Path, clip: Opened, index: Opened) -> None:
        """The clip twice: what is decoded, and its index, which can be asked while decoding goes on.

        Raises:
            ValueError: no frame can be decoded, or the first one is too large.
        """
        self.path, (self.container, self.stream), self.index = Path(path), clip, index
        stream = self.stream
        self.deadline = time.monotonic() + DECODE_SECONDS
        self.unit = stream.time_base or Fraction(1, 90_000)  # one tick of the track's time stamps, in seconds
        self.shown: VideoFrame | None = None
        self.source: Iterator[VideoFrame] = self._frames()
        self.coming = next(self.source, None)
        if self.coming is None:
            raise ValueError(f"{self.path.name!r} has no frames that can be decoded; choose another video.")
        self.begin = begin_of(self.coming, stream)

    def describe(self) -> VideoInfo:
        """Length, mean frame rate and size as shown. To be asked before any picture."""
        first = self.coming
        assert first is not None
        with foreign(self._damaged):
            fps = float(self.stream.average_rate or self.stream.guessed_rate or 25)
            size = (first.height, first.width) if first.rotation % 180 == 90 else (first.width, first.height)
        has_audio = bool(self.container.streams.audio)
        promised = 0.0 if self.stream.duration is None else float(self.stream.duration * self.unit)
        if not promised and not has_audio and self.container.duration:
            promised = self.container.duration / 1_000_000 - self.begin
        self.coming = None  # the position is lost from here on
        return VideoInfo(max(promised, self._end(1 / fps) - self.begin), fps, *size, has_audio)

    def _end(self, frame_seconds: float) -> float:
        """When the last frame goes, in seconds on the container's clock, by the last packets.

        Headers state it wrongly where frames are stored in another order than shown, or for sound and picture together.
        """
        end = self.begin + frame_seconds
        # Programme streams leave out time stamps that follow from those before, so they are read from the beginning.
        with suppress(ValueError), foreign("cannot seek"):
            self.container.seek(0 if self.container.format.name == "mpeg" else 2**62, stream=self.stream)
        with suppress(ValueError):
            for packet in drawn(self.container.demux(self.stream), "damaged"):
                if packet.size and packet.pts is not None:
                    lasts = float(packet.duration * self.unit) if packet.duration else frame_seconds
                    end = max(end, float(packet.pts * self.unit) + lasts)
                if time.monotonic() > self.deadline:
                    break
        return end

    def picture_at(self, seconds: float) -> NDArray[np.uint8] | None:
        """The frame on screen `seconds` after the first one began, upright, [H, W, 3]; None when none is decoded."""
        due = math.floor((self.begin + seconds) / float(self.unit) + 1e-6)
        if self._goes_on(due):
            self._decode_to(due)
        else:
            for earlier in (0.0, 10.0, seconds + 10.0):  # formats without an index may land behind the time asked for
                self._seek(round(due - earlier / float(self.unit)))
                self._decode_to(due)
                if self.shown is not None and (self.shown.pts is None or self.shown.pts <= due):
                    break
        if self.shown is None:
            return None
        with foreign(self._damaged):
            pixels = self.shown.to_ndarray(format="rgb24")
            return np.ascontiguousarray(np.rot90(pixels, round(self.shown.rotation / 90)))

    def _goes_on(self, due: int) -> bool:
        """True when decoding on leads to tick `due` sooner than a seek: there is no key frame in between."""
        if self.shown is None or self.shown.pts is None or self.shown.pts > due:
            return False
        if self.shown.pts == due:
            return True
        container, stream = self.index
        with suppress(ValueError), foreign("cannot seek"):
            container.seek(due, stream=stream)
            for packet in container.demux(stream):
                if packet.size and packet.pts is not None:
                    return packet.pts <= self.shown.pts
        return False

    def _seek(self, tick: int) -> None:
        with suppress(ValueError), foreign("cannot seek"):  # such a format goes on from where it is
            self.container.seek(tick, stream=self.stream)
        self.shown, self.coming, self.source = None, None, self._frames()

    def _decode_to(self, due: int) -> None:
        """`shown` becomes the last frame that begins by tick `due`, or else the first after it."""
        while True:
            frame = self.coming if self.coming is not None else next(self.source, None)
            self.coming = frame
            if frame is None or (self.shown is not None and frame.pts is not None and frame.pts > due):
                return
            self.shown, self.coming = frame, None

    def _frames(self) -> Iterator[VideoFrame]:
        """Decoded frames up to the end of the clip or to the first damage."""
        name = self.path.name
        with suppress(_DecoderError):
            for frame in _decoded(self.container, self.stream):
                if frame.width * frame.height > MAX_PIXELS:
                    size = f"{frame.width} x {frame.height}"
                    raise ValueError(f"The video {name!r} has a picture of {size} pixels; use at most {MAX_PIXELS:,}.")
                if time.monotonic() > self.deadline:
                    raise ValueError(
                        f"{name!r} takes longer than {DECODE_SECONDS:.0f} s to decode; use a smaller clip."
                    )
                yield frame

    @property
    def _damaged(self) -> str:
        return f"{self.path.name!r} is damaged; choose another video."


class _DecoderError(ValueError):
    """The decoder has given up."""


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    try:
        yield from drawn(container.decode(stream), "damaged")
    except ValueError as error:
        raise _DecoderError from error


def begin_of(frame: VideoFrame | None, stream: VideoStream) -> float:
    """When a clip's first frame is shown, in seconds on the container's clock, which need not start at zero.

    The frame says it; what the header calls the track's start is when decoding begins, which in AVI files is earlier.
    """
    if frame is not None and frame.time is not None:
        return float(frame.time)
    return 0.0 if stream.start_time is None else float(stream.start_time * (stream.time_base or Fraction(1, 90_000)))


def begin(path: str | Path) -> float:
    """When a clip's first frame is shown, in seconds on its clock. ValueError as from `open_video`."""
    with open_video(path) as (container, stream):
        first: VideoFrame | None = None
        with suppress(_DecoderError):
            first = next(_decoded(container, stream), None)
        return begin_of(first, stream)
