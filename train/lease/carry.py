"""Weights on their way back: collected there within the limits of a call, put together here."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from maa.aside import aside, write_text
from maa.checkpoint import CONFIG, file_hash, index_of, read_config, read_weights, write_weights
from maa.folders import replace_folder
from train.lease.chunks import FAR
from train.lease.work import Far, Lease, describe_stages, log_rows
from train.package import assemble
from train.small import LATENTS, PART, run_card

RECORD = "collected.json"
EXPORT, SENT = "export", "sent.json"
ORDER = ("diffusion", "autoencoder", "vocoder", "clap")  # most precious first
ROWS = 400  # of a log


@dataclass(frozen=True)
class Limits:
    """What one call may bring back."""

    files: int = 8
    file_bytes: int = 15 << 20
    call_bytes: int = 60 << 20


def collect_weights(at: Path, out: Path, limits: Limits, wait: float = 0.0, again: bool = False) -> str:
    """Leave in `out` the newest averaged weights as far as they are new and fit, with a record of what they are.

    What does not fit is left for the next call. A part that has been begun is brought to its end before a newer one.

    Args:
        wait: seconds to let the stages work before; less when they finish.
        again: forget what has been collected before.
    """
    until = time.monotonic() + wait
    while time.monotonic() < until and Lease.read(at).runs:
        time.sleep(min(1.0, until - time.monotonic()))
    lease = Lease.read(at)
    run, export = Far(at, lease), at / FAR / EXPORT
    out.mkdir(parents=True, exist_ok=True)
    known = (export / SENT).is_file() and not again
    sent: dict[str, list[str]] = json.loads((export / SENT).read_text(encoding="utf-8")) if known else {}
    parts: dict[str, Any] = {}
    here: dict[str, Path] = {}
    left = 0
    for stage in ORDER:
        record = _snapshot(run, stage, export, sent, limits)
        if record is None:
            continue
        waiting = [file for file in record["files"] if file["name"] not in sent.get(record["source"], [])]
        for file in waiting:
            path = export / stage / file["name"]
            held = sum(other.stat().st_size for other in here.values())
            if len(here) + 2 > limits.files or held + file["bytes"] > limits.call_bytes:
                left += 1
                continue
            here[file["name"]] = path
            sent.setdefault(record["source"], []).append(file["name"])
        if any(file["name"] in here for file in waiting):
            parts[PART[stage]] = record
    for name, path in here.items():
        with aside(out / name, f"{name}.part") as neighbour:
            shutil.copyfile(path, neighbour)
    record = {"parts": parts, "here": sorted(here), "left": left, "logs": _logs(run), "status": describe_stages(at)}
    write_text(out / RECORD, json.dumps(record, indent=1) + "\n")
    export.mkdir(parents=True, exist_ok=True)
    write_text(export / SENT, json.dumps(sent) + "\n")
    size = sum(path.stat().st_size for path in here.values()) / 1e6
    more = f"; {left} more files wait for the next call" if left else ""
    return f"{len(here)} files of weights ({', '.join(parts) or 'none is new'}), {size:.1f} MB, in {out}{more}"


def _snapshot(run: Far, stage: str, export: Path, sent: dict[str, list[str]], limits: Limits) -> dict[str, Any] | None:
    """The record of what of a stage is to be sent: the export that has been begun, or a new one; None = nothing new.

    Decoders in the middle of a run are worse than those of before: only the U-Net's are taken while it trains.
    """
    part, folder = PART[stage], export / stage
    path, description = run.runs / stage / f"{part}.safetensors", folder / "record.json"
    if description.is_file():
        record: dict[str, Any] = json.loads(description.read_text(encoding="utf-8"))
        already = sent.get(record["source"], [])
        if already and any(file["name"] not in already for file in record["files"]):
            return record
    done = run.done(stage).is_file()
    if not path.is_file() or not (done or stage == "diffusion") or file_hash(path) in sent:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    taken = folder / "taken.safetensors"
    shutil.copyfile(path, taken)  # the trainer may replace it meanwhile
    source = file_hash(taken)
    values = {
        name: value.to(torch.float16 if value.is_floating_point() else value.dtype)
        for name, value in read_weights([taken]).items()
    }
    taken.unlink()
    write_weights(values, folder, part, limits.file_bytes - (64 << 10))
    files = sorted(folder.glob("*.safetensors"))
    large = [file.name for file in files if file.stat().st_size > min(limits.file_bytes, limits.call_bytes)]
    if large:
        raise ValueError(f"A single tensor of {part} is larger than a file may be; allow larger ones than --file-mb.")
    index, config = index_of(folder, part), run.runs / stage / CONFIG
    record = {
        "source": source,
        "done": done,
        "latents": (run.runs / LATENTS).read_text(encoding="utf-8").strip(),
        "step": _step(run, stage),
        "files": [{"name": file.name, "bytes": file.stat().st_size, "sha256": file_hash(file)} for file in files],
        "index": index.read_text(encoding="utf-8") if index.is_file() else None,
        "config": config.read_text(encoding="utf-8") if config.is_file() else None,
    }
    write_text(description, json.dumps(record) + "\n")
    return record


def _step(run: Far, stage: str) -> int:
    rows = log_rows(run.runs / stage / f"{PART[stage]}.log.jsonl")
    return int(rows[-1]["step"]) if rows else 0


def _logs(run: Far) -> dict[str, list[str]]:
    """Each stage's options and its last rows."""
    found = {}
    for stage, part in PART.items():
        path = run.runs / stage / f"{part}.log.jsonl"
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            options = [line for line in lines[:-ROWS] if '"options"' in line]
            found[stage] = [*options, *lines[-ROWS:]]
    return found


