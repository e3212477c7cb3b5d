"""What is kept beside every take while the server keeps it: its view, its input, its mask, and the command.

A take's folder holds the sound, `take.json`, and where something was uploaded `input.…` and `mask.png`. Whoever knows
the id of a take may see all of it; nobody else can list it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from PIL import Image

from maa.aside import aside, write_text
from maa.audio import maskfile
from maa.audio.mask import Mask
from maa.config import AudioSpec
from maa.foreign import foreign
from maa.pipeline import replay
from maa.ui import files, painter
from maa.ui.faults import is_own, sorry, without_paths
from maa.ui.storage import NO_ROOM, STORAGE

RECORD, MASK, COMMAND = "take.json", "mask.png", "command.txt"
WORDS = 48  # letters of a prompt in a file's name
MOST_STARS = 200  # takes in one zip
MOST_BYTES = 2**30  # of one zip


def keep(folder: Path, view: dict[str, Any], own: Mapping[str, Any], model: str, spec: AudioSpec) -> dict[str, Any]:
    """Write the record of a take and return its view, with the command that makes it again.

    Args:
        folder: the take's own.
        view: what the page shows of it.
        own: the inputs of the request as they came; uploads and masks among them are copied.
        model: the name, hub id or path to ask for in the command.
        spec: what rows and columns of a mask mean.
    """
    source = _input(own)
    given = None if source is None else copied(source, folder)
    mask = _keep_mask(own.get("mask"), folder, spec)
    clip = view.get("clip")
    output = Path(str(clip)).name if clip else view["file"]
    names = replay.Files(output, given, mask, own.get("boxes") or (), own.get("frames") or ())
    shape = {"subtype": view.get("subtype"), "rate": view.get("resampled")}
    view = {**view, "command": replay.command({**view["settings"], "model": model}, names, **shape)}
    view["bundle"] = given is not None
    asked = {"model": model, "boxes": names.boxes, "frames": names.frames}
    record = {"view": view, "input": given, "mask": mask, "asked": asked}
    write_text(folder / RECORD, json.dumps(record))
    return view


def record_of(take: object) -> tuple[Path, dict[str, Any]] | None:
    """Folder and record of a take by its id; None when the server does not keep it any more, or not whole."""
    folder = files.folder_of(take)
    if folder is None or not (folder / RECORD).is_file():
        return None
    try:
        with foreign("no record"):
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except ValueError:
        return None
    return (folder, record) if _is_record(record) else None


def _is_record(record: Any) -> bool:
    """Whether a record has what the page asks of it."""
    view = record.get("view") if isinstance(record, dict) else None
    if not isinstance(view, dict) or not all(_is_name(record.get(name, 0), empty=True) for name in ("input", "mask")):
        return False
    clip = view.get("clip")
    return _is_name(view.get("file")) and isinstance(view.get("command"), str) and isinstance(clip, str | None)


def _is_name(value: Any, *, empty: bool = False) -> bool:
    """Whether a value is the name of a file in a folder."""
    if value is None:
        return empty
    return isinstance(value, str) and value == Path(value).name and "\0" not in value and 0 < len(value) < 200


def kept_mask(folder: Path, spec: AudioSpec) -> Mask | None:
    """The mask that was painted for a take, bool [mels, frames]; None when there is none, or not as a picture."""
    path = folder / MASK
    if not path.is_file():
        return None
    try:
        with foreign("no picture"), Image.open(path, formats=("PNG",)) as image:
            frames = image.width
        return maskfile.read_mask(path, spec, frames)
    except ValueError:
        return None


def _input(own: Mapping[str, Any]) -> Path | None:
    """The upload among a request's own inputs."""
    for value in own.values():
        if isinstance(value, dict) and isinstance(value.get("path"), str):
            return files.uploaded(value, "a file")
    return None


def input_name(source: Path) -> str:
    """What an upload is called beside what was made of it."""
    suffix = source.suffix.lower()
    return f"input{suffix if re.fullmatch(r'[.][a-z0-9]{1,5}', suffix) else ''}"


def copied(source: Path, folder: Path) -> str:
    """The upload beside the take, as a link where that is possible; returns the name."""
    name = input_name(source)
    try:
        os.link(source, folder / name)
    except OSError:
        with aside(folder / name) as neighbour:
            shutil.copyfile(source, neighbour)
    return name


