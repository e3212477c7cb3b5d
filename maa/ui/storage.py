"""The disk that uploads, results and zips may take: a limit for all, a share for each visitor, and the oldest go first.

Everything lies in Gradio's upload folder: a folder for every upload, named by its hash, and `takes/` with a folder for
every take and every zip.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from gradio.utils import get_upload_folder

LIMIT_GB = 20.0  # unless MAA_DISK_GB says otherwise
SPARE = 2**29  # bytes that stay free on the disk, for jobs that are on their way
DAY, HOUR = 86_400.0, 3600.0  # seconds
FRESH = HOUR  # for so long nothing is deleted to make room
COUNTED = 10.0  # seconds for which a count is good enough
VISITORS = 1000  # whose shares are remembered
NO_ROOM = "The server's disk is nearly full. Please try again later; what is kept goes after a day."
NO_SHARE = "Your uploads and results of the last hour fill your share of the server's disk. Please try again later."
VISITOR: ContextVar[str] = ContextVar("visitor", default="")  # whose job this is; "" = nobody's that counts
_UPLOAD = re.compile(r"[0-9a-f]{32,128}")  # Gradio's folder of an upload, and ours of a take
_PARTIAL = re.compile(r"tmp[a-z0-9_]{8}")  # an upload that has not ended, or never did


@dataclass(frozen=True)
class Kept:
    """What is kept or deleted as a whole."""

    path: Path
    size: int  # bytes
    changed: float  # seconds since 1970


@dataclass
class Storage:
    """Counts what is kept, and makes room. One for a process; every method may be called from any thread."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counts: dict[Path, tuple[float, int]] = field(default_factory=dict)  # folder -> when (monotonic), bytes
    _shares: OrderedDict[str, deque[tuple[float, int]]] = field(default_factory=OrderedDict)
    _swept: float = 0.0  # monotonic

    def room_for(self, size: int) -> bool:
        """Whether `size` more bytes may be kept. Where not, what is older than an hour goes first, the oldest first."""
        with self._lock:
            if self._fits(size):
                return True
            folder = upload_root()
            most = max(0, limit() * 9 // 10 - size)
            kept = sum(entry.size for entry in entries(folder))
            for entry in sorted(entries(folder), key=lambda one: one.changed):
                if time.time() - entry.changed < FRESH or (kept <= most and _free() > size + SPARE):
                    break
                _delete(entry)
                kept -= entry.size
            self._counts.pop(folder, None)
            return self._fits(size)

    def refusal(self, visitor: str, size: int) -> str | None:
        """Why a visitor may not keep `size` more bytes now; None where they may."""
        if not self.room_for(size):
            return NO_ROOM
        return None if self.held_by(visitor) + size <= limit() // 4 else NO_SHARE

    def add(self, visitor: str, size: int) -> None:
        """Note that `size` bytes more are kept, for a visitor."""
        with self._lock:
            folder = upload_root()
            when, held = self._counts.get(folder, (0.0, 0))
            self._counts[folder] = when, held + size
            if not visitor or _is_alone(visitor):
                return
            self._shares.setdefault(visitor, deque()).append((time.monotonic(), size))
            self._shares.move_to_end(visitor)
            while len(self._shares) > VISITORS:
                self._shares.popitem(last=False)

    def held_by(self, visitor: str) -> int:
        """Bytes of a visitor's last hour."""
        with self._lock:
            own = self._shares.get(visitor)
            while own and time.monotonic() - own[0][0] > HOUR:
                own.popleft()
            return sum(size for _, size in own or ())

    def sweep(self, age: float = DAY, every: float = HOUR) -> None:
        """Delete what is older than `age` seconds, and uploads that broke off an hour ago, at most every so often."""
        with self._lock:
            if self._swept and time.monotonic() - self._swept < every:
                return
            self._swept = time.monotonic()
            for entry in entries(upload_root()):
                old = time.time() - entry.changed
                if old > age or (old > FRESH and _PARTIAL.fullmatch(entry.path.name)):
                    _delete(entry)
            self._counts.clear()

    def _fits(self, size: int) -> bool:
        folder = upload_root()
        when, held = self._counts.get(folder, (0.0, 0))
        if not when or time.monotonic() - when > COUNTED:
            held = sum(entry.size for entry in entries(folder))
            self._counts = {folder: (time.monotonic(), held)}
        return held + size <= limit() and _free() > size + SPARE


STORAGE = Storage()


def upload_root() -> Path:
    """The folder of all that is kept."""
    return Path(get_upload_folder())


def limit() -> int:
    """Bytes that may be kept at once.

    Raises:
        ValueError: MAA_DISK_GB is no positive number.
    """
    given = os.environ.get("MAA_DISK_GB", "")
    try:
        gigabytes = float(given) if given else LIMIT_GB
    except ValueError:
        gigabytes = -1.0
    if not 0 < gigabytes < 1e9:
        raise ValueError(f"MAA_DISK_GB must be a positive number of gigabytes, not {given[:60]!r}.")
    return int(gigabytes * 1e9)


def entries(folder: Path) -> list[Kept]:
    """Everything that is kept; a file that lies in two places counts once."""
    seen: set[tuple[int, int]] = set()
    found = []
    for path in (*_children(folder), *_children(folder / "takes")):
        partial = _PARTIAL.fullmatch(path.name) and folder != Path(tempfile.gettempdir()) and path.is_file()
        if not partial and not _UPLOAD.fullmatch(path.name):
            continue
        try:
            size, changed = 0, path.stat().st_mtime
            for file in [path] if partial else path.rglob("*"):
                stat = file.stat()
                if (stat.st_dev, stat.st_ino) not in seen:
                    seen.add((stat.st_dev, stat.st_ino))
                    size += stat.st_size
        except OSError:  # gone in the meantime
            continue
        found.append(Kept(path, size, changed))
    return found


def size_of(folder: Path) -> int:
    """Bytes of what lies in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _children(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:
        return


def _free() -> int:
    """Bytes that are free on the disk."""
    upload_root().mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(upload_root()).free


def _is_alone(visitor: str) -> bool:
    """Whether this is the person whose computer the server runs on, who shares it with nobody."""
    try:
        return ip_address(visitor).is_loopback
    except ValueError:
        return False


def _delete(entry: Kept) -> None:
    if entry.path.is_dir():
        shutil.rmtree(entry.path, ignore_errors=True)
    else:
        entry.path.unlink(missing_ok=True)
