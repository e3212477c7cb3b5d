"""Damaged files against every reader, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.attack.readers import KINDS
from tests.attack.table import Row

BATCH = 5000  # files for one process, whose start costs as much as hundreds of them
LINE_SECONDS = 400  # without a line a process hangs
LONGEST = 400  # characters of a sentence
ROOT = Path(__file__).resolve().parents[2]


def run(good: Path, work: Path, until: float, most: int, seed: int, workers: int = 2) -> list[Row]:
    """A row for each kind of file.

    Args:
        good: what `tests.attack.good` has made.
        work: an empty folder; what was found stays in it.
        until: when to end, seconds of `time.monotonic`.
        most: files at most.
        seed: decides the damage, together with the number of a file.
        workers: processes at once.
    """
    hunt = Hunt(good, work, seed, until, most)
    threads = [threading.Thread(target=hunt.work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(hunt.rows.values())


class Hunt:
    """Hands out the numbers of files, starts processes, and reads what they say."""

    def __init__(self, good: Path, work: Path, seed: int, until: float, most: int) -> None:
        self.good, self.folder, self.seed, self.until, self.most = good, work, seed, until, most
        self.rows = {kind: Row(f"damaged: {kind}", peak=0.0) for kind in KINDS}
        self.next = 0
        self.lock = threading.Lock()
        self.seen: dict[str, set[int]] = defaultdict(set)

    def work(self) -> None:
        """Read batches until the time is over."""
        while True:
            with self.lock:
                first, last = self.next, min(self.next + BATCH, self.most)
                self.next = last
            if first >= last or time.monotonic() > self.until:
                return
            while first < last and time.monotonic() < self.until:
                first = self.batch(first, last)

    def batch(self, first: int, last: int) -> int:
        """One process; returns the number to go on with."""
        environ = {**os.environ, "GRADIO_TEMP_DIR": str(self.folder / f"kept{first}"), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.attack.readers", *map(str, (self.good, self.folder, first, last))]
        process = subprocess.Popen(
            [*command, str(self.seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ, cwd=ROOT
        )
        said: list[str] = []
        heard = threading.Thread(target=lambda: said.extend(process.stderr or ()))
        heard.start()
        watch = threading.Timer(LINE_SECONDS, process.kill)
        at: dict[str, Any] = {"number": first, "kind": "sound", "name": "?", "begun": "start"}
        for line in process.stdout or ():
            watch.cancel()
            watch = threading.Timer(LINE_SECONDS, process.kill)
            watch.start()
            at = json.loads(line)
            if "end" in at:
                self.note(at)
            if time.monotonic() > self.until:
                process.kill()
                break
        watch.cancel()
        code = process.wait()
        heard.join()
        if code == 0 or time.monotonic() > self.until:
            return last
        if code != 75:
            row = self.rows[at["kind"]]
            row.crashes += 1
            row.found(f"rc {code} in {at.get('begun', 'end')} of #{at['number']} {at['name']}: {''.join(said)[-300:]}")
        return int(at["number"]) + 1

    def note(self, told: dict[str, Any]) -> None:
        """Count one read."""
        row = self.rows[told["kind"]]
        with self.lock:
            self.seen[told["kind"]].add(told["number"])
            row.tries = len(self.seen[told["kind"]])
            row.slower(told["seconds"])
            row.peak = max(row.peak or 0.0, told["peak"])
            what = f"{told['reader']} of #{told['number']} {told['name']}: {told['end']} {told['said']} {told['where']}"
            if told["end"] == "slow":
                row.crashes += 1
                row.found(what)
            elif told["end"] not in ("ok", "refused"):
                row.tracebacks += 1
                row.found(what)
            elif told["end"] == "refused" and _tells_too_much(told):
                row.leaks += 1
                row.found(f"tells too much: {what}")


def _tells_too_much(told: dict[str, Any]) -> bool:
    """Whether a sentence is none, or holds the insides of the program."""
    said = told["said"]
    inside = any(mark in said for mark in ("site-packages", "Traceback", "object at 0x", "root:x:"))
    return inside or told["long"] > LONGEST or "\n" in said or not said
