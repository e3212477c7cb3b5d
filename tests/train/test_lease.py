"""A lease: what is carried arrives whole or is named, and the whole of it, rehearsed in a minute."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from maa import MakeAnAudio, Sampling, checkpoint
from tests.train.library import little_library
from train.data import Library
from train.data.library import CACHE
from train.lease import carry, chunks, codec, work
from train.lease.__main__ import main
from train.small import PART

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a little library, parts and an earlier model, packed into its `near`."""
    folder = tmp_path_factory.mktemp("lease")
    model = checkpoint.random_model()
    checkpoint.save(model, folder / "parts", torch.float32)
    (folder / "parts" / checkpoint.CONFIG).unlink()
    checkpoint.save(model, folder / "model", torch.float32, shard_bytes=300_000)
    little_library().save(folder / "data" / CACHE)
    main(["pack", "--preset", "tiny", "--chunk-mb", "0.9", "--to", str(folder / "near"), *where(folder)])
    return folder


def where(folder: Path) -> list[str]:
    """The flags that name the folders of the near side."""
    names = {"--library": "data", "--parts": "parts", "--model": "model"}
    return [word for flag, name in names.items() for word in (flag, str(folder / name))]


def carried(packed: Path, to: Path) -> Path:
    """The far side's folder, with all chunks."""
    to.mkdir(parents=True)
    for path in (packed / "near" / chunks.PLAN, *(packed / "near").glob("chunk-*")):
        shutil.copy(path, to)
    return to


