"""The harness as a user runs it: folders of any system, what is missing, and what it says of itself."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from maa.audio import io
from maa.models.aisfx import AisfxEncoder
from tests.sounds import sine_wave
from tests.train.library import random_yamnet
from train import evaluate
from train.evaluation.embedders import AisfxHears, Panel, Weights, open_embedders
from train.evaluation.harness import HarnessRequest, IncompleteError, compare
from train.evaluation.harness_files import as_table, write_report
from train.evaluation.hearing import How
from train.evaluation.lists import Line
from train.evaluation.matching import match_files, sounds_in

CLIPS = 6
RATE = 16_000


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    root = tmp_path_factory.mktemp("library")
    random_yamnet(root / "parts/yamnet.safetensors")
    return Weights("tiny", root / "parts", "cpu")


@pytest.fixture(scope="module")
def panel(weights: Weights) -> Panel:
    return open_embedders(weights)


@pytest.fixture(scope="module")
def quick(panel: Panel) -> Panel:
    """A narrow aiSFX, and YAMNet."""
    torch.manual_seed(2)
    narrow = AisfxHears(AisfxEncoder(32).eval(), "narrow")
    return replace(panel, embedders=(narrow, panel.named("yamnet")))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six different sounds of a second."""
    folder = tmp_path_factory.mktemp("real")
    rng = np.random.default_rng(1)
    for k in range(CLIPS):
        tone = sine_wave(150 + 90 * k, 1.0, RATE)[0] * np.linspace(1, 0.1 * (k % 4), RATE)
        soundfile.write(folder / f"clip{k}.wav", (tone + rng.normal(size=RATE) * 0.01 * k).astype(np.float32), RATE)
    return folder


@pytest.fixture(scope="module")
def captions(real: Path) -> Path:
    path = real.parent / "captions.csv"
    rows = [f"clip{k}.wav,tone number {k}" for k in range(CLIPS)]
    path.write_text("\n".join(["file_name,caption", *rows, ""]))
    return path


def noisy(real: Path, to: Path, level: float) -> Path:
    """A copy with noise on it."""
    to.mkdir()
    for k, path in enumerate(sorted(real.glob("*.wav"))):
        wave, rate = soundfile.read(path)
        soundfile.write(to / path.name, wave + np.random.default_rng(k).normal(size=len(wave)) * level, rate)
    return to


def test_recordings_against_themselves_are_no_distance_apart(
    real: Path, captions: Path, weights: Weights, panel: Panel, tmp_path: Path
) -> None:
    report = compare(HarnessRequest(real, real, captions, weights, How(), rounds=10), panel)
    found = {(one.measure, one.by): one for one in report.scores}
    assert {("FD", "aisfx"), ("FAD", "aisfx"), ("KL", "yamnet"), ("IS", "yamnet"), ("CLAP", "clap")} <= set(found)
    for (measure, by), one in found.items():
        if measure in ("FD", "FAD", "KL"):
            assert abs(one.value.value) < 1e-6, (measure, by)
        assert one.generated == CLIPS
    assert report.complete and report.about["paired"] and report.about["generated"]["rates"] == {"16000": CLIPS}
    table = write_report(report, tmp_path)
    assert "PANNs Cnn14: no weights given (--panns)" in table and "INCOMPLETE" not in table
    assert "FD ↓ by aiSFX: 6 sounds for 512 dimensions: compare with the same list only." in table
    assert (
        json.loads((tmp_path / "harness.json").read_text())["embedders"]["yamnet"]["sha256"]
        == panel.named("yamnet").mark
    )
    rows = list(csv.DictReader((tmp_path / "clips.csv").open()))
    assert len(rows) == CLIPS and rows[3]["caption"] == "tone number 3" and float(rows[3]["kl_yamnet"]) == 0


def test_more_noise_is_farther_away(real: Path, weights: Weights, quick: Panel, tmp_path: Path) -> None:
    """Five levels, every distance larger than the one before."""
    one = replace(quick, embedders=quick.embedders[:1])
    found = []
    for level in (0.003, 0.01, 0.03, 0.1, 0.3):
        made = noisy(real, tmp_path / f"{level}", level)
        report = compare(HarnessRequest(made, real, None, weights, How(), rounds=0), one)
        found.append([report.value(measure, "aisfx").value for measure in ("FD", "FAD")])
    assert (np.diff(found, axis=0) > 0).all(), found


