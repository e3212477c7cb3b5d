"""What a person chooses about a run, and the learning rate that follows from it."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from maa.config import PRESETS, ModelConfig, changed

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
    scale_lr: bool = field(default=False, metadata={"help": "--lr is for one clip: times processes and batch (LDM's)"})
    # None = what the stage, or its recipe, is trained with.
    lr_end: float | None = field(default=None, metadata={"help": "share of --lr left at the end; 1 = it stays"})
    beta1: float | None = field(default=None, metadata={"help": "of AdamW, as the two that follow"})
    beta2: float | None = None
    weight_decay: float | None = None
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
            kinds = [kind for kind in get_args(hints[one.name]) if kind is not type(None)]
            parser.add_argument(flag, type=kinds[0] if kinds else hints[one.name], default=default, help=told)


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


def add_config(parser: argparse.ArgumentParser, default: str) -> None:
    """Flags for a configuration: its name, and other values in it."""
    parser.add_argument("--config", choices=sorted(PRESETS), default=default)
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=VALUE", help="other sizes, as in unet.channels=64 text.layers=2"
    )


def config_from(args: argparse.Namespace, **parts: Any) -> ModelConfig:
    """The configuration among parsed arguments.

    Args:
        parts: fields of it that flags have chosen; what `--set` says is of them already.

    Raises:
        ValueError: something cannot be set so.
    """
    return changed(replace(PRESETS[args.config], **parts), args.set)


def scaled(options: RunOptions, batch: int, processes: int) -> RunOptions:
    """The options with the learning rate of a whole batch, where the one given is for a single clip.

    Args:
        batch: clips per process. processes: how many there are.
    """
    return replace(options, lr=options.lr * batch * processes, scale_lr=False) if options.scale_lr else options


def rate_at(step: int, progress: float, options: RunOptions) -> float:
    """Learning rate: linear warm-up, flat, then cosine down to a hundredth (or another share) over the last half."""
    warm = min(1.0, (step + 1) / max(1, options.warmup))
    end = 0.01 if options.lr_end is None else options.lr_end
    decay = 1.0 if progress < 0.5 else end + (1 - end) * 0.5 * (1 + math.cos(math.pi * (2 * progress - 1)))
    return options.lr * warm * decay
