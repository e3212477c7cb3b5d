"""Files that are there whole or not at all: written aside and renamed, so that a program may be killed at any moment.

Everything that this program writes goes through here. A rename replaces a file in one step; whoever has the old one
open keeps it. Nothing is forced onto the disk, so a power cut is another matter.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def aside(path: Path, name: str | None = None) -> Iterator[Path]:
    """A neighbour of `path` to write to: it takes the place of `path` when the block ends well, and vanishes if not.

    Args:
        path: where the file shall be; its folder exists.
        name: of the neighbour, where only one program at a time writes this file: what a killed one left is written
            over. None = a hidden, random name with the suffix of `path`.

    Raises:
        OSError: the place cannot be written to.
    """
    neighbour = path.with_name(name or f".{secrets.token_hex(8)}{path.suffix}")
    try:
        yield neighbour
        os.replace(neighbour, path)
    finally:
        neighbour.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the neighbours that killed programs have left in a folder that nobody else writes to now."""
    for path in folder.glob(".*"):
        if re.fullmatch(r"\.[0-9a-f]{16}(\.\w+)?", path.name):
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> Path:
    """A text file in UTF-8, whole or not at all. OSError as from `aside`."""
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> Path:
    """A file, whole or not at all. OSError as from `aside`."""
    with aside(path) as neighbour:
        neighbour.write_bytes(data)
    return path
