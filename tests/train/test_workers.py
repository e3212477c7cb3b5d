"""Worker processes end with the one that started them, however that was ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
STARTER = """
import sys, time
from tests.train.test_workers import Nothing, number
from train.evaluation.workers import Workers

if __name__ == "__main__":
    workers = Workers(Nothing(), 1)
    print(*workers.map(number, [0]), flush=True)
    time.sleep(60)
"""


class Nothing:
    """A setup whose model is nothing."""

    def open(self) -> None:
        """There is nothing to open."""


def number(model: None, item: int) -> int:
    """The worker's process."""
    return os.getpid()


def test_workers_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "starter.py"
    script.write_text(STARTER, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    starter = subprocess.Popen([sys.executable, script], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    assert starter.stdout is not None
    worker = int(starter.stdout.readline())
    assert worker != starter.pid
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    for _ in range(200):
        status = Path(f"/proc/{worker}/stat")
        if not status.exists() or status.read_text(encoding="ascii").split()[2] == "Z":
            return
        time.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    raise AssertionError("the worker outlived the process that started it")
