"""Good pictures in bad company: EXIF, texts and profiles that cannot be read, depths above 8 bits, endless scans."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from maa.foreign import too_many_parts
from maa.vision.frames import load_image


@pytest.fixture
def halves() -> Image.Image:
    """96 x 64: red to the left, blue to the right."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, :48, 0] = pixels[:, 48:, 2] = 255
    return Image.fromarray(pixels)


def is_halves(image: np.ndarray) -> bool:
    return bool(image.shape == (64, 96, 3) and image[30, 10, 0] > 250 and image[30, 80, 2] > 250)


def exif(*entries: tuple[int, int, int, bytes], more: bytes = b"") -> bytes:
    """An EXIF block of (tag, type, count, four bytes)."""
    body = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4) + more


UPRIGHT, TURNED = ((0x112, 3, 1, struct.pack("<HH", number, 0)) for number in (1, 6))
BEHIND = struct.pack("<I", 8 + 2 + 24 + 4)
BROKEN = [
    ((0x11A, 5, 1, BEHIND), struct.pack("<iI", -1, 0)),  # a rational number that cannot be written back
    ((0x9204, 10, 1, BEHIND), struct.pack("<II", 0xFFFF_FFF0, 0)),
    ((0x8769, 4, 1, struct.pack("<I", 9999)), b""),
    ((0x10F, 2, 70_000, struct.pack("<I", 8)), b""),
    ((0x8825, 4, 1, struct.pack("<I", 8)), b""),
]


@pytest.mark.parametrize(("entry", "more"), BROKEN)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_exif_costs_no_picture(
    tmp_path: Path, halves: Image.Image, entry: tuple[int, int, int, bytes], more: bytes, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    options = {"lossless": True} if suffix == ".webp" else {"quality": 98} if suffix == ".jpg" else {}
    halves.save(path, exif=exif(UPRIGHT, entry, more=more), **options)
    assert is_halves(load_image(path))
    halves.save(path, exif=exif(TURNED, entry, more=more), **options)
    assert load_image(path).shape == (96, 64, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    block = Image.Exif()
    block[0x112] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=block)
    with Image.open(tmp_path / "a.png") as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    assert np.array_equal(load_image(tmp_path / "a.png"), expected)


def test_texts_and_profiles_cost_no_picture(tmp_path: Path, halves: Image.Image) -> None:
    path = tmp_path / "a.png"
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "x" * 70_000_000, zip=True)
    halves.save(path, pnginfo=info)
    assert is_halves(load_image(path))
    info = PngImagePlugin.PngInfo()
    info.add_itxt("prompt", "y" * 2_000_000, zip=True)
    halves.save(path, pnginfo=info)
    assert is_halves(load_image(path))
    halves.save(path, icc_profile=b"\0" * 3_000_000)
    assert is_halves(load_image(path))
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "hello")
    halves.save(path, pnginfo=info)
    path.write_bytes(path.read_bytes().replace(b"hello", b"jello"))  # its checksum is wrong now
    assert is_halves(load_image(path))
    halves.save(tmp_path / "a.jpg", icc_profile=b"nonsense" * 20_000, comment=b"c" * 60_000)
    assert is_halves(load_image(tmp_path / "a.jpg"))


def png16(path: Path, values: np.ndarray) -> Path:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize("value", [0, 128, 129, 200, 250, 255, 256, 30_000, 65_535])
def test_sixteen_bits_are_scaled_by_depth(tmp_path: Path, value: int) -> None:
    grey = np.full((16, 16), value, np.uint16)
    assert load_image(png16(tmp_path / "a.png", grey)).max() == round(value / 257)
    Image.fromarray(grey).save(tmp_path / "a.tif")
    assert np.array_equal(load_image(tmp_path / "a.tif"), load_image(grey))


def test_decoders_that_raise_what_they_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.bmp")
    for error in (RuntimeError, struct.error, RecursionError, MemoryError, IndexError, KeyError):

        def broken(*_: object, error: type[Exception] = error, **__: object) -> None:
            raise error("inside")

        with monkeypatch.context() as patched:
            patched.setattr(Image.Image, "convert", broken)
            with pytest.raises(ValueError, match=r"'a\.bmp' is not a picture that can be read"):
                load_image(tmp_path / "a.bmp")
        with monkeypatch.context() as patched:
            patched.setattr(Image, "open", broken)
            with pytest.raises(ValueError, match=r"'a\.bmp' is not a picture that can be read"):
                load_image(tmp_path / "a.bmp")


def test_endless_scans_and_chunks(tmp_path: Path, halves: Image.Image) -> None:
    stream = io.BytesIO()
    halves.save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    assert not too_many_parts(data)
    last = data.rindex(b"\xff\xda")
    (tmp_path / "a.jpg").write_bytes(data[:last] + 1000 * data[last:-2] + data[-2:])
    stream = io.BytesIO()
    halves.save(stream, "PNG")
    png = stream.getvalue()
    empty = struct.pack(">I", 2) + b"tEXta\0" + struct.pack(">I", zlib.crc32(b"tEXta\0"))
    (tmp_path / "a.png").write_bytes(png[:33] + 100_000 * empty + png[33:])
    for name in ("a.jpg", "a.png"):
        with pytest.raises(ValueError, match="is not a picture that can be read"):
            load_image(tmp_path / name)
