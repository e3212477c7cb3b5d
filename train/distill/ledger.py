"""Lines of JSON that only grow: a program that writes them may be killed at any moment and goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from maa.aside import write_bytes
from train.data.distilled import Line, read_ledger, whole_lines


class CaptionLedger:
    """A first line that says what was asked, then a line for every sound, each once.

    One process at a time writes to a file (`train.trainer.keeping.alone_in`).

    Args:
        path: of the file; begun if there is none.
        head: what was asked. A file that was begun with anything else is not gone on with.

    Raises:
        ValueError: the file was begun with another head, or is damaged before its last line.
    """

    def __init__(self, path: Path, head: Line) -> None:
        self.path, self.head = path, head
        self.ids: set[str] = set()
        if not path.is_file() or not path.stat().st_size:
            write_bytes(path, _line(head))
            return
        begun, lines = read_ledger(path)
        if begun != head:
            other = sorted(key for key in begun.keys() | head.keys() if begun.get(key) != head.get(key))
            raise ValueError(f"{path} was begun with another {', '.join(other)}; give that again, or another --out.")
        self.ids = {line["id"] for line in lines}
        with path.open("r+b") as file:  # a line without an end is one that a killed program left
            file.truncate(whole_lines(path.read_bytes()))

    def add(self, lines: Iterable[Line]) -> None:
        """Write the lines of some sounds, in one go."""
        new = [line for line in lines if line["id"] not in self.ids]
        with self.path.open("ab", buffering=0) as file:
            data = b"".join(_line(line) for line in new)
            while data:
                data = data[file.write(data) :]
        self.ids |= {line["id"] for line in new}


def write_ledger(path: Path, head: Line, lines: Iterable[Line]) -> None:
    """All of a file anew, whole or not at all."""
    write_bytes(path, b"".join(map(_line, [head, *lines])))


def _line(content: Line) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(", ", ": ")).encode("utf-8", "replace") + b"\n"
