"""One model folder in another's place, so that a program may be killed at any moment.

Beside `<to>` there is `<to>.new` while the new one is put together. Where the system swaps two folders in one step
(Linux), `<to>` opens at every moment; elsewhere there is no `<to>` for a moment, but `<to>.old` and a whole `<to>.new`,
and `recover` ends it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def recover(to: Path) -> None:
    """Finish, or take back, a replacement that was cut off; called before anything reads `to`."""
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
    to, new, _ = _places(to)
    new.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(made, new)
    if to.exists():
        for path in to.iterdir():
            # Weights of another run, whole or in shards, would contradict the new ones.
            if ".safetensors" not in path.name and not (new / path.name).exists():
                _take(path, new / path.name)
    _put(to)


@contextmanager
def changed_folder(to: Path) -> Iterator[Path]:
    """A copy of the model folder `to` to change; it takes the place of `to` when the block ends well.

    Its files may be the very same as those of `to`, so they have to be replaced and not written into.
    """
    recover(to)
    to, new, _ = _places(to)
    _take(to, new)
    try:
        yield new
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    _put(to)


def _put(to: Path) -> None:
    """`<to>.new`, which is complete, to `to`; the old one goes."""
    to, new, old = _places(to)
    if not to.exists():
        os.rename(new, to)
    elif _swap(new, to):
        shutil.rmtree(new)
    else:
        os.rename(to, old)
        os.rename(new, to)
        shutil.rmtree(old)


def _swap(one: Path, other: Path) -> bool:
    """Let two folders change their names in one step; False, with nothing done, where the system has none for it."""
    if sys.platform != "linux":
        return False
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    return call is not None and call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


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
