"""Fetch the recordings: download Debian packages, unpack them, and check every file against the manifest."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from train.data.manifest import Row

STANDARD = Path("data/recordings")


@dataclass(frozen=True)
class Report:
    """What a fetch found."""

    present: int  # recordings that are there and equal the manifest's
    problems: list[str] = field(default_factory=list)  # one sentence for each recording or package that is not


def fetch(rows: list[Row], to: Path = STANDARD, source: Path | None = None) -> Report:
    """Bring every recording of `rows` into `to`/package/usr/share/….

    Packages whose recordings are all there already are not fetched again, so an interrupted run can be repeated.

    Args:
        source: a folder with `.deb` files, or with packages unpacked into folders of their names; None downloads
            with apt-get.

    Raises:
        ValueError: a tool is missing, or `source` is not a folder.
    """
    if source is not None and not source.is_dir():
        raise ValueError(f"{source} is not a folder; give the folder that holds the .deb files.")
    packages: dict[str, list[Row]] = {}
    for row in rows:
        packages.setdefault(row.package, []).append(row)
    problems: list[str] = []
    for number, (package, own) in enumerate(packages.items(), 1):
        if not all((to / row.path).is_file() for row in own):
            print(f"[{number}/{len(packages)}] {package}: {len(own)} recordings", flush=True)
            problems += _bring(package, own, to, source)
    found = [_check(row, to) for row in rows]
    return Report(found.count(None), problems + [sentence for sentence in found if sentence])


def _bring(package: str, rows: list[Row], to: Path, source: Path | None) -> list[str]:
    """Put one package's recordings in place; returns what went wrong, in sentences."""
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to, prefix=".unpacking-") as folder:  # beside the goal: packages are large
        unpacked = Path(folder) / "unpacked"
        if source is not None and (source / package).is_dir():
            unpacked = source / package
        else:
            archive = _archive(package, Path(folder), source)
            if archive is None:
                where = "apt-get does not offer it" if source is None else f"{source} does not hold it"
                return [f"Package {package} is missing: {where}."]
            unpack = _run(["dpkg", "-x", str(archive), str(unpacked)])
            if unpack.returncode:
                return [f"Package {package} could not be unpacked: {_last_line(unpack.stderr)}"]
        for row in rows:
            inside = unpacked / row.path.relative_to(package)
            if inside.is_file():
                goal = to / row.path
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(inside, goal)
    return []


def _archive(package: str, folder: Path, source: Path | None) -> Path | None:
    """The package's .deb file, from `source` or downloaded into `folder` (apt-get shows its own progress)."""
    if source is None:
        _run(["apt-get", "download", package], cwd=folder, quiet=False)
    return max((source or folder).glob(f"{package}_*.deb"), default=None)


def _run(command: list[str], cwd: Path | None = None, quiet: bool = True) -> subprocess.CompletedProcess[str]:
    if shutil.which(command[0]) is None:
        raise ValueError(
            f"{command[0]} is missing, and the recordings come in Debian packages: "
            "run this on Debian or Ubuntu (a container will do), or give folders of unpacked packages with --from."
        )
    return subprocess.run(command, cwd=cwd, capture_output=quiet, text=True, check=False)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason was given."])[-1]


def _check(row: Row, to: Path) -> str | None:
    """None for a good recording, else a sentence. A different file is removed, so training never sees it."""
    path = to / row.path
    if not path.is_file():
        return f"{row.path} is missing."
    if hashlib.sha256(path.read_bytes()).hexdigest() != row.sha256:
        path.unlink()
        return f"{row.path} differs from the one in version {row.version} that the manifest describes; it was left out."
    return None
