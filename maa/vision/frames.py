"""Pictures and video frames as the networks take them: RGB, upright, uint8 [H, W, 3]."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maa.foreign import bare, foreign, too_many_parts
from maa.vision.video import MAX_PIXELS, Reel, VideoInfo, open_video

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

RGB = NDArray[np.uint8]

MIN_SIDE = 8  # pixels
MAX_BYTES = 2**29  # of all pictures of a clip
_ROWS = 256  # of a picture that are converted at once
_MAX_RUNS = 4_000_000  # pixels of a BMP in runs, which Pillow reads in Python
_EIGHT_OF_SIXTEEN = ((np.arange(65_536) + 128) // 257).astype(np.uint8)
_TURNS: dict[object, Any] = dict(zip(range(2, 9), (0, 3, 1, 5, 4, 6, 2), strict=True))  # EXIF to PIL.Image.Transpose

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
    unreadable = f"{name} is not a picture that can be read, or is damaged; use PNG, JPEG or WebP."
    with foreign(unreadable):
        data = path.read_bytes()
        if too_many_parts(data):
            raise ValueError
    try:
        return _from_data(data, name, unreadable)
    except _PictureError:
        plain = bare(data)  # a text, a colour profile or EXIF that cannot be read must not cost the picture
        if plain is None:
            raise
        return _from_data(plain, name, unreadable)


class _PictureError(ValueError):
    """Pillow does not read it."""


def _from_data(data: bytes, name: str, unreadable: str) -> RGB:
    from PIL import Image

    try:
        with foreign(unreadable):
            picture = Image.open(BytesIO(data), formats=[known for known in _PICTURES if known in Image.OPEN])
    except ValueError as error:
        if isinstance(error.__cause__, Image.DecompressionBombError | Image.DecompressionBombWarning):
            raise ValueError(f"The picture {name} is too large; use at most {MAX_PIXELS:,} pixels.") from error
        raise _PictureError(unreadable) from error
    with picture:
        _check_size(f"The picture {name}", *picture.size)
        slow = any(tile[0] == "bmp_rle" for tile in picture.tile) and picture.width * picture.height > _MAX_RUNS
        try:
            with foreign(unreadable):
                if slow:
                    raise ValueError
                return _upright(picture)
        except ValueError as error:
            raise _PictureError(unreadable) from error


def _check_size(name: str, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(f"{name} is {width} x {height} pixels; use at most {MAX_PIXELS:,} pixels.")
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"{name} is {width} x {height} pixels; use at least {MIN_SIDE} x {MIN_SIDE}.")


def _upright(picture: Picture) -> RGB:
    from PIL import Image

    turn = _TURNS.get(_orientation(picture))
    if turn is not None:
        picture = picture.transpose(turn)
    if picture.mode.startswith("I") or picture.mode == "F":  # Pillow would clip 16 bits at 255
        return _from_array(_to_bytes(picture))
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    for top in range(0, picture.height, _ROWS):  # a large picture should not lie about in several copies
        part = picture.crop((0, top, picture.width, min(top + _ROWS, picture.height)))
        if part.has_transparency_data:
            white = Image.new("RGBA", part.size, "white")
            white.alpha_composite(part if part.mode == "RGBA" else part.convert("RGBA"))
            part = white
        pixels[top : top + _ROWS] = np.asarray(part.convert("RGB"))
    return pixels


def _orientation(picture: Picture) -> object:
    """What EXIF says about which way is up; nothing where it cannot be read. It is never written back."""
    try:
        with foreign("no EXIF"):
            return picture.getexif().get(0x0112)
    except ValueError:
        return None


def _to_bytes(picture: Picture) -> NDArray[np.uint8]:
    """Wide greys as bytes, by the depth that they have and not by what is brightest in them."""
    values = np.asarray(picture)
    if picture.mode.startswith("I;16"):
        return np.asarray(_EIGHT_OF_SIXTEEN[values])
    wide = np.nan_to_num(values.astype(np.float32), posinf=255.0)
    peak = wide.max(initial=0)
    if picture.mode == "F":
        scale = 255.0 if peak <= 1 else 1.0 if peak < 256 else 1 / 257
    else:  # 32 bits, which also hold what had 8 or 16 before
        scale = 1.0 if peak < 256 else 1 / 257 if peak < 65_536 else 255 / (2**31 - 1)
    return np.clip(np.rint(wide * np.float32(scale)), 0, 255).astype(np.uint8)


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
    with _reel(path) as reel:
        return reel.describe()


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
    frames, info = clip_frames(path, [(start, end)], count)
    return frames[0], info


def clip_frames(
    path: str | Path, parts: Sequence[tuple[float | None, float | None]], count: int = 4
) -> tuple[list[list[RGB]], VideoInfo]:
    """`video_frames` of several parts of a clip, which is read once and within one limit on time.

    All pictures together hold at most 512 MiB: those of a long clip of large pictures are made smaller.
    """
    name = repr(Path(path).name)
    with _reel(path) as reel:
        info = reel.describe()
        times = [_times(name, part, count, info.seconds) for part in parts]
        room = MAX_BYTES // (3 * count * max(1, len(parts)))  # pixels of each
        found: dict[float, RGB | None] = {}
        for time in sorted({time for row in times for time in row}):
            picture = reel.picture_at(time)
            found[time] = None if picture is None else _within(picture, room)
    rows = []
    for row in times:
        seen = [frame for frame in (found[time] for time in row) if frame is not None]
        if not seen:
            raise ValueError(f"{name} has no frames that can be decoded; choose another video.")
        rows.append(seen + [seen[-1]] * (count - len(seen)))
    return rows, info


@contextmanager
def _reel(path: str | Path) -> Iterator[Reel]:
    with open_video(path) as clip:
        _check_size(f"The video {Path(path).name!r}", clip[1].width, clip[1].height)
        with open_video(path) as index:
            yield Reel(path, clip, index)


def _times(name: str, part: tuple[float | None, float | None], count: int, seconds: float) -> list[float]:
    """The middles of `count` equal parts of a part of a clip."""
    start, end = part
    first, last = start or 0.0, seconds if end is None else min(end, seconds)
    if not 0 <= first <= last or (first == last and seconds > 0):
        raise ValueError(f"The part from {first:g} s on lies outside {name}, which is {seconds:.2f} s long.")
    return [first + (index + 0.5) / count * (last - first) for index in range(count)]


def _within(picture: RGB, room: int) -> RGB:
    """A picture of at most `room` pixels."""
    height, width = picture.shape[:2]
    if height * width <= room:
        return picture
    return shrink(picture, max(1, int(max(height, width) * math.sqrt(room / (height * width)))))
