"""Files that tests need, made on the spot."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tests.sounds import sine_wave


def write_clip(path: Path, frames: int = 20, with_sound: bool = False) -> None:
    """A 64 x 48 clip at 10 frames a second; no frames leaves a file with sound only."""
    import av

    with av.open(str(path), "w") as out:
        if frames:
            stream = out.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for k in range(frames):
                picture = np.full((48, 64, 3), 10 * k, np.uint8)
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            out.mux(stream.encode(None))
        if with_sound:
            track = out.add_stream("aac", rate=48_000)
            frame = av.AudioFrame.from_ndarray(sine_wave(rate=48_000), format="fltp", layout="mono")
            frame.sample_rate = 48_000
            out.mux(track.encode(frame))
            out.mux(track.encode(None))


def write_header(path: Path, rate: int, channels: int = 1, seconds: float = 1.0) -> None:
    """A WAV of 8-bit zeros that takes no room on the disk."""
    size = int(rate * seconds) * channels
    numbers = [b"RIFF", (36 + size).to_bytes(4, "little"), b"WAVEfmt ", (16).to_bytes(4, "little")]
    numbers += [(1).to_bytes(2, "little"), channels.to_bytes(2, "little"), rate.to_bytes(4, "little")]
    numbers += [(rate * channels).to_bytes(4, "little"), channels.to_bytes(2, "little"), (8).to_bytes(2, "little")]
    path.write_bytes(b"".join([*numbers, b"data", size.to_bytes(4, "little")]))
    os.truncate(path, 44 + size)


def picture_file(path: Path, seed: int = 0) -> Path:
    """A picture of noise."""
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path