@pytest.mark.slow
def test_numbers_do_not_depend_on_batch_or_processes(
    real: Path, captions: Path, weights: Weights, tmp_path: Path
) -> None:
    made = noisy(real, tmp_path / "made", 0.1)
    scores = []
    for workers, batch in ((1, 1), (1, 5), (2, 3)):
        asked = HarnessRequest(made, real, captions, weights, How(), 5, workers=workers, batch=batch)
        scores.append(compare(asked).scores)
    assert repr(scores[0]) == repr(scores[1]) == repr(scores[2])


def test_any_rate_format_and_channels(real: Path, weights: Weights, quick: Panel, tmp_path: Path) -> None:
    """The same sounds in other clothes are near; mixed rates are named."""
    other = tmp_path / "other"
    other.mkdir()
    for k, path in enumerate(sorted(real.glob("*.wav"))):
        sound = io.read(path)
        if k % 3 == 0:
            up = io.resample(sound.samples, RATE, 44_100)
            soundfile.write(other / f"{path.stem}.flac", np.repeat(up, 2, axis=0).T, 44_100)
        elif k % 3 == 1:
            soundfile.write(other / f"{path.stem}.ogg", sound.samples.T, RATE)
        else:
            shutil.copy(path, other)
    near = compare(HarnessRequest(other, real, None, weights, How(), rounds=0), quick)
    far = compare(HarnessRequest(noisy(real, tmp_path / "far", 0.1), real, None, weights, How(), rounds=0), quick)
    assert near.value("FD", "aisfx").value < 0.5 * far.value("FD", "aisfx").value
    side = near.about["generated"]
    assert side["rates"] == {"16000": 4, "44100": 2} and side["channels"] == {"1": 4, "2": 2}
    assert side["formats"] == {"flac": 2, "ogg": 2, "wav": 2} and len(side["of_other_rates"]) == 2
    assert "mixed rates; not as most: clip0.flac" in as_table(near)


@torch.inference_mode()
def test_clap_hears_what_it_heard_by_itself(panel: Panel) -> None:
    """The shared pass through aiSFX changes nothing."""
    clap, wave = panel.named("clap"), torch.from_numpy(sine_wave(440, 3.0, 44_100)[0])
    shared = clap.hear(wave).vector
    assert np.allclose(shared, clap.space.embed_audio(wave[None], clap.rate)[0].numpy(), atol=1e-6)
    assert panel.named("aisfx").last[0] is wave


def arguments(real: Path, made: Path, captions: Path, weights: Weights, out: Path) -> list[str]:
    library = str(weights.parts.parent) if weights.parts else ""
    given = ["--generated", str(made), "--reference", str(real), "--captions", str(captions), "--model", "tiny"]
    return [*given, "--device", "cpu", "--library", library, "--out", str(out), "--workers", "1", "--rounds", "2"]


