"""Recordings inside archives inside packages: zip (.pk3, .wz, .zip), sound catalogues (.cat), Qt resources (.rcc),
SoundFonts (.sf2).

A manifest names such a recording by the archive's path, then the path inside: `…/base.wz/sounds/gate.ogg`.
"""

from __future__ import annotations

import io
import struct
import wave
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

LARGEST = 64 << 20  # bytes of one unpacked recording

Members = dict[str, Callable[[], bytes]]


def read_inside(root: Path, inside: PurePosixPath) -> bytes | None:
    """The bytes of `root`/`inside`, looking into an archive where the path leads through one; None if absent.

    Raises:
        ValueError: the path leads through an archive that is broken.
    """
    path = root / inside
    if path.is_file():
        return path.read_bytes()
    for parent in inside.parents:
        archive = root / parent
        if archive.is_file():
            if archive.suffix.lower() not in OPENERS:
                return None
            stamp = archive.stat()
            member = members(archive, stamp.st_mtime_ns).get(inside.relative_to(parent).as_posix())
            return member() if member is not None else None
    return None


@lru_cache(maxsize=4)
def members(archive: Path, stamp: int = 0) -> Members:
    """Every file in an archive, by path, each read when it is called. `stamp` tells versions of one path apart.

    Raises:
        ValueError: the archive is broken or of an unknown kind.
    """
    opener = OPENERS.get(archive.suffix.lower())
    if opener is None:
        raise ValueError(f"{archive} is no archive of a known kind ({', '.join(sorted(OPENERS))}).")
    try:
        return opener(archive)
    except (zipfile.BadZipFile, struct.error, zlib.error, UnicodeDecodeError, IndexError) as error:
        raise ValueError(f"{archive} is broken: {error}; get its package again.") from error


def _zip(path: Path) -> Members:
    """A zip file stays open while its members are in use: a large one takes a second to open."""
    archive = zipfile.ZipFile(path)
    names = [info for info in archive.infolist() if not info.is_dir() and info.file_size <= LARGEST]
    return {info.filename: partial(archive.read, info) for info in names}


def _cat(path: Path) -> Members:
    """OpenTTD's sound catalogue: offsets and sizes, then for each sound a title, a WAV file and its file name.

    A member has its file's name; sounds without one have their number.
    """
    data = path.read_bytes()
    first = struct.unpack_from("<I", data)[0] & 0x7FFFFFFF  # the top bit marks the newer kind
    found: Members = {}
    for number in range(first // 8):
        at = struct.unpack_from("<I", data, 8 * number)[0] & 0x7FFFFFFF
        start = at + 1 + data[at]
        size = 8 + struct.unpack_from("<I", data, start + 4)[0]
        sound, end = data[start : start + size], start + size
        length = data[end + 1] if end + 1 < len(data) else 0
        name = data[end + 2 : end + 2 + length].split(b"\0")[0].decode("latin-1").replace("\\", "/")
        found[PurePosixPath(name).name or f"{number:03d}.wav"] = partial(bytes, sound)
    return found


def _rcc(path: Path) -> Members:
    """Qt's binary resources: a tree of names over a heap of blobs, each plain or deflated (others are left out)."""
    data = path.read_bytes()
    magic, version, tree, blobs, names = struct.unpack_from(">4sIIII", data)
    if magic != b"qres":
        raise ValueError(f"{path} is broken: it does not begin as a Qt resource; get its package again.")
    width = 14 if version < 2 else 22

    def name_of(offset: int) -> str:
        length = struct.unpack_from(">H", data, names + offset)[0]
        start = names + offset + 6  # the length, then a hash
        return data[start : start + 2 * length].decode("utf-16-be")

    def walk(node: int, above: str, depth: int) -> Iterator[tuple[str, int, int]]:
        name, flags = struct.unpack_from(">IH", data, tree + width * node)
        here = f"{above}/{name_of(name)}" if node else ""
        if flags & 2:
            count, child = struct.unpack_from(">II", data, tree + width * node + 6)
            if depth > 32:
                raise IndexError("folders too deep")
            for number in range(child, child + count):
                yield from walk(number, here, depth + 1)
        else:
            yield here.lstrip("/"), flags, struct.unpack_from(">I", data, tree + width * node + 10)[0]

    def blob(offset: int, flags: int) -> Callable[[], bytes]:
        def get() -> bytes:
            size = struct.unpack_from(">I", data, blobs + offset)[0]
            content = data[blobs + offset + 4 : blobs + offset + 4 + size]
            if flags & 1:
                inflate = zlib.decompressobj()
                content = inflate.decompress(content[4:], LARGEST)  # four bytes of length come first
            return content

        return get

    return {name: blob(offset, flags) for name, flags, offset in walk(0, "", 0) if not flags & 4}


def _sf2(path: Path) -> Members:
    """A SoundFont's samples (its section 7.10), each as a mono 16-bit WAV file named by its number and title."""
    data = path.read_bytes()
    samples, headers = _chunk(data, b"sdta", b"smpl"), _chunk(data, b"pdta", b"shdr")
    found: Members = {}
    for number in range(len(headers) // 46 - 1):  # the last one only marks the end
        title, start, end, _, _, rate = struct.unpack_from("<20s5I", headers, 46 * number)
        name = "".join(c if c.isalnum() or c in "-#" else "_" for c in title.split(b"\0")[0].decode("latin-1").strip())
        found[f"{number:04d}-{name}.wav"] = partial(_wave_file, samples[2 * start : 2 * end], rate)
    return found


def _chunk(data: bytes, group: bytes, wanted: bytes) -> bytes:
    """A sub-chunk of a RIFF file's LIST."""
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind == b"LIST" and data[at + 8 : at + 12] == group:
            inner = at + 12
            while inner < at + 8 + size:
                kind, length = struct.unpack_from("<4sI", data, inner)
                if kind == wanted:
                    return data[inner + 8 : inner + 8 + length]
                inner += 8 + length + length % 2
        at += 8 + size + size % 2
    raise IndexError(f"no {wanted.decode()} chunk")


def _wave_file(samples: bytes, rate: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)
    return out.getvalue()


OPENERS: dict[str, Callable[[Path], Members]] = {
    ".zip": _zip,
    ".pk3": _zip,
    ".wz": _zip,
    ".cat": _cat,
    ".rcc": _rcc,
    ".sf2": _sf2,
}
