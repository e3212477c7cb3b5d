"""The recipe of the shipped model: what it starts, what it keeps, and a whole run at the tiny size."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from maa import MakeAnAudio, Sampling, checkpoint, folders
from maa.audio.mel import MelSpectrogram
from maa.config import MINI, TINY
from maa.folders import recover, replace_folder
from tests.train.library import little_library
from train import small
from train.data.library import CACHE
from train.package import assemble


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A tiny model that an earlier run left, and a library beside it."""
    checkpoint.save(checkpoint.random_model(), tmp_path / "to", torch.float32)
    little_library().save(tmp_path / CACHE)
    return tmp_path


def run_in(folder: Path) -> small.Run:
    """The tiny recipe in a folder."""
    return small.Run(small.PRESETS_OF_TIME["tiny"], 0.01, folder, folder / "to", folder / "runs", folder / "to")


def test_a_stage_starts_from_the_earlier_model_and_resumes_from_its_own_state(earlier: Path) -> None:
    run = run_in(earlier)
    begun = run.command("vocoder", earlier=True)
    assert begun[begun.index("--start") + 1] == str(earlier / "to" / "vocoder.safetensors")
    assert "--start" not in run.command("vocoder", earlier=False)
    run.state("vocoder").parent.mkdir(parents=True)
    run.state("vocoder").touch()
    resumed = run.command("vocoder", earlier=True)
    assert "--resume" in resumed and "--start" not in resumed


def test_parts_of_another_size_are_no_start(earlier: Path) -> None:
    model = checkpoint.random_model()
    assert run_in(earlier).fits("unet")
    other = checkpoint.Model(MINI, model.front, vocoder=model.vocoder)
    checkpoint.save(other, earlier / "to")
    assert not run_in(earlier).fits("unet") and not run_in(earlier).fits("vocoder")


def test_a_model_without_density_and_refining_is_a_start(earlier: Path) -> None:
    plain = replace(
        TINY, unet=replace(TINY.unet, density=False), vocoder=replace(TINY.vocoder, refine=None), name="old"
    )
    model = checkpoint.random_model(plain)
    checkpoint.save(model, earlier / "to")
    run = run_in(earlier)
    assert run.fits("unet") and run.fits("vocoder") and run.fits("autoencoder")


def test_a_network_of_another_size_is_not_overwritten(earlier: Path) -> None:
    model = checkpoint.random_model()
    checkpoint.save(checkpoint.Model(MINI, model.front, unet=model.unet), earlier / "to")
    before = (earlier / "to" / "unet.safetensors").read_bytes()
    with pytest.raises(ValueError, match="--to"):
        run_in(earlier).all_stages(anew=False)
    assert (earlier / "to" / "unet.safetensors").read_bytes() == before
    assert not (earlier / "runs").exists()