@pytest.mark.parametrize("length", [0, 1, 5000, codec.BLOCK * codec.FRAME + 7])
def test_sound_is_coded_without_loss(length: int) -> None:
    rng = np.random.default_rng(0)
    smooth = np.convolve(rng.standard_normal(length + 50), np.hanning(50), "same")[:length] * 3000
    samples = smooth.clip(-32768, 32767).astype(np.int16)
    samples[length // 2 : length // 2 + 300] = 0
    samples[:3] = [-32768, 32767, -32768][:length]
    coded = codec.encode_samples(samples)
    assert np.array_equal(codec.decode_samples(coded), samples)
    if length > 5000:
        assert sum(value.nbytes for value in coded.values()) < 0.6 * samples.nbytes


def test_what_was_packed_comes_out_again(packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = carried(packed, tmp_path / "lease")
    plan = chunks.read_plan(at)
    assert len(plan["chunks"]) > 2
    assert all((at / chunk["name"]).stat().st_size == chunk["bytes"] <= 900_000 for chunk in plan["chunks"])
    main(["unpack", "--at", str(at)])
    far, before = Library.open(at / chunks.FAR / "data"), little_library()
    assert np.array_equal(far.samples, before.samples) and far.rows == before.rows
    for folder in ("parts", "model"):
        for path in (at / chunks.FAR / folder).iterdir():
            near = packed / folder / path.name
            assert not near.exists() or near.read_bytes() == path.read_bytes()
    main(["unpack", "--at", str(at)])
    assert "in place" in capsys.readouterr().out


def test_missing_and_damaged_chunks_are_named(packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = carried(packed, tmp_path / "lease")
    (at / "chunk-002.bin").rename(at / "aside")
    assert refused(["unpack", "--at", str(at)], capsys).startswith(f"Missing in {at}: chunk-002.bin (1 of")
    damaged = bytearray((at / "aside").read_bytes())
    damaged[1000] ^= 1
    (at / "chunk-002.bin").write_bytes(damaged)
    assert "Damaged" in (said := refused(["unpack", "--at", str(at)], capsys)) and "chunk-002.bin" in said
    assert "unpack first" in refused(["start", "--at", str(at)], capsys)
    assert "start one first" in refused(["status", "--at", str(at)], capsys)
    shutil.move(at / "aside", at / "chunk-002.bin")
    main(["unpack", "--at", str(at)])


def refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence with which a command gives up."""
    with pytest.raises(SystemExit) as stopped:
        main(command)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_packing_says_what_to_carry_in_which_call(packed: Path) -> None:
    size = 2_000_000
    said = chunks.pack_chunks(packed / "data", packed / "parts", packed / "model", packed / "again", size, "tiny")
    calls = [line for line in said if line.startswith("call ")]
    assert len(calls) == len(chunks.read_plan(packed / "again")["chunks"])
    assert all("plan.json" in line and f"chunk-{k:03d}.bin" in line for k, line in enumerate(calls, 1))
    assert "start" in calls[-1] and "start" not in calls[0]
    (vectors,) = (packed / "again").glob("sounds-*.npy")
    assert len(np.load(vectors)) == len(little_library().rows)


@pytest.fixture
def trained(packed: Path, tmp_path: Path) -> Path:
    """A lease in which every stage is done, with weights that nobody trained."""
    at = carried(packed, tmp_path / "lease")
    chunks.unpack_chunks(at)
    lease = work.Lease("tiny", 1.0, tuple(PART), 3.0, time.time(), finished=True).write(at)
    run, model = work.Far(at, lease), checkpoint.random_model(seed=5)
    run.runs.mkdir()
    (run.runs / "latents.txt").write_text("kept\n")
    for stage, part in PART.items():
        network = getattr(model, part)
        checkpoint.write_weights(network.state_dict(), made_in(run.runs / stage), part)
        run.done(stage).touch()
    checkpoint.write_config(run.runs / "diffusion", model.config)
    return at


def made_in(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_collecting_keeps_to_the_limits_and_bringing_makes_a_model(trained: Path, packed: Path, tmp_path: Path) -> None:
    limits = carry.Limits(files=4, file_bytes=200_000, call_bytes=400_000)
    results: list[Path] = []
    while not results or json.loads((results[-1] / carry.RECORD).read_text())["left"]:
        results.append(tmp_path / f"out-{len(results)}")
        carry.collect_weights(trained, results[-1], limits)
        sizes = [path.stat().st_size for path in results[-1].iterdir() if path.name != carry.RECORD]
        assert len(sizes) <= 3 and sum(sizes) <= 400_000 and max(sizes) <= 200_000
        assert len(results) < 20
    assert len(results) > 2
    assert "none is new" in carry.collect_weights(trained, tmp_path / "none", limits)
    near = tmp_path / "near"
    for folder in (results[::-1], results[:1]):  # in any order, and again
        carry.bring_weights(near, folder, packed / "model", packed / "parts", "tiny")
    made, wanted = checkpoint.load(near / "model"), checkpoint.random_model(seed=5)
    for part in PART.values():
        values = getattr(made, part).state_dict()
        assert all(torch.allclose(values[k], v, atol=1e-3) for k, v in getattr(wanted, part).state_dict().items())
    carry.swap_models(near / "model", tmp_path / "shipped")
    assert checkpoint.load(tmp_path / "shipped").weights_hash == made.weights_hash


def test_damage_on_the_way_back_is_named(trained: Path, packed: Path, tmp_path: Path) -> None:
    carry.collect_weights(trained, tmp_path / "out", carry.Limits())
    (tmp_path / "out" / "vocoder.safetensors").write_bytes(b"?")
    with pytest.raises(ValueError, match=r"vocoder\.safetensors"):
        carry.bring_weights(tmp_path / "near", [tmp_path / "out"], packed / "model", packed / "parts", "tiny")
    shutil.rmtree(tmp_path / "near")
    again = carry.collect_weights(trained, tmp_path / "again", carry.Limits(), again=True)
    assert "vocoder" in again
    carry.bring_weights(tmp_path / "near", [tmp_path / "again"], packed / "model", packed / "parts", "tiny")
    with (tmp_path / "near" / "model" / "clap.safetensors").open("ab") as file:
        file.write(b"?")
    with pytest.raises(ValueError, match=r"clap\.safetensors"):
        carry.swap_models(tmp_path / "near" / "model", tmp_path / "shipped")
    assert not (tmp_path / "shipped").exists()


def test_decoders_are_collected_when_they_are_done_and_the_unet_at_any_time(trained: Path, tmp_path: Path) -> None:
    run = work.Far(trained, work.Lease.read(trained))
    for stage in PART:
        run.done(stage).unlink()
    carry.collect_weights(trained, tmp_path / "out", carry.Limits())
    assert list(json.loads((tmp_path / "out" / carry.RECORD).read_text())["parts"]) == ["unet"]


def test_new_latents_come_with_their_unet(trained: Path, packed: Path, tmp_path: Path) -> None:
    far = trained / chunks.FAR / "runs"
    (far / "latents.txt").write_text("new\n")
    (far / "diffusion" / "unet.safetensors").unlink()
    carry.collect_weights(trained, tmp_path / "out", carry.Limits())
    with pytest.raises(ValueError, match="belong together"):
        carry.bring_weights(tmp_path / "near", [tmp_path / "out"], packed / "model", packed / "parts", "tiny")


@pytest.mark.parametrize(("figures", "goes_on"), [((1.2, 1.1), True), ((1.2, 1.25), False), ((0.9, 0.95), True)])
def test_a_stage_stops_when_its_held_out_figure_no_longer_falls(
    figures: tuple[float, float], goes_on: bool, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = work.Far(trained, work.Lease.read(trained))
    answers = iter([1.0, 1.0, *figures, figures[-1]])
    monkeypatch.setattr(work, "held_out_distance", lambda *_: next(answers))
    stopping = work.EarlyStopping(run, kept=True)
    path = run.runs / "vocoder" / "vocoder.safetensors"
    for second in range(2):
        path.touch()
        stopping.seen["vocoder"] = -1.0 if second else 0.0
        stopping.look("vocoder")
    assert stopping.falls("vocoder") is goes_on
    said = stopping.verdict("vocoder", stopped=not goes_on)
    assert path.is_file() == (figures[-1] < 1.0)
    assert ("kept" in said) == (figures[-1] < 1.0)


def test_training_needs_nothing_that_reads_sound_files() -> None:
    """A rented machine has neither these nor the network to get them."""
    absent = ("soundfile", "gradio", "open_clip", "soxr", "mutagen", "cv2", "matplotlib", "timm")
    wanted = "train.lease.__main__, train.small, train.vocoder, train.autoencoder, train.diffusion, train.clap"
    code = f"import sys\nsys.modules.update(dict.fromkeys({absent!r}))\nimport {wanted}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_whole_lease(packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at, near = carried(packed, tmp_path / "far"), packed / "near"
    main(["unpack", "--at", str(at)])
    command = ["start", "--at", str(at), "--stages", "vocoder", "diffusion", "--minutes", "0.04"]
    main([*command, "--save-minutes", "0.005"])
    assert "running" in refused(["start", "--at", str(at)], capsys)
    results: list[str] = []
    until = time.monotonic() + 120
    while not work.Lease.read(at).finished:
        assert work.Lease.read(at).runs and time.monotonic() < until, work.describe_stages(at)
        results.append(str(tmp_path / f"results-{len(results)}"))
        main(["collect", "--at", str(at), "--out", results[-1], "--wait", "20"])
    results.append(str(tmp_path / f"results-{len(results)}"))
    main(["collect", "--at", str(at), "--out", results[-1]])
    said = work.describe_stages(at)
    assert "finished" in said and "diffusion: done" in said and "held out" in said
    main(["bring", "--at", str(near), "--results", *results, "--model", str(packed / "model"), *where(packed)[2:4]])
    before, after = (checkpoint.load(folder) for folder in (packed / "model", near / "model"))
    assert before.unet is not None and after.unet is not None
    assert not torch.equal(before.unet.conv_in.weight, after.unet.conv_in.weight)
    maa = MakeAnAudio.from_pretrained(near / "model", device="cpu")
    assert np.isfinite(maa.text_to_audio("a tone", Sampling(steps=2, seed=0), seconds=1.0).audio).all()
    main(["swap", "--model", str(near / "model"), "--to", str(tmp_path / "shipped")])
    assert checkpoint.load(tmp_path / "shipped").weights_hash == after.weights_hash