def test_a_missing_clip_is_named_and_nothing_is_scored(
    real: Path, captions: Path, weights: Weights, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, out = noisy(real, tmp_path / "made", 0.1), tmp_path / "out"
    assert evaluate.main(["--reference", str(real), "--out", str(out)]) == 2
    assert "--generated DIR" in capsys.readouterr().err
    asked = arguments(real, made, captions, weights, out)
    assert evaluate.main(asked) == 0 and (out / "harness.md").is_file()
    (made / "clip3.wav").unlink()
    (made / "clip5.wav").write_bytes(b"")
    assert evaluate.main(asked) == 2
    shown = capsys.readouterr()
    assert "clip3: no such sound was generated" in shown.err and "1 thing is missing" in shown.err
    assert not list(out.glob("harness.*")), "the table of before is gone, so that nobody takes it for this one's"
    shutil.copy(real / "clip3.wav", made)
    assert evaluate.main(asked) == 2
    assert "'clip5.wav' is empty (0 bytes)" in capsys.readouterr().err
    (made / "clip3.wav").unlink()
    assert evaluate.main([*asked, "--partial"]) == 3
    table = capsys.readouterr().out
    assert "INCOMPLETE: 4 of 6 sounds were scored, 2 missing or unreadable" in table and "FD ↓ (part)" in table
    scores = list(csv.DictReader((out / "harness.csv").open()))
    assert {row["complete"] for row in scores} == {"False"} and {row["sounds"] for row in scores} == {"4"}


@pytest.mark.parametrize(
    ("content", "said"), [("silent", "silent from beginning to end"), ("cut", "bad.wav"), ("words", "bad.wav")]
)
def test_bad_files_are_named(
    content: str, said: str, real: Path, weights: Weights, quick: Panel, tmp_path: Path
) -> None:
    made = noisy(real, tmp_path / "made", 0.1)
    bad = made / "bad.wav"
    if content == "silent":
        soundfile.write(bad, np.zeros(RATE), RATE)
    else:
        bad.write_bytes((real / "clip1.wav").read_bytes()[:5000] if content == "cut" else b"not a sound at all" * 99)
    shutil.copytree(real, tmp_path / "real")
    shutil.copy(real / "clip1.wav", tmp_path / "real/bad.wav")
    with pytest.raises(IncompleteError, match=said):
        compare(HarnessRequest(made, tmp_path / "real", None, weights, How(), rounds=0), quick)


def test_pairs_by_lines_by_clips_and_without(real: Path, weights: Weights, panel: Panel, tmp_path: Path) -> None:
    """Five captions a clip: a sound for each, or one for all; and folders that have no name in common."""
    head = "file_name," + ",".join(f"caption_{k}" for k in range(1, 6))
    rows = [f"clip{k}.wav,a,b,c,d,number {k}" for k in range(3)]
    path = tmp_path / "clotho.csv"
    path.write_text("\n".join([head, *rows]))
    each = tmp_path / "each"
    each.mkdir()
    for k in range(3):
        for n in range(1, 6):
            shutil.copy(real / f"clip{k}.wav", each / f"clip{k}__{n}.wav")
    report = compare(HarnessRequest(each, real, path, weights, How(), rounds=3), panel)
    assert report.about["generated"]["files"] == 15 and report.about["reference"]["files"] == 3
    assert report.value("KL", "yamnet").value == 0 and len(report.about["left_out"]) == CLIPS - 3
    one = compare(HarnessRequest(real, real, path, weights, How(), rounds=3), panel)
    assert one.about["captions"]["one_sound_a_clip"] and one.about["generated"]["files"] == 3
    assert one.value("CLAP", "clap").value == pytest.approx(report.value("CLAP", "clap").value, abs=1e-6)
    other = tmp_path / "other"
    other.mkdir()
    for k in range(CLIPS):
        shutil.copy(real / f"clip{k}.wav", other / f"take{k}.wav")
    whole = compare(HarnessRequest(other, real, None, weights, How(), rounds=0), panel)
    assert not whole.about["paired"] and whole.value("KL", "yamnet") is None
    assert whole.value("FD", "yamnet").value == pytest.approx(0, abs=1e-6)
    (other / "take0.wav").rename(other / "clip0.wav")
    with pytest.raises(IncompleteError, match=r"take1: .* has no such recording"):
        compare(HarnessRequest(other, real, None, weights, How(), rounds=0), panel)


def test_what_was_heard_is_remembered_by_contents(real: Path, weights: Weights, quick: Panel, tmp_path: Path) -> None:
    how = How(kept=tmp_path / "heard")
    first = compare(HarnessRequest(real, real, None, weights, how, rounds=0), quick)
    kept = {path: path.stat().st_mtime_ns for path in how.kept.rglob("*.npz")}
    assert len(kept) == 2 * CLIPS
    damaged = next(iter(kept))
    damaged.write_bytes(b"no archive")
    assert compare(HarnessRequest(real, real, None, weights, how, rounds=0), quick).about == first.about
    assert repr(compare(HarnessRequest(real, real, None, weights, how, rounds=0), quick).scores) == repr(first.scores)
    now = {path: path.stat().st_mtime_ns for path in how.kept.rglob("*.npz")}
    assert {path for path in kept if now[path] != kept[path]} == {damaged}


def test_names_that_would_be_guessed_are_refused(real: Path, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    shutil.copy(real / "clip0.wav", tmp_path / "a")
    shutil.copy(real / "clip0.wav", tmp_path / "a/b")
    with pytest.raises(ValueError, match="two sounds called clip0"):
        sounds_in(tmp_path / "a")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="There is no sound in"):
        sounds_in(tmp_path / "empty")
    lines = [Line(f"v_{start}", "said", f"v_{start}", also=("v",)) for start in (0, 30)]
    shutil.copy(real / "clip0.wav", tmp_path / "empty/v.wav")
    with pytest.raises(ValueError, match="would stand for v_0 and for v_30"):
        match_files(tmp_path / "empty", None, lines)
