"""Killed at any moment (SIGKILL), a command leaves nothing half and goes on when it is called again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from maa import checkpoint
from maa.config import TINY
from maa.folders import changed_folder
from tests.train import killing
from tests.train.library import little_library, write_manifest
from train import evaluate, small
from train.data.library import CACHE
from train.trainer.journal import Journal, read_log
from train.trainer.keeping import alone_in, read_state

PART = {"autoencoder": "autoencoder", "vocoder": "vocoder", "clap": "clap", "diffusion": "unet"}
EVERY = 2  # steps between two states
SMALLEST = {
    "autoencoder": ("--batch", "1", "--frames", "32"),
    "vocoder": ("--batch", "1", "--frames", "32"),
    "clap": ("--batch", "4"),
    "diffusion": ("--batch", "2", "--pool", "4", "--renew", "0.1"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library, and the parts of a tiny model."""
    root = tmp_path_factory.mktemp("killed")
    little_library().save(root / CACHE)
    checkpoint.save(checkpoint.random_model(), root / "parts", torch.float32)
    return root


def stage_arguments(stage: str, data: Path, out: Path, steps: int) -> list[str]:
    given = ["--config", "tiny", "--library", str(data), "--out", str(out), "--steps", str(steps)]
    given += ["--save-every", str(EVERY), "--log-every", "1", *SMALLEST[stage]]
    return given + (["--parts", str(data / "parts")] if stage in ("clap", "diffusion") else [])


@pytest.mark.slow
@pytest.mark.parametrize("stage", PART)
def test_a_stage_loses_one_interval_at_most(stage: str, data: Path, tmp_path: Path) -> None:
    out, part, reached = tmp_path / stage, PART[stage], 0
    state, weights, log = (out / f"{part}.{end}" for end in ("state.pt", "safetensors", "log.jsonl"))
    for moment in killing.moments(len(stage), 2, 1.5):
        arguments = stage_arguments(stage, data, out, 100_000) + (["--resume"] if state.is_file() else [])
        before = log.stat().st_size if log.is_file() else 0
        process = killing.begin(killing.stage, stage, arguments)
        deadline = time.monotonic() + 60
        while (log.stat().st_size if log.is_file() else 0) < before + 1500 and time.monotonic() < deadline:
            assert process.is_alive()
            time.sleep(0.01)
        time.sleep(moment)
        process.kill()
        process.join()
        logged = max(row["step"] for row in read_log(log) if "step" in row)
        kept = read_state(state)["step"] if state.is_file() else 0
        assert reached <= kept and 0 <= logged - kept <= EVERY
        assert not weights.is_file() or load_file(weights)
        reached = kept
    killing.run(killing.stage, stage, [*stage_arguments(stage, data, out, reached + 3), "--resume"])
    assert read_state(state)["step"] == reached + 3 and load_file(weights)
    assert not list(out.glob("*.tmp"))


