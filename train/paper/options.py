"""What every table and figure may be asked, and what it works with."""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa import MakeAnAudio, Sampling
from maa.aside import write_text
from maa.audio import io
from maa.device import DTYPES
from train.data import Library
from train.evaluation.embedders import Panel, open_embedders
from train.evaluation.harness import ROUNDS, HarnessReport, HarnessRequest, compare
from train.evaluation.harness_command import add_outside, weights_of
from train.evaluation.hearing import How


def add_common(parser: argparse.ArgumentParser, clips: int, seconds: float | None, steps: int = 25) -> None:
    """Flags of all, with the sizes of a small machine as defaults."""
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/paper"), help="results, and below them what was made (%(default)s)")
    add("--model", default="small", help="a name, a folder or a hub id (%(default)s); its CLAP measures captions")
    add("--device", help="such as cpu; default: the best there is")
    add("--dtype", choices=DTYPES, help="what the U-Net computes in; default: the device's choice")
    add("--library", type=Path, default=Path("data"), help="recordings and parts (%(default)s)")
    add("--split", choices=("valid", "test"), default="test", help="held-out recordings (%(default)s)")
    add("--clips", type=int, default=clips, help="recordings of them; 0 = all (%(default)s)")
    add("--seconds", type=float, default=seconds, help="of a sound; 0 = what the model was trained on (%(default)s)")
    add("--steps", type=int, default=steps, help="of the sampler (%(default)s)")
    add("--sampler", default=Sampling.sampler)
    add("--seed", type=int, default=0)
    add("--rounds", type=int, default=ROUNDS, help="of resampling for intervals (%(default)s)")
    add("--workers", type=int, default=1, help="processes that listen (%(default)s)")
    add_outside(parser)


@dataclass(frozen=True)
class Work:
    """The model, the recordings and the embedders of one command, each opened when it is needed."""

    args: argparse.Namespace
    name: str

    @property
    def folder(self) -> Path:
        """Where what is made is kept."""
        found: Path = self.args.out / "work" / self.name
        found.mkdir(parents=True, exist_ok=True)
        return found

    @cached_property
    def maa(self) -> MakeAnAudio:
        """The model."""
        return MakeAnAudio.from_pretrained(self.args.model, device=self.args.device, dtype=self.args.dtype)

    @cached_property
    def library(self) -> Library:
        """The recordings."""
        return Library.open(self.args.library, rate=self.maa.config.audio.sample_rate)

    @cached_property
    def panel(self) -> Panel:
        """The embedders."""
        return open_embedders(weights_of(self.args))

    @property
    def seconds(self) -> float | None:
        """Of a sound."""
        return self.args.seconds or None

    def sampling(self, **more: Any) -> Sampling:
        """How to sample."""
        return Sampling(steps=self.args.steps, sampler=self.args.sampler, **{"seed": self.args.seed, **more})

    def rows(self) -> NDArray[np.int64]:
        """The held-out recordings that take part, spread evenly over all.

        Raises:
            ValueError: there are none.
        """
        found = self.library.indices(self.args.split)
        if not len(found):
            raise ValueError(f"The library has no {self.args.split} recordings; choose another --split.")
        count = self.args.clips or len(found)
        return found[np.unique(np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int))]

    def wave(self, row: int) -> NDArray[np.float32]:
        """A recording [n], cut to the seconds of a sound."""
        wave = self.library.wave(int(row))
        spec = self.maa.config.audio
        return wave[: spec.samples if self.seconds is None else round(self.seconds * spec.sample_rate)]

    def held_out(self) -> tuple[Path, Path]:
        """A folder of the recordings as files, and the list of a caption for each."""
        rows = self.rows().tolist()
        told = [(self.library.rows[row].id, len(self.library.wave(row))) for row in rows]
        digest = hashlib.sha256(repr((told, self.args.seconds, self.args.seed, self.library.rate)).encode()).hexdigest()
        folder = self.args.out / "work" / f"{self.args.split}-{digest[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(self.args.seed)
        lines = ["file_name,caption"]
        for row in rows:
            said = self.library.rows[row].captions
            caption = said[int(rng.integers(len(said)))].replace('"', "'")
            lines.append(f'{row:05d}.wav,"{caption}"')
            if not (folder / f"{row:05d}.wav").is_file():
                io.write(folder / f"{row:05d}.wav", self.wave(row), self.maa.config.audio.sample_rate)
        listed = folder.with_name(f"{folder.name}.csv")
        write_text(listed, "\n".join([*lines, ""]))
        return folder, listed

    def compare(self, generated: Path, reference: Path | None, captions: Path | None) -> HarnessReport:
        """A folder through the harness."""
        args = self.args
        how = How(kept=args.out / "work" / "heard")
        asked = HarnessRequest(
            generated, reference, captions, weights_of(args), how, rounds=args.rounds, workers=args.workers
        )
        return compare(asked, self.panel)

    def settings(self, **more: Any) -> dict[str, Any]:
        """What a result says of its making, JSON types: flags but for places, and the hashes of weights."""
        flags = {name: str(value) if isinstance(value, Path) else value for name, value in vars(self.args).items()}
        hidden = ("what", "out", "library", "networks", "systems", "images", "videos", "zero")
        kept = {name: value for name, value in flags.items() if name not in hidden and value is not None}
        return {"flags": kept, "model": self.maa.name, "weights": self.maa.model.weights_hash, **more}


def marks(report: HarnessReport) -> dict[str, str]:
    """The weights of a report's embedders, and its lists."""
    about = report.about
    lists = {side: about[side]["sha256"][:16] for side in ("generated", "reference", "captions") if about[side]}
    return {name: one["sha256"][:16] for name, one in about["embedders"].items()} | lists


def named_folders(given: list[str]) -> dict[str, Path]:
    """NAME=DIR as names and folders.

    Raises:
        ValueError: one is not of that form, a name is given twice, or there is no such folder.
    """
    found: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not equals or not name or name in found:
            raise ValueError(f"{text!r} should be NAME=FOLDER, each name once.")
        if not Path(folder).is_dir():
            raise ValueError(f"There is no folder {folder}.")
        found[name] = Path(folder)
    return found
