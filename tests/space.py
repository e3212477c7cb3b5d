"""The app as a Hugging Face Space would run it: from a fresh copy, in a container's environment.

python -m tests.space            # this environment's packages; prints what was measured
python -m tests.space --fresh    # the Python and the packages that the README's front matter and the lists name
python -m tests.space --resolve  # only asks whether these packages can be installed together

The copy is `git archive HEAD`. The environment holds what such a container has and nothing else: no secret, a home that
cannot be written to, port 7860 on every interface, a stand-in for the module of ZeroGPU, and no way out: each try to
reach another host is noted and refused.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "license")
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
HARDWARE = re.compile(r"cpu-(basic|upgrade)|zero-a10g|t4-(small|medium)|(l4|l40s|a10g|a100|h100|h200)[\w-]*")
SECRET = re.compile(r"\w*(?:TOKEN|SECRET|PASSWORD|API_?KEY|CREDENTIAL)\w*", re.IGNORECASE)
ENVIRON = re.compile(r"environ(?:\.get\(|\[)\s*f?[\"'](\w+)")
WAIT = 300.0  # seconds


def front_matter(folder: Path) -> dict[str, Any]:
    """What the README says of the Space; {} where it says nothing that can be read."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    try:
        matter = yaml.safe_load(found[1]) if found else {}
    except yaml.YAMLError:
        return {}
    return matter if isinstance(matter, dict) else {}


def problems(folder: Path) -> list[str]:
    """What would keep this folder from being a Space that anybody can duplicate."""
    matter = front_matter(folder)
    found = [f"the front matter lacks {name}" for name in NEEDED if not matter.get(name)]
    if found:
        return found
    if matter["sdk"] != "gradio":
        found.append(f"sdk is {matter['sdk']}")
    if not isinstance(matter["python_version"], str) or not _allowed(folder, matter["python_version"]):
        found.append(f"python_version {matter['python_version']!r} is none of the README's, written as a text")
    if not _fits(folder, "gradio", str(matter["sdk_version"])):
        found.append(f"sdk_version {matter['sdk_version']} does not fit requirements.txt")
    if not (folder / str(matter["app_file"])).is_file():
        found.append(f"there is no {matter['app_file']}")
    found += [f"{name} is no colour of a Space" for name in ("colorFrom", "colorTo") if matter[name] not in COLOURS]
    if len(str(matter.get("short_description", ""))) > 60:
        found.append("short_description has more than 60 letters")
    if not HARDWARE.fullmatch(str(matter.get("suggested_hardware", "cpu-basic"))):
        found.append(f"there is no hardware {matter['suggested_hardware']}")
    if not re.fullmatch(r"\d+[mh]", str(matter.get("startup_duration_timeout", "30m"))):
        found.append("startup_duration_timeout is no duration such as 30m")
    for name, version in _pins(folder / "pre-requirements.txt"):
        if not _fits(folder, name, version):
            found.append(f"pre-requirements.txt has {name} {version}, which requirements.txt refuses")
    for name in (folder / "packages.txt").read_text(encoding="utf-8").split():
        if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name):
            found.append(f"packages.txt: {name} is no Debian package")
    return found + [f"{name} is read, which is a secret" for name in environment_read(folder) if SECRET.fullmatch(name)]


def environment_read(folder: Path) -> list[str]:
    """The names that the app looks for in its environment."""
    sources = [folder / "app.py", *(folder / "maa").rglob("*.py")]
    return sorted({name for path in sources for name in ENVIRON.findall(path.read_text(encoding="utf-8"))})


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _fits(folder: Path, package: str, version: str) -> bool:
    """Whether requirements.txt takes this version of a package."""
    text = (folder / "requirements.txt").read_text(encoding="utf-8")
    line = re.search(rf"^{package}(?:\[\w+\])?((?:[<>=]=?[\d.]+,?)*)\s*$", text, re.MULTILINE)
    return line is not None and _inside(version, line[1])


def _allowed(folder: Path, version: str) -> bool:
    """Whether it is among the versions that the README says this runs on."""
    said = re.search(r"\(Python ([\d.]+) to ([\d.]+)\)", (folder / "README.md").read_text(encoding="utf-8"))
    return said is not None and _inside(version, f">={said[1]},<={said[2]}")


def _inside(version: str, bounds: str) -> bool:
    mine = _numbers(version)
    for sign, bound in re.findall(r"([<>=]=?)\s*([\d.]+)", bounds):
        other = _numbers(bound)
        here = mine[: len(other)] if sign in ("==", "<=") else mine
        if not {">=": here >= other, "<": here < other, "==": here == other, "<=": here <= other, ">": here > other}[
            sign
        ]:
            return False
    return True


def _pins(path: Path) -> list[tuple[str, str]]:
    return re.findall(r"^([\w-]+)==([\d.]+)\s*$", path.read_text(encoding="utf-8"), re.MULTILINE)


def unpacked(folder: Path) -> Path:
    """A fresh copy of what is committed."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
    return folder


def environment(scratch: Path, port: int, *, zero: bool) -> dict[str, str]:
    """What a Space's container gives to the app."""
    beside = [ROOT / "tests" / "container", *([ROOT / "tests" / "ui" / "stand_in"] if zero else [])]
    kept = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY") if name in os.environ}
    return {
        **kept,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/dev/null/home",  # in which nobody can write, not even root
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(str, beside)),
        "SYSTEM": "spaces",
        "SPACE_ID": "somebody/make-an-audio",
        "SPACE_HOST": "somebody-make-an-audio.hf.space",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_NUM_PORTS": "1",
        "MAA_OUTSIDE": str(scratch / "outside.txt"),
        **({"SPACES_ZERO_GPU": "true"} if zero else {}),
    }


