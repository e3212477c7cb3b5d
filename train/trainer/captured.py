"""A training step as one captured graph: an accelerator replays its thousand small kernels without the CPU.

A graph is a recording of one phase with inputs of one shape. It reads its inputs from buffers of its own and leaves its
values in others, so nothing that changes from step to step may be a Python number: the learning rate is a tensor too.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Inputs = dict[str, Tensor]
Values = dict[str, Tensor]
Step = Callable[[Inputs, str], Values]
Key = tuple[str, tuple[tuple[str, torch.Size, torch.dtype], ...]]

EAGER = 4  # steps of a phase before it is captured: they choose kernels and make the optimiser's state
MOST = 16  # graphs; whatever comes after that stays eager
# What a failed capture or compilation raises. A mistake in a loss is raised again by the eager step that follows.
FAILURES = (RuntimeError, AssertionError, AttributeError, LookupError, TypeError, ValueError, OSError, ImportError)


def module_of(device: torch.device) -> Any:
    """PyTorch's own module for a kind of device: its streams and graphs."""
    return torch.get_device_module(device)


def queues(device: torch.device) -> bool:
    """True for a device that works off a queue of kernels and can capture one: there the CPU should never wait."""
    return hasattr(module_of(device), "CUDAGraph")


@dataclass(frozen=True)
class _Graph:
    graph: Any
    inputs: Inputs
    names: tuple[str, ...]
    values: Tensor  # [len(names)]


class Captured:
    """Runs a step, captured once it has been run a few times with the same phase and shapes.

    When a capture fails, this says so once and every step from then on is eager.

    Args:
        step: (inputs, phase) -> scalars by name, with everything it does to networks and optimisers.
        clear: takes back what a step that broke off has left: gradients.
        wanted: False = every step is eager.
    """

    def __init__(self, step: Step, clear: Callable[[], None], device: torch.device, wanted: bool = True) -> None:
        self.step, self.clear, self.device = step, clear, device
        self.module = module_of(device)
        self.works = wanted and queues(device)
        self.counts: dict[Key, int] = {}
        self.graphs: dict[Key, _Graph] = {}
        self.stream = self.module.Stream(device) if self.works else None
        self.pool = self.module.graph_pool_handle() if self.works else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Everything inside runs in the one stream that graphs are captured in, so that nothing waits for another.

        Autograd and the optimiser bind to the stream they are first used in; a capture that meets a second one fails.
        """
        if self.stream is None:
            yield
            return
        before = self.module.current_stream(self.device)
        self.stream.wait_stream(before)
        with self.module.stream(self.stream):
            yield
        before.wait_stream(self.stream)

    def __call__(self, inputs: Inputs, phase: str) -> Values:
        """One step; the values are the caller's to keep, without gradients."""
        if not self.works:
            return self._eager(inputs, phase)
        key = (phase, tuple((name, value.shape, value.dtype) for name, value in sorted(inputs.items())))
        found = self.graphs.get(key)
        if found is None:
            count = self.counts[key] = self.counts.get(key, 0) + 1
            if count <= EAGER or len(self.graphs) >= MOST:
                return self._eager(inputs, phase)
            found = self._capture(inputs, phase)
            if found is None:
                return self._eager(inputs, phase)
            self.graphs[key] = found
        for name, value in inputs.items():
            found.inputs[name].copy_(value, non_blocking=True)
        found.graph.replay()
        kept = found.values.clone()  # the next replay overwrites them
        return dict(zip(found.names, kept.unbind(), strict=True))

    def _eager(self, inputs: Inputs, phase: str) -> Values:
        names, values = self._run(inputs, phase)
        return dict(zip(names, values.unbind(), strict=True))

    def _run(self, inputs: Inputs, phase: str) -> tuple[tuple[str, ...], Tensor]:
        values = self.step(inputs, phase)
        # Detached: a tensor that keeps its history keeps autograd's nodes, and a capture must not meet old ones.
        return tuple(values), torch.stack([value.detach().float() for value in values.values()])

    def _capture(self, inputs: Inputs, phase: str) -> _Graph | None:
        """Record a step; nothing is computed. None when it failed, for good."""
        held = {name: value.clone() for name, value in inputs.items()}
        gc.collect()
        try:
            graph = self.module.CUDAGraph()
            # Threads that compose or write meanwhile may do what they like: only this one is recorded.
            with self.module.graph(graph, self.pool, self.stream, capture_error_mode="thread_local"):
                names, values = self._run(held, phase)
        except FAILURES as error:
            self.works = False
            self.module.set_stream(self.stream)  # a capture that breaks off can leave another one current
            self.clear()
            print(f"phase {phase!r} could not be captured, going on eagerly: {_first_line(error)}", flush=True)
            return None
        return _Graph(graph, held, names, values)


class Compiled:
    """Runs a step over networks compiled in place (their parameters keep their names).

    What cannot be traced or built runs as it is. A failure that shows only later (a backward pass is built late, a
    kernel may not start) puts every network back and runs the step again.

    Args:
        step, clear: as for `Captured`.
        networks: the modules to compile.
    """

    def __init__(
        self, step: Step, clear: Callable[[], None], networks: Sequence[nn.Module], device: torch.device
    ) -> None:
        self.step, self.clear, self.networks, self.device = step, clear, list(networks), device
        if self.networks:
            import torch._dynamo

            torch._dynamo.config.suppress_errors = True
        for network in self.networks:
            network.compile(dynamic=False)

    def __call__(self, inputs: Inputs, phase: str) -> Values:
        """The step's values."""
        if not self.networks:
            return self.step(inputs, phase)
        try:
            return self.step(inputs, phase)
        except FAILURES as error:
            if queues(self.device) and module_of(self.device).is_current_stream_capturing():
                raise  # it is the capture that failed
            print(f"compiled networks failed, going on without: {_first_line(error)}", flush=True)
        for network in self.networks:
            network._compiled_call_impl = None
        self.networks = []
        self.clear()
        return self.step(inputs, phase)


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else 'no words'}"
