"""The evaluation runs as a user runs it, on the tiny model and made-up recordings, and says the same twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from maa import MakeAnAudio, Sampling
from maa.audio.mel import MelSpectrogram
from maa.config import TINY
from tests.sounds import sine_wave
from tests.train.library import little_library, random_yamnet
from train import evaluate
from train.evaluation import files
from train.evaluation.card import score_table
from train.evaluation.generation import guidance_sweep
from train.evaluation.inpainting import cases
from train.evaluation.reconstruction import griffin_lim_from_mel, log_magnitude, pitched, reconstruction
from train.evaluation.reference import Reference
from train.evaluation.sounds import AT_ONCE, BATCH, Judge, Setup, judged_stretch
from train.evaluation.together import takes_of
from train.evaluation.workers import Workers

RATE = 16_000
PARTS = evaluate.PARTS


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the cache file only, as a machine that trains has it."""
    root = tmp_path_factory.mktemp("data")
    little_library(concepts=4, each=6).save(root / "library-16k.npz")
    return root


@pytest.fixture(scope="module")
def reference(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    from train.data import Library

    judge = Judge(MakeAnAudio.from_pretrained("tiny", device="cpu"), tmp_path_factory.mktemp("out"), Sampling(steps=2))
    return Reference(judge, Library.open(data))


@pytest.mark.slow
def test_everything_as_a_user_runs_it(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "CASES", 3)
    monkeypatch.setattr(files, "KINDS", files.KINDS[:4])
    monkeypatch.setattr(files, "CONTINUOUS", files.CONTINUOUS[:1])
    shutil.copytree(data, tmp_path / "data")
    data, tmp_path = tmp_path / "data", tmp_path / "out"
    random_yamnet(data / "parts/yamnet.safetensors")
    arguments = ["--model", "tiny", "--device", "cpu", "--library", str(data), "--out", str(tmp_path)]
    arguments += ["--workers", "1"]
    assert evaluate.main([*arguments, "--quick", "--steps", "1"]) == 0
    shown = capsys.readouterr().out
    report = json.loads((tmp_path / "scores.json").read_text())
    assert set(PARTS) <= set(report) and report["steps"] == 1 and report["model"] == "tiny"
    made, real = report["generation"]["generated"], report["generation"]["real"]
    assert made["sounds"] == 4 and real["sounds"] == 20 and 0 <= made["top1"] <= made["top5"] <= 1
    assert real["top5"] > 0.5, "even random ears tell tones apart better than chance"
    assert report["generation"]["share_of_real"]["top5"] == pytest.approx(made["top5"] / real["top5"])
    assert report["two_events"]["prompts"] == report["timed"]["prompts"] == 4
    assert (
        0 <= report["two_events"]["yamnet"]["given"]["known_cut"] <= 1 and 0 <= report["timed"]["at_once"]["real"] <= 1
    )
    assert 0 <= report["timed"]["onsets"]["median"] <= 1.2 and report["timed"]["onsets"]["sounds"] == 8
    assert report["inpainting"]["wide"]["seconds"] > report["inpainting"]["narrow"]["seconds"]
    assert report["clap"]["names"]["chance"]["1"] == pytest.approx(1 / 4, abs=0.08)
    assert report["pictures"]["pictures"] == 0
    other = report["generation"]["yamnet"]
    assert other["generated"]["sounds"] == 4 and other["real"]["top5"] > 0.5 and other["real_passed"]["sounds"] == 8
    assert other["tags"]["real"]["kl_median"] > 0 and 1 <= other["tags"]["inception"]["real"] < 4
    assert {"yamnet"} <= set(report["two_events"]) & set(report["inpainting"]["wide"])
    assert report["reconstruction"]["split"] == "test" and 0 <= report["reconstruction"]["griffin-lim"]["yamnet"] <= 2
    assert report["files"]["summary"]["takes"] == len(report["files"]["takes"]) == 4
    assert shown.count("YAMNet") >= 9
    assert (tmp_path / "scores.md").read_text() == shown and shown.count("|") > 50
    sounds = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "sounds").iterdir()}
    again = evaluate.main([*arguments, "--quick", "--steps", "1", "--only", "generation", "two_events"])
    second = json.loads((tmp_path / "scores.json").read_text())
    assert again == 0 and second["generation"] | {"minutes": 0} == report["generation"] | {"minutes": 0}
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "sounds").iterdir()} == sounds


