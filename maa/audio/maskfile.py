"""Masks as files: a PNG that carries its own scale, or a NumPy array.

The picture has low notes at the bottom and time to the right, one cell a pixel; its text chunk `make-an-audio-mask`
says in JSON what rows and columns are, so that it fits a sound of another length or another model's grid, too.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.files import replacing
from maa.audio.grid import centres
from maa.audio.mask import Mask, check, row_of
from maa.config import AudioSpec
from maa.foreign import bare, foreign, too_many_parts

if TYPE_CHECKING:
    from PIL.Image import Image

CHUNK = "make-an-audio-mask"
_MAX_PIXELS = 40_000_000
_MAX_TEXT = 10_000  # characters of a scale
_BLOCK = 1 << 20  # pixels that are looked at at once
_WHITE = (255, 65_535)  # what stands for True in arrays that were pictures
_SCALE = ("sample_rate", "n_fft", "hop", "mels", "convention")


def write_mask(path: str | Path, mask: Mask, spec: AudioSpec) -> Path:
    """Save a mask [mels, frames] as a grey PNG, white = make new, with its scale in a text chunk."""
    from PIL.Image import fromarray
    from PIL.PngImagePlugin import PngInfo

    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"{path.name!r} should end in .png.")
    text = PngInfo()
    text.add_text(CHUNK, scale_text(spec, mask.shape[1]))
    with replacing(path) as temporary:
        fromarray(np.uint8(255) * mask[::-1].astype(np.uint8)).save(temporary, format="PNG", pnginfo=text)
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
    with foreign(f"The mask {path.name!r} cannot be read as a NumPy array; save it with numpy.save."):
        values = np.load(path, mmap_mode="r", allow_pickle=False)
        shape, kind = values.shape, values.dtype.kind  # what is no single array, an .npz by another name, has none
        if values.size > _MAX_PIXELS or kind not in "biuf":
            raise ValueError
        fits = shape == (spec.mels, frames)
        values = np.array(values) if fits else np.broadcast_to(False, shape)
    if kind in "iu" and fits:
        top = values.max()
        if top in _WHITE and bool(((values == 0) | (values == top)).all()):  # pictures of masks are black and white
            values = values == top
    return check(values, spec, frames)


def from_png(path: str | Path, spec: AudioSpec, frames: int) -> Mask:
    """A painted mask: low notes at the bottom, time to the right, one cell a pixel or a block of equal pixels.

    In a picture with transparent parts whatever is opaque is made new, in any other picture whatever is white: above
    half of full scale, or of the strongest stroke where all of them are thin. One such pixel takes its whole cell, so
    that no thin stroke is lost. A picture with a scale of its own is laid over the sound second by second and hertz by
    hertz; one without must have the sound's size or whole multiples of it.

    Raises:
        ValueError: not a picture, or of a size that does not fit.
    """
    name = repr(Path(path).name)
    unreadable = f"The mask {name} cannot be read as a PNG picture; save it again as PNG."
    with foreign(unreadable):
        data = Path(path).read_bytes()
    with _opened(data, name, unreadable) as image:
        width, height = image.size
        if width * height > _MAX_PIXELS or not width * height:
            raise ValueError(f"The mask {name} is {width} x {height} pixels, which is too large to be one.")
        scale = _scale(image.info.get(CHUNK), width, height)
        if scale is None and (height % spec.mels or width % frames):
            raise ValueError(
                f"The mask {name} is {width} x {height} pixels; for this sound it should be {frames} x "
                f"{spec.mels}, or whole multiples of that."
            )
        with foreign(unreadable):
            painted = _painted(image)
    if scale is not None:
        return _laid_over(painted[::-1], scale, spec, frames)
    columns = np.logical_or.reduceat(painted, np.arange(0, width, width // frames), axis=1)
    return np.ascontiguousarray(np.logical_or.reduceat(columns, np.arange(0, height, height // spec.mels))[::-1])


def _opened(data: bytes, name: str, unreadable: str) -> Image:
    """A PNG file; where a text or a colour profile is what Pillow stumbles over, without it."""
    from PIL import Image

    try:
        with foreign(unreadable):
            if too_many_parts(data):
                raise ValueError
            try:
                return Image.open(BytesIO(data), formats=("PNG",))
            except Exception:  # noqa: BLE001
                return Image.open(BytesIO(bare(data) or b""), formats=("PNG",))
    except ValueError as error:
        if isinstance(error.__cause__, Image.DecompressionBombError):
            raise ValueError(f"The mask {name} has far more pixels than a mask; save it again smaller.") from error
        raise


def _painted(image: Image) -> NDArray[np.bool_]:
    """Which pixels [height, width] of a picture are painted; in bands, so that nothing is there in four colours."""
    width, height = image.size
    opacity, light = np.empty((height, width), np.uint8), np.empty((height, width), bool)
    image.load()
    rows = max(1, _BLOCK // width)
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(top + rows, height)))
        if band.mode.startswith("I"):  # Pillow would clip 16 bits at 255
            values = np.asarray(band)
            clear = image.info.get("transparency")
            opacity[top : top + rows] = np.where(values == clear, 0, 255) if isinstance(clear, int) else 255
            light[top : top + rows] = values > 0x7FFF
            continue
        pixels = np.asarray(band.convert("RGBA"))
        opacity[top : top + rows] = pixels[..., 3]
        light[top : top + rows] = pixels[..., :3].sum(axis=-1, dtype=np.uint16) > 3 * 127
    if opacity.min() == 255:
        return light
    return np.asarray(opacity > (127 if (opacity > 127).any() else opacity.max() // 2))


def _scale(text: Any, width: int, height: int) -> AudioSpec | None:
    """What the picture says about its rows and columns; None when it says nothing, or nothing that can be."""
    if not isinstance(text, str) or len(text) > _MAX_TEXT:
        return None
    try:
        with foreign("no JSON"):
            data = json.loads(text)
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    rate, n_fft, hop, mels = numbers = [data.get(name, 0) for name in _SCALE[:-1]]
    if not all(type(x) is int and 0 < x <= 1_000_000 for x in numbers):
        return None
    if not (rate >= 1000 and 16 <= n_fft <= 65_536 and hop <= n_fft and 2 <= mels <= 8192):
        return None
    if data.get("convention") not in ("A", "B") or mels != height or data.get("frames") != width:
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
    band = np.clip(row_of(centres(scale), spec), 0, spec.mels - 1).astype(int)
    frame = ((np.arange(painted.shape[1]) + 0.5) * scale.frame_seconds / spec.frame_seconds).astype(int)
    rows = max(1, _BLOCK // painted.shape[1])
    for first in range(0, len(painted), rows):
        there, when = np.nonzero(painted[first : first + rows, frame < frames])
        mask[band[first + there], frame[when]] = True
    return mask
