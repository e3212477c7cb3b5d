"""One take as another file: cut and shaped, in any format and at any rate. The take itself stays as it is.

What is shaped is the sound as it was made, not what a file of 16 bits or an MP3 has left of it: where the take's own
file is such a one, `master.wav` lies beside it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maa.audio.io import read
from maa.audio.loudness import Samples
from maa.audio.sound import Audio
from maa.pipeline import replay
from maa.pipeline.checks import text as check_text
from maa.pipeline.result import write_shaped
from maa.pipeline.setting import Choice, Number, Setting, Stretch, Switch, read_options, settings_of
from maa.pipeline.shaping import Shaping
from maa.pipeline.tasks import TASKS
from maa.ui import files, limits, records
from maa.ui.limits import FORMATS, RATES, SOURCE, FileFormat
from maa.ui.storage import NO_ROOM, STORAGE

if TYPE_CHECKING:
    from maa.pipeline import Generation

MASTER = "master.wav"
MADE = "shaped-"  # how the names of what is made here begin
MOST = 24  # such files of one take that are kept
GONE = "The server does not keep this sound any more; make it again."
ALONE = "There is no take of the next seed beside this one; ask for two takes at once, or more."
_ONE = threading.Semaphore(1)  # a long sound takes a gigabyte while it is shaped


@dataclass(frozen=True)
class Form:
    """How a file is written."""

    name: str  # of the file format
    rate: int | None = None  # Hz; None = the sound's own

    @property
    def file(self) -> FileFormat:
        """The format itself."""
        return (FORMATS | SOURCE)[self.name]


def keep_master(generation: Generation, take: int, sound: Path, subtype: str | None, rate: int | None) -> None:
    """Write the sound as it was made beside its file, unless that holds it already."""
    whole = generation.subtype if generation.reports else "FLOAT"  # what was inpainted is what its format holds
    held = sound.suffix in (".wav", ".flac") and rate in (None, generation.sample_rate)
    if not (held and (subtype or generation.subtype) == whole):
        generation.save(sound.parent / MASTER, take=take, subtype=whole)


def shape_fields() -> list[dict[str, Any]]:
    """The settings of a shape as the page lays them out."""
    return [_field(one) for one in settings_of(Shaping)]


def _field(setting: Setting) -> dict[str, Any]:
    told = {"name": setting.name, "label": setting.label, "help": setting.text, "usual": setting.default}
    match setting:
        case Stretch():
            return {**told, "kind": "stretch"}
        case Switch():
            return {**told, "kind": "switch"}
        case Choice():
            return {**told, "kind": "choice", "choices": list(setting.choices().items())}
        case Number(slider=(low, high, step)):
            return {**told, "kind": "number", "low": low, "high": high, "step": step}
    raise TypeError(f"There is no field for {type(setting).__name__}.")


def formats() -> dict[str, Any]:
    """File formats and rates as the page offers them: (value, label)."""
    named = [(name, form.label) for name, form in (SOURCE | FORMATS).items()]
    return {"formats": named, "rates": list(RATES.items()), "splices": [n for n, task in TASKS.items() if task.splices]}


@records.answered
def export(asked: Any) -> dict[str, Any]:
    """A take shaped as a file: {"url", "file", "command"}, or {"error"} for the person who asked.

    Args:
        asked: {"id", "shaping": settings, "file_format", "rate"}.
    """
    given = asked if isinstance(asked, Mapping) else {}
    folder, record = kept_take(given.get("id"))
    task = TASKS.get(str(record["view"].get("task")))
    kind = limits.SplicedOutput if task is not None and task.splices else limits.Output
    output = read_options(kind, given)
    form = Form(output.file_format, output.rate or None)
    shaping = shaping_of(given.get("shaping"))
    path = written_once(folder, record, shaping, form)
    name = f"{records.called(record['view'])}{path.suffix}"
    return {"url": files.url_of(path), "file": name, "command": _command(record, shaping, form, name)}


def shaping_of(value: Any) -> Shaping:
    """A shape from what a page or a file says.

    Raises:
        ValueError: a value is of the wrong kind or outside its limits.
    """
    return read_options(Shaping, value if isinstance(value, Mapping) else {})


def kept_take(take: Any) -> tuple[Path, dict[str, Any]]:
    """Folder and record of a take.

    Raises:
        ValueError: the server does not keep it any more.
    """
    kept = records.record_of(take)
    if kept is None or not isinstance(kept[1]["view"].get("settings"), dict):
        raise ValueError(GONE)
    return kept


def written_once(folder: Path, record: Mapping[str, Any], shaping: Shaping, form: Form) -> Path:
    """The file of a shaped take; the same one is not made twice.

    Raises:
        ValueError: it cannot be shaped so, or there is no room for it.
    """
    view = record["view"]
    told = json.dumps([shaping.to_settings(), form.name, form.rate], sort_keys=True)
    path = folder / f"{MADE}{hashlib.sha256(told.encode()).hexdigest()[:24]}{form.file.suffix}"
    with _ONE:
        if path.is_file():
            return path
        sound = _sound(folder, view)
        beside = _beside(view, sound) if shaping.width else None
        size = sound.samples.nbytes * max(1, (form.rate or 0) // sound.sample_rate)
        if not STORAGE.room_for(size):
            raise ValueError(NO_ROOM)
        settings = {name: value for name, value in view["settings"].items() if name not in _NAMES}
        write_shaped(
            path, (sound.samples, beside), (sound.sample_rate, form.rate), shaping,
            subtype=_subtype(view, form), settings=settings, carried=sound.carried,
        )  # fmt: skip
        STORAGE.add("", path.stat().st_size)
        _forget(folder)
    return path


_NAMES = {one.name for one in settings_of(Shaping)}


def _sound(folder: Path, view: Mapping[str, Any]) -> Audio:
    """The sound of a take as it was made."""
    master = folder / MASTER
    path = master if master.is_file() else folder / view["file"]
    if not path.is_file():
        raise ValueError(GONE)
    return read(path)


def _beside(view: Mapping[str, Any], sound: Audio) -> Samples:
    """The take of the next seed."""
    kept = records.record_of(view.get("next"))
    if kept is None:
        raise ValueError(ALONE)
    other = _sound(kept[0], kept[1]["view"])
    if other.sample_rate != sound.sample_rate:
        raise ValueError(ALONE)
    return other.samples


def _subtype(view: Mapping[str, Any], form: Form) -> str:
    """The sample format of a file: what was asked for, or the one that loses nothing of a user's own sound."""
    held = view.get("held")
    own = (
        held
        if isinstance(held, str) and held in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
        else "PCM_16"
    )
    if form.name == "flac" and own not in ("PCM_U8", "PCM_16", "PCM_24"):
        return "PCM_24"
    return form.file.subtype or own


def _forget(folder: Path) -> None:
    """Keep the latest of what was made of a take."""
    every = sorted(folder.glob(f"{MADE}*"), key=lambda path: path.stat().st_mtime)
    for path in every[: max(0, len(every) - MOST)]:
        path.unlink(missing_ok=True)


def _command(record: Mapping[str, Any], shaping: Shaping, form: Form, output: str) -> str | None:
    """The command that makes such a file; None where it is not known any more what was given."""
    asked, view = record.get("asked"), record["view"]
    if not isinstance(asked, dict) or view.get("example"):
        return None
    names = replay.Files(output, record["input"], record["mask"], asked.get("boxes") or (), asked.get("frames") or ())
    settings = {**view["settings"], **shaping.to_settings(), "model": check_text(asked.get("model"), "model")}
    subtype = _subtype(view, form) if form.file.suffix in (".wav", ".flac") else None
    return replay.command(settings, names, subtype=subtype, rate=form.rate)