def test_a_folder_of_real_sounds_scores_as_real_sounds_do(
    reference: Reference, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for concept in reference.names[:3]:
        for k in range(3):
            path = tmp_path / "made" / concept / f"{k}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            row = next(i for i in reference.rows if reference.library.rows[i].concept == concept)
            soundfile.write(path, reference.library.wave(int(row) + k), RATE)
    arguments = ["--model", "tiny", "--device", "cpu", "--library", str(data), "--out", str(tmp_path / "out")]
    arguments += ["--workers", "1"]
    assert evaluate.main([*arguments, "--sounds", str(tmp_path / "made")]) == 0
    capsys.readouterr()
    report = json.loads((tmp_path / "out/scores.json").read_text())
    assert report["sounds"] == 9 and report["generation"]["generated"]["top1"] > 0.6
    assert report["generation"]["copying"]["share"] > 0.6, "recordings of the train split are copies"
    (tmp_path / "made/labels.csv").write_text(f"file,concept\n{reference.names[0]}/0.wav,{reference.names[1]}\n")
    assert evaluate.main([*arguments, "--sounds", str(tmp_path / "made")]) == 0
    capsys.readouterr()
    assert json.loads((tmp_path / "out/scores.json").read_text())["sounds"] == 1


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda folder: None, "There is no folder"),
        (lambda folder: folder.mkdir(), "No sound in"),
        (lambda folder: (folder.mkdir(), (folder / "labels.csv").write_text("a,b\n1,2\n")), "needs the columns"),
        (lambda folder: (folder.mkdir(), (folder / "labels.csv").write_text("file,concept\nx.wav,y\n")), "x.wav"),
    ],
)
def test_a_wrong_folder_is_one_sentence(prepare, said, data: Path, tmp_path: Path, capsys) -> None:
    prepare(tmp_path / "made")
    arguments = ["--model", "tiny", "--device", "cpu", "--library", str(data), "--out", str(tmp_path / "out")]
    arguments += ["--workers", "1"]
    assert evaluate.main([*arguments, "--sounds", str(tmp_path / "made")]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error and error.count("\n") == 0


def test_a_split_that_is_not_there_is_one_sentence(data: Path, tmp_path: Path, capsys) -> None:
    arguments = ["--model", "tiny", "--device", "cpu", "--library", str(data), "--out", str(tmp_path), "--workers", "1"]
    assert evaluate.main([*arguments, "--only", "clap", "--split", "valid"]) == 2
    assert "no valid recordings (but test, train)" in capsys.readouterr().err
    assert evaluate.main([*arguments, "--only", "pictures", "--split", "valid"]) == 0, "it asks about no split"


def test_noise_is_asked_for_lines(reference: Reference) -> None:
    wave = (0.05 * np.random.default_rng(0).normal(size=3 * RATE)).astype(np.float32)
    report = reconstruction(reference.judge, [wave, sine_wave(440, 2.5)[0]])
    assert report["noise"]["clips"] == 1 and abs(report["noise"]["recording"]["lines_db"]) < 1.5
    assert report["noise"]["recording"]["outside_mean"] < 0.1
    assert report["pitched_clips"] == 1 and report["vocoder_nearer_than_griffin_lim"] in (0, 0.5, 1)
    assert "1 of noise" in score_table({"reconstruction": report})


def test_griffin_lim_gives_the_mel_back() -> None:
    """Two tones and a click: the mel of what it makes is close to the mel it was given, and in time with it."""
    front = MelSpectrogram(TINY.audio)
    wave = sine_wave(440, 1.024)[0] + 0.3 * sine_wave(1500, 1.024)[0]
    wave[:6000] *= 0.01
    mel = front(torch.from_numpy(wave)[None])
    made = griffin_lim_from_mel(front, mel[None] if mel.ndim == 3 else mel)
    again = front.to_log10(front(torch.from_numpy(made)[None]))[0, 0, :, : mel.shape[-1]]
    true = front.to_log10(mel)[0, 0]
    loud = true > true.max() - 2
    assert (again - true).abs()[loud].mean() < 0.15
    assert abs(int(np.argmax(np.abs(made) > 0.2)) - 6000) < 300


def test_pitched_sounds_are_told_from_noise() -> None:
    noise = np.random.default_rng(0).normal(size=RATE).astype(np.float32) * 0.1
    assert pitched(sine_wave(220)[0], RATE) > 0.95 > 0.5 > pitched(noise, RATE)


def test_log_magnitude_is_zero_only_for_the_same_sound() -> None:
    tone = sine_wave(440)[0]
    assert log_magnitude(tone, tone) == 0 < log_magnitude(sine_wave(470)[0], tone)


def test_the_loudest_stretch_is_judged() -> None:
    wave = np.zeros(10 * RATE, np.float32)
    wave[7 * RATE : 8 * RATE] = 1
    part = judged_stretch(wave, RATE)
    assert len(part) == round(4.6 * RATE) and part.sum() == RATE


def test_real_clips_are_left_out_of_new_sources(reference: Reference) -> None:
    """All made-up recordings lie in "packages" of their own name, so every clip has others to be compared with."""
    score = reference.new_sources_real()
    assert score.sounds == len(reference.rows)
    for package, centres in reference.elsewhere.items():
        (own,) = np.flatnonzero(reference.packages == package)
        label = reference.labels[own]
        others = (reference.labels == label) & (np.arange(len(reference.labels)) != own)
        assert centres[label] == pytest.approx(reference.vectors[others].mean(0), abs=1e-5)


def test_cases_for_inpainting_hide_one_sound(reference: Reference) -> None:
    made = cases(reference, 3.0, 5)
    again = cases(reference, 3.0, 5)
    for case, same in zip(made, again, strict=True):
        assert case.right != case.wrong and case.box == same.box and np.array_equal(case.wave, same.wave)
        assert 4.992 < case.box.start < case.box.end < 9.984


@pytest.mark.parametrize("sampler", ["dpm++", "ddim"])
@pytest.mark.parametrize("seconds", [None, 2.0])
def test_takes_of_one_batch_are_those_of_single_calls(
    reference: Reference, sampler: str, seconds: float | None
) -> None:
    maa, jobs = reference.judge.maa, [("dog barking", 7), ("rain", 1000), ("a much longer text of rain and a dog", 3)]
    sampling = Sampling(steps=3, sampler=sampler)
    made = takes_of(maa, jobs, sampling, seconds)
    for wave, (prompt, seed) in zip(made, jobs, strict=True):
        alone = maa.text_to_audio(prompt, Sampling(3, None, seed, 1, sampler), seconds=seconds).audio[0, 0]
        assert len(wave) == len(alone) and np.abs(wave - alone).max() < 1e-3 * np.abs(alone).max()


def test_worker_processes_find_what_one_process_finds(reference: Reference, data: Path, tmp_path: Path) -> None:
    setup = Setup("tiny", "cpu", None, tmp_path, Sampling(steps=1), tmp_path / "shared", 0.5)
    workers = Workers(setup, 2)
    try:
        judge, waves = setup.open(workers), [reference.library.wave(k) for k in range(AT_ONCE + 3)]
        assert judge.remembered("some", waves, real=True) == pytest.approx(reference.judge.embed(waves), abs=1e-4)
        jobs = [("rain", seed) for seed in range(BATCH + 1)]
        shared = judge.takes(jobs, "takes")
    finally:
        workers.close()
    assert [path.parent.name for path in tmp_path.rglob("some-*.npy")] == ["shared"]
    alone = takes_of(judge.maa, jobs, judge.sampling, judge.seconds)
    assert np.stack(shared) == pytest.approx(alone, abs=2e-3)
    assert all(len(wave) == RATE // 2 for wave in shared)


def test_scales_of_guidance_are_compared(reference: Reference) -> None:
    found = guidance_sweep(reference, (1.0, 3.0), takes=1, every=2)["scales"]
    assert set(found) == {"1", "3"} and all(score["sounds"] == 2 for score in found.values())
    assert score_table({"sweep": {"scales": found}}).count("guidance") == 2


def test_the_card_says_what_the_report_says() -> None:
    report = {"pictures": {"pictures": 80, "top1": 0.25, "top5": 0.625, "missed": []}}
    assert "| 25.0 % / 62.5 % | 80 drawings |" in score_table(report)
    assert score_table({}).count("\n") == 1
