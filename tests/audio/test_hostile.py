"""Small files that would cost much, and files that make decoders raise what they like: one sentence, little memory."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from maa.audio import sound
from maa.audio.io import read
from maa.audio.maskfile import read_mask
from maa.audio.tags import read_tags
from maa.config import AudioSpec
from maa.foreign import drawn, foreign, hides_its_size
from tests.sounds import sine_wave

SPEC = AudioSpec()
LIMITED = """
import re, sys, time
import numpy, soundfile, PIL.Image
from pathlib import Path
from maa.audio.io import read
from maa.audio.tags import read_tags
from maa.config import AudioSpec
{more}
def peak():  # unlike getrusage, this begins anew with the program
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

before = peak()
path, begun = Path(sys.argv[1]), time.process_time()
try:
    {call}
except ValueError as error:
    print(error)
print(peak() - before, time.process_time() - begun)
"""


def cost(path: Path, call: str) -> tuple[float, float]:
    """MiB and seconds that a call takes in a process of its own."""
    more = "from maa.audio.maskfile import read_mask" if "read_mask" in call else ""  # it needs PyTorch, which is large
    code = LIMITED.replace("{call}", call).replace("{more}", more)
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    mebibytes, seconds = done.stdout.split()[-2:]
    return float(mebibytes), float(seconds)


def riff(*parts: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for name, data in parts)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def synchsafe(number: int) -> bytes:
    return bytes((number >> shift) & 127 for shift in (21, 14, 7, 0))


FMT, DATA = (b"fmt ", struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)), (b"data", b"\1\0" * 8000)


def id3(frame: bytes, flags: bytes = b"\0\0", version: int = 4) -> bytes:
    size = synchsafe(len(frame)) if version == 4 else struct.pack(">I", len(frame))
    whole = b"TXXX" + size + flags + frame
    return b"ID3" + bytes([version, 0, 0]) + synchsafe(len(whole)) + whole


# ---------------------------------------------------------------- tags


@pytest.mark.parametrize("flags", [b"\0\x08", b"\0\x09", b"\0\x0d"])
def test_id3_is_not_inflated(tmp_path: Path, flags: bytes) -> None:
    packed = zlib.compress(b"\3make-an-audio\0" + b" " * (200 << 20), 9)
    (tmp_path / "a.wav").write_bytes(riff(FMT, DATA, (b"id3 ", id3(synchsafe(2**28 - 1) + packed, flags))))
    assert read_tags(tmp_path / "a.wav") is None
    mebibytes, seconds = cost(tmp_path / "a.wav", "print(read_tags(path))")
    assert mebibytes < 50 and seconds < 2


def test_id3_of_other_programs(tmp_path: Path) -> None:
    text = json.dumps({"make-an-audio": {"seed": 7, "prompt": "Hündchen ÿ\u0000x"}})
    for version in (3, 4):
        for number, encoding in enumerate(("ascii", "utf-16", "utf-16-be", "utf-8")):
            width = b"\0\0" if "16" in encoding else b"\0"
            frame = bytes([number]) + "make-an-audio".encode(encoding) + width + text.encode(encoding)
            (tmp_path / "a.wav").write_bytes(riff(FMT, DATA, (b"ID3 ", id3(frame, version=version))))
            assert read_tags(tmp_path / "a.wav") == {"seed": 7, "prompt": "Hündchen ÿ\u0000x"}, (version, encoding)


@pytest.mark.parametrize("part", [b"junk" + bytes(4), b"LIST" + struct.pack("<I", 4) + b"INFO", b"id3 " + bytes(4)])
def test_millions_of_chunks(tmp_path: Path, part: bytes) -> None:
    data = riff(FMT, DATA) + part * 2_000_000
    (tmp_path / "a.wav").write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    assert cost(tmp_path / "a.wav", "print(read_tags(path)); read(path)")[1] < 10


def test_millions_of_comments_in_a_flac(tmp_path: Path) -> None:
    comments = b"\0\0\0\0" + struct.pack("<I", 3_000_000) + b"\1\0\0\0x" * 3_000_000
    empty = b"\1\0\0\0" * 3_000_000
    for name, blocks in (("a", b"\4" + len(comments).to_bytes(3, "big") + comments), ("b", empty)):
        (tmp_path / f"{name}.flac").write_bytes(b"fLaC" + blocks)
        assert cost(tmp_path / f"{name}.flac", "print(read_tags(path))")[1] < 5


# ---------------------------------------------------------------- sounds


def test_a_sound_has_as_many_values_as_all_copies_may(tmp_path: Path) -> None:
    """Ten minutes of stereo at 48 kHz are read; more is refused by the header."""
    second = np.zeros((192_000, 2), np.int16)
    for rate, fits in ((48_000, True), (192_000, False)):
        with soundfile.SoundFile(tmp_path / "a.flac", "w", rate, 2, "PCM_16", format="FLAC") as file:
            for _ in range(600):
                file.write(second[:rate])
        mebibytes, seconds = cost(tmp_path / "a.flac", "read(path)")
        assert (mebibytes > 100) is fits
        assert mebibytes < 400 and seconds < 30


def test_the_limit_holds_where_the_header_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "MAX_VALUES", 20_000)
    with av.open(str(tmp_path / "a.aac"), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(sine_wave(440, 1.0, 48_000), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(ValueError, match="too much sound"):
        read(tmp_path / "a.aac")


def test_headers_that_hide_their_size(tmp_path: Path) -> None:
    header = zlib.compress(bytes(1 << 20))
    packed = b"cmov" + bytes(4) + b"dcomzlib" + bytes(4) + b"cmvd"
    cases = {
        "declared": packed + struct.pack(">I", 2**31) + header,
        "nested": packed + struct.pack(">I", 1 << 20) + zlib.compress(packed + bytes(100)),
        "samples": b"stsz" + bytes(4) + struct.pack(">II", 1, 2**28),
        "run": b"trun" + bytes(4) + struct.pack(">I", 2**28),
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(b"\0\0\0\x10ftypqt  " + data)
        assert hides_its_size(tmp_path / name), name
        with pytest.raises(ValueError, match="is not a sound or video file"):
            read(tmp_path / name)
    (tmp_path / "fair").write_bytes(packed + struct.pack(">I", 1 << 20) + header)
    assert not hides_its_size(tmp_path / "fair")


# ---------------------------------------------------------------- masks


def png(width: int, height: int, text: str | None = None, bits: int = 8, row: bytes | None = None) -> bytes:
    """A white grey picture with a scale."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    line = b"\0" + (row or b"\xff" * (width * bits // 8))
    data = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    scale = chunk(b"tEXt", b"make-an-audio-mask\0" + text.encode("latin-1")) if text is not None else b""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + scale + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def scale(width: int, height: int, **other: Any) -> str:
    rest = {"sample_rate": 16_000, "n_fft": 1024, "hop": 256, "mels": height, "convention": "A", "frames": width}
    return json.dumps({**rest, **other})


