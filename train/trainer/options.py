"""What a person chooses about a run, and the learning rate that follows from it."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

Chosen = TypeVar("Chosen")
FASTER_STEPS = {"help": "faster steps on a GPU, after a slower start"}


@dataclass(frozen=True)
class RunOptions:
    """What a person chooses about a run."""

    out: Path = field(metadata={"help": "folder for weights, state and logs"})
    steps: int = 10_000
    minutes: float = field(default=0.0, metadata={"help": "stop after this long instead; 0 = count steps"})
    lr: float = 5e-4
    warmup: int = 100  # steps
    clip: float = 1.0  # gradient norm
    ema: float = 0.999  # decay of the averaged weights that are saved
    save_every: int = 500  # steps
    save_minutes: float = field(default=0.0, metadata={"help": "save after this long instead; 0 = count steps"})
    log_every: int = 20  # steps
    sample_every: int = field(default=0, metadata={"help": "steps between samples to hear and see; 0 = none"})
    seed: int = 0
    resume: bool = field(default=False, metadata={"help": "go on from the state in --out"})
    start: Path | None = field(default=None, metadata={"help": "begin from these weights, with a fresh optimiser"})
    compile: bool = field(default=False, metadata=FASTER_STEPS)  # networks into fused kernels; a minute at first
    graphs: bool = field(default=False, metadata=FASTER_STEPS)  # whole steps replayed as captured graphs


def add_fields(parser: argparse.ArgumentParser, kind: type, prefix: str = "", **defaults: Any) -> None:
    """A flag for every field of a dataclass, with other defaults where they are given."""
    hints = get_type_hints(kind)
    for one in fields(kind):
        flag = f"--{prefix}{one.name}".replace("_", "-")
        default, told = defaults.get(one.name, one.default), one.metadata.get("help")
        if hints[one.name] is bool:
            parser.add_argument(flag, action="store_true", help=told)
        elif default is MISSING:
            parser.add_argument(flag, type=hints[one.name], required=True, help=told)
        else:
            read = Path if default is None else hints[one.name]
            parser.add_argument(flag, type=read, default=default, help=told)


def from_args(kind: type[Chosen], args: argparse.Namespace, prefix: str = "") -> Chosen:
    """The dataclass among parsed arguments."""
    return kind(**{name: getattr(args, prefix + name) for name in kind.__dataclass_fields__})  # type: ignore[attr-defined]


def add_weights(parser: argparse.ArgumentParser, weights: Mapping[str, float]) -> None:
    """A flag for the weight of every loss, which has the loss's name."""
    for name, value in weights.items():
        parser.add_argument(f"--{name.replace('_', '-')}-weight", type=float, default=value, help="of that loss")


def weights_from(args: argparse.Namespace, weights: Mapping[str, float]) -> dict[str, float]:
    """The weights of losses among parsed arguments."""
    return {name: getattr(args, f"{name}_weight") for name in weights}


def rate_at(step: int, progress: float, options: RunOptions) -> float:
    """Learning rate: linear warm-up, flat, then cosine down to a hundredth over the last half."""
    warm = min(1.0, (step + 1) / max(1, options.warmup))
    decay = 1.0 if progress < 0.5 else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (2 * progress - 1)))
    return options.lr * warm * decay
