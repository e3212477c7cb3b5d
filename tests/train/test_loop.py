"""The loop: it resumes bit for bit, starts from weights, shares a batch between processes, and can be watched."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from maa.device import bf16_gain
from train.trainer import loop
from train.trainer import precision as precisions
from train.trainer.draw import Draw
from train.trainer.journal import write_wave
from train.trainer.loop import Trainer, start_from
from train.trainer.options import RunOptions, rate_at
from train.trainer.updates import Ema

WORKER = Path(__file__).with_name("two_processes.py")


class Line:
    """Fit a line to noise-free sums; the batch is drawn like a stage's."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.network = nn.Linear(4, 1)

    def __call__(self, draw: Draw) -> dict[str, Tensor]:
        x = torch.stack([torch.from_numpy(draw.rng(1, i).standard_normal(4)).float() for i in draw.samples(8)])
        x = x + 0.1 * draw.normal(x)
        return {"loss": (self.network(x) - x.sum(1, keepdim=True)).square().mean()}


def train(folder: Path, stop: int | None = None, **options: object) -> dict[str, Tensor]:
    """40 steps, or until a crash after `stop` of them."""
    line = Line()
    chosen = replace(RunOptions(folder, steps=40, lr=0.05, warmup=1, save_every=20, log_every=5), **options)
    trainer = Trainer(line.network, chosen, "line")

    def loss(draw: Draw) -> dict[str, Tensor]:
        if draw.step == stop:
            raise KeyboardInterrupt
        return line(draw)

    if stop is None:
        trainer.run(loss)
    else:
        with pytest.raises(KeyboardInterrupt):
            trainer.run(loss)
    return line.network.state_dict()


def test_a_resumed_run_is_the_same_run_to_the_bit(tmp_path: Path) -> None:
    straight = train(tmp_path / "a")
    train(tmp_path / "b", stop=27)
    resumed = train(tmp_path / "b", resume=True)
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    averaged = [load_file(tmp_path / run / "line.safetensors") for run in "ab"]
    assert all(torch.equal(averaged[0][name], averaged[1][name]) for name in averaged[0])
    curves = [losses(tmp_path / run, "line") for run in "ab"]
    assert curves[0][4:] == curves[1][-4:]


def losses(folder: Path, name: str) -> list[float]:
    rows = [json.loads(line) for line in (folder / f"{name}.log.jsonl").read_text().splitlines()]
    return [row["loss"] for row in rows if "loss" in row]


def test_weights_alone_start_a_run_with_a_fresh_optimiser(tmp_path: Path) -> None:
    train(tmp_path / "a", ema=0.0)
    train(tmp_path / "b", start=tmp_path / "a" / "line.safetensors")
    assert losses(tmp_path / "b", "line")[0] < 0.3 * losses(tmp_path / "a", "line")[0]


def test_starting_refuses_what_does_not_fit(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3, 3)}, tmp_path / "line.safetensors")
    with pytest.raises(ValueError, match="does not fit"):
        start_from(nn.Linear(4, 1), tmp_path / "line.safetensors")
    with pytest.raises(ValueError, match="to start from"):
        start_from(nn.Linear(4, 1), tmp_path / "other.safetensors")


def test_starting_reaches_weights_under_weight_norm(tmp_path: Path) -> None:
    plain = nn.Sequential(nn.Conv1d(2, 3, 3))
    save_file(plain.state_dict(), tmp_path / "net.safetensors")
    normed = nn.Sequential(torch.nn.utils.parametrizations.weight_norm(nn.Conv1d(2, 3, 3)))
    start_from(normed, tmp_path / "net.safetensors")
    x = torch.randn(1, 2, 9)
    assert torch.allclose(plain(x), normed(x), atol=1e-6)


def test_resuming_nothing_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="resume"):
        Trainer(nn.Linear(1, 1), RunOptions(tmp_path, resume=True), "line")