@pytest.mark.parametrize("size", [(6300, 6300), (40 * 156, 80 * 78)])
def test_huge_masks_in_little_memory(tmp_path: Path, size: tuple[int, int]) -> None:
    text = scale(*size) if size[0] == 6300 else None
    (tmp_path / "a.png").write_bytes(png(*size, text))
    mebibytes, seconds = cost(tmp_path / "a.png", "print(read_mask(path, AudioSpec(), 40).all())")
    assert mebibytes < 400 and seconds < 10


@pytest.mark.parametrize("size", [(60_000, 60_000), (20_000, 20_000), (6400, 6400)])
def test_a_mask_that_is_too_large_is_told_so(tmp_path: Path, size: tuple[int, int]) -> None:
    """Pillow's own limit speaks first for the largest; that is no damage."""
    (tmp_path / "a.png").write_bytes(png(size[0], 1).replace(struct.pack(">II", size[0], 1), struct.pack(">II", *size)))
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))  # of the header
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ValueError, match=r"too large to be one|far more pixels than a mask"):
        read_mask(tmp_path / "a.png", SPEC, 40)


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"make', scale(40, 80, convention=["A"]), scale(40, 80, hop=10**400), scale(40, 80, mels=True),
     scale(40, 80, hop=float("nan")), scale(40, 80, n_fft=1), scale(40, 80, hop=4096), "x" * 5_000_000,
     json.dumps({"sample_rate": 16_000, "n_fft": 1024, "hop": 256, "mels": 80, "frames": 40}), "null", "7"],
)  # fmt: skip
def test_scales_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.png").write_bytes(png(40, 80, text))
    assert read_mask(tmp_path / "a.png", SPEC, 40).all()


