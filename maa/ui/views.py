"""What the page needs to show and play one sound: addresses, levels, peaks, loudness.

A view is a JSON object. The spectrogram travels as a grey PNG of the mel itself, one pixel a cell, row 0 the highest
band; the browser colours it, draws the axes, and subtracts two of them. Its levels are absolute, so two views compare.
"""

from __future__ import annotations

import base64
import math
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maa.aside import write_bytes
from maa.audio.io import Audio
from maa.audio.loudness import lufs, peak
from maa.audio.mask import row_of
from maa.audio.picture import TICKS_HZ, colour_table, hertz_label
from maa.audio.sound import mono as mono_of
from maa.audio.sound import mono_at
from maa.config import AudioSpec
from maa.dsp import whole_frames
from maa.ui.files import url_of

if TYPE_CHECKING:
    from maa.audio.mel import MelSpectrogram

LOW, HIGH = -5.0, 1.0  # log10 magnitudes of levels 0 and 255
PEAKS = 480  # columns of the waveform

View = dict[str, Any]


@lru_cache(maxsize=4)
def _front(spec: AudioSpec) -> MelSpectrogram:
    from maa.audio.mel import MelSpectrogram  # here, because it brings PyTorch

    return MelSpectrogram(spec)


def mel_of(sound: Audio, spec: AudioSpec) -> NDArray[np.float32]:
    """log10 mel [mels, frames] of any sound, at the model's rate."""
    import torch

    wave = mono_at(sound.samples, sound.sample_rate, spec.sample_rate)
    padded = whole_frames(wave, spec.hop)
    front = _front(spec)
    with torch.inference_mode():
        mel = front.to_log10(front(torch.from_numpy(padded)[None]))[0, 0]
    return np.asarray(mel.numpy(), np.float32)[:, : len(padded) // spec.hop]


def levels_png(mel: NDArray[np.float32]) -> bytes:
    """A mel [mels, frames] (log10) as a grey PNG, the highest band at the top."""
    levels = np.clip((mel[::-1] - LOW) / (HIGH - LOW) * 255.0, 0, 255).round().astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(levels, "L").save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def data_url(png: bytes) -> str:
    """A picture inside its own address."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def peaks_of(samples: NDArray[np.floating[Any]], columns: int = PEAKS) -> str:
    """Lowest and highest value of so many equal stretches of [channels, n], as base64 of int8 pairs."""
    mono = mono_of(samples)
    edges = np.linspace(0, len(mono), columns + 1).astype(int)[:-1]
    edges = np.minimum(edges, len(mono) - 1)
    parts = [mono[first : max(first + 1, last)] for first, last in pairwise([*edges.tolist(), len(mono)])]
    pairs = np.array([(part.min(), part.max()) for part in parts])
    return base64.b64encode((np.clip(pairs, -1, 1) * 127).round().astype(np.int8).tobytes()).decode("ascii")


def ticks(spec: AudioSpec) -> list[tuple[float, str]]:
    """Frequencies to write beside a spectrogram: (height from 0 to 1, text)."""
    bottom, top = spec.frequency_range
    shown = [hertz for hertz in TICKS_HZ if bottom < hertz < 1.1 * top]
    return [(round(min(float(row_of(hertz, spec)) / spec.mels, 1.0), 4), hertz_label(hertz)) for hertz in shown]


def colours() -> str:
    """The colour map, base64 of RGB [256, 3]."""
    return base64.b64encode(colour_table().tobytes()).decode("ascii")


def view_of(sound: Audio, path: Path, spec: AudioSpec, **facts: Any) -> View:
    """The view of a sound that lies at `path`; its picture is written beside it.

    Args:
        sound: the samples in the file.
        path: inside a folder that Gradio serves.
        spec: the model's frame grid.
        facts: what else the page should know, JSON types.
    """
    picture = path.with_name(f"{path.stem}.levels.png")
    write_bytes(picture, levels_png(mel_of(sound, spec)))
    loudness = lufs(sound.samples, sound.sample_rate)
    return {
        "url": url_of(path),
        "file": path.name,
        "levels": url_of(picture),
        "frame": spec.frame_seconds,
        "peaks": peaks_of(sound.samples),
        "seconds": round(sound.seconds, 4),
        "rate": sound.sample_rate,
        "channels": sound.channels,
        "lufs": round(loudness, 2) if math.isfinite(loudness) else None,
        "peak": round(peak(sound.samples), 4),
        **facts,
    }
