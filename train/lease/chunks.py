"""What training needs, in numbered files of a limited size, and back again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from maa.aside import write_text
from maa.checkpoint import CONFIG, TOKENIZER, file_hash, index_of, weight_files
from maa.config import PRESETS, ModelConfig
from maa.models.aisfx import AisfxEncoder
from train.data import Library
from train.data.features import features_file, sound_features
from train.data.library import RATE, cache_name
from train.lease.codec import decode_samples, encode_samples
from train.package import load_frozen
from train.small import PART, PRESETS_OF_TIME

PLAN = "plan.json"
FAR = "far"  # folder of the far machine's own files: data/, parts/, model/, runs/
LIBRARY = "data/library.coded.npz"
READY = "unpacked"  # holds the plan's hash once everything is in place
MEGABYTE = 1_000_000
BLOCK = 1 << 20


def pack_chunks(library: Path, parts: Path, model: Path, to: Path, chunk_bytes: int, preset: str) -> list[str]:
    """Write `plan.json` and the chunks into `to`; returns what to say about them.

    Args:
        library, parts: as for `train.small`. model: the earlier weights; a folder without any is fine.
        preset: names the configuration that is going to be trained.
    """
    to.mkdir(parents=True, exist_ok=True)
    for path in to.glob("chunk-*.bin"):
        path.unlink()
    config = PRESETS[PRESETS_OF_TIME[preset].config]
    held = Library.open(library, rate=config.audio.sample_rate)
    if held.streamed:
        raise ValueError(f"{library} is in shards, which are too much to carry; build it with --in-memory.")
    files = {f"parts/{path.name}": path for part in ("text", "clap_audio") for path in _weights(parts, part)}
    files[f"parts/{TOKENIZER}"] = parts / TOKENIZER
    vectors = _vectors(held, config, parts, to)
    files[f"parts/{vectors.name}"] = vectors
    if (model / CONFIG).is_file():
        files[f"model/{CONFIG}"] = model / CONFIG
        files |= {f"model/{path.name}": path for part in PART.values() for path in _weights(model, part)}
    coded = to / "library.coded.npz"
    ratio = _code(library / cache_name(held.rate), coded) / max(1, held.samples.nbytes)
    files[LIBRARY] = coded
    plan = {
        "preset": preset,
        "files": [
            {"path": name, "bytes": path.stat().st_size, "sha256": file_hash(path)} for name, path in files.items()
        ],
        "chunks": list(_write_chunks(list(files.values()), to, chunk_bytes)),
    }
    coded.unlink()
    write_text(to / PLAN, json.dumps(plan, indent=1) + "\n")
    minutes = len(held.samples) / held.rate / 60
    said = [f"{len(held.rows)} recordings, {minutes:.1f} minutes: {100 * ratio:.1f} % of their size as int16, lossless"]
    return said + _calls(plan, to)


def _vectors(library: Library, config: ModelConfig, parts: Path, to: Path) -> Path:
    """The file of what the sound encoder says of the recordings, so that the far side listens to none of them.

    Training here leaves it among the parts; else it is made (minutes on a CPU) and kept in `to` for the next time.
    """
    if (known := features_file(library, parts)).is_file():
        return known
    encoder = load_frozen(config, "clap_audio", parts)
    assert isinstance(encoder, AisfxEncoder)
    sound_features(library, encoder, config.audio.sample_rate, to)
    return features_file(library, to)


def _weights(folder: Path, part: str) -> list[Path]:
    found = weight_files(folder, part)
    return [*found, index_of(folder, part)] if len(found) > 1 else found


def _code(cached: Path, to: Path) -> int:
    """The library's file with its samples coded; the number of bytes."""
    with np.load(cached, allow_pickle=False) as file:
        others = {f"other-{name}": file[name] for name in file.files if name != "samples"}
        arrays: dict[str, Any] = others | encode_samples(file["samples"])
    np.savez_compressed(to, **arrays)
    return to.stat().st_size


