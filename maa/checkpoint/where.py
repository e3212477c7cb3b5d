"""Where a model's folder is, how its files are called, and what its description says: all that needs no PyTorch."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from maa import hub
from maa.config import ModelConfig
from maa.foreign import foreign

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
CLAP_TOKENIZER = "clap_tokenizer.json"  # only where the CLAP reads otherwise than the text encoder does
CONCEPTS = "concepts.json"
SUSTAINED = "sustained.json"  # those of them, and other names, that go on without a pause
CLIP = "vision"  # a folder with an open_clip model; where there is one, it hears pictures instead of the classifier
EXPERTS = ("image", "inpaint", "words")


def root() -> Path:
    """The folder that holds the named checkpoints: MAA_CHECKPOINTS, else `checkpoints` beside the package."""
    return Path(os.environ.get("MAA_CHECKPOINTS") or Path(__file__).resolve().parents[2] / "checkpoints")


def find(name: str) -> Path:
    """The folder of a model: a path, a name under `root()`, or a hub id such as "user/model" (downloaded once)."""
    for folder in (Path(name).expanduser(), root() / name):
        if (folder / CONFIG).is_file():
            return folder
    if hub.is_id(name):
        return hub.download(name)
    known = sorted(path.parent.name for path in root().glob(f"*/{CONFIG}"))
    have = ", ".join([*known, "tiny"])
    raise ValueError(f"There is no model {name!r} (no {CONFIG} in that folder); choose {have}, or give a folder.")


def called(name: str, folder: Path) -> str:
    """What to call the model that `find` has found: its hub id, or its folder's own name."""
    return name if hub.is_id(name) else folder.resolve().name


def address(name: str, folder: Path | None) -> str:
    """What `find` takes, in any working folder, to open a model again: its name, or its path where that is too little.

    Args:
        name: what `called` says.
        folder: where it was read from; None = nowhere.
    """
    if folder is None or hub.is_id(name) or folder.resolve().parent == root().resolve():
        return name
    return str(folder.resolve())


def read_config(folder: Path) -> tuple[ModelConfig, dict[str, str]]:
    """What a folder's model is, and the sha256 of each file. ValueError when the description is damaged."""
    try:
        document = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return ModelConfig.from_json(document["model"]), _hashes(document.get("files", {}))
    except Exception as error:  # whatever damage makes of it
        reason = (str(error) or type(error).__name__)[:200]
        raise ValueError(f"{folder / CONFIG} is not a model description ({reason}); restore it.") from error


def _hashes(files: Any) -> dict[str, str]:
    if not isinstance(files, dict) or not all(isinstance(value, str) for value in files.values()):
        raise ValueError("no hashes of files")
    return dict(files)


def names(path: Path) -> tuple[str, ...]:
    """A list of names; none where there is no such file.

    Raises:
        ValueError: it is damaged.
    """
    if not path.is_file():
        return ()
    damaged = f"{path} is not a list of names; restore it."
    with foreign(damaged):
        listed = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise ValueError(damaged)
    return tuple(listed)


def file_hash(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(stream)


def _digest(stream: Any) -> str:
    digest = hashlib.sha256()  # Python 3.10 has no hashlib.file_digest
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
