"""What a WAV file says beside its samples, so that an edit of them loses none of it.

Broadcast data (`bext`, `iXML`), cue points and loops (`cue `, `smpl`), labels, and which loudspeaker a channel is for
(the mask of an extensible `fmt `) belong to the user's file as much as its samples do. EBU Tech 3285, RIFF MCI 1991.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from maa.audio.files import Chunk, chunks

MAX_CARRIED = 2**24  # bytes of all chunks together; a file with more keeps the first of them
# Chunks that tell of the samples as they were, that only fill space, or that are written anew.
_DROPPED = (b"fmt ", b"data", b"fact", b"ds64", b"PEAK", b"levl", b"LGWV", b"ovwf", b"JUNK", b"junk", b"PAD ", b"FLLR",
            b"id3 ", b"ID3 ", b"minf", b"elm1", b"regn", b"umid", b"MD5 ", b"slnt", b"wavl")  # fmt: skip
_EXTENSIBLE = 0xFFFE
_GUID = bytes.fromhex("000000001000800000aa00389b71")  # what follows the number of the sample format in its identifier


@dataclass(frozen=True)
class Carried:
    """Chunks of a WAV file, (name, payload) in their order: those in front of the samples and those behind them."""

    front: tuple[tuple[bytes, bytes], ...] = ()
    behind: tuple[tuple[bytes, bytes], ...] = ()
    speakers: int | None = None  # the channel mask of an extensible `fmt `; None = the plain one

    def moved(self, count: int) -> Carried:
        """The same of a sound with `count` samples more in front: marks and loops move along, its time is earlier."""
        if count == 0:
            return self
        return self._each(lambda name, data: _moved(name, data, count))

    def at_rate(self, old: int, new: int) -> Carried:
        """The same of a sound whose rate has been changed from `old` to `new` Hz."""
        if old == new:
            return self
        return self._each(lambda name, data: _scaled(name, data, old, new))

    def _each(self, change: Callable[[bytes, bytes], bytes]) -> Carried:
        """The same with every payload changed; `change` is called with a chunk's name and its payload."""
        front, behind = (tuple((name, change(name, data)) for name, data in part) for part in (self.front, self.behind))
        return replace(self, front=front, behind=behind)

    def format_chunk(self, plain: bytes) -> bytes:
        """The payload of the `fmt ` chunk: `plain` as it is, or the extensible one that says the same and the mask."""
        if self.speakers is None:
            return plain
        kind, channels, rate, speed, width, bits = struct.unpack("<HHIIHH", plain[:16])
        head = struct.pack("<HHIIHHHHI", _EXTENSIBLE, channels, rate, speed, width, bits, 22, bits, self.speakers)
        return head + kind.to_bytes(2, "little") + _GUID


NOTHING = Carried()


def carried(path: Path) -> Carried:
    """What a WAV file says beside its samples; nothing for other files."""
    with path.open("rb") as file:
        front: list[tuple[bytes, bytes]] = []
        behind: list[tuple[bytes, bytes]] = []
        speakers, found, room = None, front, MAX_CARRIED
        for chunk in chunks(file) if file.read(4) != b"FORM" else []:
            if chunk.name == b"data":
                found = behind
            elif chunk.name == b"fmt ":
                speakers = _speakers(Chunk(chunk.name, chunk.offset, min(chunk.size, 64)).read(file))
            elif not _is_dropped(chunk, file) and chunk.size <= room:
                payload = chunk.read(file)
                if len(payload) == chunk.size:
                    found.append((chunk.name, payload))
                    room -= chunk.size
    return Carried(tuple(front), tuple(behind), speakers)


def _is_dropped(chunk: Chunk, file: BinaryIO) -> bool:
    if chunk.name == b"LIST":
        return Chunk(chunk.name, chunk.offset, 4).read(file) == b"INFO"
    return chunk.name in _DROPPED or not chunk.name.isascii() or not chunk.name.decode("ascii").isprintable()


def _speakers(payload: bytes) -> int | None:
    extensible = len(payload) >= 40 and int.from_bytes(payload[:2], "little") == _EXTENSIBLE
    return int.from_bytes(payload[20:24], "little") if extensible else None


def _moved(name: bytes, data: bytes, count: int) -> bytes:
    if name == b"bext" and len(data) >= 346:  # the time reference counts samples since midnight
        begun = int.from_bytes(data[338:346], "little")
        return data[:338] + max(0, begun - count).to_bytes(8, "little") + data[346:]
    return _positions(name, data, lambda at: at + count)


def _scaled(name: bytes, data: bytes, old: int, new: int) -> bytes:
    if name == b"bext" and len(data) >= 346:
        begun = int.from_bytes(data[338:346], "little") * new // old
        return data[:338] + min(begun, 2**64 - 1).to_bytes(8, "little") + data[346:]
    if name == b"smpl" and len(data) >= 12:  # nanoseconds of a sample
        data = data[:8] + round(1e9 / new).to_bytes(4, "little") + data[12:]
    return _positions(name, data, lambda at: at * new // old)


def _positions(name: bytes, data: bytes, change: Callable[[int], int]) -> bytes:
    """A chunk with its positions in samples changed: cue points (position, offset) and loops (first, last)."""
    layout = {b"cue ": (4, 0, 24, (4, 20)), b"smpl": (36, 28, 24, (8, 12))}.get(name)
    if layout is None or len(data) < layout[0]:
        return data
    first, counted, size, fields = layout
    new = bytearray(data)
    for entry in range(min(int.from_bytes(data[counted : counted + 4], "little"), (len(data) - first) // size)):
        for field in fields:
            at = first + entry * size + field
            value = change(int.from_bytes(data[at : at + 4], "little"))
            new[at : at + 4] = min(value, 2**32 - 1).to_bytes(4, "little")
    return bytes(new)
