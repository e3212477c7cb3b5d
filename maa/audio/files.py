"""What lies below a sound file: the chunks of RIFF and AIFF, and replacing a file in one step."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

MAX_RIFF = 0xFFFF_FFFF - 8  # bytes behind the RIFF header, whose length field has 32 bits
_STREAMED = 0x7FFF_F000  # programs that write to a pipe put a length from here up: "until the file ends"


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
    """All chunks of a WAVE or AIFF file in their order, [] for other files. Only headers are read."""
    kind = form(file)
    if not kind:
        return []
    order: Literal["little", "big"] = "little" if kind == b"WAVE" else "big"
    found: list[Chunk] = []
    position, end = 12, file.seek(0, os.SEEK_END)
    while position + 8 <= end:
        file.seek(position)
        head = file.read(8)
        size = int.from_bytes(head[4:], order)
        found.append(Chunk(head[:4], position + 8, size))
        position += 8 + size + size % 2  # payloads start at even offsets
    return found


def cut_short(path: Path) -> bool:
    """True when a WAV or AIFF file ends before the sound its header promises; readers would shorten it silently."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        for chunk in chunks(file):
            streamed = chunk.size >= _STREAMED
            if chunk.name in (b"data", b"SSND") and not streamed and chunk.offset + chunk.size > end:
                return True
    return False


def pack_wave(parts: list[tuple[bytes, bytes]]) -> bytes:
    """A complete RIFF WAVE file from (name, payload) pairs, each padded to an even length."""
    body = b"".join(
        name + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) % 2) for name, payload in parts
    )
    if len(body) + 4 > MAX_RIFF:
        raise ValueError("A WAV file cannot be larger than 4 GB; write a shorter sound or fewer channels.")
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WAVE" + body


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary neighbour of `path`: it takes the place of `path` when the block ends well, and vanishes if not.

    Raises:
        ValueError: when the place cannot be written to.
    """
    if path.is_dir() or not path.parent.is_dir():
        problem = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
        raise ValueError(f"{str(path)!r} {problem}; choose another place for the file.")
    temporary = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