@contextmanager
def running(python: Path, folder: Path, env: dict[str, str], *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The app in this folder and environment, and where it listens; it is killed at the end if it still runs."""
    process = subprocess.Popen(
        [str(python), "app.py", *more], cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield process, f"http://127.0.0.1:{env['GRADIO_SERVER_PORT']}"
    finally:
        process.kill()
        process.wait(30)


def usable(process: subprocess.Popen[str], url: str) -> float:
    """Seconds until the page is served.

    Raises:
        RuntimeError: the app ended, or needs too long.
    """
    began = time.monotonic()
    while time.monotonic() - began < WAIT:
        if process.poll() is not None:
            raise RuntimeError(
                f"The app ended with {process.returncode}: {process.stdout.read() if process.stdout else ''}"
            )
        try:
            if "Make-An-Audio" in httpx.get(url, timeout=5).text:
                return time.monotonic() - began
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError("The page does not come.")


def sound(url: str, **how: Any) -> float:
    """Seconds that one sound takes, asked for as a program does."""
    from gradio_client import Client

    began = time.monotonic()
    client = Client(url, verbose=False, download_files=False)
    made, settings = client.predict("a dog barks", api_name="/text_to_audio", **how)
    assert settings["prompt"] == "a dog barks" and made
    return time.monotonic() - began


def ended(process: subprocess.Popen[str]) -> str:
    """Ctrl-C twice; what the app has said since it was there."""
    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    # Before that Gradio looks for what lets a Space load changed code anew, which the stand-in has not.
    return said.partition("Make-An-Audio is at")[2]


def outside(env: dict[str, str]) -> list[str]:
    """Which other hosts were asked for."""
    noted = Path(env["MAA_OUTSIDE"])
    return noted.read_text(encoding="utf-8").splitlines() if noted.is_file() else []


def interpreter(version: str) -> Path:
    """A Python of this version on this machine.

    Raises:
        ValueError: there is none.
    """
    names = [shutil.which(f"python{version}"), *map(str, Path("/root/.pyenv/versions").glob(f"{version}.*/bin/python"))]
    for name in filter(None, names):
        told = subprocess.run(
            [name, "-c", "import sys; print(*sys.version_info[:2], sep='.')"], capture_output=True, text=True
        )
        if told.stdout.strip() == version:
            return Path(name)
    raise ValueError(f"There is no Python {version} on this machine.")


def installed(folder: Path, place: Path, *, dry: bool = False) -> Path:
    """A new environment as the Space makes it; `dry` = only look whether all of it goes together."""
    matter = front_matter(folder)
    subprocess.run([str(interpreter(matter["python_version"])), "-m", "venv", str(place)], check=True)
    python = place / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-q", *(["--dry-run"] if dry else [])]
    lists = ["-r", "pre-requirements.txt", "-r", "requirements.txt", f"gradio=={matter['sdk_version']}"]
    for some in [lists] if dry else [lists[:2], lists[4:], lists[2:4]]:
        subprocess.run([*pip, *some], cwd=folder, check=True)
    return python


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="make an environment as the Space does; several gigabytes")
    parser.add_argument("--resolve", action="store_true", help="only ask whether the packages go together")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--model", default="small", help="tiny = random weights, to be quick")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="maa-space-") as name:
        scratch = Path(name)
        folder = unpacked(scratch / "app")
        wrong = problems(folder)
        print(f"README and lists: {'; '.join(wrong) or 'good'}")
        print(f"environment that is read: {', '.join(environment_read(folder))}")
        if options.resolve:
            installed(folder, scratch / "venv", dry=True)
            print(f"packages: go together on Python {front_matter(folder)['python_version']}")
            return 1 if wrong else 0
        python = installed(folder, scratch / "venv") if options.fresh else Path(sys.executable)
        for zero in (False, True):
            wrong += rehearsed(python, folder, scratch / ("zero" if zero else "cpu"), options, zero=zero)
    return 1 if wrong else 0


def rehearsed(python: Path, folder: Path, scratch: Path, options: argparse.Namespace, *, zero: bool) -> list[str]:
    """One start: what was measured is printed, what is wrong comes back."""
    scratch.mkdir()
    env = environment(scratch, options.port, zero=zero)
    before = {path for path in folder.rglob("*") if path.is_file()}
    print(f"\n{'ZeroGPU stand-in' if zero else 'CPU'}:")
    with running(python, folder, env, "--model", options.model) as (process, url):
        rows = {"page usable after": usable(process, url), "first sound after that": sound(url), "another": sound(url)}
        said = ended(process)
    for what, seconds in rows.items():
        print(f"  {what:24}{seconds:7.1f} s")
    written = {path for path in folder.rglob("*") if path.is_file()} - before
    wrong = [f"asked for {line}" for line in outside(env)]
    wrong += [f"wrote {path.relative_to(folder)} beside the app" for path in written]
    wrong += ["a trace was printed"] if "Traceback" in said else []
    for line in wrong or ["nothing outside was asked for, nothing written beside the app, no trace at the end"]:
        print(f"  {line}")
    if wrong:
        print(said)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
