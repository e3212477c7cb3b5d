"""What a run leaves to look at: lines of JSON, TensorBoard's curves, sample sounds and pictures."""

from __future__ import annotations

import json
import os
import wave as wavefile
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.aside import aside


class Journal:
    """`<out>/<name>.log.jsonl`, and `<out>/tensorboard` where TensorBoard is installed.

    Args:
        writes: True in one process only. average: the mean over all processes.
    """

    def __init__(
        self, out: Path, name: str, options: dict[str, str], writes: bool, average: Callable[[Tensor], Tensor]
    ) -> None:
        self.name, self.writes, self.average = name, writes, average
        self.sums: dict[str, list[Tensor]] = {}
        log = out / f"{name}.log.jsonl"
        broken = writes and _ends_in_a_line(log)
        self.file = (log if writes else Path(os.devnull)).open("a", encoding="utf-8")
        self.file.write(("\n" if broken else "") + json.dumps({"options": options}) + "\n")
        self.file.flush()
        self.board: Any = None
        if writes and find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self.board = SummaryWriter(str(out / "tensorboard"), filename_suffix=f".{name}")

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.file.close()
        if self.board is not None:
            self.board.close()

    def add(self, values: dict[str, Tensor]) -> None:
        """Take a step's values in."""
        for key, value in values.items():
            self.sums.setdefault(key, []).append(value.detach())  # read at the end: reading waits for the device

    def line(self, step: int, seconds: float, rate: float) -> str:
        """Write the means since the last line and return them as one to print; nothing if there are none."""
        if not self.sums:
            return ""
        found = torch.stack([torch.stack(values).float().mean().cpu() for values in self.sums.values()])
        means = {key: round(value, 5) for key, value in zip(self.sums, self.average(found).tolist(), strict=True)}
        self.sums = {}
        row = {"step": step, "minutes": round(seconds / 60, 2), "lr": rate} | means
        if not self.writes:
            return ""
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
        for key, value in row.items():
            if self.board is not None and key != "step":
                self.board.add_scalar(f"{self.name}/{key}", value, step)
        return " ".join(f"{key} {value:.5g}" for key, value in row.items())

    def show(self, folder: Path, step: int) -> None:
        """Put the sample sounds and pictures of a step into TensorBoard too."""
        if self.board is None:
            return
        for path in sorted(folder.glob(f"{step:07d}-*.wav")):
            with wavefile.open(str(path)) as file:
                samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
                self.board.add_audio(path.stem[8:], samples[None] / 32768.0, step, file.getframerate())
        for path in sorted(folder.glob(f"{step:07d}-*.png")):
            from matplotlib.image import imread

            self.board.add_image(path.stem[8:], imread(path)[..., :3], step, dataformats="HWC")


def _ends_in_a_line(log: Path) -> bool:
    """True when the last line of a log has no end: what wrote it was killed there."""
    if not log.is_file() or not log.stat().st_size:
        return False
    with log.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def read_log(log: Path) -> list[dict[str, Any]]:
    """The lines of a log, but for those that a killed program left half; none where there is no log."""
    rows: list[dict[str, Any]] = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else ():
        with suppress(ValueError):
            row = json.loads(line)
            rows += [row] if isinstance(row, dict) else []
    return rows


def write_wave(path: Path, samples: NDArray[np.float32], rate: int) -> None:
    """A 16-bit WAV of a mono sound [samples] within ±1, with nothing but Python's own library."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with aside(path) as neighbour, wavefile.open(str(neighbour), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