def _keep_mask(payload: Any, folder: Path, spec: AudioSpec) -> str | None:
    """A painted mask as a picture beside the take, or a mask file as it came; returns the name."""
    if not isinstance(payload, dict):
        return None
    if isinstance(payload.get("path"), str):
        source = files.uploaded(payload, "a mask")
        name = "mask.npy" if source.suffix.lower() == ".npy" else MASK
        with aside(folder / name) as neighbour:
            shutil.copyfile(source, neighbour)
        return name
    if "mask" not in payload:
        return None
    maskfile.write_mask(folder / MASK, painter.mask_of(payload, (payload["mels"], payload["frames"])), spec)
    return MASK


def answered(act: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """What a page asks for outside the queue: an error of ours is logged, and the visitor reads a sentence."""

    @wraps(act)
    def answer(given: Any) -> dict[str, Any]:
        try:
            return act(given)
        except ValueError as error:
            return {"error": sorry(error) if is_own(error) else without_paths(str(error))}
        except Exception as error:  # noqa: BLE001 - logged
            return {"error": sorry(error)}

    return answer


@answered
def bundle(take: Any) -> dict[str, Any]:
    """A zip of the command of a take, its input and its mask: {"url"}, or {"error"} for the person who asked."""
    found = record_of(take)
    if found is None:
        return {"error": "The server does not keep this sound any more; make it again."}
    folder, record = found
    inside = {name: folder / name for name in (record["input"], record["mask"]) if name and (folder / name).is_file()}
    path = folder / f"{Path(record['view']['file']).stem}_command.zip"
    if not path.is_file():
        write_zip(path, inside, {COMMAND: f"{record['view']['command']}\n"}, zipfile.ZIP_DEFLATED)
    return {"url": files.url_of(path), "file": path.name}


@answered
def stars(takes: Any) -> dict[str, Any]:
    """A zip of the sounds of several takes: {"url", "gone"}, or {"error"}."""
    wanted = list(dict.fromkeys(one for one in takes if isinstance(one, str))) if isinstance(takes, list) else []
    if len(wanted) > MOST_STARS:
        return {"error": f"One zip takes {MOST_STARS} sounds; take some stars away and download the others after."}
    found = [one for one in map(record_of, wanted) if one is not None]
    inside = {
        f"{number:03d}_{called(one[1]['view'])}{path.suffix}": path
        for number, one in enumerate(found, 1)
        for path in _media(*one)
    }
    if not inside:
        return {"error": "The server keeps none of these sounds any more; make them again first."}
    size = sum(path.stat().st_size for path in inside.values())
    if size > MOST_BYTES:
        return {"error": f"These sounds have {size // 2**20:,} MB, and one zip takes {MOST_BYTES // 2**20:,} MB; "
                "download them in parts."}  # fmt: skip
    set_of = sorted({folder.name for folder, _ in found})
    named = hashlib.sha256("".join(set_of).encode()).hexdigest()[:32]
    path = files.shelf() / named / f"make-an-audio_stars_{len(found)}.zip"  # the same stars again take no more space
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_zip(path, inside, {}, zipfile.ZIP_STORED)  # sound and video hardly shrink
    os.utime(path.parent)  # kept for a day from now
    return {"url": files.url_of(path), "file": "make-an-audio_starred.zip", "gone": len(wanted) - len(found)}


def called(view: Mapping[str, Any]) -> str:
    """A name for a take's files outside of the server: its words, seed and number; as in `takes/names.js`."""
    settings = view["settings"] if isinstance(view.get("settings"), Mapping) else {}
    prompt = settings.get("prompt")
    words = "-".join(re.findall(r"[^\W_]+", prompt[:WORDS].lower())) if isinstance(prompt, str) else ""
    return f"{words or 'make-an-audio'}_seed-{view.get('seed')}_take-{view.get('number')}"


def write_zip(path: Path, inside: Mapping[str, Path], texts: Mapping[str, str], how: int) -> None:
    """Write a zip of files and texts aside, and put it in its place whole: two may ask for it at once.

    Raises:
        ValueError: the disk has no room for it.
    """
    size = sum(source.stat().st_size for source in inside.values())
    if not STORAGE.room_for(size):
        raise ValueError(NO_ROOM)
    with aside(path) as neighbour, zipfile.ZipFile(neighbour, "w", how) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
        for name, source in inside.items():
            archive.write(source, name)
    STORAGE.add("", size)


def _media(folder: Path, record: dict[str, Any]) -> list[Path]:
    """The files of a take that a person downloads: its sound, and its clip where it has one."""
    view = record["view"]
    names = {view["file"], Path(str(view["clip"])).name} if view.get("clip") else {view["file"]}
    return [path for name in sorted(names) if (path := folder / name).is_file()]
