"""Fetch the recordings: download Debian packages, unpack them and the archives in them, check every file's hash."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from train.data.archives import read_inside
from train.data.check import Findings, verify
from train.data.manifest import Row

STANDARD = Path("data/recordings")
ILLUSTRATED = ("tuxpaint-stamps-default",)  # packages with pictures of what is heard, beside the recordings
PACKAGES = ".packages"  # below the recordings: downloads in progress, so that a stopped one can go on


@dataclass(frozen=True)
class Fetched:
    """What a fetch found."""

    present: int  # recordings that are there and equal the manifest's
    problems: list[str] = field(default_factory=list)  # one sentence for each recording or package that is not
    findings: Findings = field(default_factory=Findings)  # the same for recordings, by kind


def fetch(rows: list[Row], to: Path = STANDARD, source: Path | None = None) -> Fetched:
    """Bring every recording of `rows` into `to`/package/usr/share/….

    Packages whose recordings are all there already are not fetched again, and a download that was interrupted goes on,
    so a run can be stopped and repeated.

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
    with tqdm(total=len(rows), unit=" recordings", disable=None) as bar:
        for package, own in packages.items():
            if _is_here(package, own, to):
                shutil.rmtree(to / PACKAGES / package, ignore_errors=True)  # of a run that was killed at its end
            else:
                bar.set_description(package)
                problems += _bring(package, own, to, source)
            bar.update(len(own))
    if (to / PACKAGES).is_dir() and not any((to / PACKAGES).iterdir()):
        (to / PACKAGES).rmdir()
    findings = Findings()
    present = sum(_check(row, to, findings) for row in tqdm(rows, desc="checking", unit=" recordings", disable=None))
    return Fetched(present, problems + [str(problem) for problem in findings.problems], findings)


def _is_here(package: str, rows: list[Row], to: Path) -> bool:
    """Whether nothing of a package is missing: neither a recording nor, where it has some, its pictures."""
    illustrated = package not in ILLUSTRATED or any((to / row.path).with_suffix(".png").is_file() for row in rows)
    return illustrated and all((to / row.path).is_file() for row in rows)


def _bring(package: str, rows: list[Row], to: Path, source: Path | None) -> list[str]:
    """Put one package's recordings in place; returns what went wrong, in sentences."""
    folder = to / PACKAGES / package  # beside the goal: packages are large
    folder.mkdir(parents=True, exist_ok=True)
    unpacked = folder / "unpacked"
    if source is not None and (source / package).is_dir():
        unpacked = source / package
    else:
        archive = _archive(package, folder, source)
        if archive is None:
            where = "apt-get does not offer it" if source is None else f"{source} does not hold it"
            return [f"Package {package} is missing: {where}."]
        unpack = _run(["dpkg", "-x", str(archive), str(unpacked)])
        if unpack.returncode:
            return [f"Package {package} could not be unpacked: {_last_line(unpack.stderr)}"]
    problems = [problem for row in rows if (problem := _place(row, unpacked, to, folder / "part"))]
    shutil.rmtree(folder)
    return list(dict.fromkeys(problems))


def _place(row: Row, unpacked: Path, to: Path, part: Path) -> str | None:
    """Copy one recording out of its package, and out of the archive in it; a picture of its source comes along.

    Both are written to `part` and renamed: a recording has a hash to be known by, but half a picture would stay.
    """
    goal, inside = to / row.path, PurePosixPath(row.path.relative_to(row.package).as_posix())
    picture = unpacked / inside.with_suffix(".png")
    if picture.is_file() and not goal.with_suffix(".png").exists():
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, part)
        os.replace(part, goal.with_suffix(".png"))
    if goal.is_file():
        return None
    try:
        data = read_inside(unpacked, inside)
    except ValueError as error:
        return str(error)
    if data is not None:
        goal.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, goal)
    return None


def _archive(package: str, folder: Path, source: Path | None) -> Path | None:
    """The package's .deb file, from `source` or downloaded into `folder`."""
    if source is None:
        _download(package, folder)
    return max((source or folder).glob(f"{package}_*.deb"), default=None)


def _download(package: str, folder: Path) -> None:
    """Let apt-get bring a package into `folder`, with a bar of its bytes; a part that is there already is kept."""
    told = _run(["apt-get", "download", "--print-uris", package], cwd=folder).stdout.split()
    size = int(told[2]) if len(told) > 2 and told[2].isdigit() else None
    process = subprocess.Popen(
        ["apt-get", "download", "-q", package], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with tqdm(total=size, desc=package, unit="B", unit_scale=True, leave=False, disable=None) as bar:
            while process.poll() is None:
                bar.update(sum(part.stat().st_size for part in folder.glob("*.deb*")) - bar.n)
                time.sleep(0.2)
    finally:
        process.terminate()


def _run(command: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    if shutil.which(command[0]) is None:
        raise ValueError(
            f"{command[0]} is missing, and the recordings come in Debian packages: "
            "run this on Debian or Ubuntu (a container will do), or give folders of unpacked packages with --from."
        )
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason was given."])[-1]


def _check(row: Row, to: Path, findings: Findings) -> bool:
    """Whether a recording is good; a different file is removed, so training never sees it."""
    path = to / row.path
    data = path.read_bytes() if path.is_file() else None
    good = verify(row.path.as_posix(), data, row.sha256, row.version, findings)
    if not good:
        path.unlink(missing_ok=True)
    return good
