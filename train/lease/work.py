"""The far side of a lease: the stages one after another within the time that there is, and how far they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from maa.aside import write_text
from maa.checkpoint import weight_files
from maa.config import PRESETS
from train.data import Library
from train.evaluation.held_out import JUDGED, held_out_distance
from train.lease.chunks import FAR, is_ready, read_plan
from train.small import PART, POLISH, PRESETS_OF_TIME, Run
from train.trainer.journal import read_log

STATE, LOG = "lease.json", "log.txt"
SOUND = ("autoencoder", "vocoder", "clap")
GAIN = 0.002  # share by which a held-out figure has to fall to count as falling
LOOKS = 6  # times that a sound stage is judged
RESERVE = 0.05  # share of the U-Net's time that loading, composing and saving take
LEAST = 0.05  # minutes that the U-Net gets, however late it is
POLL = 0.25  # seconds


@dataclass(frozen=True)
class Lease:
    """What was asked for, and how far it is; `unet_minutes` is known when the U-Net begins."""

    preset: str
    minutes: float
    stages: tuple[str, ...]
    save_minutes: float
    started: float
    pid: int = 0
    unet_minutes: float = 0.0
    finished: bool = False
    said: tuple[str, ...] = field(default=())

    def write(self, at: Path) -> Lease:
        """Remember it, whole or not at all."""
        path = at / FAR / STATE
        write_text(path, json.dumps(asdict(self), indent=1) + "\n")
        return self

    @classmethod
    def read(cls, at: Path) -> Lease:
        """The lease in a folder; ValueError without one."""
        path = at / FAR / STATE
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"No lease has been started in {at} ({error}); start one first.") from error
        return cls(**{**values, "stages": tuple(values["stages"]), "said": tuple(values["said"])})

    @property
    def runs(self) -> bool:
        """True while its process is there."""
        if self.finished or not self.pid:
            return False
        try:
            os.kill(self.pid, 0)
        except OSError:
            return False
        stat = Path(f"/proc/{self.pid}/stat")
        return not stat.is_file() or ") Z " not in stat.read_text(encoding="utf-8", errors="replace")

    @property
    def left(self) -> float:
        """Minutes."""
        return self.minutes - (time.time() - self.started) / 60


class Far(Run):
    """The recipe of `train.small` in the folders of a lease, which saves by the clock and leaves packaging to the
    near side."""

    def __init__(self, at: Path, lease: Lease) -> None:
        far, preset = at / FAR, PRESETS_OF_TIME[lease.preset]
        super().__init__(preset, lease.minutes / 60, far / "data", far / "parts", far / "runs", far / "model")
        self.lease = lease

    def minutes(self, stage: str) -> float:
        """The U-Net gets what the others have left."""
        return self.lease.unet_minutes if stage == "diffusion" else super().minutes(stage)

    def command(self, stage: str, earlier: bool) -> list[str]:
        """Saved by the clock, for `collect`; what a judge looks at more often."""
        often = self.lease.save_minutes
        if stage in JUDGED:
            often = min(often, self.minutes(stage) / LOOKS)
        return [*super().command(stage, earlier), "--save-minutes", f"{often:.4f}"]


def start_stages(at: Path, preset: str | None, minutes: float, stages: tuple[str, ...], save_minutes: float) -> Lease:
    """Start the stages as a process of its own, which outlives the call; one that was cut off goes on.

    Raises:
        ValueError: nothing is unpacked, or a lease is running.
    """
    if not is_ready(at):
        raise ValueError(f"{at} is not unpacked yet; unpack first.")
    lease = Lease(preset or read_plan(at)["preset"], minutes, stages, save_minutes, time.time())
    if (at / FAR / STATE).is_file():
        before = Lease.read(at)
        if before.runs:
            raise ValueError(f"A lease is running in {at} (process {before.pid}); wait for it, or stop it first.")
        if not before.finished:
            lease = replace(before, said=(*before.said, "started again"))
    lease.write(at)
    with (at / FAR / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "train.lease", "work", "--at", str(at)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return replace(lease, pid=process.pid).write(at)


def run_stages(at: Path) -> None:
    """All stages that were asked for, from where they were left."""
    lease = replace(Lease.read(at), pid=os.getpid()).write(at)
    run = Far(at, lease)
    kept = run.keeps_latents(anew=False, keep=run.preset.polishes or "autoencoder" not in lease.stages)
    stopping = EarlyStopping(run, kept)
    todo = [stage for stage in SOUND if stage in lease.stages and not run.done(stage).is_file()]
    for group in [todo] if run.preset.together else [[stage] for stage in todo]:
        running = {stage: run.begin(stage, True, POLISH if kept and stage == "autoencoder" else ()) for stage in group}
        lease = replace(lease, said=(*lease.said, *stopping.watch(running))).write(at)
    if "diffusion" in lease.stages and not run.done("diffusion").is_file():
        spent = [row["minutes"] for row in log_rows(run.runs / "diffusion" / "unet.log.jsonl")]
        before = spent[-1] if spent and run.state("diffusion").is_file() else 0.0  # of one that was cut off
        lease = replace(lease, unet_minutes=max(before + lease.left * (1 - RESERVE), LEAST)).write(at)
        run.lease = lease
        run.wait({"diffusion": run.begin("diffusion", kept)})
    replace(lease, finished=True).write(at)


class EarlyStopping:
    """Stops a sound stage whose held-out figure no longer falls, and takes its weights back if they are no better.

    What an earlier run has left is then used as it is, and the U-Net gets the time.
    """

    def __init__(self, run: Run, kept: bool) -> None:
        self.run, self.config = run, PRESETS[run.preset.config]
        self.library = Library.open(run.library, rate=self.config.audio.sample_rate)
        judged = [stage for stage in JUDGED if run.fits(PART[stage]) and (kept or stage != "autoencoder")]
        self.first = {stage: held_out_distance(stage, self.config, self.library, run.to) for stage in judged}
        self.seen: dict[str, float] = {}  # when the weights that were judged last had been written
        self.figures: dict[str, list[float]] = {}

    def watch(self, running: dict[str, subprocess.Popen[bytes]]) -> list[str]:
        """Wait for stages; what to say of them.

        Raises:
            ValueError: one failed.
        """
        began = time.monotonic()
        passed, stopped = set[str](), set[str]()
        while any(process.poll() is None for process in running.values()):
            time.sleep(POLL)
            took = (time.monotonic() - began) / 60
            for stage, process in running.items():
                if process.poll() is not None or stage not in self.first:
                    continue
                self.look(stage)
                if took > self.run.minutes(stage) / 2 and stage not in passed:
                    passed.add(stage)
                    if not self.falls(stage):
                        process.terminate()
                        process.wait()
                        stopped.add(stage)
        self.run.wait({stage: process for stage, process in running.items() if stage not in stopped})
        return [self.verdict(stage, stage in stopped) for stage in running if stage in self.first]

    def look(self, stage: str) -> None:
        """Take in the figure of newly saved weights."""
        files = weight_files(self.run.runs / stage, PART[stage])
        if not files or files[0].stat().st_mtime <= self.seen.get(stage, 0.0):
            return
        self.seen[stage] = files[0].stat().st_mtime
        found = held_out_distance(stage, self.config, self.library, self.run.runs / stage)
        self.figures.setdefault(stage, []).append(found)

    def falls(self, stage: str) -> bool:
        """False when the figure is above what the stage began with, and did not fall since it was first looked at.

        At the full learning rate even good training is above it for a while: the rate's decay comes in its last half.
        """
        seen = self.figures.get(stage, [])
        return len(seen) < 2 or seen[-1] < max(self.first[stage], seen[0]) * (1 - GAIN)

    def verdict(self, stage: str, stopped: bool) -> str:
        """Keep the last weights if they are better than the first."""
        path = self.run.runs / stage / f"{PART[stage]}.safetensors"
        before, last = self.first[stage], held_out_distance(stage, self.config, self.library, path.parent)
        kept = last < before
        if not kept:
            path.unlink()
        self.run.done(stage).touch()
        how = "stopped at half its time" if stopped else "ran its time"
        return f"{stage} {how}: {before:.4f} -> {last:.4f} held out, {'kept' if kept else 'the earlier weights stay'}"


def describe_stages(at: Path) -> str:
    """A short screen: each stage's step, loss and speed, and the minutes that are left."""
    lease = Lease.read(at)
    run = Far(at, lease)
    state = "finished" if lease.finished else "running" if lease.runs else "stopped before its end; start it again"
    lines = [f"{lease.preset}: {state}, {max(0.0, lease.left):.1f} of {lease.minutes:g} minutes left", *lease.said]
    for stage in lease.stages:
        rows = log_rows(run.runs / stage / f"{PART[stage]}.log.jsonl")
        if not rows:
            continue
        last, before = rows[-1], rows[-2] if len(rows) > 1 else {"step": 0, "minutes": 0.0}
        took = 60 * (last["minutes"] - before["minutes"])
        speed = f"{(last['step'] - before['step']) / took:.1f} steps/s" if took > 0 else "? steps/s"
        done = "done" if run.done(stage).is_file() else "at work"
        lines.append(f"{stage}: {done}, step {last['step']}, loss {last.get('loss', float('nan')):.4g}, {speed}")
    if not lease.finished and not lease.runs:
        log = at / FAR / LOG
        lines += log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:] if log.is_file() else []
    return "\n".join(lines)


def log_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a stage's log that name a step."""
    return [row for row in read_log(path) if "step" in row]
