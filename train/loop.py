"""The loop every stage shares: optimiser, warm-up and decay, clipping, EMA, logs, samples, checkpoints, resuming.

A stage hands over a module and a function `loss(draw) -> dict` whose entry "loss" is minimised; an entry "critics", if
there is one, is minimised over a second module; everything else in the dict is logged. One process or many
(`accelerate launch`), the script is the same.

All randomness of a step comes from its `Draw`, which depends on the seed, the step and the sample and on nothing else:
a resumed run is the same run, and two processes with half of the batch each compute what one computes with all of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from maa.checkpoint import read_weights, weight_files
from maa.device import compute_dtype, pick_device
from train.journal import Journal
from train.options import Options, rate_at

StateDict = dict[str, Tensor]


def prepare() -> Accelerator:
    """Where and in which precision a stage runs: as `accelerate launch` says, else bf16 where it is fast."""
    chosen = os.environ.get("ACCELERATE_MIXED_PRECISION")
    if chosen is None:
        device = pick_device()
        fast = _has_amx() if device.type == "cpu" else compute_dtype(device) == torch.bfloat16
        chosen = "bf16" if fast else "no"
    return Accelerator(mixed_precision=chosen)


def _has_amx() -> bool:
    """True on a CPU with matrix units for bf16; on others it is emulated and several times slower than fp32."""
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False


class Draw:
    """The randomness of one step for one of several processes that share each batch.

    Args:
        seed, step: of the run.
        progress: how much of the run is done, 0 to 1.
        rank, processes: sample i of a batch belongs to process i % processes.
    """

    def __init__(self, seed: int, step: int, progress: float, rank: int = 0, processes: int = 1) -> None:
        self.seed, self.step, self.progress = seed, step, progress
        self.rank, self.processes = rank, processes

    def rng(self, *key: int) -> np.random.Generator:
        """A generator for what is common to the batch; for sample i use `rng(1, i)`."""
        return np.random.default_rng([self.seed, self.step, *key])

    def samples(self, batch: int) -> range:
        """Indices in the whole batch of this process's `batch` samples."""
        return range(self.rank, batch * self.processes, self.processes)

    def normal(self, like: Tensor, key: int = 0) -> Tensor:
        """Gaussian noise for this process's rows of a batch: as `like` [B, ...]."""
        seed = int(np.random.SeedSequence([self.seed, self.step, 2, key]).generate_state(1)[0])
        source = torch.Generator(like.device).manual_seed(seed)
        whole = (like.shape[0] * self.processes, *like.shape[1:])
        return torch.randn(whole, generator=source, device=like.device)[self.rank :: self.processes]


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

    @contextmanager
    def applied(self, module: nn.Module) -> Iterator[None]:
        """The module with the averaged weights, and its own again afterwards."""
        own = {name: value.detach().clone() for name, value in module.state_dict().items()}
        module.load_state_dict(self.values)
        module.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            module.load_state_dict(own)
            module.train()


