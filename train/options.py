"""What a person chooses about a run, and the learning rate that follows from it."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What a person chooses about a run."""

    out: Path
    steps: int = 10_000
    minutes: float = 0.0  # stop after this long instead, and decay by the clock; 0 = count steps
    lr: float = 5e-4
    warmup: int = 100  # steps
    clip: float = 1.0  # gradient norm
    ema: float = 0.999  # decay of the averaged weights that are saved
    save_every: int = 500  # steps
    save_minutes: float = 0.0  # save after this long instead; 0 = count steps
    log_every: int = 20  # steps
    sample_every: int = 0  # steps between sample sounds and pictures; 0 = none
    seed: int = 0
    resume: bool = False
    start: Path | None = None  # weights to begin from, with a fresh optimiser
    compile: bool = False  # networks into fused kernels; the first step then takes up to a minute
    graphs: bool = False  # whole steps replayed as captured graphs, on a GPU

    @classmethod
    def add_to(cls, parser: argparse.ArgumentParser, **defaults: float) -> None:
        """The same flags for every stage; `defaults` overrides some."""
        parser.add_argument("--out", type=Path, required=True, help="folder for weights, state and logs")
        parser.add_argument("--resume", action="store_true", help="go on from the state in --out")
        parser.add_argument("--start", type=Path, help="begin from these weights, with a fresh optimiser")
        for name, field in cls.__dataclass_fields__.items():
            if name in ("compile", "graphs"):
                parser.add_argument(
                    f"--{name}", action="store_true", help="faster steps on a GPU, after a slower start"
                )
            elif name not in ("out", "resume", "start"):
                kind = int if field.type == "int" else float
                default = defaults.get(name, field.default)
                parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default)

    @classmethod
    def of(cls, args: argparse.Namespace) -> Options:
        """The options among parsed arguments."""
        return cls(**{name: getattr(args, name) for name in cls.__dataclass_fields__})


def rate_at(step: int, progress: float, options: Options) -> float:
    """Learning rate: linear warm-up, flat, then cosine down to a hundredth over the last half."""
    warm = min(1.0, (step + 1) / max(1, options.warmup))
    decay = 1.0 if progress < 0.5 else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (2 * progress - 1)))
    return options.lr * warm * decay
