"""Pictures and video frames as the networks take them: RGB, upright, uint8 [H, W, 3]."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maa.vision.video import VideoInfo, describe, open_video, picture_at

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

RGB = NDArray[np.uint8]

MIN_SIDE = 8  # pixels
MAX_PIXELS = 40_000_000

# No EPS among them: Pillow hands it to another program.
_PICTURES = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")


def load_image(source: str | Path | Picture | NDArray[Any]) -> RGB:
    """A picture from a file, a PIL image or an array, upright (EXIF) and on white where it is transparent.

    Args:
        source: arrays are [H, W], [H, W, 3] or [H, W, 4]; uint8, uint16, bool, or floats in [0, 1].

    Raises:
        ValueError: not a picture, more than 40 million pixels (checked before decoding), or a side below 8 pixels.
    """
    if isinstance(source, str | Path):
        return _from_file(Path(source))
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if hasattr(source, "getexif"):
        _check_size("The picture", *source.size)
        return _upright(source)
    raise ValueError("No picture was given; choose a PNG, JPEG or WebP file.")


def _from_file(path: Path) -> RGB:
    from PIL import Image

    name = repr(path.name)
    if not path.is_file():
        raise ValueError(f"There is no picture {str(path)!r}; check the name.")
    Image.init()
    try:
        with Image.open(path, formats=[known for known in _PICTURES if known in Image.OPEN]) as picture:
            _check_size(f"The picture {name}", *picture.size)
            return _upright(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"The picture {name} is too large; use at most {MAX_PIXELS:,} pixels.") from error
    except (OSError, SyntaxError, EOFError) as error:
        raise ValueError(f"{name} is not a picture that can be read, or is damaged; use PNG, JPEG or WebP.") from error


def _check_size(name: str, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(f"{name} is {width} x {height} pixels; use at most {MAX_PIXELS:,} pixels.")
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"{name} is {width} x {height} pixels; use at least {MIN_SIDE} x {MIN_SIDE}.")


def _upright(picture: Picture) -> RGB:
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":  # Pillow would clip 16 bits at 255
        values = np.asarray(picture, dtype=np.float64)
        peak = values.max(initial=0)
        scale = 255.0 if picture.mode == "F" and peak <= 1 else 1.0 if peak < 256 else 1 / 257
        return _from_array(np.clip(np.rint(values * scale), 0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    return np.array(picture.convert("RGB"))


def _from_array(values: NDArray[Any]) -> RGB:
    if values.ndim == 2:
        values = np.repeat(values[..., None], 3, axis=2)
    if values.ndim != 3 or values.shape[2] not in (3, 4):
        raise ValueError(f"The picture is an array of shape {values.shape}; use [height, width, 3].")
    _check_size("The picture", values.shape[1], values.shape[0])
    if values.dtype == bool or values.dtype.kind == "f":
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise ValueError("The picture has values outside 0 to 1; use floats from 0 to 1, or uint8.")
        values = np.rint(values.astype(np.float32) * 255)
    elif values.dtype == np.uint16:
        values = np.rint(values / 257)
    elif values.dtype != np.uint8:
        raise ValueError(f"The picture is an array of {values.dtype}; use uint8, or floats from 0 to 1.")
    if values.shape[2] == 4:
        alpha = values[..., 3:].astype(np.float32) / 255
        values = np.rint(values[..., :3] * alpha + 255 * (1 - alpha))
    return np.ascontiguousarray(values, dtype=np.uint8)


def shrink(image: RGB, longest: int) -> RGB:
    """image [H, W, 3] with its longer side at most `longest` pixels, averaged over areas; smaller ones stay."""
    height, width = image.shape[:2]
    if max(height, width) <= longest:
        return image
    try:
        import cv2
    except ImportError as error:
        raise ValueError(f"OpenCV does not start ({error}); on Debian install libgl1 libglib2.0-0.") from error
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def video_facts(path: str | Path) -> VideoInfo:
    """Length, frame rate and size of a clip. ValueError: not a video, too large, or no frame that can be decoded."""
    with open_video(path) as (container, stream):
        _check_size(f"The video {Path(path).name!r}", stream.width, stream.height)
        return describe(container, stream)


def video_frames(
    path: str | Path, count: int = 4, start: float | None = None, end: float | None = None
) -> tuple[list[RGB], VideoInfo]:
    """`count` frames at even distances in time (paper Sec. 4.3), from the middles of as many equal parts.

    Args:
        path: any video that FFmpeg reads; rotation is applied, and frames last as long as their time stamps say.
        start, end: the part to look at, in seconds from the first frame; None = all of it.

    Returns:
        frames [H, W, 3] in order (the same one several times when the clip has fewer), and the facts of the whole clip.

    Raises:
        ValueError: not a video, no picture track, no frames, too large, or an impossible part.
    """
    name = repr(Path(path).name)
    with open_video(path) as (container, stream):
        _check_size(f"The video {name}", stream.width, stream.height)
        info = describe(container, stream)
        first, last = start or 0.0, info.seconds if end is None else min(end, info.seconds)
        if not 0 <= first <= last or (first == last and info.seconds > 0):
            raise ValueError(f"The part from {first:g} s on lies outside {name}, which is {info.seconds:.2f} s long.")
        times = [first + (index + 0.5) / count * (last - first) for index in range(count)]
        found = [frame for frame in (picture_at(container, stream, time) for time in times) if frame is not None]
    if not found:
        raise ValueError(f"{name} has no frames that can be decoded; choose another video.")
    return found + [found[-1]] * (count - len(found)), info
