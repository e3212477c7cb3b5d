"""The network that leads by itself: it comes near its teacher's guided answer, and is asked once per step."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maa import MakeAnAudio, Sampling, checkpoint
from maa.config import TINY
from maa.models.context import Context
from maa.models.unet import UNet
from tests.train.library import little_library
from tests.train.test_stages import BATCH, losses, parts
from train.diffusion import RECIPES, train_unet
from train.few_steps import teacher_in, train_student
from train.package import add_student
from train.trainer.options import RunOptions

__all__ = ["parts"]
RECIPE = replace(RECIPES["unified"], batch=8, pool=8, renew=0.1, widths=((20, 1.0),))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory, parts: Path) -> Path:
    """A tiny model folder whose network has learned a little, so that guidance changes what it answers."""
    folder = tmp_path_factory.mktemp("teacher")
    options = RunOptions(folder, steps=30, lr=3e-3, warmup=3, log_every=20, ema=0.9)
    train_unet(TINY, little_library(), [parts], options, RECIPE)
    completed(folder, parts)
    return folder


def completed(folder: Path, parts: Path) -> None:
    """Put the parts beside a network, so that the folder opens."""
    for part in checkpoint.PARTS:
        if not (folder / f"{part}.safetensors").exists():
            (folder / f"{part}.safetensors").symlink_to(parts / f"{part}.safetensors")
    (folder / checkpoint.TOKENIZER).symlink_to(parts / checkpoint.TOKENIZER)


def counted_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each call of a network has had from now on."""
    rows: list[int] = []
    forward = UNet.forward

    def counted(self: UNet, z: torch.Tensor, *more: Any) -> torch.Tensor:
        rows.append(len(z))
        return forward(self, z, *more)

    monkeypatch.setattr(UNet, "forward", counted)
    return rows


def test_a_student_comes_near_and_is_asked_once(
    teacher: Path, parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RunOptions(tmp_path, **{**BATCH, "steps": 60, "lr": 3e-3, "log_every": 20, "ema": 0.9})
    train_student(little_library(), [parts], teacher, options, RECIPE, rank=0)
    seen = losses(tmp_path, "unet")
    assert seen[-1] < 0.8 * seen[0], "it begins as the teacher without guidance"
    completed(tmp_path, parts)
    assert checkpoint.read_config(tmp_path)[0].unet.guided
    rows = counted_rows(monkeypatch)
    maa = MakeAnAudio.from_pretrained(tmp_path, device="cpu")
    for quality, negative, expected in (("instant", "", 1), ("fine", "", 2), ("instant", "noise", 2)):
        rows.clear()
        asked = Sampling(2, 3.0, 0, quality=quality)
        wave = maa.text_to_audio("a tone", asked, negative=negative, seconds=1.0).audio
        assert rows == [expected] * 2
        assert wave.std() > 0


@pytest.fixture(scope="module")
def student(teacher: Path, parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a student of rank 4 leaves."""
    folder = tmp_path_factory.mktemp("student")
    options = RunOptions(folder, **{**BATCH, "steps": 40, "lr": 3e-3, "log_every": 20, "ema": 0.9})
    train_student(little_library(), [parts], teacher, options, RECIPE, rank=4)
    return folder


def together(teacher: Path, student: Path, to: Path) -> Path:
    """A model folder with both, without links."""
    shutil.copytree(teacher, to, ignore=shutil.ignore_patterns("*.pt", "*.jsonl", "tensorboard"))
    assert add_student(student, to, rank=4) > 0.999, "what was learned with that rank fits into it"
    return to


def test_a_student_lives_beside_its_teacher(
    teacher: Path, student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = losses(student, "unet")
    assert seen[-1] < 0.9 * seen[0]
    folder = together(teacher, student, tmp_path / "both")
    sizes = [path.stat().st_size for path in (folder / "student.safetensors", teacher / "unet.safetensors")]
    assert sizes[0] < sizes[1] / 4
    alone, both = (MakeAnAudio.from_pretrained(one, device="cpu") for one in (teacher, folder))
    network, learned = both.model.student, checkpoint.read_weights([student / "unet.safetensors"])
    assert network is not None
    assert both.model.weights_hash != alone.model.weights_hash
    for name, value in network.state_dict().items():
        assert torch.allclose(value, learned[name], atol=2e-3), name
    rows = counted_rows(monkeypatch)
    for quality, negative, expected in (("instant", "", 1), ("fine", "", 2), ("instant", "noise", 2)):
        rows.clear()
        asked = Sampling(2, 3.0, 0, quality=quality)
        waves = [maa.text_to_audio("a tone", asked, negative=negative, seconds=1.0).audio for maa in (alone, both)]
        assert rows == [2, 2, expected, expected]
        assert np.array_equal(*waves) == (expected == 2), "only what the student makes is another sound"
    checkpoint.save(both.model, tmp_path / "again", torch.float32)
    again = checkpoint.load(tmp_path / "again").student
    assert again is not None
    for name, value in again.state_dict().items():
        assert torch.allclose(value, network.state_dict()[name], atol=1e-5), name


def test_a_student_that_does_not_fit_is_said(teacher: Path, student: Path, tmp_path: Path) -> None:
    folder = together(teacher, student, tmp_path / "both")
    file = folder / "student.safetensors"
    good = checkpoint.read_weights([file])
    left = next(name for name in good if name.endswith(".left"))
    for damage in ({"nowhere.left": torch.ones(4, 4)}, {left: torch.ones(3, 3)}, {"nowhere": torch.ones(2)}):
        checkpoint.write_parts(folder, checkpoint.read_config(folder)[0], {"student": good | damage})
        with pytest.raises(ValueError, match=r"student.safetensors is no difference to the network"):
            checkpoint.load(folder)
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ValueError, match="damaged or was replaced"):
        checkpoint.load(folder)
    with pytest.raises(ValueError, match=r"There is no unet.safetensors in"):
        add_student(tmp_path, folder)
    other = UNet(replace(checkpoint.read_config(folder)[0].unet, channels=8)).state_dict()
    with pytest.raises(ValueError, match="in the student and"):
        checkpoint.difference(other, checkpoint.read_weights([teacher / "unet.safetensors"]), 4)


def test_the_scale_is_heard(teacher: Path) -> None:
    """A scale changes nothing before it is learned, and something once its layer says so."""
    config = checkpoint.read_config(teacher)[0].unet
    plain, student = teacher_in(teacher), UNet(replace(config, guided=True)).eval()
    student.load_state_dict(plain.state_dict(), strict=False)
    z, t = torch.randn(2, config.out_channels, 10, 20), torch.tensor([500, 20])
    asked = Context(guidance=torch.tensor([2.0, 5.0]))
    with torch.inference_mode():
        assert torch.allclose(student(z, t, asked), plain(z, t, Context()), atol=1e-6)
        torch.nn.init.normal_(student.guidance[-1].weight, std=0.1)
        first = student(z, t, asked)
        assert not torch.allclose(first, student(z, t, replace(asked, guidance=torch.tensor([2.0, 8.0]))))
        assert torch.equal(student(z, t), plain(z, t, Context())) or torch.allclose(student(z, t), plain(z, t))


def test_a_folder_without_a_network_is_said(tmp_path: Path, teacher: Path) -> None:
    (tmp_path / checkpoint.CONFIG).write_bytes((teacher / checkpoint.CONFIG).read_bytes())
    with pytest.raises(ValueError, match="no diffusion network with learned nulls"):
        teacher_in(tmp_path)
