"""A model folder replaced by another in one step, so that whoever is cut off leaves one that opens.

Beside `<to>` there is `<to>.new` while the new one is put together, and for a moment `<to>.old`. `recover` tidies up
what a killed run has left, and is called before anything reads `<to>`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def recover(to: Path) -> None:
    """Finish, or take back, a replacement that was cut off."""
    to, new, old = _places(to)
    if old.exists() and not to.exists():
        # The old folder only steps aside for one that is complete.
        os.rename(new if new.exists() else old, to)
    for left in (new, old):
        if left.exists():
            shutil.rmtree(left)


def replace_folder(made: Path, to: Path) -> None:
    """Put a copy of the model folder `made` where `to` is; files in `to` that are no part of a model stay.

    At every moment either `to` opens, or `recover(to)` brings it back.
    """
    recover(to)
    to, new, old = _places(to)
    new.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(made, new)
    if to.exists():
        for path in to.iterdir():
            # Weights of another run, whole or in shards, would contradict the new ones.
            if ".safetensors" not in path.name and not (new / path.name).exists():
                _take(path, new / path.name)
        os.rename(to, old)
    os.rename(new, to)
    if old.exists():
        shutil.rmtree(old)


def _take(path: Path, to: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, to, copy_function=_link)
    else:
        _link(path, to)


def _link(source: str | Path, to: str | Path) -> None:
    """The same file under a second name, or a copy where there are no such names."""
    try:
        os.link(source, to)
    except OSError:
        shutil.copy2(source, to)


def _places(to: Path) -> tuple[Path, Path, Path]:
    to = to.resolve()
    return to, to.with_name(f"{to.name}.new"), to.with_name(f"{to.name}.old")
