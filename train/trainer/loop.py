"""The loop every stage shares: warm-up and decay, averaging, logs, samples, checkpoints, resuming.

A stage hands over a module and an objective whose value "loss" is minimised; a value "discriminator", if there is one,
is minimised over a second module; everything else is logged. One process or many (`accelerate launch`), the script is
the same. One step, written out in plain PyTorch:

    draw = Draw(seed, step, progress)                     # all randomness of the step
    inputs, phase = objective.inputs(draw), objective.phase(draw)
    values = objective.losses(inputs, phase)              # {"loss": …, "discriminator": …, and what is only logged}
    for network, name in ((module, "loss"), (discriminator, "discriminator")):
        values[name].backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), options.clip)
    for optimiser in optimisers:                          # AdamW; nothing moves if a gradient is not finite
        optimiser.step()
        optimiser.zero_grad()
    for mean, weight in zip(averages, module.state_dict().values()):
        mean.lerp_(weight, 1 - decay)                     # what is saved

`Updates` does the middle of it, `Captured` replays it as one graph on a GPU, `Ema` averages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from tqdm import tqdm

from maa.checkpoint import read_weights, weight_files
from maa.foreign import foreign
from train.trainer.captured import Captured, Compiled
from train.trainer.draw import Draw
from train.trainer.journal import Journal
from train.trainer.keeping import alone_in, read_state, save_state, save_weights
from train.trainer.options import RunOptions, rate_at
from train.trainer.precision import PrecisionAccelerator, make_accelerator
from train.trainer.updates import Ema, StateDict, Updates


@runtime_checkable
class Objective(Protocol):
    """What a stage minimises, in parts that a device can record: what is drawn, what is computed, and which of it.

    `losses` names its scalars; a weight, a term and a line of the log share one name. "loss" and "discriminator" are
    minimised.
    """

    def inputs(self, draw: Draw) -> dict[str, Tensor]:
        """Everything random or new in a step; of the same shapes whenever a phase comes back, if that can be."""

    def phase(self, draw: Draw) -> str:
        """Which terms take part in a step: `losses` may look at nothing else that changes."""

    def losses(self, inputs: dict[str, Tensor], phase: str) -> dict[str, Tensor]:
        """Scalars by name, from the inputs and the networks alone; no random numbers, no questions to the device."""


Loss = Callable[[Draw], dict[str, Tensor]]


def start_from(module: nn.Module, weights: Path) -> None:
    """Give a module the weights of `<part>.safetensors` (or its shards), whatever parametrisation (weight norm) it
    trains them in. A layer that the module names in `WIDENS` may have more inputs here, which add nothing at first."""
    files = weight_files(weights.parent, weights.name.removesuffix(".safetensors"))
    if not files:
        raise ValueError(f"There is no {weights} to start from.")
    values = read_weights(files)
    plain = {name for name, _ in module.named_parameters()} | {name for name, _ in module.named_buffers()}
    with torch.no_grad():
        for name, value in values.items():
            owner, _, leaf = name.rpartition(".")
            try:
                mine = getattr(module.get_submodule(owner), leaf, None)
            except AttributeError:
                mine = None
            if name in getattr(module, "WIDENS", ()) and isinstance(mine, Tensor):
                value = _widened(value, mine)
            if not isinstance(mine, Tensor) or mine.shape != value.shape:
                raise ValueError(f"{weights} does not fit: {name} {tuple(value.shape)} has no place in this network.")
            if name in plain:
                mine.copy_(value)
            else:  # a parametrised weight: the assignment solves for what it is made of
                setattr(module.get_submodule(owner), leaf, value.to(mine.device))


def _widened(value: Tensor, like: Tensor) -> Tensor:
    """A weight [out, in, ...] with zeros for the inputs that only `like` has; as it is where something else differs."""
    more = like.shape[1] - value.shape[1]
    if more <= 0 or value.shape[:1] != like.shape[:1] or value.shape[2:] != like.shape[2:]:
        return value
    return torch.cat([value, value.new_zeros(value.shape[0], more, *value.shape[2:])], dim=1)


class Trainer:
    """One stage's run: what is trained, how far it is, and where it is kept.

    Args:
        module: its averaged weights are what a stage is for.
        discriminator: a module trained against it, or None.
        plain: turns averaged weights into what the program loads (folds a weight norm).
        lr_ratio: the discriminator's learning rate, as a multiple of the module's.
        compilable: what `options.compile` compiles; the module as a whole if it is not given.
    """

    def __init__(
        self,
        module: nn.Module,
        options: RunOptions,
        name: str,
        accelerator: Accelerator | None = None,
        discriminator: nn.Module | None = None,
        plain: Callable[[StateDict], StateDict] | None = None,
        lr_ratio: float = 1.0,
        compilable: Sequence[nn.Module] | None = None,
    ) -> None:
        self.module, self.options, self.name = module, options, name
        self.accelerator = accelerator or make_accelerator()
        self.plain = plain or (lambda values: values)
        self.weights = options.out / f"{name}.safetensors"
        self.state = options.out / f"{name}.state.pt"
        if options.start is not None and not options.resume:
            start_from(module, options.start)
        networks = {"module": module} | ({} if discriminator is None else {"discriminator": discriminator})
        self.updates = Updates(networks, options, self.accelerator, lr_ratio)
        self.compilable = [module] if compilable is None else list(compilable)
        self.ema = Ema(module, options.ema)
        self.step, self.spent, self.saved = 0, 0.0, 0.0  # steps; seconds, and seconds at the last saving
        if options.resume:
            self._resume()
            self.saved = self.spent

    def run(
        self,
        objective: Objective | Loss,
        sample: Callable[[Path, int], None] | None = None,
        measure: Callable[[int], dict[str, Tensor]] | None = None,
    ) -> Path:
        """Train to the end of the options' steps or minutes and return the path of the averaged weights.

        Args:
            objective: one step's losses; a plain function of a `Draw` can be neither captured nor compiled.
            sample: writes sounds and pictures of the present (averaged) module into a folder.
            measure: what else the log should say after a step, if anything; every process calls it.
        """
        options, main = self.options, self.accelerator.is_main_process
        described = {key: str(value) for key, value in asdict(options).items()}
        if isinstance(self.accelerator, PrecisionAccelerator):
            described["precision"] = self.accelerator.described()
            if main:
                print(f"{self.name}: computing in {described['precision']}", flush=True)
        described["device"] = f"{self.accelerator.num_processes} x {_name_of(self.accelerator.device)}"
        update = self._update(objective)
        with (
            alone_in(options.out, self.name) if main else nullcontext(),
            update.alone(),
            Journal(options.out, self.name, described, main, self._average) as journal,
            self._bar() as bar,
        ):
            started = time.monotonic() - self.spent
            while (progress := self._progress(time.monotonic() - started)) < 1.0:
                rate = rate_at(self.step, progress, options)
                values = self._advance(objective, update, progress, rate)
                self.spent = time.monotonic() - started
                bar.update(1 if not options.minutes else 0)
                journal.add(values | (measure(self.step) if measure else {}))
                if self.step % options.log_every == 0:
                    # Reads the values, so a device's queue is never longer than this and the clock stays honest.
                    _say(journal.line(self.step, self.spent, rate), bar)
                if self._due():
                    self.save()
                if sample and main and options.sample_every and self.step % options.sample_every == 0:
                    with self.averaged():
                        sample(options.out / "samples", self.step)
                    journal.show(options.out / "samples", self.step)
            _say(journal.line(self.step, self.spent, rate_at(self.step, 1.0, options)), bar)
        self.save()
        return self.weights

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The module with its averaged weights, in evaluation mode, without gradients; its own come back afterwards."""
        with self.ema.applied(), torch.compiler.set_stance("force_eager"):
            yield

    def _due(self) -> bool:
        """True when it is time to save: by the clock if the options say so, else by the steps."""
        if self.options.save_minutes:
            return self.spent - self.saved >= 60 * self.options.save_minutes
        return self.step % self.options.save_every == 0

    def _update(self, objective: Objective | Loss) -> Captured:
        """A step from its inputs on: losses, gradients, new weights; captured and compiled as the options say."""
        clear = self.updates.clear

        def step(inputs: dict[str, Tensor], phase: str) -> dict[str, Tensor]:
            assert isinstance(objective, Objective)
            values = objective.losses(inputs, phase)
            self.updates.step(values)
            return values

        device = self.accelerator.device
        compilable = self.compilable if self.options.compile and isinstance(objective, Objective) else []
        wanted = self.options.graphs and self.accelerator.num_processes == 1
        return Captured(Compiled(step, clear, compilable, device), clear, device, wanted)

    def _bar(self) -> tqdm:
        total = None if self.options.minutes else self.options.steps
        hidden = True if not self.accelerator.is_main_process else None  # None = hidden unless on a terminal
        return tqdm(total=total, initial=self.step, desc=self.name, unit="step", disable=hidden)

    def _advance(
        self, objective: Objective | Loss, update: Captured, progress: float, rate: float
    ) -> dict[str, Tensor]:
        accelerator = self.accelerator
        draw = Draw(self.options.seed, self.step, progress, accelerator.process_index, accelerator.num_processes)
        torch.manual_seed(int(draw.rng(7).integers(2**31)))  # for what draws by itself: dropout
        self.updates.set_rate(rate)
        if isinstance(objective, Objective):
            values = update(objective.inputs(draw), objective.phase(draw))
        else:
            values = objective(draw)
            self.updates.step(values)
        self.ema.update()
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
        self.saved = self.spent
        if not self.accelerator.is_main_process:
            return
        save_weights(self.plain(self.ema.values), self.weights)
        content = {
            "step": self.step,
            "spent": self.spent,
            "precision": self.accelerator.precision if isinstance(self.accelerator, PrecisionAccelerator) else None,
            **self.updates.state(),
            "ema": self.ema.values,
            "updates": self.ema.updates,
        }
        save_state(content, self.state)

    def _resume(self) -> None:
        state = read_state(self.state)
        with foreign(f"{self.state} does not fit this network; give the options that it was begun with."):
            self.updates.load(state)
            for name, value in state["ema"].items():
                self.ema.values[name].copy_(value)
            self.ema.updates = state["updates"]
            self.step, self.spent = state["step"], state["spent"]
            precision = state["precision"]
        here = self.accelerator
        measured = isinstance(here, PrecisionAccelerator) and here.reason
        if measured and precision in ("no", "bf16") and precision != here.precision:
            here.settle(precision, "as the run began")  # a measurement may come out otherwise; a run is one run


def _say(line: str, bar: tqdm) -> None:
    """A line above the progress bar, or alone where there is none (a log file, another process)."""
    if line:
        print(line, flush=True) if bar.disable else bar.write(line)


def _name_of(device: torch.device) -> str:
    """What people call a device."""
    if device.type == "cpu":
        return f"CPU, {torch.get_num_threads()} threads"
    return str(torch.get_device_module(device).get_device_name(device))
