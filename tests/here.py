"""Where the project lies, which browser there is, and surroundings that are the same on every machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ARGUMENTS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-3d-apis",  # the painter must not need WebGL
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
]


def find_chromium() -> str | None:
    """The first Chromium-like browser on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


def settle() -> None:
    """Offline, on the CPU, in one precision; before anything heavy is imported."""
    os.environ.update(HF_HUB_OFFLINE="1", MAA_DEVICE="cpu", MAA_DTYPE="float32")
    # A worker of several has one core to itself (-n 2); alone, the tests have two.
    os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")
    # Threads that wait for each other sleep. On a machine with other work, OpenMP's busy waiting costs a hundredfold.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name in ("MAA_MODEL", "MAA_CHECKPOINTS"):
        os.environ.pop(name, None)
