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
import time
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from maa.audio import maskfile
from maa.audio.mask import Mask
from maa.config import AudioSpec
from maa.pipeline import replay
from maa.ui import files, painter

RECORD, MASK, COMMAND = "take.json", "mask.png", "command.txt"
KEPT, SWEEP_EVERY = 86_400, 3600  # seconds
MOST_STARS = 200  # takes in one zip
MOST_BYTES = 2**30  # of one zip


def sweep_now_and_then() -> None:
    """Delete what is too old, at most once an hour; the time of the last sweep is that of a file beside the takes."""
    stamp = files.shelf() / ".swept"
    if not stamp.is_file() or time.time() - stamp.stat().st_mtime > SWEEP_EVERY:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
        files.sweep(KEPT)


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
    given = None if source is None else _copy(source, folder)
    mask = _keep_mask(own.get("mask"), folder, spec)
    clip = view.get("clip")
    output = Path(str(clip)).name if clip else view["file"]
    names = replay.Files(output, given, mask, own.get("boxes") or (), own.get("frames") or ())
    shape = {"subtype": view.get("subtype"), "rate": view.get("resampled")}
    view = {**view, "command": replay.command({**view["settings"], "model": model}, names, **shape)}
    view["bundle"] = given is not None
    record = {"view": view, "input": given, "mask": mask}
    (folder / RECORD).write_text(json.dumps(record), encoding="utf-8")
    return view


def record_of(take: object) -> tuple[Path, dict[str, Any]] | None:
    """Folder and record of a take by its id; None when the server does not keep it any more."""
    folder = files.folder_of(take)
    if folder is None or not (folder / RECORD).is_file():
        return None
    record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return folder, record


def kept_mask(folder: Path, spec: AudioSpec) -> Mask | None:
    """The mask that was painted for a take, bool [mels, frames]; None when there is none, or not as a picture."""
    path = folder / MASK
    if not path.is_file():
        return None
    with Image.open(path, formats=("PNG",)) as image:
        frames = image.width
    return maskfile.read_mask(path, spec, frames)


def _input(own: Mapping[str, Any]) -> Path | None:
    """The upload among a request's own inputs."""
    for value in own.values():
        if isinstance(value, dict) and isinstance(value.get("path"), str):
            return files.uploaded(value, "a file")
    return None


def _copy(source: Path, folder: Path) -> str:
    """The upload beside the take, as a link where that is possible; returns the name."""
    suffix = source.suffix.lower()
    name = f"input{suffix if re.fullmatch(r'[.][a-z0-9]{1,5}', suffix) else ''}"
    try:
        os.link(source, folder / name)
    except OSError:
        shutil.copyfile(source, folder / name)
    return name


def _keep_mask(payload: Any, folder: Path, spec: AudioSpec) -> str | None:
    """A painted mask as a picture beside the take, or a mask file as it came; returns the name."""
    if not isinstance(payload, dict):
        return None
    if isinstance(payload.get("path"), str):
        source = files.uploaded(payload, "a mask")
        name = "mask.npy" if source.suffix.lower() == ".npy" else MASK
        shutil.copyfile(source, folder / name)
        return name
    if "mask" not in payload:
        return None
    maskfile.write_mask(folder / MASK, painter.mask_of(payload, (payload["mels"], payload["frames"])), spec)
    return MASK


def bundle(take: Any) -> dict[str, Any]:
    """A zip of the command of a take, its input and its mask: {"url"}, or {"error"} for the person who asked."""
    found = record_of(take)
    if found is None:
        return {"error": "The server does not keep this sound any more; make it again."}
    folder, record = found
    path = folder / f"{Path(record['view']['file']).stem}_command.zip"
    line = f"{record['view']['command']}\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(COMMAND, line)
        for name in (record["input"], record["mask"]):
            if name and (folder / name).is_file():
                archive.write(folder / name, name)
    return {"url": files.url_of(path), "file": path.name}


def stars(takes: Any) -> dict[str, Any]:
    """A zip of the sounds of several takes: {"url", "gone"}, or {"error"}."""
    wanted = list(dict.fromkeys(one for one in takes if isinstance(one, str))) if isinstance(takes, list) else []
    if len(wanted) > MOST_STARS:
        return {"error": f"One zip takes {MOST_STARS} sounds; take some stars away and download the others after."}
    found = [one for one in map(record_of, wanted) if one is not None]
    if not found:
        return {"error": "The server keeps none of these sounds any more; make them again first."}
    inside = {f"{number:03d}_{path.name}": path for number, one in enumerate(found, 1) for path in _media(*one)}
    size = sum(path.stat().st_size for path in inside.values())
    if size > MOST_BYTES:
        return {"error": f"These sounds have {size // 2**20:,} MB, and one zip takes {MOST_BYTES // 2**20:,} MB; "
                "download them in parts."}  # fmt: skip
    named = hashlib.sha256("".join(folder.name for folder, _ in found).encode()).hexdigest()[:32]
    path = files.shelf() / named / f"make-an-audio_stars_{len(found)}.zip"  # the same stars again take no more space
    if not path.is_file():
        if not files.room_for(size):
            return {"error": files.NO_ROOM}
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{uuid.uuid4().hex}.tmp")  # two may ask at once
        with zipfile.ZipFile(aside, "w") as archive:  # stored: sound and video hardly shrink
            for name, source in inside.items():
                archive.write(source, name)
        os.replace(aside, path)
    os.utime(path.parent)  # kept for a day from now
    return {"url": files.url_of(path), "file": "make-an-audio_starred.zip", "gone": len(wanted) - len(found)}


def _media(folder: Path, record: dict[str, Any]) -> list[Path]:
    """The files of a take that a person downloads: its sound, and its clip where it has one."""
    view = record["view"]
    names = {view["file"], Path(str(view["clip"])).name} if view.get("clip") else {view["file"]}
    return [folder / name for name in sorted(names)]
