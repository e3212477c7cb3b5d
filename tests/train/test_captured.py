"""Steps for devices that work off a queue, as far as a CPU can tell: nothing is asked, nothing is baked in, and what
cannot be captured or compiled goes on without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

from maa.audio.mel import MelSpectrogram
from maa.config import TINY
from maa.models.autoencoder import Autoencoder
from tests.train.library import little_library
from train import autoencoder, vocoder
from train.adversarial.discriminators import MultiWindowDiscriminator, WaveDiscriminator
from train.data.crops import WaveCrops
from train.trainer import captured
from train.trainer.draw import Draw
from train.trainer.loop import Objective, Trainer
from train.trainer.options import RunOptions
from train.trainer.precision import make_accelerator
from train.trainer.updates import Updates


class Asks(TorchDispatchMode):
    """Fails where a value is read, for which a device would have to be waited for."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func.name() not in ("aten::_local_scalar_dense", "aten::nonzero", "aten::equal"), func.name()
        return func(*args, **(kwargs or {}))


def stage(name: str) -> tuple[Objective, dict[str, nn.Module]]:
    """A tiny stage with its networks."""
    torch.manual_seed(0)
    accelerator, front = make_accelerator(), MelSpectrogram(TINY.audio)
    source = WaveCrops(little_library(), "train", 32 * 256)

    def waves(draw: Draw) -> Tensor:
        return source.of(draw, 2)

    if name == "autoencoder":
        model, windows = Autoencoder(TINY.autoencoder), MultiWindowDiscriminator(4)
        chosen = replace(autoencoder.DISCRIMINATOR, start=0.5, warmup=0.2, floor=1e-6)
        weights = autoencoder.WEIGHTS
        objective = autoencoder.AutoencoderObjective(model, windows, weights, chosen, accelerator, front, waves)
        return objective, {"module": model, "discriminator": windows}
    made, discriminator = vocoder.trainable_vocoder(TINY), WaveDiscriminator(4)
    chosen = replace(vocoder.DISCRIMINATOR, start=0.5, warmup=0.2)
    objective = vocoder.VocoderObjective(
        made, discriminator, vocoder.WEIGHTS, chosen, accelerator, TINY, waves, 32 * 256
    )
    return objective, {"module": made, "discriminator": discriminator}


PHASES = {
    "autoencoder": ("reconstruction", "warm-up, penalty", "warm-up", "adversarial, penalty", "adversarial"),
    "vocoder": ("reconstruction", "warm-up", "adversarial"),
}
CASES = [(name, phase) for name, phases in PHASES.items() for phase in phases]
MOMENTS = {"reconstruction": 0.0, "warm-up": 0.4, "adversarial": 0.9}


def draw_of(phase: str, number: int = 1) -> Draw:
    """A step of a phase."""
    return Draw(0, 8 * number + (0 if phase.endswith("penalty") else 1), MOMENTS[phase.split(",")[0]])


@pytest.mark.parametrize(("name", "phase"), CASES)
def test_a_step_asks_the_device_nothing(name: str, phase: str, tmp_path: Path) -> None:
    objective, networks = stage(name)
    updates = Updates(networks, RunOptions(tmp_path), make_accelerator(), queued=True)
    draw = draw_of(phase)
    assert objective.phase(draw) == phase
    inputs = objective.inputs(draw)
    with Asks():
        updates.set_rate(1e-3)
        updates.step(objective.losses(inputs, phase))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "phase"), [("autoencoder", "reconstruction"), ("vocoder", "reconstruction")])
def test_a_recorded_step_is_the_step_with_other_inputs_and_another_rate(name: str, phase: str, tmp_path: Path) -> None:
    """The recording knows tensors only, like a captured graph: a number from Python would be the old one."""
    options = RunOptions(tmp_path, clip=1e9)
    results = []
    for recorded in (False, True):
        objective, networks = stage(name)
        updates = Updates(networks, options, make_accelerator(), queued=True)

        step = step_of(objective, updates, phase)
        updates.set_rate(1e-3)
        step(objective.inputs(draw_of(phase, 1)))
        if recorded:
            before = kept(networks, updates)
            graph = make_fx(step)(objective.inputs(draw_of(phase, 2)))
            put_back(before, networks, updates)
            step = graph
        for number in (3, 4):
            updates.set_rate(1e-3 / number)
            step(objective.inputs(draw_of(phase, number)))
        results.append(kept(networks, updates))
    for plain, replayed in zip(results[0], results[1], strict=True):
        assert torch.allclose(plain, replayed, rtol=1e-4, atol=1e-6)


def step_of(objective: Objective, updates: Updates, phase: str) -> Callable[[dict[str, Tensor]], Any]:
    def step(inputs: dict[str, Tensor]) -> Tensor:
        values = objective.losses(inputs, phase)
        updates.step(values)
        return values["loss"].detach()

    return step


def kept(networks: dict[str, nn.Module], updates: Updates) -> list[Tensor]:
    """Copies of every weight, buffer and moment."""
    return [tensor.detach().clone() for tensor in everything(networks, updates)]


def everything(networks: dict[str, nn.Module], updates: Updates) -> Iterator[Tensor]:
    for network in networks.values():
        yield from network.state_dict().values()
    for optimiser in updates.optimisers.values():
        for state in optimiser.state.values():
            yield from state.values()


def put_back(before: list[Tensor], networks: dict[str, nn.Module], updates: Updates) -> None:
    """A recording on a CPU computes as well; a capture does not."""
    with torch.no_grad():
        for tensor, old in zip(everything(networks, updates), before, strict=True):
            tensor.copy_(old)
    updates.clear()