def test_arrays_that_numpy_stumbles_over(tmp_path: Path) -> None:
    head = b"\x93NUMPY\1\0v\0"
    np.savez(tmp_path / "z.npz", a=np.zeros((80, 40), bool))
    cases = {
        "zip": (tmp_path / "z.npz").read_bytes(),
        "half a zip": (tmp_path / "z.npz").read_bytes()[:100],
        "deep": b"\x93NUMPY\2\0" + struct.pack("<I", 9000) + b"(" * 8999 + b"\n",
        "negative": head + b"{'descr': '|b1', 'fortran_order': False, 'shape': (-80, 40), }".ljust(117) + b"\n",
        "claims": head
        + b"{'descr': '|b1', 'fortran_order': False, 'shape': (1000000, 1000000000), }".ljust(117)
        + b"\n",
    }
    for name, data in cases.items():
        (tmp_path / "a.npy").write_bytes(data)
        with pytest.raises(ValueError, match=r"'a.npy' cannot be read as a NumPy array|needs \[80, 40\]"):
            read_mask(tmp_path / "a.npy", SPEC, 40), name
    for values in (np.zeros((80, 40), complex), np.zeros((80, 40), "U4"), np.zeros((80, 40), "M8[s]")):
        np.save(tmp_path / "a.npy", values)
        with pytest.raises(ValueError, match=r"'a\.npy'"):
            read_mask(tmp_path / "a.npy", SPEC, 40)


@pytest.mark.parametrize("white", [255, 65_535])
def test_arrays_and_pictures_of_two_values(tmp_path: Path, white: int) -> None:
    mask = np.zeros((80, 40), bool)
    mask[:, 10:20] = True
    np.save(tmp_path / "a.npy", (mask * white).astype(np.uint16))
    assert np.array_equal(read_mask(tmp_path / "a.npy", SPEC, 40), mask)
    np.save(tmp_path / "a.npy", (mask * 7).astype(np.uint8))
    with pytest.raises(ValueError, match="only True"):
        read_mask(tmp_path / "a.npy", SPEC, 40)


@pytest.mark.parametrize(("black", "white"), [(300, 65_535), (0, 32_768), (32_767, 40_000)])
def test_sixteen_bits_mean_the_same_as_eight(tmp_path: Path, black: int, white: int) -> None:
    row = np.full(40, black, ">u2")
    row[10:20] = white
    (tmp_path / "a.png").write_bytes(png(40, 80, bits=16, row=row.tobytes()))
    wide = read_mask(tmp_path / "a.png", SPEC, 40)
    (tmp_path / "b.png").write_bytes(png(40, 80, row=(row >> 8).astype(np.uint8).tobytes()))
    assert np.array_equal(wide, read_mask(tmp_path / "b.png", SPEC, 40))
    assert wide[:, 10:20].all() and wide.sum() == 800


@pytest.mark.parametrize("strength", [3, 100, 127, 255])
def test_thin_strokes_count(tmp_path: Path, strength: int) -> None:
    from PIL import Image

    layers = np.zeros((80, 40, 4), np.uint8)
    layers[:, 10:20, 3] = strength
    Image.fromarray(layers).save(tmp_path / "a.png")
    assert read_mask(tmp_path / "a.png", SPEC, 40).sum() == 800


def test_a_mask_with_a_text_that_is_too_large(tmp_path: Path) -> None:
    from PIL import Image, PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("make-an-audio-mask", scale(40, 80, convention="B"))
    info.add_text("workflow", "x" * 70_000_000, zip=True)
    picture = np.zeros((80, 40), np.uint8)
    picture[:, 10:20] = 255
    Image.fromarray(picture).save(tmp_path / "a.png", pnginfo=info)
    assert read_mask(tmp_path / "a.png", SPEC, 80).sum() == 800


# ---------------------------------------------------------------- foreign decoders


@pytest.mark.parametrize("error", [RecursionError, MemoryError, IndexError, OverflowError, struct.error, RuntimeError])
def test_whatever_they_raise(error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error("inside")

    with pytest.raises(ValueError, match="one sentence"), foreign("one sentence"):
        broken()
    (tmp_path / "a.wav").write_bytes(riff(FMT, DATA))
    monkeypatch.setattr("maa.audio.io._BLOCK", 100)
    monkeypatch.setattr("soundfile.SoundFile.read", broken)
    with pytest.raises(ValueError, match=r"'a.wav' is damaged"):
        read(tmp_path / "a.wav")
    monkeypatch.setattr("soundfile.SoundFile", broken)
    monkeypatch.setattr("av.open", broken)
    with pytest.raises(ValueError, match=r"'a\.wav' is not a sound"):
        read(tmp_path / "a.wav")


def test_the_callers_own_errors_pass() -> None:
    def caller() -> None:
        for number in drawn([1, 2], "broken"):
            raise KeyError(number)

    with pytest.raises(KeyError):
        caller()
    assert list(drawn(iter("abc"), "broken")) == list("abc")
