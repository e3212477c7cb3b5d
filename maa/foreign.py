"""Around decoders that others wrote: whatever a hostile or damaged file makes them raise becomes one sentence.

A list of exceptions to catch is never complete: decoders raise what happened to them, `RecursionError`, `struct.error`
and `MemoryError` included. So everything is caught, but around the foreign call alone, never around our own code.
"""

from __future__ import annotations

import mmap
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")

MAX_SEGMENTS = 20_000  # blocks, chunks or segments of one file that are looked at; a file of millions costs minutes
MAX_SCANS = 100  # of one JPEG: each goes over the whole picture, and a few bytes are enough for one
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"acTL", b"fcTL", b"fdAT")
_PNG_TEXT = 65_536  # bytes of a plain text chunk that may stay: the scale of a mask is one
_JPEG_KEPT = (0xE0, 0xEE)  # JFIF and Adobe, which say what the colours are
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # inside a scan; 00 is stuffing, D0 to D7 are restarts
_HEADER = re.compile(rb"cmov.{4}dcomzlib.{4}cmvd(.{4})", re.DOTALL)
_COUNTS = tuple(re.compile(table, re.DOTALL) for table in (rb"stsz\0.{7}(.{4})", rb"trun\0.{3}(.{4})"))
_MAX_HEADER = 2**24  # bytes that the packed header of a QuickTime file may have; real ones have some thousand


@contextmanager
def foreign(sentence: str) -> Iterator[None]:
    """Raise ValueError(sentence) for whatever the block raises, which should be one call of a foreign decoder."""
    try:
        yield
    except Exception as error:
        raise ValueError(sentence) from error


def drawn(items: Iterable[Item], sentence: str) -> Iterator[Item]:
    """What a foreign decoder yields, one by one; ValueError(sentence) where it raises. The caller's own errors pass."""
    source = iter(items)
    while True:
        with foreign(sentence):
            got = list(islice(source, 1))
        if not got:
            return
        yield got[0]


def too_many_parts(data: bytes) -> bool:
    """True for a PNG or JPEG of so many chunks, segments or scans that reading it would take minutes."""
    if data.startswith(_PNG):
        return sum(1 for _ in islice(_png_chunks(data), MAX_SEGMENTS + 1)) > MAX_SEGMENTS
    if data.startswith(b"\xff\xd8"):
        kinds = [kind for kind, _ in islice(_jpeg_segments(data), MAX_SEGMENTS + 1)]
        return len(kinds) > MAX_SEGMENTS or kinds.count(0xDA) > MAX_SCANS
    return False


def bare(data: bytes) -> bytes | None:
    """A PNG or JPEG without what is not its picture (texts, colour profile, EXIF); None for other kinds.

    For pictures that are good but for that: a decoder refuses them whole.
    """
    if data.startswith(_PNG):
        kept = (
            data[first:last]
            for kind, (first, last) in _png_chunks(data)
            if kind in _PNG_KEPT or (kind == b"tEXt" and last - first <= _PNG_TEXT and _is_whole(data[first:last]))
        )
        return _PNG + b"".join(kept)
    if data.startswith(b"\xff\xd8"):
        parts = [b"\xff\xd8"]
        for kind, (first, last) in _jpeg_segments(data):
            if not (0xE0 <= kind <= 0xEF or kind == 0xFE) or kind in _JPEG_KEPT:
                parts.append(data[first:last])
        return b"".join(parts)
    return None


def _is_whole(chunk: bytes) -> bool:
    """True when a PNG chunk has the checksum that it says."""
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """(type, (first byte, end)) of every chunk, as far as the file is one."""
    at = len(_PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], (at, end)
        at = end


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, tuple[int, int]]]:
    """(marker, (first byte, end)) of every segment up to the end of the first picture; a scan holds what follows it."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if kind == 0xFF:  # fill bytes
            at += 1
            continue
        if kind == 0xD9:
            yield kind, (at, at + 2)
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == 0xDA:
            following = _MARKER.search(data, end)
            end = following.start() if following else len(data)
        yield kind, (at, end)
        at = end


def hides_its_size(path: Path) -> bool:
    """True for an MP4 or MOV file whose header would take gigabytes though the file is small.

    Old QuickTime files may have their header packed, and tables may claim more samples than the file has bytes; FFmpeg
    believes both.
    """
    stat = path.stat()
    return stat.st_size > 0 and _hides_its_size(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _hides_its_size(path: Path, size: int, _changed: int) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for found in _HEADER.finditer(data):
            if int.from_bytes(found[1], "big") > _MAX_HEADER:
                return True
            try:
                header = zlib.decompressobj().decompress(data[found.end() : found.end() + size], _MAX_HEADER)
            except zlib.error:
                continue
            if b"cmov" in header or _claims(header, size):
                return True
        return _claims(data, size)


def _claims(data: bytes | mmap.mmap, size: int) -> bool:
    return any(int.from_bytes(found[1], "big") > size for table in _COUNTS for found in table.finditer(data))