def save_weights(values: StateDict, path: Path) -> None:
    """One safetensors file, written aside and moved into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".tmp")
    save_file({name: value.detach().cpu().contiguous() for name, value in values.items()}, aside)
    os.replace(aside, path)


def start_from(module: nn.Module, weights: Path) -> None:
    """Give a module the weights of `<part>.safetensors` (or its shards), whatever parametrisation (weight norm) it
    trains them in."""
    files = weight_files(weights.parent, weights.name.removesuffix(".safetensors"))
    if not files:
        raise ValueError(f"There is no {weights} to start from.")
    values = read_weights(files)
    plain = {name for name, _ in module.named_parameters()} | {name for name, _ in module.named_buffers()}
    with torch.no_grad():
        for name, value in values.items():
            owner, _, leaf = name.rpartition(".")
            place = getattr(module.get_submodule(owner), leaf, None)
            if not isinstance(place, Tensor) or place.shape != value.shape:
                raise ValueError(f"{weights} does not fit: {name} {tuple(value.shape)} has no place in this network.")
            if name in plain:
                place.copy_(value)
            else:  # a parametrised weight: the assignment solves for what it is made of
                setattr(module.get_submodule(owner), leaf, value.to(place.device))


class Trainer:
    """One stage's run: what is trained, how far it is, and where it is kept.

    Args:
        module: its averaged weights are what a stage is for.
        critics: a module trained against it, or None.
        plain: turns averaged weights into what the program loads (folds a weight norm).
        pace: the critics' learning rate, as a multiple of the module's.
    """

    def __init__(
        self,
        module: nn.Module,
        options: Options,
        name: str,
        accelerator: Accelerator | None = None,
        critics: nn.Module | None = None,
        plain: Callable[[StateDict], StateDict] | None = None,
        pace: float = 1.0,
    ) -> None:
        self.module, self.options, self.name, self.critics, self.pace = module, options, name, critics, pace
        self.accelerator = accelerator or prepare()
        self.plain = plain or (lambda values: values)
        self.weights = options.out / f"{name}.safetensors"
        self.state = options.out / f"{name}.state.pt"
        if options.start is not None and not options.resume:
            start_from(module, options.start)
        self.networks = {"module": module} | ({} if critics is None else {"critics": critics})
        self.optimisers = {key: self._optimiser(network) for key, network in self.networks.items()}
        self.ema = Ema(module, options.ema)
        self.step, self.spent = 0, 0.0
        if options.resume:
            self._resume()

    def _optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        betas = (0.9, 0.99) if self.critics is None else (0.8, 0.99)  # HiFi-GAN's for both sides of a game
        return torch.optim.AdamW(parameters, lr=self.options.lr, betas=betas, weight_decay=1e-3)

    def run(self, loss: Callable[[Draw], dict[str, Tensor]], sample: Callable[[Path, int], None] | None = None) -> Path:
        """Train to the end of the options' steps or minutes and return the path of the averaged weights.

        Args:
            loss: one step's losses.
            sample: writes sounds and pictures of the present (averaged) module into a folder.
        """
        options, main = self.options, self.accelerator.is_main_process
        options.out.mkdir(parents=True, exist_ok=True)
        started = time.monotonic() - self.spent
        described = {key: str(value) for key, value in asdict(options).items()}
        described["device"] = f"{self.accelerator.num_processes} x {_name_of(self.accelerator.device)}"
        with Journal(options.out, self.name, described, main, self._average) as journal, self._bar() as bar:
            while (progress := self._progress(time.monotonic() - started)) < 1.0:
                rate = rate_at(self.step, progress, options)
                values = self._advance(loss, progress, rate)
                self.spent = time.monotonic() - started
                bar.update(1 if not options.minutes else 0)
                journal.add(values)
                if self.step % options.log_every == 0:
                    _say(journal.line(self.step, self.spent, rate), bar)
                if self.step % options.save_every == 0:
                    self.save()
                if sample and main and options.sample_every and self.step % options.sample_every == 0:
                    with self.ema.applied(self.module):
                        sample(options.out / "samples", self.step)
                    journal.show(options.out / "samples", self.step)
            _say(journal.line(self.step, self.spent, rate_at(self.step, 1.0, options)), bar)
        self.save()
        return self.weights

    def _bar(self) -> tqdm:
        total = None if self.options.minutes else self.options.steps
        hidden = True if not self.accelerator.is_main_process else None  # None = hidden unless on a terminal
        return tqdm(total=total, initial=self.step, desc=self.name, unit="step", disable=hidden)

    def _advance(self, loss: Callable[[Draw], dict[str, Tensor]], progress: float, rate: float) -> dict[str, Tensor]:
        accelerator = self.accelerator
        draw = Draw(self.options.seed, self.step, progress, accelerator.process_index, accelerator.num_processes)
        torch.manual_seed(int(draw.rng(7).integers(2**31)))  # for what draws by itself: dropout
        values = loss(draw)
        norms = {}
        for key, network in self.networks.items():
            goal = values["loss" if key == "module" else key] if key == "module" or key in values else None
            if goal is None:
                continue  # the critics are not asked yet
            accelerator.backward(goal)
            if accelerator.num_processes > 1:
                _average_gradients(network, accelerator)
            norms[key] = accelerator.clip_grad_norm_(network.parameters(), self.options.clip)
        finite = all(bool(torch.isfinite(norm)) for norm in norms.values())
        for key, optimiser in self.optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = rate if key == "module" else rate * self.pace
            if finite and key in norms:
                optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.ema.update(self.module)
        self.step += 1
        return values

    def _progress(self, seconds: float) -> float:
        """How much of the run is done; the same in every process: clocks differ, and one that stopped early would
        leave the others waiting."""
        minutes = self.options.minutes
        if not minutes:
            return min(1.0, self.step / self.options.steps)
        progress = min(1.0, seconds / (60 * minutes))
        if self.accelerator.num_processes == 1:
            return progress
        return float(self.accelerator.reduce(torch.tensor(progress, device=self.accelerator.device), "mean"))

    def _average(self, values: Tensor) -> Tensor:
        if self.accelerator.num_processes == 1:
            return values
        return torch.as_tensor(self.accelerator.reduce(values.to(self.accelerator.device), "mean"))

    def save(self) -> None:
        """Write the averaged weights and everything that resuming needs."""
        if not self.accelerator.is_main_process:
            return
        save_weights(self.plain(self.ema.values), self.weights)
        content = {
            "step": self.step,
            "spent": self.spent,
            "networks": {key: network.state_dict() for key, network in self.networks.items()},
            "optimisers": {key: optimiser.state_dict() for key, optimiser in self.optimisers.items()},
            "ema": self.ema.values,
            "updates": self.ema.updates,
        }
        aside = self.state.with_suffix(".tmp")
        torch.save(content, aside)
        os.replace(aside, self.state)

    def _resume(self) -> None:
        if not self.state.exists():
            raise ValueError(f"There is no state to resume from at {self.state}; start without --resume.")
        state = torch.load(self.state, weights_only=True, map_location="cpu")
        for key, network in self.networks.items():
            network.load_state_dict(state["networks"][key])
            self.optimisers[key].load_state_dict(state["optimisers"][key])
        for name, value in state["ema"].items():
            self.ema.values[name].copy_(value)
        self.ema.updates = state["updates"]
        self.step, self.spent = state["step"], state["spent"]


def _say(line: str, bar: tqdm) -> None:
    """A line above the progress bar, or alone where there is none (a log file, another process)."""
    if line:
        print(line, flush=True) if bar.disable else bar.write(line)


def _name_of(device: torch.device) -> str:
    """What people call a device."""
    if device.type == "cpu":
        return f"CPU, {torch.get_num_threads()} threads"
    return str(torch.get_device_module(device).get_device_name(device))


def _average_gradients(module: nn.Module, accelerator: Accelerator) -> None:
    """One mean over processes for all gradients at once; a parameter without one takes part as zero."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = accelerator.reduce(torch.cat([gradient.flatten() for gradient in gradients]), "mean")
    for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        parameter.grad = part.view_as(parameter)
