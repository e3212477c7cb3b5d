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


def beeping(
    path: Path,
    codec: str,
    pieces: list[tuple[float, float]],
    frames: int = 40,
    first: float = 0.0,
    flags: str = "",
    hidden: int = 0,
) -> Path:
    """A clip of 10 frames a second from `first` on; its sound is pieces (begin, end), each with a beep after 0.1 s.

    Args:
        flags: of the muxer of MP4 and MOV: how it is fragmented.
        hidden: frames before them that decoding needs and an edit list hides, as phones trim clips.
    """
    wanted = {"movflags": flags} if flags else {}
    if hidden:
        wanted |= {"use_editlist": "1", "avoid_negative_ts": "disabled"}
    ticks = 10 if path.suffix == ".avi" else 1000  # a second; AVI knows one frame rate only
    with av.open(str(path), "w", container_options=wanted) as container:
        picture = container.add_stream(codec, rate=ticks, width=64, height=48, options={"g": "50", "bf": "2"})
        picture.pix_fmt, picture.codec_context.time_base = "yuv420p", Fraction(1, ticks)
        name = {".webm": "libopus", ".avi": "libmp3lame"}.get(path.suffix, "aac")
        track = container.add_stream(name, rate=48_000, layout="stereo")
        if name == "libmp3lame":
            track.codec_context.format = "fltp"
        packets = []
        for index in range(-hidden, frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 3 * (index + hidden), np.uint8), format="rgb24")
            frame.pts, frame.time_base = round(ticks * (first + index / 10)), Fraction(1, ticks)
            packets += picture.encode(frame)
        packets += picture.encode(None)
        for begin, end in pieces:
            wave = np.zeros((2, round(48_000 * (end - begin))), np.float32)
            wave[:, 4800:9600] = 0.5 * np.sin(np.arange(4800) * 0.13)
            for at in range(0, wave.shape[1] - 959, 960):
                frame = av.AudioFrame.from_ndarray(wave[:, at : at + 960].copy(), format="fltp", layout="stereo")
                frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
                frame.pts = round(48_000 * begin) + at
                packets += track.encode(frame)
        packets += track.encode(None)
        for packet in sorted(packets, key=lambda one: float((one.dts or 0) * one.time_base)):
            container.mux(packet)
    return path


def beeps(path: Path) -> list[float]:
    """Seconds from the first frame on at which a beep begins."""
    with av.open(str(path)) as container:
        first = next(container.decode(video=0)).time
    loud = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[0]):
            over = np.flatnonzero(np.abs(frame.to_ndarray()).max(axis=0) > 0.15)
            loud += [frame.time + at / frame.sample_rate - first for at in over]
    times = np.array(loud)
    return [float(time) for time in times[np.diff(times, prepend=-9.0) > 0.15]]
