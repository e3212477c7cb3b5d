"""The spectrogram as a picture: low notes at the bottom, hertz and seconds on the axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maa.aside import aside
from maa.audio.mask import row_of
from maa.config import AudioSpec

COLOURS = "magma"  # even steps for every kind of colour vision, and in grey
DECADES = 4.0  # displayed range below the loudest cell: 80 dB
AUDIBLE = 1.0  # decades above silence that something has to reach to be drawn as bright as a loud sound
FLOORS = {"A": -4.0, "B": -5.0}  # log10 magnitude of silence, by convention
# A dark screen in the light theme too, as on an instrument: quiet cells of the map are nearly black.
SCREEN, INK = "#12151b", "#aeb6c2"
TICKS_HZ = (250, 500, 1000, 2000, 4000, 8000)  # lower ones would touch each other


def display_range(mel: NDArray[np.float32], spec: AudioSpec) -> tuple[float, float]:
    """Lowest and highest displayed log10 magnitude of a mel [mels, frames]."""
    top = top_of(mel, spec, DECADES)
    return top - DECADES, top


def top_of(mel: NDArray[np.float32], spec: AudioSpec, decades: float) -> float:
    """The log10 magnitude that is drawn brightest, of `decades`: the loudest cell, but for silence, which is dark."""
    floor = FLOORS[spec.convention]
    top = float(mel.max()) if mel.size else 0.0
    return floor + decades if top < floor + AUDIBLE else top


def colour_table() -> NDArray[np.uint8]:
    """The colour map as RGB, shape [256, 3]; a file of its own, because the page needs no more of matplotlib."""
    hexadecimal = Path(__file__).with_name(f"{COLOURS}.txt").read_text(encoding="ascii")
    return np.frombuffer(bytes.fromhex(hexadecimal), np.uint8).reshape(256, 3)


def draw(mel: NDArray[np.float32], spec: AudioSpec, path: Path) -> Path:
    """Write a mel-spectrogram as a PNG.

    Args:
        mel: log10 magnitudes, shape [mels, frames], row 0 = lowest band.
        spec: says what the rows and columns mean.
        path: where to; ends in .png.

    Returns:
        `path`.
    """
    from matplotlib.figure import Figure  # without pyplot: no state shared between visitors

    mels, frames = mel.shape
    seconds = frames * spec.frame_seconds
    low, high = display_range(mel, spec)
    figure = Figure(figsize=(4.4, 1.9), dpi=200, facecolor=SCREEN)
    axes = figure.add_axes((0.108, 0.145, 0.877, 0.8), facecolor=SCREEN)
    axes.imshow(
        mel,
        origin="lower",
        aspect="auto",
        cmap=COLOURS,
        vmin=low,
        vmax=high,
        extent=(0.0, seconds, 0.0, float(mels)),
        interpolation="nearest",
    )
    bottom, top = spec.frequency_range
    ticks = [hertz for hertz in TICKS_HZ if bottom < hertz < 1.1 * top]
    rows = np.minimum(row_of(np.array(ticks, float), spec), mels)  # the top of the scale is half a band higher
    axes.set_yticks(rows, [hertz_label(hertz) for hertz in ticks])
    axes.set_ylim(0, mels)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} s" if value else "0")
    axes.tick_params(colors=INK, labelsize=6.8, length=2.5, width=0.6, pad=2)
    for side in axes.spines.values():
        side.set_visible(False)
    with aside(path) as neighbour:
        figure.savefig(neighbour, format="png", metadata={"Software": None})
    return path


def hertz_label(hertz: float) -> str:
    """125 Hz, 2 kHz."""
    return f"{hertz:g} Hz" if hertz < 1000 else f"{hertz / 1000:g} kHz"
