"""The Python side of the painter: a spectrogram goes to the browser, a mask of mel cells comes back.

The component is a plain `gr.HTML` with a fixed template and script; no text of a user's ever becomes markup. Its value
is a JSON object. To the browser: id (tells this sound from another), mels, frames, rate (Hz), hop (samples), edges (Hz,
mels + 2 corner frequencies), spec (base64 of uint8 [mels, frames], row 0 = lowest band), decibels (of levels 0 and 255,
0 dB = loudest cell), cell (mel bins and frames along a latent cell), colours (base64 of RGB [256, 3]), mask (base64 of
packed bits), audio (URL or null), sound (the path that names it to the server, or null), origin (tells a sound and its
edits from others). From the browser: the same with the painted mask. Only mels, frames and mask are
read, and none is trusted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from maa.audio import maskfile, picture
from maa.audio.grid import edges
from maa.config import AudioSpec
from maa.ui import files, parts
from maa.ui.painter.harmonics import multiples

DECADES = 5.0  # of magnitude below the loudest cell that reach the browser: 100 dB, of which 80 are shown at first


def painter(elem_id: str, spec: AudioSpec) -> gr.HTML:
    """An empty painter for sounds on the grid of `spec`. Give it a value from `value_of`; read it with `mask_of`."""

    def save_mask(payload: Any) -> dict[str, Any]:
        """The painted mask as a file: {"url", "file"}, or {"error"} for the person who asked."""
        return saved_mask(payload, spec)

    def find_multiples(asked: Any) -> dict[str, Any]:
        """The harmonics of a box: {"boxes"}, or {"error"} for the person who asked."""
        return multiples(asked, spec)

    return gr.HTML(
        value=None,
        html_template=parts.source("painter/painter.html"),
        css_template=parts.style("web/colours.css", "painter/painter.css"),
        js_on_load=parts.script("painter/main.js"),
        apply_default_css=False,
        elem_id=elem_id,
        server_functions=[save_mask, find_multiples],
    )


def saved_mask(payload: Any, spec: AudioSpec) -> dict[str, Any]:
    """A painted mask as a PNG file for the browser to fetch.

    Args:
        payload: what came from the browser; may be anything.
        spec: what rows and columns mean.

    Returns:
        {"url", "file"}, or {"error"} for the person who asked.
    """
    frames = payload.get("frames") if isinstance(payload, dict) else None
    try:
        mask = painted_mask(payload, (spec.mels, frames if isinstance(frames, int) else 0))
    except ValueError as error:
        return {"error": str(error)}
    path = maskfile.write_mask(files.result_path("mask", 0, ".png"), mask, spec)
    return {"url": files.url_of(path), "file": "mask.png"}


@dataclass(frozen=True)
class Named:
    """What a sound is called.

    Attributes:
        audio: URL of the sound, for the play button.
        sound: its file; None = there is none.
        origin: tells it and what was made of it by edits from others; None = it stands for itself.
    """

    audio: str | None = None
    sound: Path | None = None
    origin: str | None = None


NAMELESS = Named()


def value_of(
    mel: NDArray[np.float32],
    spec: AudioSpec,
    *,
    cell: int,
    mask: NDArray[np.bool_] | None = None,
    name: Named = NAMELESS,
) -> dict[str, Any]:
    """What the browser needs to show and play a sound.

    Args:
        mel: log10 magnitudes, shape [mels, frames], row 0 = lowest band.
        spec: what rows and columns mean.
        cell: mel bins and frames along one side of a latent cell.
        mask: bool [mels, frames], True = already painted.
        name: of the sound.
    """
    mels, frames = mel.shape
    high = picture.top_of(mel, spec, DECADES)
    low = high - DECADES
    levels = np.clip((mel - low) / DECADES * 255.0, 0, 255).round().astype(np.uint8)
    return {
        "id": hashlib.sha256(levels.tobytes() + f"{mels} {frames} {name.audio}".encode()).hexdigest()[:16],
        "mels": mels,
        "frames": frames,
        "rate": spec.sample_rate,
        "hop": spec.hop,
        "edges": [round(float(edge), 2) for edge in edges(spec)],
        "spec": encode(levels),
        "decibels": [20.0 * (low - high), 0.0],
        "cell": cell,
        "colours": encode(picture.colour_table()),
        "mask": encode(np.packbits(np.zeros((mels, frames), bool) if mask is None else mask)),
        "audio": name.audio,
        "sound": None if name.sound is None else str(name.sound),
        "origin": name.origin,
    }


def painted_mask(payload: object, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The painted mask, bool [mels, frames], True = make new.

    Args:
        payload: what came from the browser; may be anything.
        shape: [mels, frames] of the sound that it should fit.

    Raises:
        ValueError: there is no mask, it belongs to another sound, or it is damaged.
    """
    if not isinstance(payload, dict) or not isinstance(payload.get("mask"), str):
        raise ValueError("There is no spectrogram to paint on yet; give a sound first.")
    mels, frames = shape
    if payload.get("mels") != mels or payload.get("frames") != frames:
        raise ValueError("The painted mask belongs to another sound; give the sound again and paint on it.")
    size = mels * frames
    expected = -(-size // 8)
    try:
        # The length is known, so a longer text is refused before it is decoded.
        if len(payload["mask"]) != 4 * -(-expected // 3):
            raise ValueError
        packed = base64.b64decode(payload["mask"], validate=True)
        if len(packed) != expected:
            raise ValueError
    except (ValueError, binascii.Error):
        raise ValueError("The painted mask arrived damaged; please reload the page and paint it again.") from None
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=size).reshape(mels, frames).astype(bool)


def encode(values: NDArray[np.uint8]) -> str:
    """Bytes as base64."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
