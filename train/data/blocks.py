"""Recordings decoded in blocks that are kept until all are there, so that a run that is killed loses one block at most.

A block lies in a file whose name is a digest of what was decoded: the recordings' descriptions, their files' sizes and
times, and the blocks before it, for a recording is left out as a duplicate of an earlier one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.aside import aside
from maa.foreign import foreign
from train.data.check import Findings, Problem
from train.data.manifest import Recording

BLOCK = 200  # recordings


@dataclass
class Block:
    """A block: the waveforms int16 [n] of the good recordings by their numbers in it, and what was found out."""

    waves: dict[int, NDArray[np.int16]] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)  # those of this block alone


Decode = Callable[[int, Findings], NDArray[np.int16] | None]  # of a recording by its number; None = left out


def decode_blocks(
    rows: Sequence[Recording], recordings: Path, decode: Decode, findings: Findings, kept: Path | None
) -> Iterator[tuple[int, NDArray[np.int16]]]:
    """Number and waveform of every good recording, in their order; `findings` gets the rest.

    Args:
        recordings: folder of the rows' files.
        decode: decodes one of them and notes in the findings why it cannot.
        kept: folder for finished blocks; it goes when all are done. None = they are not kept.
    """
    mark = ""
    for first in range(0, len(rows), BLOCK):
        numbers = range(first, min(first + BLOCK, len(rows)))
        mark = _digest(mark, [rows[k] for k in numbers], recordings)
        path = None if kept is None else kept / f"{mark}.npz"
        block = _read(path) if path is not None and path.is_file() else None
        if block is None:
            block = Block(findings=Findings(seen=dict(findings.seen)))
            for number in numbers:
                wave = decode(number, block.findings)
                if wave is not None:
                    block.waves[number] = wave
            if path is not None:
                _write(block, path)
        findings.problems += block.findings.problems
        findings.seen |= block.findings.seen
        yield from block.waves.items()


def forget_blocks(kept: Path) -> None:
    """Let the blocks of a finished library go."""
    shutil.rmtree(kept, ignore_errors=True)


def _digest(before: str, rows: Sequence[Recording], recordings: Path) -> str:
    lines = [before]
    for row in rows:
        path = recordings / row.path
        stat = path.stat() if path.is_file() else None
        size = None if stat is None else (stat.st_size, stat.st_mtime_ns)
        lines.append(json.dumps([{**asdict(row), "path": str(path)}, size]))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:24]


def _write(block: Block, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {"problems": [asdict(problem) for problem in block.findings.problems], "seen": block.findings.seen}
    with aside(path) as neighbour:
        arrays: dict[str, Any] = {str(number): wave for number, wave in block.waves.items()}
        np.savez(neighbour, findings=np.array(json.dumps(found)), **arrays)


def _read(path: Path) -> Block | None:
    """A finished block; None where it is damaged, so that it is made again."""
    try:
        with foreign("damaged"), np.load(path, allow_pickle=False) as file:
            found = json.loads(str(file["findings"]))
            waves = {int(name): file[name] for name in file.files if name != "findings"}
            return Block(waves, Findings([Problem(**one) for one in found["problems"]], found["seen"]))
    except ValueError:
        return None