@pytest.mark.parametrize("stage", PART)
@pytest.mark.parametrize("how", ["cut", "a bit in a tensor", "empty", "text", "another network"])
def test_a_damaged_state_is_one_line(
    stage: str,
    how: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = tmp_path / f"{PART[stage]}.state.pt"
    good = {
        "step": 4, "spent": 1.0, "precision": "no", "updates": 4, "ema": {"x": torch.ones(4000)},
        "networks": {"module": {"x": torch.ones(4000)}}, "optimisers": {"module": {}},
    }  # fmt: skip
    torch.save(good, state)
    whole = state.read_bytes()
    at = whole.index(torch.ones(8).numpy().tobytes())
    flipped = whole[: at + 9] + bytes([whole[at + 9] ^ 64]) + whole[at + 10 :]
    made = {"cut": whole[: len(whole) // 2], "a bit in a tensor": flipped, "empty": b"", "text": b"hello"}
    state.write_bytes(made.get(how, whole))
    monkeypatch.setattr(sys, "argv", [stage, *stage_arguments(stage, data, tmp_path, 9), "--resume"])
    with pytest.raises(SystemExit) as ended:
        __import__(f"train.{stage}", fromlist=["main"]).main()
    said = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 2 and len(said) == 1 and str(state) in said[0]
    assert ("does not fit" if how == "another network" else "is damaged") in said[0]


def test_two_processes_do_not_train_in_one_folder(tmp_path: Path) -> None:
    with alone_in(tmp_path, "unet"):
        with pytest.raises(ValueError, match="Another process"), alone_in(tmp_path, "unet"):
            pass
        with alone_in(tmp_path, "vocoder"):
            pass
    with alone_in(tmp_path, "unet"):
        pass


def test_a_half_line_of_a_log_harms_no_other(tmp_path: Path) -> None:
    log = tmp_path / "unet.log.jsonl"
    log.write_text('{"step": 1}\n{"st')
    with Journal(tmp_path, "unet", {"lr": "1"}, True, lambda values: values):
        pass
    assert read_log(log) == [{"step": 1}, {"options": {"lr": "1"}}]
    assert read_log(tmp_path / "none") == []


def test_a_fetch_leaves_no_half_recording_or_picture(tmp_path: Path, packages: tuple[Path, list]) -> None:
    source, made = packages
    rows = []
    for k in range(40):
        for row in made:
            path = row.path.with_stem(f"{row.path.stem}-{k}")
            shutil.copyfile(source / row.path, source / path)
            rows.append(replace(row, id=f"{row.id}-{k}", path=path))
            if row.package == "farm":
                (source / path).with_suffix(".png").write_bytes(bytes([k]) * 2_000_000)
    manifest, to = write_manifest(tmp_path / "manifest.csv", rows), tmp_path / "to"
    killing.run(time.sleep, 0)  # starts the server that processes are copies of, which takes longer than a fetch
    longest = killing.run(killing.fetching, manifest, to, source)
    shutil.rmtree(to)
    seen = set()
    for moment in killing.moments(1, 16, longest):
        killing.killed(moment, killing.fetching, manifest, to, source)
        found = [path for path in to.rglob("*.*") if path.is_file() and ".packages" not in path.parts]
        assert all(path.read_bytes() == (source / path.relative_to(to)).read_bytes() for path in found)
        seen.add(len(found))
        if len(found) == len(rows) + 80:
            shutil.rmtree(to)
    killing.run(killing.fetching, manifest, to, source)
    assert len(list(to.rglob("*.wav"))) == 120 and len(list(to.rglob("*.png"))) == 80
    assert not (to / ".packages").exists()
    assert len(seen) > 3, "it was killed at work"


def test_a_damaged_library_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / CACHE).write_bytes(b"PK\3\4 and no more")
    arguments = ["--model", "tiny", "--device", "cpu", "--library", str(tmp_path), "--out", str(tmp_path / "out")]
    assert evaluate.main(arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and CACHE in said[0] and "damaged" in said[0]


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_an_evaluation_goes_on(data: Path, tmp_path: Path) -> None:
    little_library(concepts=4, each=6).save(tmp_path / "data" / CACHE)
    given = ["--model", "tiny", "--device", "cpu", "--library", str(tmp_path / "data"), "--workers", "1"]
    given += ["--quick", "--steps", "1", "--only", "clap", "generation"]
    longest = killing.run(killing.evaluating, [*given, "--out", str(tmp_path / "straight")])
    out, made = tmp_path / "out", 0
    for moment in killing.moments(3, 2, longest):
        killing.killed(moment, killing.evaluating, [*given, "--out", str(out)])
        assert not (out / "scores.json").is_file() or json.loads((out / "scores.json").read_text())
        sounds = [path for path in out.rglob("*.flac") if not path.name.startswith(".")]
        assert all(len(soundfile.read(path)[0]) for path in sounds) and len(sounds) >= made, "no take is made twice"
        arrays = [path for path in tmp_path.rglob("*.npy") if not path.name.startswith(".")]
        assert all(np.load(path, allow_pickle=False).dtype.kind == "f" for path in arrays)
        made = len(sounds)
    killing.run(killing.evaluating, [*given, "--out", str(out)])
    one, two = (json.loads((folder / "scores.json").read_text()) for folder in (tmp_path / "straight", out))
    for report in (one, two):
        for part in ("clap", "generation"):
            del report[part]["minutes"]
    assert one == two


def test_scores_are_whole_and_damaged_ones_are_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for moment in killing.moments(4, 8, 0.6):
        killing.killed(moment + 0.3, killing.scoring, tmp_path)
        assert len(json.loads((tmp_path / "scores.json").read_text())["model"]) == 200_000
    (tmp_path / "scores.json").write_bytes((tmp_path / "scores.json").read_bytes()[:900])
    arguments = ["--model", "tiny", "--device", "cpu", "--library", str(data), "--workers", "1", "--only", "clap"]
    little_library(concepts=2, each=6).save(tmp_path / CACHE)
    assert evaluate.main([*arguments, "--library", str(tmp_path), "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and "scores.json is damaged" in said[0]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere folders change places in two steps")
def test_a_model_folder_opens_at_every_moment(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second", "to")]
    for seed, folder in enumerate(folders):
        checkpoint.save(checkpoint.random_model(seed=seed), folder)
    (tmp_path / "to" / "README.md").write_text("mine")
    kinds = set()
    for moment in killing.moments(5, 12, 0.5):
        killing.killed(moment, killing.replacing, *folders)
        model = checkpoint.load(tmp_path / "to")
        assert not model.missing and (tmp_path / "to" / "README.md").read_text() == "mine"
        kinds.add(float(model.networks()["unet"].conv_in.weight.flatten()[0]))
    assert len(kinds) > 1
    for moment in killing.moments(6, 6, 0.5):
        killing.killed(moment, killing.changing, tmp_path / "to")
        assert not checkpoint.load(tmp_path / "to").missing
    with changed_folder(tmp_path / "to"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second", "to"]


@pytest.mark.slow
def test_packaging_leaves_the_old_model_or_the_new_one(data: Path, tmp_path: Path) -> None:
    to = tmp_path / "to"
    checkpoint.save(checkpoint.random_model(seed=1), to)
    old, new = (checkpoint.read_weights([folder / "unet.safetensors"]) for folder in (to, data / "parts"))
    longest = killing.run(killing.packaging, [data / "parts"], tmp_path / "other")
    for moment in killing.moments(7, 3, longest):
        killing.killed(moment, killing.packaging, [to, data / "parts"], to)
        model = checkpoint.load(to)
        found = model.networks()["unet"].conv_in.weight
        assert any(torch.allclose(found, one["conv_in.weight"], atol=1e-3) for one in (old, new))
    killing.run(killing.packaging, [to, data / "parts"], to)
    assert torch.allclose(checkpoint.load(to).networks()["unet"].conv_in.weight, new["conv_in.weight"], atol=1e-3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "to"]


def test_packaging_nothing_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from train import package

    monkeypatch.setattr(sys, "argv", ["train.package", "--runs", str(tmp_path), "--to", str(tmp_path / "to")])
    with pytest.raises(SystemExit) as ended:
        package.main()
    assert ended.value.code == 2 and len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.timeout(480)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere stages outlive the recipe")
def test_a_recipe_takes_its_stages_with_it_and_goes_on(data: Path, tmp_path: Path) -> None:
    root = tmp_path / "recipe"
    shutil.copytree(data, root)
    (root / "parts" / checkpoint.CONFIG).unlink()
    command = [sys.executable, "-m", "train.small", *killing.arguments_of(root)]
    for stage, moment in zip(("clap",), killing.moments(8, 1, 4.0), strict=True):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None
            said = next((line for line in process.stdout if f"train.{stage} " in line), None)
            assert said is not None
            time.sleep(moment)
            os.kill(process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while killing.processes_of(root) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert killing.processes_of(root) == [], "a stage that outlives the recipe would write where the next one works"
        for name, part in PART.items():
            if (root / "runs" / name / "done").is_file():
                assert load_file(root / "runs" / name / f"{part}.safetensors")
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    assert not checkpoint.load(root / "to").missing
    assert not list((root / "runs").glob("*/done"))


def test_a_damaged_answer_is_one_line(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(data, tmp_path / "all")
    (tmp_path / "all/runs").mkdir()
    (tmp_path / "all/runs" / small.LATENTS).write_text("ke")
    monkeypatch.setattr(sys, "argv", ["train.small", *killing.arguments_of(tmp_path / "all")])
    with pytest.raises(SystemExit) as ended:
        small.main()
    said = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 2 and len(said) == 1 and small.LATENTS in said[0]
    assert TINY.name == "tiny"
