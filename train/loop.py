"""The loop every stage shares: optimiser, warm-up and decay, clipping, EMA, logs, checkpoints, resuming.

A stage hands over a module and a function `loss(step) -> dict` whose entry "loss" is minimised; everything else in the
dict is logged. One process or many (`accelerate launch`), the script is the same.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors.torch import save_file
from torch import Tensor, nn

Loss = Callable[[int], dict[str, Tensor]]


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
    log_every: int = 20  # steps
    seed: int = 0
    resume: bool = False

    @classmethod
    def add_to(cls, parser: argparse.ArgumentParser, **defaults: float) -> None:
        """The same flags for every stage; `defaults` overrides some."""
        parser.add_argument("--out", type=Path, required=True, help="folder for weights, state and log")
        parser.add_argument("--resume", action="store_true", help="go on from the state in --out")
        for name, field in cls.__dataclass_fields__.items():
            if name not in ("out", "resume"):
                kind = int if field.type == "int" else float
                default = defaults.get(name, field.default)
                parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default)

    @classmethod
    def of(cls, args: argparse.Namespace) -> Options:
        """The options among parsed arguments."""
        return cls(**{name: getattr(args, name) for name in cls.__dataclass_fields__})


class Ema:
    """Exponential moving average of a module's parameters and buffers, with a warm-up of its own."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.values = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Move towards the module's present weights."""
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 9))  # young averages follow fast
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                self.values[name].lerp_(value, 1.0 - decay)
            else:
                self.values[name].copy_(value)


def progress_of(step: int, started: float, options: Options) -> float:
    """How much of the run is done, 0 to 1."""
    if options.minutes:
        return min(1.0, (time.monotonic() - started) / (60 * options.minutes))
    return min(1.0, step / options.steps)


def rate_at(step: int, progress: float, options: Options) -> float:
    """Learning rate: linear warm-up, flat, then cosine down to a hundredth over the last half."""
    warm = min(1.0, (step + 1) / max(1, options.warmup))
    decay = 1.0 if progress < 0.5 else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (2 * progress - 1)))
    return options.lr * warm * decay


def save_weights(values: dict[str, Tensor], path: Path) -> None:
    """One safetensors file, written aside and moved into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".tmp")
    save_file({name: value.detach().cpu().contiguous() for name, value in values.items()}, aside)
    os.replace(aside, path)


def fit(module: nn.Module, loss: Loss, options: Options, name: str, accelerator: Accelerator | None = None) -> Path:
    """Train `module` and return the path of its averaged weights, `<out>/<name>.safetensors`.

    Several processes start from the same seed and average their gradients before each step, so the module needs no
    wrapper.
    """
    accelerator = accelerator or Accelerator()
    optimiser = torch.optim.AdamW(
        [p for p in module.parameters() if p.requires_grad], lr=options.lr, betas=(0.9, 0.99), weight_decay=1e-3
    )
    ema = Ema(module, options.ema)
    options.out.mkdir(parents=True, exist_ok=True)
    weights, state_path = options.out / f"{name}.safetensors", options.out / f"{name}.state.pt"
    step, spent = 0, 0.0
    if options.resume:
        step, spent = _resume(state_path, module, optimiser, ema)
    started = time.monotonic() - spent
    journal = options.out / f"{name}.log.jsonl" if accelerator.is_main_process else Path(os.devnull)
    log = journal.open("a", encoding="utf-8")
    log.write(json.dumps({"options": {k: str(v) for k, v in asdict(options).items()}}) + "\n")
    sums: dict[str, float] = {}
    torch.manual_seed(options.seed + 1000 * step + accelerator.process_index)  # own noise for each process
    while (progress := _agree(progress_of(step, started, options), accelerator)) < 1.0:
        rate = rate_at(step, progress, options)
        for group in optimiser.param_groups:
            group["lr"] = rate
        values = loss(step)
        accelerator.backward(values["loss"])
        if accelerator.num_processes > 1:
            _average_gradients(module, accelerator)
        norm = accelerator.clip_grad_norm_(module.parameters(), options.clip)
        if torch.isfinite(norm):
            optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        ema.update(module)
        step += 1
        for key, value in values.items():
            sums[key] = sums.get(key, 0.0) + value.detach().item() / options.log_every
        if step % options.log_every == 0 and accelerator.is_main_process:
            minutes = round((time.monotonic() - started) / 60, 2)
            row = {"step": step, "minutes": minutes, "lr": rate} | {k: round(v, 5) for k, v in sums.items()}
            log.write(json.dumps(row) + "\n")
            log.flush()
            print(" ".join(f"{k} {v:.5g}" for k, v in row.items()), flush=True)
        if step % options.log_every == 0:
            sums = {}
        if step % options.save_every == 0 and accelerator.is_main_process:
            _save(weights, state_path, step, time.monotonic() - started, module, optimiser, ema)
    if accelerator.is_main_process:
        _save(weights, state_path, step, time.monotonic() - started, module, optimiser, ema)
    log.close()
    return weights


def _agree(progress: float, accelerator: Accelerator) -> float:
    """The same progress in every process: clocks differ, and one that stopped early would leave the others waiting."""
    if accelerator.num_processes == 1:
        return progress
    return float(accelerator.reduce(torch.tensor(progress, device=accelerator.device), "mean"))


def _average_gradients(module: nn.Module, accelerator: Accelerator) -> None:
    for parameter in module.parameters():
        if parameter.grad is not None:
            parameter.grad = accelerator.reduce(parameter.grad, "mean")


def _save(
    weights: Path, state: Path, step: int, spent: float, module: nn.Module, optimiser: torch.optim.Optimizer, ema: Ema
) -> None:
    save_weights(ema.values, weights)
    aside = state.with_suffix(".tmp")
    content = {
        "step": step,
        "spent": spent,
        "module": module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "ema": ema.values,
        "updates": ema.updates,
    }
    torch.save(content, aside)
    os.replace(aside, state)


def _resume(path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, ema: Ema) -> tuple[int, float]:
    if not path.exists():
        raise ValueError(f"There is no state to resume from at {path}; start without --resume.")
    state = torch.load(path, weights_only=True, map_location="cpu")
    module.load_state_dict(state["module"])
    optimiser.load_state_dict(state["optimiser"])
    ema.values = state["ema"]
    ema.updates = state["updates"]
    return state["step"], state["spent"]
