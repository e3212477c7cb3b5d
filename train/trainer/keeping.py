"""What a run leaves on the disk to go on from, so that it can be killed at any moment and says what is damaged."""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from maa.aside import aside
from maa.foreign import foreign
from train.trainer.updates import StateDict

if sys.platform != "win32":
    import fcntl


def save_weights(values: StateDict, path: Path) -> None:
    """One safetensors file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with aside(path, path.with_suffix(".tmp").name) as neighbour:
        save_file({name: value.detach().cpu().contiguous() for name, value in values.items()}, neighbour)


def save_state(content: dict[str, Any], path: Path) -> None:
    """What resuming needs, whole or not at all."""
    with aside(path, path.with_suffix(".tmp").name) as neighbour:
        torch.save(content, neighbour)


def read_state(path: Path) -> dict[str, Any]:
    """What `save_state` wrote, on the CPU.

    Raises:
        ValueError: there is none, or it is damaged, be it in one bit: its parts carry checksums.
    """
    if not path.is_file():
        raise ValueError(f"There is no state to resume from at {path}; start without --resume.")
    with foreign(f"{path} is damaged; delete it, and start again without --resume."):
        with zipfile.ZipFile(path) as parts:
            if parts.testzip() is not None:
                raise ValueError
        content = torch.load(path, weights_only=True, map_location="cpu")
        if not isinstance(content, dict):
            raise ValueError
    return content


@contextmanager
def alone_in(folder: Path, what: str) -> Iterator[None]:
    """Be the only process that does `what` in a folder: two would write over each other's files.

    The lock is the system's and goes with the process, however that ends.

    Raises:
        ValueError: another process does it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{what}.lock").open("a") as file:
        if sys.platform != "win32":
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ValueError(f"Another process runs {what} in {folder}; wait for it, or stop it first.") from error
        yield


@contextmanager
def one_line(parser: argparse.ArgumentParser) -> Iterator[None]:
    """A mistake of the user, or a damaged file, as one line on stderr and exit code 2."""
    try:
        yield
    except ValueError as error:
        parser.exit(2, " ".join(str(error).split()) + "\n")