@pytest.mark.parametrize(("distance", "kept"), [(-0.01, True), (0.01, False)])
def test_the_latents_of_a_good_autoencoder_stay(
    distance: float, kept: bool, earlier: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: dict[str, tuple[bool, tuple[str, ...]]] = {}
    monkeypatch.setattr(small, "autoencoder_distance", lambda *_: small.GOOD + distance)
    monkeypatch.setattr(small.Run, "begin", lambda _, stage, start, more=(): begun.setdefault(stage, (start, more)))
    monkeypatch.setattr(small.Run, "wait", lambda *_: None)
    monkeypatch.setattr(small.Run, "finish", lambda _: None)
    run = run_in(earlier)
    run.all_stages(anew=False)
    assert "decades" in capsys.readouterr().out
    assert [start for start, _ in begun.values()] == [True, True, True, kept], (
        "a U-Net is of use on its own latents only"
    )
    assert ("--frozen-encoder" in begun["autoencoder"][1]) is kept
    monkeypatch.setattr(small, "autoencoder_distance", lambda *_: pytest.fail("it is asked once in a run"))
    assert run.keeps_latents(anew=False) is kept


def test_starting_anew_asks_nothing_of_the_earlier_model(earlier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "autoencoder_distance", lambda *_: pytest.fail("not asked"))
    assert not run_in(earlier).keeps_latents(anew=True)


def test_a_failing_stage_is_named(earlier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small.Run, "command", lambda *_: [sys.executable, "-c", "raise SystemExit(3)"])
    run = run_in(earlier)
    with pytest.raises(ValueError, match="vocoder"):
        run.wait({"vocoder": run.begin("vocoder", earlier=True)})
    assert not run.done("vocoder").exists()


def test_time_is_shared_out_whole() -> None:
    for preset in small.PRESETS_OF_TIME.values():
        *sound, last = (preset.minutes(2.0, stage) for stage in ("autoencoder", "vocoder", "diffusion"))
        total = (max(sound) if preset.together else sum(sound)) + last
        assert total == pytest.approx(120)


def test_the_card_reads_the_logs(tmp_path: Path) -> None:
    (tmp_path / "vocoder").mkdir()
    lines = [
        {"options": {"start": "None", "device": "2 x toaster"}},
        {"step": 40, "minutes": 3.2, "lr": 0.1, "mel": 0.25},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "vocoder" / "vocoder.log.jsonl").write_text(text)
    assert "| `vocoder` | random | 40 | 3 | 2 x toaster | mel 0.25 |" in small.run_card(tmp_path, "tiny")
    assert (tmp_path / "card.md").is_file()


def test_large_parts_are_written_in_shards_that_open(tmp_path: Path) -> None:
    model = checkpoint.random_model()
    checkpoint.save(model, tmp_path, torch.float32)
    checkpoint.save(model, tmp_path, torch.float32, shard_bytes=300_000)
    assert not (tmp_path / "unet.safetensors").exists(), "the whole file of before would contradict the shards"
    shards = checkpoint.weight_files(tmp_path, "unet")
    assert len(shards) > 2 and all(path.stat().st_size < 400_000 for path in shards)
    again = checkpoint.load(tmp_path)
    for name, value in model.unet.state_dict().items():
        assert torch.equal(value, again.unet.state_dict()[name])
    assert not again.missing
    shards[0].write_bytes(shards[1].read_bytes())
    with pytest.raises(ValueError, match="damaged or was replaced"):
        checkpoint.load(tmp_path)
    shards[0].unlink()
    with pytest.raises(ValueError, match=shards[0].name):
        checkpoint.load(tmp_path)
    (tmp_path / "unet.safetensors.index.json").write_text("[]")
    with pytest.raises(ValueError, match="not an index"):
        checkpoint.load(tmp_path)


def test_packaging_takes_the_last_folder_that_has_a_part(tmp_path: Path) -> None:
    first, second = checkpoint.random_model(seed=0), checkpoint.random_model(seed=1)
    checkpoint.save(first, tmp_path / "first", torch.float32)
    checkpoint.save(checkpoint.Model(TINY, second.front, vocoder=second.vocoder), tmp_path / "second", torch.float32)
    assemble([tmp_path / "first", tmp_path / "second"], tmp_path / "to", "both")
    made = checkpoint.load(tmp_path / "to")
    assert made.config.name == "both"
    wanted = second.vocoder.state_dict()
    assert all(torch.allclose(v, wanted[k], atol=1e-3) for k, v in made.vocoder.state_dict().items())
    assert torch.allclose(made.unet.conv_in.weight, first.unet.conv_in.weight, atol=1e-3)


class Killed(BaseException):
    """What nothing catches."""


def killed_at(monkeypatch: pytest.MonkeyPatch, count: int, action: Callable[[], None]) -> bool:
    """Run until something is about to change the disk for the `count`-th time; True when it was cut off there."""
    left = [count]

    def patched(plain: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **more: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return plain(*args, **more)

        return call

    with monkeypatch.context() as patch:
        for owner, name in (
            (os, "rename"),
            (os, "replace"),
            (os, "link"),
            (os, "unlink"),
            (os, "rmdir"),
            (os, "mkdir"),
            (shutil, "copy2"),
            (Path, "touch"),
            (Path, "unlink"),
        ):
            patch.setattr(owner, name, patched(getattr(owner, name)))
        # copytree has bound it as a default
        patch.setattr(shutil.copytree, "__defaults__", (False, None, shutil.copy2, False, False))
        try:
            action()
        except Killed:
            return True
    return False


def bias(folder: Path) -> float:
    """Which of two models a folder holds, all its hashes being right."""
    hashes = checkpoint.read_config(folder)[1]
    assert {path.name for path in checkpoint.weight_files(folder, "unet")} <= set(hashes)
    assert all(checkpoint.file_hash(folder / name) == value for name, value in hashes.items())
    return float(checkpoint.read_weights(checkpoint.weight_files(folder, "unet"))["conv_in.bias"][0])


@pytest.mark.parametrize("swaps", [True, False])
def test_a_run_killed_anywhere_while_it_finishes_leaves_a_model_that_opens(
    swaps: bool, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not swaps:
        monkeypatch.setattr(folders, "_swap", lambda *_: False)
    start, template, trained = earlier / "to", earlier / "template", earlier / "trained"
    unet = checkpoint.load(start).unet
    assert unet is not None
    for folder, value in ((template, 1.0), (trained, 2.0)):
        torch.nn.init.constant_(unet.conv_in.bias, value)
        small_one = checkpoint.Model(TINY, MelSpectrogram(TINY.audio), unet=unet)
        checkpoint.save(small_one, folder, shard_bytes=None if value == 1 else 150_000)
    (template / "README.md").write_text("mine")
    monkeypatch.setattr(small, "assemble", lambda _, to, name: shutil.copytree(trained, to))
    seen = set()
    for count in range(200):
        for name in ("to", "to.new", "to.old", "runs"):
            shutil.rmtree(earlier / name, ignore_errors=True)
        shutil.copytree(template, start)
        run = run_in(earlier)
        for stage, part in small.PART.items():
            (earlier / "runs" / stage).mkdir(parents=True)
            for path in (run.done(stage), run.state(stage), run.runs / stage / f"{part}.safetensors"):
                path.touch()
        cut = killed_at(monkeypatch, count, run.finish)
        if swaps and sys.platform == "linux":
            assert bias(start) in (1.0, 2.0), "without asking for anything to be mended"
        run.tidy()
        seen.add(bias(start))
        assert (start / "README.md").read_text() == "mine"
        if run.done("diffusion").is_file():
            run.finish()
        assert bias(start) == 2.0, count
        assert not [path for path in earlier.glob("to.*") if path.exists()]
        assert not list((earlier / "runs").glob("*/done"))
        if not cut:
            break
    assert seen == {1.0, 2.0} and count > 20


def test_a_folder_without_an_earlier_one_is_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "config.json").write_text("{}")
    (tmp_path / "to.new").mkdir()
    replace_folder(tmp_path / "made", tmp_path / "to")
    recover(tmp_path / "to")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "to"]


@pytest.mark.slow
def test_a_whole_run_makes_a_model_and_leaves_a_second_one_a_start(tmp_path: Path) -> None:
    checkpoint.save(checkpoint.random_model(), tmp_path / "parts", torch.float32)
    (tmp_path / "parts" / checkpoint.CONFIG).unlink()
    little_library().save(tmp_path / CACHE)
    command = [sys.executable, "-m", "train.small", "--preset", "tiny", "--hours", "0.001", "--library", str(tmp_path)]
    command += ["--parts", str(tmp_path / "parts"), "--runs", str(tmp_path / "runs"), "--to", str(tmp_path / "to")]
    first = subprocess.run(command, check=True, capture_output=True, text=True, timeout=220)
    assert "--start" not in first.stdout
    maa = MakeAnAudio.from_pretrained(tmp_path / "to", device="cpu")
    assert np.isfinite(maa.text_to_audio("a tone", Sampling(steps=2, seed=0), seconds=1.0).audio).all()
    assert (tmp_path / "runs" / "card.md").read_text().count("\n| `") == 4
    run = small.Run(
        small.PRESETS_OF_TIME["tiny"], 0.001, tmp_path, tmp_path / "parts", tmp_path / "runs", tmp_path / "to"
    )
    for stage in small.PART:
        assert "--start" in run.command(stage, earlier=True), stage
