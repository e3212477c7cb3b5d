"""Recordings come out of archives unharmed, and a broken archive is one sentence."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import soundfile

from train.data.archives import members, read_inside


def wave() -> bytes:
    out = io.BytesIO()
    soundfile.write(out, 0.1 * np.sin(np.arange(800) / 5), 8_000, format="WAV", subtype="PCM_16")
    return out.getvalue()


def zipped(path: Path) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sounds/gate.wav", wave())
        archive.writestr("readme.txt", "hello")
    return "sounds/gate.wav"


def catalogue(path: Path) -> str:
    """Two sounds of OpenTTD's kind."""
    parts, table, at = [], b"", 16
    for name in (b"bell\0", b"gate\0"):
        file = b"src/" + name[:-1] + b".wav\0"
        part = bytes([len(name)]) + name + wave() + b"\0" + bytes([len(file)]) + file
        table += struct.pack("<II", at | 0x80000000, len(wave()))
        parts.append(part)
        at += len(part)
    path.write_bytes(table + b"".join(parts))
    return "gate.wav"


def resources(path: Path) -> str:
    """A Qt resource file, version 1: / -> sounds -> gate.wav (deflated)."""
    content = wave()
    packed = struct.pack(">I", len(content)) + zlib.compress(content)
    data = struct.pack(">I", len(packed)) + packed
    names, offsets = b"", {}
    for name in ("sounds", "gate.wav"):
        offsets[name] = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    root = struct.pack(">IHII", 0, 2, 1, 1)
    folder = struct.pack(">IHII", offsets["sounds"], 2, 1, 2)
    file = struct.pack(">IHHHI", offsets["gate.wav"], 1, 0, 0, 0)
    tree = root + folder + file
    head = struct.pack(">4sIIII", b"qres", 1, 20 + len(data) + len(names), 20, 20 + len(data))
    path.write_bytes(head + data + names + tree)
    return "sounds/gate.wav"


def chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def soundfont(path: Path) -> str:
    samples = soundfile.read(io.BytesIO(wave()), dtype="int16")[0].tobytes()
    head = b"".join(
        struct.pack("<20s5IBbHH", name, start, end, 0, 0, 8_000, 60, 0, 0, 1)
        for name, start, end in ((b"Gate C#4(L)", 0, 800), (b"EOS", 0, 0))
    )
    inner = chunk(b"LIST", b"sdta" + chunk(b"smpl", samples)) + chunk(b"LIST", b"pdta" + chunk(b"shdr", head))
    path.write_bytes(chunk(b"RIFF", b"sfbk" + inner))
    return "0000-Gate_C#4_L_.wav"


KINDS = {"a.pk3": zipped, "a.wz": zipped, "a.cat": catalogue, "a.rcc": resources, "a.sf2": soundfont}


@pytest.mark.parametrize("name", KINDS)
def test_a_sound_comes_out_as_it_went_in(name: str, tmp_path: Path) -> None:
    inside = KINDS[name](tmp_path / name)
    assert inside in members(tmp_path / name)
    found = read_inside(tmp_path, PurePosixPath(name) / inside)
    assert found is not None
    samples, rate = soundfile.read(io.BytesIO(found), dtype="int16")
    assert rate == 8_000 and np.array_equal(samples, soundfile.read(io.BytesIO(wave()), dtype="int16")[0])
    assert read_inside(tmp_path, PurePosixPath(name) / "nothing.wav") is None


def test_plain_files_need_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"x")
    assert read_inside(tmp_path, PurePosixPath("a.wav")) == b"x"
    assert read_inside(tmp_path, PurePosixPath("a.wav/b.wav")) is None
    assert read_inside(tmp_path, PurePosixPath("none/b.wav")) is None


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("content", [b"", b"nonsense" * 20])
def test_a_broken_archive_is_one_sentence(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"broken[^\n]*again\.$"):
        members(tmp_path / name)


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.7z").write_bytes(b"7z")
    with pytest.raises(ValueError, match="known kind"):
        members(tmp_path / "a.7z")
