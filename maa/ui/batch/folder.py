"""A batch on the server: a folder like that of `python -m maa batch`, but with numbers for names, since a path never
holds a prompt. Whoever knows its id may see all of it, and go on with it; it goes when a take of its age would go.

A sound is there whole or not at all, and what the page shows of it is written first. So a batch that was stopped, or
whose server was killed, goes on with what is missing.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maa.aside import write_text
from maa.audio.io import read
from maa.audio.tags import read_tags
from maa.foreign import foreign
from maa.pipeline import batch
from maa.pipeline.batch import Request
from maa.ui import files, records, views
from maa.ui.batch.asked import AXES, GRID, BatchPlan, labels_of, suffix_of
from maa.ui.results import Take

COLUMNS = 60  # of a sound's small waveform
GONE = "The server does not keep these sounds any more; make them again."


@dataclass(frozen=True)
class Batch:
    """One batch as it lies on the disk."""

    folder: Path
    plan: BatchPlan
    wanted: list[Request]

    @property
    def missing(self) -> list[int]:
        """The numbers of the sounds that are not there yet, from 0."""
        return [number for number in range(len(self.wanted)) if not self.sound(number).is_file()]

    @property
    def upload(self) -> Path | None:
        """The user's own sound."""
        return self.folder / self.plan.sound if self.plan.sound else None

    def sound(self, number: int) -> Path:
        """Where a sound is, or will be."""
        return self.folder / f"{number + 1:03d}{suffix_of(self.plan)}"

    def name(self, number: int) -> str:
        """What a person has it called: number, prompt, seed, and its place in a grid."""
        return self.wanted[number].name + suffix_of(self.plan)

    def keep(self, number: int, take: Take) -> None:
        """Take a finished sound in; its own folder goes."""
        made = self.sound(number)
        cell = {
            "file": made.name, "name": self.name(number), "seed": take.view["seed"], "seconds": take.view["seconds"],
            "peaks": views.peaks_of(read(take.media).samples, COLUMNS),
        }  # fmt: skip
        write_text(made.with_suffix(".json"), json.dumps(cell))
        os.replace(take.media, made)
        shutil.rmtree(take.media.parent, ignore_errors=True)

    def cell(self, number: int) -> dict[str, Any] | None:
        """What the page shows of a sound; None where it is not there yet."""
        if not self.sound(number).is_file():
            return None
        with foreign("This batch is damaged; make it again."):
            shown: dict[str, Any] = json.loads(self.sound(number).with_suffix(".json").read_text(encoding="utf-8"))
        return shown

    def view(self, failed: dict[int, str] | None = None) -> dict[str, Any]:
        """All that the page shows: {"id", "at", "rows", "columns", "prompts", "made", "failed"}, JSON types."""
        rows, columns = labels_of(self.plan, self.wanted)
        cells = {str(number): cell for number in range(len(self.wanted)) if (cell := self.cell(number)) is not None}
        named = [AXES[name].partition(" (")[0] for name in self.plan.axes]
        return {
            "id": self.folder.name,
            "at": files.url_of(self.folder),
            "grid": self.plan.kind == GRID,
            "axes": named,
            "rows": rows,
            "columns": columns,
            "prompts": [str(getattr(one.task, "prompt", "")) for one in self.wanted],
            "made": cells,
            "failed": {str(number): text for number, text in (failed or {}).items()},
        }


def create(plan: BatchPlan, seed: int, upload: Path | None) -> Batch:
    """A new folder for a plan, with the user's own sound in it.

    Raises:
        ValueError: that sound cannot be read.
    """
    if upload is not None:
        read(upload)
        plan = dataclasses.replace(plan, sound=records.input_name(upload))
    folder = files.shelf() / uuid.uuid4().hex
    settings = {**dataclasses.asdict(plan), "lines": [[number, said] for number, said in plan.lines]}
    batch.open_batch(folder, settings, seed)
    if upload is not None:
        records.copied(upload, folder)
    view = {"file": batch.TABLE, "command": "", "choice": plan.file_format, "resampled": plan.rate or None}
    write_text(folder / records.RECORD, json.dumps({"view": view, "input": plan.sound, "mask": None}))
    return Batch(folder, plan, plan.requests(folder, seed))


def batch_called(key: object) -> Batch:
    """A batch by its id.

    Raises:
        ValueError: the server does not keep it any more.
    """
    folder = files.folder_of(key)
    if folder is None or not (folder / batch.STATE).is_file():
        raise ValueError(GONE)
    with foreign(GONE):
        document = json.loads((folder / batch.STATE).read_text(encoding="utf-8"))
        settings = document["settings"]
        lines = [(int(number), dict(said)) for number, said in settings["lines"]]
        plan = BatchPlan(**{**settings, "lines": lines})
        return Batch(folder, plan, plan.requests(folder, int(document["seed"])))


@records.answered
def found(key: Any) -> dict[str, Any]:
    """For a page that is loaded anew: what it shows of a batch, or {"error"}."""
    return batch_called(key).view()


@records.answered
def settings_at(asked: Any) -> dict[str, Any]:
    """{"settings"} of the sound {"id", "number"} of a batch, or {"error"}."""
    one, number = _one(asked)
    tags = read_tags(one.sound(number)) if one.sound(number).is_file() else None
    return {"settings": tags} if tags else {"error": GONE}


@records.answered
def zipped(key: Any) -> dict[str, Any]:
    """A zip of the sounds of a batch and of a table that says what each is: {"url", "file"}, or {"error"}."""
    one = batch_called(key)
    there = {one.name(number): one.sound(number) for number in range(len(one.wanted)) if one.sound(number).is_file()}
    if not there:
        return {"error": "There is no sound yet."}
    path = one.folder / f"make-an-audio_batch_{len(there)}.zip"
    if not path.is_file():
        for older in one.folder.glob("make-an-audio_batch_*.zip"):
            older.unlink(missing_ok=True)
        table = one.folder / batch.TABLE
        batch.write_table(table, [batch.table_row(sound, name) for name, sound in there.items()])
        records.write_zip(path, {batch.TABLE: table, **there}, {}, zipfile.ZIP_STORED)
    return {"url": files.url_of(path), "file": path.name}


def _one(asked: Any) -> tuple[Batch, int]:
    """The batch and the number that a page asks for."""
    given = asked if isinstance(asked, dict) else {}
    one, number = batch_called(given.get("id")), given.get("number")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(one.wanted):
        raise ValueError("There is no such sound.")
    return one, number
