"""Clips for tests about video: every frame is one shade of grey, so that a frame can be told by its brightness."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.sounds import sine_wave


def shade(index: int) -> int:
    """Brightness of frame `index`."""
    return 20 + 8 * index


def index_of(frame: np.ndarray) -> int:
    """Which frame an image [H, W, 3] shows."""
    return round((float(frame.mean()) - 20) / 8)


def make_clip(
    path: Path,
    times: Sequence[float] = tuple(index / 10 for index in range(20)),
    codec: str = "libx264",
    size: tuple[int, int] = (64, 48),
    sound: float = 0.0,
    sound_codec: str = "aac",
) -> Path:
    """A clip whose frames appear at `times` seconds (the last lasts 0.1 s), with `sound` seconds of a 440 Hz sine."""
    with av.open(str(path), "w") as container:
        ticks = 10 if path.suffix == ".avi" else 1000  # a second; AVI knows one frame rate only
        picture = container.add_stream(codec, rate=ticks, width=size[0], height=size[1])
        picture.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        picture.codec_context.time_base = Fraction(1, ticks)
        picture.codec_context.gop_size = 8
        track = container.add_stream(sound_codec, rate=48_000, layout="stereo") if sound else None
        packets: list[av.Packet] = []
        lasts: dict[int | None, int] = {}
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), shade(index), np.uint8), format="rgb24")
            following = times[index + 1] if index + 1 < len(times) else time + 0.1
            frame.pts, frame.time_base = round(ticks * time), Fraction(1, ticks)
            frame.duration = round(ticks * following) - frame.pts
            lasts[frame.pts] = frame.duration
            packets += picture.encode(frame)
        packets += picture.encode(None)
        for packet in packets:  # encoders assume one tick
            packet.duration = lasts[packet.pts]
            container.mux(packet)
        if track is not None:
            sine = sine_wave(440, sound, 48_000, channels=2)
            heard = av.AudioFrame.from_ndarray(sine, format="fltp", layout="stereo")
            heard.sample_rate, heard.pts, heard.time_base = 48_000, 0, Fraction(1, 48_000)
            container.mux(track.encode(heard))
            container.mux(track.encode(None))
    return path


def rotate(path: Path, degrees: int) -> Path:
    """Turn an MP4 as a phone does, by the matrix in its track header: `degrees` clockwise."""
    cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = [cosine, sine, 0, -sine, cosine, 0, 0, 0, 1 << 14]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = b"".join((value << 16).to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)
    return path
