"""The sounds of a chain, in one folder among the takes: the upload as it came, and one whole file for each step.

Which chain and which step a tab is at is told by the path of its sound alone, so a page that is loaded anew finds its
chain by the sound that it has kept. What was done is inside each file (`maa.pipeline.edits.steps_in`).
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import re
import shutil
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from maa.aside import aside, write_text
from maa.audio.tags import read_tags
from maa.foreign import foreign
from maa.pipeline.edits import Step, check_room, step_sentence, steps_in
from maa.ui import files
from maa.ui.storage import STORAGE, VISITOR

RECORD = "chain.json"
FIRST = "Your sound"
_NAME = re.compile(r"step-\d\d-[0-9a-f]{8}\.[a-z0-9]{1,5}")
_LOCK = threading.Lock()
Spans = Sequence[tuple[float, float]]  # start and end in seconds


@dataclass(frozen=True)
class KeptStep:
    """One step: its file's name, what it is called, and the spans in seconds that it changed."""

    file: str
    label: str
    spans: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Chain:
    """A chain and where in it somebody is.

    Attributes:
        folder: of its files; None while the sound is an upload that nothing was done to yet.
        origin: tells the sound that it began with from any other.
        name: what that sound was called, without its ending.
        steps: from the upload on.
        at: the number of the step that is worked on.
    """

    folder: Path | None
    origin: str
    name: str
    steps: tuple[KeptStep, ...]
    at: int = 0

    def path(self, step: int) -> Path:
        """The file of a step.

        Raises:
            ValueError: there is no such step, or the server does not keep it.
        """
        if self.folder is None or not 0 <= step < len(self.steps):
            raise ValueError("There is no such step.")
        path = self.folder / self.steps[step].file
        if not path.is_file():
            raise ValueError("The server does not keep this step any more; give the sound again.")
        return path


def chain_of(sound: Path) -> Chain:
    """The chain that a sound is a step of; that of the sound alone where it is none."""
    record = sound.parent / RECORD
    if _NAME.fullmatch(sound.name) and record.is_file():
        try:
            with foreign("no chain"):
                found = json.loads(record.read_text(encoding="utf-8"))
                kept = tuple(
                    KeptStep(one["file"], one["label"], tuple(map(tuple, one["spans"]))) for one in found["steps"]
                )
                at = next(number for number, one in enumerate(kept) if one.file == sound.name)
                return Chain(sound.parent, str(found["origin"]), str(found["name"]), kept, at)
        except ValueError:
            pass
    origin = hashlib.sha256(str(sound).encode()).hexdigest()[:16]
    return Chain(None, origin, sound.stem, (KeptStep(sound.name, FIRST),))


def told_by(sound: Path) -> list[Step]:
    """What was done to a sound, as its file says."""
    try:
        return steps_in(read_tags(sound))
    except (ValueError, OSError, RecursionError):
        return []


def begun(sound: Path) -> Chain:
    """The chain of a sound, with a folder of its own from now on.

    Raises:
        ValueError: the disk has no room.
    """
    chain = chain_of(sound)
    if chain.folder is not None:
        return chain
    check_disk(sound.stat().st_size)
    folder = files.shelf() / uuid.uuid4().hex
    folder.mkdir(parents=True)
    kept = KeptStep(_name(0, sound.suffix), FIRST)
    link_or_copy(sound, folder / kept.file)
    if mel_place(sound).is_file():
        link_or_copy(mel_place(sound), mel_place(folder / kept.file))
    chain = replace(chain, folder=folder, steps=(kept,))
    _write(chain)
    return chain


def gone_on(chain: Chain, step: Step, spans: Spans, make: Callable[[Path], Any], suffix: str) -> Path:
    """The file of one more step, behind the one that somebody is at; what came after that is forgotten.

    Args:
        chain: as `begun` gives it.
        step: what was done.
        spans: (start, end) in seconds of what it changed.
        make: writes the file.
        suffix: of its name.

    Raises:
        ValueError: the chain is as long as it may be, or the disk has no room.
    """
    if chain.folder is None:
        raise ValueError("This chain has not begun.")
    check_room(chain.steps[1 : chain.at + 1])
    check_disk(chain.path(chain.at).stat().st_size)
    kept = KeptStep(_name(chain.at + 1, suffix), step_sentence(step), tuple(spans))
    path = chain.folder / kept.file
    make(path)
    with _LOCK:
        steps = (*chain.steps[: chain.at + 1], kept)
        _write(replace(chain, steps=steps, at=len(steps) - 1))
        for gone in chain.steps[chain.at + 1 :]:
            for file in chain.folder.glob(f"{Path(gone.file).stem}*"):
                file.unlink(missing_ok=True)
    STORAGE.add(VISITOR.get(), path.stat().st_size)
    os.utime(chain.folder)  # kept for a day from now
    return path


def mel_place(sound: Path) -> Path:
    """Where the spectrogram of a sound is kept."""
    return sound.with_name(f"{sound.name}.mel.npy")


def link_or_copy(source: Path, target: Path) -> None:
    """The same file in another place, as a link where that is possible."""
    try:
        os.link(source, target)
    except OSError:
        with aside(target) as neighbour:
            shutil.copyfile(source, neighbour)


def step_with(chain: Chain, sound: Path) -> int | None:
    """The number of the step that has the very bytes of a file, the one that somebody is at first; None = none has."""
    paths = [chain.folder / one.file for one in chain.steps] if chain.folder is not None else []
    order = sorted(range(len(paths)), key=lambda number: number != chain.at)
    return next((n for n in order if paths[n].is_file() and filecmp.cmp(paths[n], sound, shallow=False)), None)


def spans_between(chain: Chain, one: int, other: int) -> list[tuple[float, float]]:
    """The spans in seconds that two steps differ in, in order and apart from each other."""
    merged: list[tuple[float, float]] = []
    between = chain.steps[min(one, other) + 1 : max(one, other) + 1]
    for start, end in sorted(span for kept in between for span in kept.spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def check_disk(size: int) -> None:
    """Raise ValueError where a visitor may not keep so many bytes more."""
    refusal = STORAGE.refusal(VISITOR.get(), size)
    if refusal is not None:
        raise ValueError(refusal)


def _name(number: int, suffix: str) -> str:
    """A file's name that no browser has seen yet."""
    known = suffix.lower() if re.fullmatch(r"[.][a-z0-9]{1,5}", suffix.lower()) else ".bin"
    return f"step-{number:02d}-{uuid.uuid4().hex[:8]}{known}"


def _write(chain: Chain) -> None:
    if chain.folder is not None:
        record = {"origin": chain.origin, "name": chain.name, "steps": [asdict(one) for one in chain.steps]}
        write_text(chain.folder / RECORD, json.dumps(record))