@pytest.mark.slow
def test_two_processes_give_one_process_loss(tmp_path: Path) -> None:
    """Each with half of the batch, over gloo."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node"]
    for count in (1, 2):
        out = tmp_path / str(count)
        several = [*launch, str(count), "--master_port", str(29_480 + count)]
        command = [*(several if count > 1 else [sys.executable]), str(WORKER), str(out), str(4 // count)]
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=WORKER.parents[2], timeout=200)
    for name in ("autoencoder", "unet"):
        one, two = (np.array(losses(tmp_path / str(count), name)) for count in (1, 2))
        assert len(one) == 3
        assert np.allclose(one, two, rtol=1e-3), (name, one, two)


def test_a_discriminator_is_trained_against_the_module(tmp_path: Path) -> None:
    torch.manual_seed(0)
    maker, judge = nn.Linear(1, 1), nn.Linear(1, 1)
    before = judge.weight.detach().clone()

    def loss(draw: Draw) -> dict[str, Tensor]:
        made = maker(draw.normal(torch.zeros(16, 1)))
        values = {"loss": made.square().mean()}
        if draw.step >= 5:
            values["discriminator"] = judge(made.detach()).square().mean()
        elif draw.step:
            assert torch.equal(judge.weight, before), "without a loss it stays as it is"
        return values

    trainer = Trainer(maker, RunOptions(tmp_path, steps=10, warmup=1), "game", discriminator=judge)
    trainer.run(loss)
    assert not torch.equal(judge.weight, before)
    assert set(load_file(tmp_path / "game.safetensors")) == {"weight", "bias"}, "no discriminator is shipped"


def test_a_loss_that_is_not_finite_changes_nothing(tmp_path: Path) -> None:
    network = nn.Linear(1, 1)
    before = network.weight.detach().clone()
    trainer = Trainer(network, RunOptions(tmp_path, steps=2), "line")
    trainer.run(lambda _: {"loss": (network.weight * float("nan")).sum()})
    assert torch.equal(network.weight, before)


def test_samples_come_from_the_averaged_weights_and_training_goes_on(tmp_path: Path) -> None:
    line = Line()
    trainer = Trainer(line.network, RunOptions(tmp_path, steps=6, warmup=1, sample_every=3, ema=0.5), "line")
    seen = []

    def show(folder: Path, step: int) -> None:
        assert torch.equal(line.network.weight, trainer.ema.values["weight"])
        seen.append(step)
        write_wave(folder / f"{step:07d}-sound.wav", np.zeros(160, np.float32), 16_000)

    trainer.run(line, show)
    assert seen == [3, 6]
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == ["0000003-sound.wav", "0000006-sound.wav"]
    assert not torch.equal(line.network.weight, trainer.ema.values["weight"])


def test_tensorboard_gets_the_curves(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train(tmp_path)
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [point.step for point in events.Scalars("line/loss")] == list(range(5, 41, 5))


def test_an_average_of_one_value_is_that_value() -> None:
    network = nn.Linear(2, 2)
    ema = Ema(network, 0.99)
    for _ in range(5):
        ema.update()
    assert torch.allclose(ema.values["weight"], network.weight)


@pytest.mark.parametrize(("gain", "precision"), [(1.6, "bf16"), (1.1, "no")])
def test_the_faster_precision_is_measured_and_a_resumed_run_keeps_it(
    gain: float, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION")
    monkeypatch.setattr(precisions, "bf16_gain", lambda: gain)
    train(tmp_path, stop=21)
    assert f"{gain:.2f} times" in capsys.readouterr().out
    monkeypatch.setattr(precisions, "bf16_gain", lambda: 2.7 - gain)
    place = precisions.make_accelerator()
    Trainer(Line().network, RunOptions(tmp_path, resume=True), "line", place)
    assert place.precision == precision and "as the run began" in place.described()
    with place.autocast():
        made = nn.Linear(4, 4)(torch.zeros(1, 4))
    assert made.dtype == (torch.bfloat16 if precision == "bf16" else torch.float32)


def test_a_precision_that_is_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precisions, "bf16_gain", lambda: pytest.fail("nobody asked"))
    assert precisions.make_accelerator().precision == "no"


def test_this_cpus_gain_is_measured_once_without_a_random_number() -> None:
    state = torch.get_rng_state()
    assert 0.01 < bf16_gain() < 100
    assert bf16_gain() == bf16_gain()
    assert torch.equal(state, torch.get_rng_state())


def test_saving_goes_by_the_clock_where_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line, seen = Line(), []
    options = RunOptions(tmp_path, steps=30, save_every=1, save_minutes=0.5, warmup=1)
    trainer = Trainer(line.network, options, "line")
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: 7.0 * trainer.step))
    monkeypatch.setattr(trainer, "save", lambda: (seen.append(trainer.step), setattr(trainer, "saved", trainer.spent)))
    trainer.run(line)
    assert seen == [5, 10, 15, 20, 25, 30, 30]


def test_the_rate_warms_up_stays_and_falls() -> None:
    options = RunOptions(Path(), steps=100, lr=1.0, warmup=10)
    assert rate_at(0, 0.0, options) == pytest.approx(0.1)
    assert rate_at(30, 0.3, options) == 1.0
    assert rate_at(75, 0.75, options) == pytest.approx(0.505)
    assert rate_at(100, 1.0, options) == pytest.approx(0.01)


def test_training_imports_no_audio_file_library() -> None:
    """A machine that trains needs the cached library only."""
    stages = ("autoencoder", "vocoder", "clap", "diffusion", "small", "package")
    unwanted = ("soundfile", "soxr", "gradio", "open_clip", "cv2")
    code = "import sys\n" + "".join(f"import train.{stage}\n" for stage in stages)
    code += f"print(*[name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=WORKER.parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