def bring_weights(at: Path, results: list[Path], model: Path, parts: Path, preset: str) -> str:
    """Take in what calls have brought, and put the newest complete parts and the earlier ones together in `at`/model.

    Args:
        results: folders of `collect`, oldest first; they may be given again.
        model, parts: the earlier model, and the pretrained parts where it has none.

    Raises:
        ValueError: a file is damaged, or parts do not fit together.
    """
    brought = at / "brought"
    for folder in results:
        _take_in(folder, brought)
    found = {part: newest for part in PART.values() if (newest := _newest(brought, part)) is not None}
    if not found:
        raise ValueError(f"No part is complete in {brought} yet; collect again, and bring that too.")
    records = {part: _read(folder / "record.json") for part, folder in found.items()}
    if any(record["latents"] == "new" for record in records.values()) and not {"unet", "autoencoder"} <= set(found):
        raise ValueError(
            "This lease made new latents: the U-Net and the autoencoder belong together, and one is not here."
        )
    earlier = [model] if (model / CONFIG).is_file() else []
    made = at / "made"
    shutil.rmtree(made, ignore_errors=True)
    assemble([*earlier, parts, *found.values()], made, model.name)
    replace_folder(made, at / "model")
    shutil.rmtree(made)
    run_card(brought / "logs", preset)
    said = [
        f"{part}: step {record['step']}" + ("" if record["done"] else ", its run goes on")
        for part, record in records.items()
    ]
    return "\n".join([*said, f"{at / 'model'} is ready to be evaluated."])


def _take_in(folder: Path, brought: Path) -> None:
    document = _read(folder / RECORD)
    for part, record in document["parts"].items():
        to = brought / f"{part}-{record['source'][:16]}"
        to.mkdir(parents=True, exist_ok=True)
        for file in record["files"]:
            if file["name"] not in document["here"]:
                continue
            path = folder / file["name"]
            if not path.is_file() or file_hash(path) != file["sha256"]:
                raise ValueError(f"{path} is missing or damaged; collect it again.")
            with aside(to / file["name"], f"{file['name']}.part") as neighbour:
                shutil.copyfile(path, neighbour)
        if record["index"] is not None:
            write_text(index_of(to, part), record["index"])
        if record["config"] is not None:
            write_text(to / CONFIG, record["config"])
        write_text(to / "record.json", json.dumps(record) + "\n")
    (brought / "logs").mkdir(parents=True, exist_ok=True)
    for stage, lines in document["logs"].items():
        path = brought / "logs" / stage / f"{PART[stage]}.log.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, "\n".join(lines) + "\n")


def _newest(brought: Path, part: str) -> Path | None:
    """The folder of the part with the most steps among those that are complete."""
    whole = []
    for path in brought.glob(f"{part}-*/record.json"):
        record = _read(path)
        if all((path.parent / file["name"]).is_file() for file in record["files"]):
            whole.append((record["done"], record["step"], path.parent))
    return max(whole)[2] if whole else None


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read ({error}); give a folder that `collect` has filled.") from error
    return document


def swap_models(model: Path, to: Path) -> str:
    """Put a model folder where another is, once all its hashes are found to be right."""
    for name, value in read_config(model)[1].items():
        if not (model / name).is_file() or file_hash(model / name) != value:
            raise ValueError(f"{model / name} is missing or damaged; bring the results again.")
    replace_folder(model, to)
    return f"{to} is now the model of {model}"
