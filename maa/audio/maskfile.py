"""Masks as files: a PNG that carries its own scale, or a NumPy array.

The picture has low notes at the bottom and time to the right, one cell a pixel; its text chunk `make-an-audio-mask`
says in JSON what rows and columns are, so that it fits a sound of another length or another model's grid, too.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.mask import Mask, check, row_of
from maa.audio.mel import centres
from maa.config import AudioSpec

CHUNK = "make-an-audio-mask"
_MAX_PIXELS = 40_000_000
_SCALE = ("sample_rate", "n_fft", "hop", "mels", "convention")


def write_mask(path: str | Path, mask: Mask, spec: AudioSpec) -> Path:
    """Save a mask [mels, frames] as a grey PNG, white = make new, with its scale in a text chunk."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from maa.audio.files import replacing

    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"{path.name!r} should end in .png.")
    text = PngInfo()
    text.add_text(CHUNK, scale_text(spec, mask.shape[1]))
    with replacing(path) as temporary:
        Image.fromarray(np.uint8(255) * mask[::-1].astype(np.uint8)).save(temporary, format="PNG", pnginfo=text)
    return path


def scale_text(spec: AudioSpec, frames: int) -> str:
    """What rows and columns of a mask are, as JSON."""
    scale = {name: value for name, value in asdict(spec).items() if name in _SCALE}
    low, high = spec.frequency_range
    return json.dumps({**scale, "frames": frames, "low_hz": low, "high_hz": high})


def read_mask(path: str | Path, spec: AudioSpec, frames: int) -> Mask:
    """A mask from a .png or .npy file, for a sound of `frames` frames.

    Raises:
        ValueError: neither, unreadable, or of a size that does not fit.
    """
    path = Path(path)
    if path.suffix.lower() != ".npy":
        return from_png(path, spec, frames)
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
        if values.size > _MAX_PIXELS:
            raise ValueError
        values = np.array(values)
    except (OSError, ValueError, EOFError):
        raise ValueError(f"The mask {path.name!r} cannot be read as a NumPy array; save it with numpy.save.") from None
    return check(values, spec, frames)


def from_png(path: str | Path, spec: AudioSpec, frames: int) -> Mask:
    """A painted mask: low notes at the bottom, time to the right, one cell a pixel or a block of equal pixels.

    In a picture with transparent parts whatever is opaque is made new, in any other picture whatever is white. One such
    pixel takes its whole cell, so that no thin stroke is lost. A picture with a scale of its own is laid over the sound
    second by second and hertz by hertz; one without must have the sound's size or whole multiples of it.

    Raises:
        ValueError: not a picture, or of a size that does not fit.
    """
    from PIL import Image

    name = repr(Path(path).name)
    try:
        with Image.open(path, formats=("PNG",)) as image:
            width, height = image.size
            if width * height > _MAX_PIXELS or not width * height:
                raise ValueError(f"The mask {name} is {width} x {height} pixels, which is too large to be one.")
            scale = _scale(image.info.get(CHUNK), width, height)
            if scale is None and (height % spec.mels or width % frames):
                raise ValueError(
                    f"The mask {name} is {width} x {height} pixels; for this sound it should be {frames} x "
                    f"{spec.mels}, or whole multiples of that."
                )
            pixels = np.asarray(image.convert("RGBA"))
    except (OSError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"The mask {name} cannot be read as a PNG picture; save it again as PNG.") from error
    opaque, light = pixels[..., 3] > 127, pixels[..., :3].mean(axis=-1) > 127
    painted = light if opaque.all() else opaque
    if scale is not None:
        return _laid_over(painted[::-1], scale, spec, frames)
    cells = painted.reshape(spec.mels, height // spec.mels, frames, width // frames)
    return np.ascontiguousarray(np.any(cells, axis=(1, 3))[::-1])


def _scale(text: Any, width: int, height: int) -> AudioSpec | None:
    """What the picture says about its rows and columns; None when it says nothing, or nothing that can be."""
    try:
        data = json.loads(text)
        numbers = [data[name] for name in _SCALE[:-1]]
    except (TypeError, ValueError, KeyError):
        return None
    sane = all(isinstance(x, int) and 0 < x <= 1_000_000 for x in numbers) and data["convention"] in ("A", "B")
    if not sane or data["mels"] != height or data.get("frames") != width:
        return None
    return AudioSpec(**dict(zip(_SCALE, [*numbers, data["convention"]], strict=True)))


def _laid_over(painted: NDArray[np.bool_], scale: AudioSpec, spec: AudioSpec, frames: int) -> Mask:
    """painted [mels, frames] of one grid, row 0 the lowest band, on the grid of another sound or model."""
    mask = np.zeros((spec.mels, frames), bool)
    # Where the middles of our cells lie over there ...
    band = np.clip(row_of(centres(spec), scale), 0, scale.mels - 1).astype(int)
    frame = ((np.arange(frames) + 0.5) * spec.frame_seconds / scale.frame_seconds).astype(int)
    inside = frame < painted.shape[1]
    mask[:, inside] = painted[np.ix_(band, frame[inside])]
    # ... and where the middles of theirs lie here, so that a thin stroke on a finer grid is not lost.
    there, when = np.nonzero(painted)
    band = np.clip(row_of(centres(scale), spec), 0, spec.mels - 1).astype(int)[there]
    frame = ((when + 0.5) * scale.frame_seconds / spec.frame_seconds).astype(int)
    inside = frame < frames
    mask[band[inside], frame[inside]] = True
    return mask
