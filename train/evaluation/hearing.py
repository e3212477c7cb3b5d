"""Files heard by all embedders: read once, brought to one rate, each by itself, and remembered by their contents.

A file is heard alone and on one thread, so neither its neighbours nor the number of processes touch its numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
import torch
from tqdm import tqdm

from maa.aside import aside
from maa.audio import io
from train.data.library import at_rate
from train.evaluation.embedders import Embedder, Heard, Panel, Weights, open_embedders
from train.evaluation.workers import Workers

RESAMPLER = f"soxr VHQ {soxr.__version__}, mean of the channels"
AT_ONCE = 8  # files that a process is given at once


@dataclass(frozen=True)
class How:
    """How files are heard."""

    rate: int | None = 16_000  # Hz that every file is brought to before anyone hears it; None = each embedder's own
    seconds: float | None = None  # of each file that are heard, from its beginning; None = all
    kept: Path | None = None  # folder where what was heard is remembered; None = nowhere

    def __post_init__(self) -> None:
        if self.rate is not None and not 8_000 <= self.rate <= 192_000:
            raise ValueError(f"Sounds can be brought to 8,000 to 192,000 Hz, not {self.rate}.")
        if self.seconds is not None and not self.seconds > 0:
            raise ValueError(f"The seconds that are heard should be more than 0, not {self.seconds:g}.")


@dataclass(frozen=True)
class Facts:
    """What a file is."""

    sha256: str
    rate: int
    channels: int
    seconds: float
    kind: str  # its ending


@dataclass(frozen=True)
class Hearing:
    """A file as it was heard, by embedder; or what is wrong with it."""

    facts: Facts | None
    heard: dict[str, Heard]
    problem: str = ""


@dataclass(frozen=True)
class Opening:
    """What a process opens its embedders from."""

    weights: Weights

    def open(self) -> Panel:
        """The embedders."""
        return open_embedders(self.weights)


def hear_all(
    panel: Panel, weights: Weights, how: How, files: Sequence[Path], workers: int, batch: int
) -> list[Hearing]:
    """What each file says, in the files' order.

    Args:
        panel: the embedders, open in this process.
        weights: what another process opens them from.
        how: what is done with a file before.
        files: each is heard once, however often it is named.
        workers: processes. batch: files that one of them is given at once. Neither changes a number.
    """
    once = list(dict.fromkeys(files))
    groups = [(tuple(once[k : k + batch]), how) for k in range(0, len(once), batch)]
    found: list[list[Hearing]] = []
    with _processes(weights, workers if len(groups) > 1 else 1) as pool:
        if pool is None:
            with _one_thread(panel.device):
                found += [_hear(panel, group) for group in tqdm(groups, desc="hearing", disable=None)]
        else:
            found += tqdm(pool.map(_hear, groups), desc="hearing", total=len(groups), disable=None)
    by_file = dict(zip(once, (result for group in found for result in group), strict=True))
    return [by_file[path] for path in files]


@contextmanager
def _processes(weights: Weights, count: int) -> Iterator[Workers | None]:
    if count < 2:
        yield None
        return
    pool = Workers(Opening(weights), count)
    pool.threads = 1
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def _one_thread(device: torch.device) -> Iterator[None]:
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _hear(panel: Panel, group: tuple[tuple[Path, ...], How]) -> list[Hearing]:
    files, how = group
    return [_hear_one(panel, path, how) for path in files]


@torch.inference_mode()
def _hear_one(panel: Panel, path: Path, how: How) -> Hearing:
    try:
        sound = io.read(path)
    except ValueError as error:
        return Hearing(None, {}, f"{path}: {error}")
    if not np.isfinite(sound.samples).all():
        return Hearing(None, {}, f"{path}: it holds samples that are no numbers.")
    if not sound.samples.any():
        return Hearing(None, {}, f"{path}: it is silent from beginning to end.")
    digest = _digest(path)
    facts = Facts(digest, sound.sample_rate, sound.channels, sound.seconds, path.suffix.lower().lstrip("."))
    samples = sound.samples.astype(np.float32, copy=False).T
    if how.seconds is not None:
        samples = samples[: max(1, round(how.seconds * sound.sample_rate))]
    rate = how.rate or sound.sample_rate
    first = at_rate(samples, sound.sample_rate, rate)
    waves: dict[int, torch.Tensor] = {}  # at each embedder's rate
    heard = {}
    for one in panel.embedders:
        kept = None if how.kept is None else how.kept / f"{one.name}-{one.mark[:12]}" / _name(digest, how)
        remembered = _remembered(kept)
        if remembered is None and one.rate not in waves:
            own = at_rate(first[:, None], rate, one.rate)
            waves[one.rate] = torch.from_numpy(np.ascontiguousarray(own)).to(panel.device)
        heard[one.name] = remembered or _listen(one, waves[one.rate], kept)
    wrong = [name for name, one in heard.items() if not _finite(one)]
    if wrong:
        return Hearing(None, {}, f"{path}: {wrong[0]} hears no finite numbers in it.")
    return Hearing(facts, heard)


def _listen(one: Embedder, wave: torch.Tensor, kept: Path | None) -> Heard:
    """What one embedder hears, and keep it."""
    heard = one.hear(wave)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with aside(kept) as neighbour, neighbour.open("wb") as file:
            np.savez(file, **{name: value for name, value in vars(heard).items() if value is not None})
    return heard


def _remembered(kept: Path | None) -> Heard | None:
    if kept is None or not kept.is_file():
        return None
    try:
        with np.load(kept, allow_pickle=False) as file:
            return Heard(**{name: file[name] for name in file.files})
    except (OSError, ValueError, KeyError, TypeError):
        return None  # damaged: it is heard anew


def _finite(heard: Heard) -> bool:
    return all(np.isfinite(value).all() for value in vars(heard).values() if value is not None)


def _name(digest: str, how: How) -> str:
    rest = hashlib.sha256(f"{how.rate}|{how.seconds}|{RESAMPLER}".encode()).hexdigest()[:8]
    return f"{digest[:32]}-{rest}.npz"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
