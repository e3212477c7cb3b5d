"""Processes that are killed (SIGKILL) at random moments, and what they run."""

from __future__ import annotations

import importlib
import itertools
import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from maa.aside import write_bytes
from maa.folders import changed_folder, replace_folder
from tests.train.fake_experts import distil
from train import evaluate, generate, small
from train.data import fetch
from train.data.__main__ import main as data_main
from train.listening_test.desk import RatingDesk
from train.listening_test.material import open_material
from train.listening_test.store import FILE, Store
from train.package import put_together

# A server that has imported all of it and computed nothing: copies of it start at once.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.train.killing"])


def begin(target: Callable[..., Any], *args: Any) -> Any:
    """A process that runs a function of this module."""
    process = CONTEXT.Process(target=target, args=args, daemon=True)
    process.start()
    return process


def run(target: Callable[..., Any], *args: Any) -> float:
    """To its end, which has to be a good one; the seconds."""
    started = time.monotonic()
    process = begin(target, *args)
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - started


def killed(moment: float, target: Callable[..., Any], *args: Any) -> bool:
    """Kill it after so many seconds; True when it was still at work."""
    process = begin(target, *args)
    process.join(moment)
    process.kill()
    process.join()
    return bool(process.exitcode != 0)


def killed_at(lines: int, log: Path, target: Callable[..., Any], *args: Any) -> bool:
    """Kill it when it has written so many lines to a log; True when it was still at work."""
    before = len(log.read_text().splitlines()) if log.is_file() else 0
    process = begin(target, *args)
    while process.is_alive() and (len(log.read_text().splitlines()) if log.is_file() else 0) < before + lines:
        time.sleep(0.002)
    process.kill()
    process.join()
    return bool(process.exitcode != 0)


def moments(seed: int, count: int, longest: float) -> list[float]:
    """Random moments, the same every time for the same seed."""
    return np.random.default_rng(seed).uniform(0, longest, count).tolist()


# ---------------------------------------------------------------- what is run


def stage(name: str, arguments: list[str]) -> None:
    """A stage by its command line."""
    import sys

    sys.argv = [f"train.{name}", *arguments]
    importlib.import_module(f"train.{name}").main()


def fetching(manifest: Path, to: Path, source: Path) -> None:
    """`python -m train.data fetch`; one of the packages has pictures."""
    fetch.ILLUSTRATED = ("farm",)
    assert data_main(["--manifest", str(manifest), "fetch", "--to", str(to), "--from", str(source)]) == 0


def building(sets: list[str], to: Path, log: Path) -> None:
    """`python -m train.data build` with small shards; every recording that is decoded leaves a line in `log`."""
    from train.data import building

    examine = building.examine

    def noted(row: str, *args: Any, **more: Any) -> Any:
        with log.open("a") as file:
            file.write(row + "\n")
        return examine(row, *args, **more)

    building.SHARD = 60_000
    building.examine = noted  # type: ignore[assignment]
    assert data_main(["build", "--to", str(to), *sets]) == 0


def evaluating(arguments: list[str]) -> None:
    """`python -m train.evaluate`."""
    assert evaluate.main(arguments) == 0


def generating(arguments: list[str]) -> None:
    """`python -m train.generate`."""
    assert generate.main(arguments) == 0


def scoring(folder: Path) -> None:
    """Scores that are written again and again."""
    for count in itertools.count():
        evaluate.save_scores({"model": "x" * 200_000, "steps": count}, folder)


def replacing(first: Path, second: Path, to: Path) -> None:
    """Two models that take turns in one place."""
    for made in itertools.cycle((first, second)):
        replace_folder(made, to)


def changing(to: Path) -> None:
    """A model folder that is changed again and again: its concepts."""
    for count in itertools.count():
        with changed_folder(to) as folder:
            write_bytes(folder / "concepts.json", json.dumps(["x" * 100_000, str(count)]).encode())


def packaging(runs: list[Path], to: Path) -> None:
    """`python -m train.package`."""
    put_together(runs, to)


def writing(path: Path) -> None:
    """One file that is written again and again, each time with one number all through."""
    for number in itertools.count():
        write_bytes(path, bytes([number % 256]) * 3_000_000)


def recipe(folder: Path) -> None:
    """`python -m train.small` at its smallest."""
    import sys

    sys.argv = ["train.small", *arguments_of(folder)]
    small.main()


def distilling(sounds: Path, out: Path) -> None:
    """`python -m train.distill run` by slow experts."""
    distil(sounds, out, wait=0.02)


def rating(root: Path, log: Path) -> None:
    """One rater's answers, each noted in `log` once it is saved."""
    desk = RatingDesk(open_material(root), Store(root / FILE), 0, 1)
    standing = desk.enter("rater")
    with log.open("a") as file:
        while standing.trial is not None:
            token = standing.trial.token
            standing = desk.rate("rater", token, 60, 1.0)
            file.write(token + "\n")
            file.flush()
            time.sleep(0.01)


def arguments_of(folder: Path) -> list[str]:
    """The tiny recipe in a folder that holds a library and parts."""
    named = {"library": folder, "parts": folder / "parts", "runs": folder / "runs", "to": folder / "to"}
    return ["--preset", "tiny", "--hours", "0.001", *(x for k, v in named.items() for x in (f"--{k}", str(v)))]


def processes_of(folder: Path) -> list[int]:
    """Processes with a folder among their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
