"""What lies below a sound file: chunks of RIFF and AIFF, lengths that are wrong, and replacing a file in one step."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from maa.aside import aside
from maa.audio.pcm import Blocks, WavePart
from maa.foreign import MAX_SEGMENTS

MAX_RIFF = 0xFFFF_FFFF - 8  # bytes behind the RIFF header, whose length field has 32 bits
_STREAMED = 0x7FFF_F000  # programs that write to a pipe put a length from here up: "until the file ends"
_LOOSE = 64  # bytes that a length may promise too much: a sample of all channels, or a header that was counted along


@dataclass(frozen=True)
class Chunk:
    """One chunk of a RIFF or AIFF file: its payload is the `size` bytes from `offset` on."""

    name: bytes  # four characters
    offset: int
    size: int

    def read(self, file: BinaryIO) -> bytes:
        """The payload; shorter than `size` where the file ends early."""
        file.seek(self.offset)
        return file.read(self.size)


def form(file: BinaryIO) -> bytes:
    """What kind of chunked file this is: b"WAVE", b"AIFF", b"AIFC", or b"" for any other file."""
    file.seek(0)
    head = file.read(12)
    kinds = {b"RIFF": (b"WAVE",), b"FORM": (b"AIFF", b"AIFC")}
    return head[8:12] if head[8:12] in kinds.get(head[:4], ()) else b""


def chunks(file: BinaryIO) -> list[Chunk]:
    """The chunks of a WAVE (RIFF, RF64) or AIFF file in their order, [] for other files. Only headers are read."""
    file.seek(0)
    large = file.read(4) in (b"RF64", b"BW64") and file.read(8)[4:] == b"WAVE"
    kind = b"WAVE" if large else form(file)
    if not kind:
        return []
    order: Literal["little", "big"] = "little" if kind == b"WAVE" else "big"
    found: list[Chunk] = []
    position, end, samples = 12, file.seek(0, os.SEEK_END), 0
    while position + 8 <= end and len(found) < MAX_SEGMENTS:
        file.seek(position)
        head = file.read(24)
        name, size = head[:4], int.from_bytes(head[4:8], order)
        if large and name == b"ds64":  # the 64-bit lengths of the file and of its samples
            samples = int.from_bytes(head[16:24], "little")
        if large and name == b"data" and size == 0xFFFF_FFFF:
            size = samples
        found.append(Chunk(name, position + 8, size))
        position += 8 + size + size % 2  # payloads start at even offsets
    return found


def cut_short(path: Path) -> bool:
    """True when a WAV or AIFF file ends before the sound its header promises; readers would shorten it silently.

    Up to 64 bytes too many are a mistake in the length, as programs make it, and no loss.
    """
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        for chunk in chunks(file):
            streamed = chunk.size >= _STREAMED
            if chunk.name in (b"data", b"SSND") and not streamed and chunk.offset + chunk.size > end + _LOOSE:
                return True
    return False


def unsized(path: Path) -> tuple[int, bytes] | None:
    """Where a WAV or AU file says that it holds no sound though there is some behind the header, and what is true.

    Recorders write the length when they stop; one that crashes leaves 0. None for every other file.
    """
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(12)
        if head[:4] in (b".snd", b"dns."):
            order: Literal["little", "big"] = "big" if head[:4] == b".snd" else "little"
            empty = head[8:] == bytes(4) and int.from_bytes(head[4:8], order) < end
            return (8, b"\xff\xff\xff\xff") if empty else None
        lengths: int | None = None
        for chunk in chunks(file) if form(file) == b"WAVE" or head[:4] in (b"RF64", b"BW64") else []:
            if chunk.name == b"ds64":
                lengths = chunk.offset + 8
            elif chunk.name == b"data":
                held = end - chunk.offset
                if chunk.size or not held or _is_chain(file, chunk.offset, end):
                    return None
                if lengths is not None:
                    return lengths, held.to_bytes(8, "little")
                return chunk.offset - 4, min(held, 0xFFFF_FFFF).to_bytes(4, "little")
    return None


def _is_chain(file: BinaryIO, position: int, end: int) -> bool:
    """True when nothing but whole chunks lie from a position to the end of the file."""
    while position + 8 <= end:
        file.seek(position)
        head = file.read(8)
        if not (head[:4].isascii() and head[:4].decode("ascii").isprintable()):
            return False
        size = int.from_bytes(head[4:], "little")
        position += 8 + size + size % 2
    return position in (end, end + 1)


class Corrected:
    """A file, open for reading, with other bytes at one place; the file itself stays as it is."""

    def __init__(self, file: BinaryIO, at: int, instead: bytes) -> None:
        self.file, self.at, self.instead = file, at, instead

    def read(self, count: int = -1) -> bytes:
        """The next `count` bytes."""
        first = self.file.tell()
        data = bytearray(self.file.read(count))
        for index, byte in enumerate(self.instead, self.at - first):
            if 0 <= index < len(data):
                data[index] = byte
        return bytes(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As files have it."""
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        """As files have it."""
        return self.file.tell()


def write_wave(path: Path, parts: Sequence[WavePart]) -> None:
    """A complete RIFF WAVE file from (name, payload) pairs, each padded to an even length."""
    sizes = [payload.size if isinstance(payload, Blocks) else len(payload) for _, payload in parts]
    whole = 4 + sum(8 + size + size % 2 for size in sizes)
    if whole > MAX_RIFF:
        raise ValueError("A WAV file cannot be larger than 4 GB; write a shorter sound or fewer channels.")
    with path.open("wb") as file:
        file.write(b"RIFF" + whole.to_bytes(4, "little") + b"WAVE")
        for (name, payload), size in zip(parts, sizes, strict=True):
            file.write(name + size.to_bytes(4, "little"))
            for block in payload.made if isinstance(payload, Blocks) else (payload,):
                file.write(block)
            file.write(b"\0" * (size % 2))


def native(path: Path) -> Any:
    """A path as libsndfile takes it: names need not be text (old files have Latin-1 names)."""
    return os.fsencode(path) if os.name == "posix" else path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary neighbour of `path`: it takes the place of `path` when the block ends well, and vanishes if not.

    Raises:
        ValueError: when the place cannot be written to.
    """
    if path.is_dir() or not path.parent.is_dir():
        problem = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
        raise ValueError(f"{str(path)!r} {problem}; choose another place for the file.")
    try:
        with aside(path) as temporary:
            yield temporary
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