def _write_chunks(paths: list[Path], to: Path, size: int) -> Iterator[dict[str, Any]]:
    """All files one after another, cut into chunks of at most `size` bytes."""
    number, left = 0, 0
    stream, digest = None, hashlib.sha256()
    for path in paths:
        with path.open("rb") as source:
            while block := source.read(min(BLOCK, left or size)):
                if stream is None:
                    number, left, digest = number + 1, size, hashlib.sha256()
                    stream = (to / f"chunk-{number:03d}.bin").open("wb")
                stream.write(block)
                digest.update(block)
                left -= len(block)
                if left == 0:
                    stream.close()
                    yield {"name": Path(stream.name).name, "bytes": size, "sha256": digest.hexdigest()}
                    stream = None
    if stream is not None:
        stream.close()
        yield {"name": Path(stream.name).name, "bytes": size - left, "sha256": digest.hexdigest()}


def _calls(plan: dict[str, Any], to: Path) -> list[str]:
    """Which paths go into which call."""
    last = len(plan["chunks"])
    lines = []
    for number, chunk in enumerate(plan["chunks"], 1):
        then = "unpack && start" if number == last else "unpack"
        size = chunk["bytes"] / MEGABYTE
        lines.append(f"call {number}: carry {to / PLAN} {to / chunk['name']} ({size:.1f} MB), then {then}")
    tree = tree_bytes()
    if tree is not None:
        lines.append(f"each call carries this folder too: {tree / MEGABYTE:.1f} MB, of which checkpoints/ can stay out")
    return lines


def tree_bytes() -> int | None:
    """Size of the files here that version control does not ignore; None where there is none."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        return None
    return sum(os.lstat(name).st_size for name in listed if name and os.path.lexists(name))


def unpack_chunks(at: Path) -> str:
    """Put together what the chunks in `at` hold, in `at`/far; nothing to do when that is done already.

    Raises:
        ValueError: chunks are missing or damaged; the sentence names them.
    """
    plan, far = read_plan(at), at / FAR
    if is_ready(at):
        return f"everything is in place in {far}"
    chunks = [(at / chunk["name"], chunk) for chunk in plan["chunks"]]
    damaged = [path.name for path, chunk in chunks if path.is_file() and file_hash(path) != chunk["sha256"]]
    if damaged:
        raise ValueError(f"Damaged in {at}: {', '.join(damaged)}; carry {'them' if damaged[1:] else 'it'} again.")
    missing = [path.name for path, _ in chunks if not path.is_file()]
    if missing:
        count = f"{len(missing)} of {len(chunks)}"
        raise ValueError(f"Missing in {at}: {', '.join(missing)} ({count} chunks); carry them and unpack again.")
    for folder in ("data", "parts", "model"):
        shutil.rmtree(far / folder, ignore_errors=True)
    _join([path for path, _ in chunks], plan["files"], far)
    with np.load(far / LIBRARY, allow_pickle=False) as file:
        coded = {name: file[name] for name in file.files}
    others = {name.removeprefix("other-"): coded.pop(name) for name in list(coded) if name.startswith("other-")}
    rate = int(others["rate"]) if "rate" in others else RATE
    np.savez(far / "data" / cache_name(rate), samples=decode_samples(coded), **others)
    write_text(far / READY, _hash_of(at))  # the last of all: before it, everything is unpacked again
    return f"{len(chunks)} chunks unpacked into {far}"


def _join(chunks: list[Path], files: list[dict[str, Any]], far: Path) -> None:
    def blocks() -> Iterator[bytes]:
        for path in chunks:
            with path.open("rb") as stream:
                while block := stream.read(BLOCK):
                    yield block

    source, held = blocks(), b""
    for file in files:
        path, left, digest = far / file["path"], file["bytes"], hashlib.sha256()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            while left:
                held = held or next(source)
                piece, held = held[:left], held[left:]
                stream.write(piece)
                digest.update(piece)
                left -= len(piece)
        if digest.hexdigest() != file["sha256"]:
            raise ValueError(f"{path} is not what was packed; pack again.")


def read_plan(at: Path) -> dict[str, Any]:
    """The plan in a folder; ValueError without one."""
    try:
        plan: dict[str, Any] = json.loads((at / PLAN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"There is no plan at {at / PLAN} ({error}); carry it, or pack first.") from error
    return plan


def is_ready(at: Path) -> bool:
    """True when this very plan has been unpacked."""
    mark = at / FAR / READY
    return mark.is_file() and mark.read_text(encoding="utf-8") == _hash_of(at)


def _hash_of(at: Path) -> str:
    return file_hash(at / PLAN)