# ---------------------------------------------------------------- what happens around a capture


class Doubler:
    """An objective with one weight; the loss tells the inputs."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.network = nn.Linear(1, 1)

    def inputs(self, draw: Draw) -> dict[str, Tensor]:
        return {"x": torch.full((4, 1), float(draw.step))}

    def phase(self, draw: Draw) -> str:
        return "even" if draw.step % 2 == 0 else "odd"

    def losses(self, inputs: dict[str, Tensor], phase: str) -> dict[str, Tensor]:
        return {"loss": (self.network(inputs["x"]) - 2 * inputs["x"]).square().mean()}


class Stream:
    def wait_stream(self, other: Any) -> None:
        """Nothing runs beside the CPU."""


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What Trainer and Captured take for a device with a queue; `attempts` counts captures, which fail."""
    monkeypatch.setattr(torch, "set_float32_matmul_precision", lambda precision: None)
    here = SimpleNamespace(attempts=0, CUDAGraph=SimpleNamespace, Stream=lambda device: Stream())
    here.current_stream = lambda device: Stream()
    here.set_stream = lambda stream: None
    here.graph_pool_handle = lambda: None
    here.is_current_stream_capturing = lambda: False

    @contextmanager
    def stream(chosen: Stream) -> Iterator[None]:
        yield

    @contextmanager
    def graph(*args: Any, **kwargs: Any) -> Iterator[None]:
        here.attempts += 1
        yield
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    here.stream, here.graph = stream, graph
    monkeypatch.setattr(captured, "module_of", lambda device: here)
    return here


def test_a_capture_that_fails_is_told_once_and_training_goes_on(
    tmp_path: Path, device: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Doubler()
    trainer = Trainer(
        stage.network, RunOptions(tmp_path, steps=30, lr=0.05, warmup=1, graphs=True), "line", make_accelerator()
    )
    trainer.run(stage)
    said = capsys.readouterr().out
    assert device.attempts == 1 and said.count("could not be captured, going on eagerly: RuntimeError") == 1
    assert float(stage.network.weight.detach()) > 0.5
    assert set(load_file(tmp_path / "line.safetensors")) == {"weight", "bias"}


def test_a_replay_reads_the_new_inputs_and_its_values_are_kept(device: SimpleNamespace) -> None:
    def step(inputs: dict[str, Tensor], phase: str) -> dict[str, Tensor]:
        return {"sum": inputs["x"].sum(), "most": inputs["x"].amax()}

    class Graph:
        def replay(self) -> None:
            ((_, found),) = steps.graphs.items()
            found.values.copy_(torch.stack([*step(found.inputs, "").values()]))

    device.CUDAGraph, device.graph = Graph, lambda *args, **kwargs: device.stream(Stream())
    steps = captured.Captured(step, lambda: None, torch.device("cpu"))
    seen = [steps({"x": torch.tensor([1.0, number])}, "reconstruction") for number in range(9)]
    assert len(steps.graphs) == 1
    assert [float(values["sum"]) for values in seen] == [1.0 + number for number in range(9)]
    assert [float(values["most"]) for values in seen] == [max(1.0, number) for number in range(9)]


def test_compiled_networks_that_fail_are_put_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = Doubler()
    trainer = Trainer(stage.network, RunOptions(tmp_path, steps=5, lr=0.05, compile=True), "line", make_accelerator())
    update = trainer._update(stage)
    assert stage.network._compiled_call_impl is not None

    def broken(*args: Any) -> None:
        raise RuntimeError("no compiler here")

    stage.network._compiled_call_impl = broken
    before = stage.network.weight.detach().clone()
    trainer._advance(stage, update, 0.0, 1e-2)
    assert stage.network._compiled_call_impl is None and not torch.equal(stage.network.weight, before)
    assert capsys.readouterr().out.count("compiled networks failed, going on without") == 1


@pytest.mark.parametrize("queued", [False, True])
def test_a_gradient_that_is_not_finite_changes_nothing(queued: bool, tmp_path: Path) -> None:
    network, judge = nn.Linear(2, 1), nn.Linear(2, 1)
    updates = Updates(
        {"module": network, "discriminator": judge}, RunOptions(tmp_path), make_accelerator(), queued=queued
    )
    for scale in (1.0, float("nan"), 1.0):
        before = kept(updates.networks, updates)
        loss = network(torch.ones(1, 2)).sum()
        updates.step({"loss": loss, "discriminator": scale * judge(torch.ones(1, 2)).sum()})
        same = [torch.equal(a, b) for a, b in zip(before, kept(updates.networks, updates), strict=False)]
        assert all(same) if scale != scale else not any(same)


def test_a_run_goes_on_from_the_state_of_another_kind_of_device(tmp_path: Path) -> None:
    """Fused or not, and with weights laid out in another way."""
    torch.manual_seed(0)
    networks = [nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)]
    options, x = RunOptions(tmp_path), torch.randn(1, 3, 8, 8)
    first = Updates({"module": networks[0]}, options, make_accelerator(), queued=False)
    first.step({"loss": networks[0](x).sum()})
    torch.save(first.state(), tmp_path / "state.pt")
    second = Updates({"module": networks[1]}, replace(options, lr=0.5), make_accelerator(), queued=True)
    second.load(torch.load(tmp_path / "state.pt", weights_only=True))
    second.step({"loss": networks[1](x).sum()})
    group = second.optimisers["module"].param_groups[0]
    assert float(group["lr"]) == 0.5 and group["fused"]
    states = second.optimisers["module"].state
    assert all(float(state["step"]) == 2 for state in states.values())
    assert all(state["exp_avg"].stride() == weight.stride() for weight, state in states.items())
