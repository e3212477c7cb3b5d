"""Telling generated sound: what a detector hears, what it is measured on, and what is told about a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from maa.audio.sound import Audio
from maa.audio.tags import write_tags
from maa.cli import main as maa_main
from maa.models.detector import MELS, Detector, DetectorConfig, Windows, probability
from maa.pipeline.detecting import heard, open_detector
from tests.sounds import sine_wave
from train.detector import __main__ as command
from train.detector.figures import auc, measured, pooled_rows
from train.detector.folders import REAL, hear
from train.detector.learning import varied

RATE = 16_000


def noise(seed: int, seconds: float = 1.5, rate: int = RATE) -> NDArray[np.float64]:
    """Noise that comes and goes, softer towards the highs."""
    rng = np.random.default_rng(seed)
    white = rng.normal(0, 0.2, round(seconds * rate))
    envelope = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(1, 4) * np.arange(len(white)) / rate)
    return np.convolve(white, [0.5, 0.3, 0.2], "same") * envelope


def generated(seed: int, line: float) -> NDArray[np.float64]:
    """The same with a faint line that a bad vocoder leaves."""
    wave = noise(10_000 + seed)
    return wave + 0.12 * np.sin(2 * np.pi * line * np.arange(len(wave)) / RATE)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 recordings, and 24 sounds by each of two generators with a line at another place."""
    root = tmp_path_factory.mktemp("folders")
    for k in range(24):
        for name, wave in ((REAL, noise(k)), ("one", generated(k, 2000.0)), ("two", generated(k, 2300.0))):
            path = root / name / f"{name}-{k}.wav"
            path.parent.mkdir(exist_ok=True)
            level = np.random.default_rng(len(name) * 100 + k).uniform(0.02, 0.2)  # which tells nothing
            soundfile.write(path, wave * level / np.sqrt(np.mean(np.square(wave))), RATE)
    soundfile.write(root / REAL / "short.wav", noise(1)[:4000], RATE)
    (root / REAL / "broken.wav").write_bytes(b"RIFF")
    return root


# ---------------------------------------------------------------- what is heard


def test_level_is_not_heard_nor_silence_around() -> None:
    wave = torch.from_numpy(noise(3)).float()
    front = Windows()
    one = front(wave)
    assert one.shape[1:] == (MELS, 101) and torch.allclose(front(wave * 1e-3), one, atol=1e-3)
    assert torch.allclose(one.mean(dim=(1, 2)), torch.zeros(len(one)), atol=1e-4)
    assert len(front(torch.cat([wave, torch.zeros(RATE * 20)]))) < 8, "what is silent is left out"
    assert len(front(torch.zeros(3 * RATE))) == 0 and len(front(wave[:9000])) == 0


def test_nothing_above_the_band_nor_far_below_the_loudest_is_heard() -> None:
    """A whistle at 7.6 kHz, where rates and codecs differ, and a noise floor at -75 dB change next to nothing."""
    wave = torch.from_numpy(sine_wave(700, 1.0)[0])
    front = Windows()
    plain = front(wave)
    hiss = 1e-5 * torch.randn(RATE, generator=torch.Generator().manual_seed(0))
    assert float((front(wave + hiss) - plain).abs().max()) < 0.05
    high = torch.from_numpy(0.2 * sine_wave(7600, 1.0)[0])
    broad = torch.from_numpy(noise(5)[:RATE]).float()
    assert float((front(broad + high) - front(broad)).abs().mean()) < 0.05
    assert float((front(broad + torch.from_numpy(sine_wave(3000, 1.0)[0])) - front(broad)).abs().mean()) > 0.2


def test_the_rate_of_a_file_is_hardly_heard() -> None:
    wave = noise(7, 2.0, 48_000).astype(np.float32)
    from maa.audio.sound import resample

    low = resample(wave[None], 48_000, 22_050)
    front = Windows()
    one, two = (front(heard(Audio(x, rate))) for x, rate in ((wave[None], 48_000), (low, 22_050)))
    assert len(one) == len(two) and float((one - two).abs().mean()) < 0.02


def test_training_varies_without_moving_the_labels() -> None:
    windows = torch.zeros(4, MELS, 101)
    found = varied(windows.clone(), np.random.default_rng(0))
    assert found.shape == windows.shape and float(found.abs().max()) <= 0.5
    again = varied(windows.clone(), np.random.default_rng(0))
    assert torch.equal(found, again) and len({float(one.abs().sum()) for one in found}) == 4


# ---------------------------------------------------------------- figures


def test_auc_is_the_share_of_pairs() -> None:
    labels = np.array([0, 0, 1, 1])
    assert auc(np.array([1.0, 2.0, 3.0, 4.0]), labels) == 1.0
    assert auc(np.array([4.0, 3.0, 2.0, 1.0]), labels) == 0.0
    assert auc(np.array([1.0, 1.0, 1.0, 1.0]), labels) == 0.5
    assert auc(np.array([1.0, 3.0, 2.0, 4.0]), labels) == 0.75
    assert np.isnan(auc(np.array([1.0]), np.array([1])))
    rng = np.random.default_rng(0)
    scores, kinds = rng.normal(0, 1, 200), rng.integers(0, 2, 200)
    fake, real = scores[kinds == 1], scores[kinds == 0]
    assert auc(scores, kinds) == pytest.approx((fake[:, None] > real[None]).mean())
    counts = rng.integers(0, 4, 200)
    repeated = np.repeat(scores, counts), np.repeat(kinds, counts)
    assert auc(scores, kinds, counts.astype(float)) == pytest.approx(auc(*repeated))


def test_detectors_of_other_folds_are_not_compared() -> None:
    """Two detectors that are right on their own folds, with scores a hundred apart."""
    scores, labels = np.array([0.0, 1.0, 100.0, 101.0]), np.array([0, 1, 0, 1])
    assert pooled_rows(scores, labels, np.array([0, 0, 1, 1])) == 1.0
    assert pooled_rows(scores, labels, np.zeros(4, np.int64)) == 0.75


def test_intervals_of_auc_cover_and_know_families() -> None:
    """The interval is as wide as Hanley and McNeil's for single clips, and no narrower for copies of them."""
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 150)
    scores = rng.normal(labels * 1.0, 1.0)
    names = [str(k) for k in range(300)]
    one = measured(scores, labels, np.zeros(300, np.int64), names)
    a = one.value
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    error = np.sqrt((a * (1 - a) + 149 * (q1 - a * a) + 149 * (q2 - a * a)) / 150**2)
    assert (one.high - one.low) / (2 * 1.96 * error) == pytest.approx(1.0, abs=0.2)
    twice = measured(np.tile(scores, 2), np.tile(labels, 2), np.zeros(600, np.int64), names * 2)
    assert (twice.low, twice.high) == pytest.approx((one.low, one.high), abs=1e-3)


# ---------------------------------------------------------------- the command


def test_what_cannot_be_used_is_named(folders: Path) -> None:
    found = hear([folders / REAL], {"one": [folders / "one"]}, 4, 0, 0)
    assert len(found.clips) == 48 and found.generators == ["one"] and found.labels().sum() == 24
    assert {Path(path).name for path in found.left_out} == {"short.wav", "broken.wav"}
    assert len(hear([folders / REAL], {"one": [folders / "one"]}, 4, 10, 0).clips) <= 20
    with pytest.raises(ValueError, match="no sound in"):
        hear([folders / "nothing"], {}, 4, 0, 0)


@pytest.fixture(scope="module")
def trained(folders: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A detector by the command, and what it printed."""
    out = tmp_path_factory.mktemp("detector")
    given = ["--real", str(folders / REAL), "--generated", f"one={folders / 'one'}", "--out", str(out), "--steps", "40"]
    given += ["--generated", f"two={folders / 'two'}", "--folds", "2", "--batch", "8", "--windows", "1", "--lr", "4e-3"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.detector", *given])
        printed: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(map(str, words))))
        command.main()
    return out, "\n".join(printed)


def test_it_tells_a_generator_that_it_has_not_heard(trained: tuple[Path, str]) -> None:
    """Lines of another pitch, in other sounds, are told from recordings; level and length would not have told them."""
    out, printed = trained
    told = json.loads((out / "detector.json").read_text())["trained"]
    assert set(told["figures"]) == {"heard generators", "not heard: one", "not heard: two", "not heard: all"}
    assert told["figures"]["not heard: all"]["value"] > 0.75, printed
    assert told["cues"]["seconds"]["value"] == 0.5 and told["cues"]["level"]["low"] < 0.6
    assert told["clips"] == {REAL: 24, "one": 24, "two": 24}
    assert "Left out: 2 files" in printed and "not heard: all" in printed


def test_whatis_says_what_tags_and_detector_say(
    trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAA_CHECKPOINTS", str(tmp_path / "checkpoints"))
    plain, tagged = tmp_path / "plain.wav", tmp_path / "tagged.wav"
    soundfile.write(plain, noise(900), RATE)
    soundfile.write(tagged, generated(900, 2000.0), RATE)
    write_tags(tagged, {"task": "text", "prompt": "rain", "seed": 7})
    assert maa_main(["whatis", str(plain), str(tagged)]) == 0
    said = capsys.readouterr().out
    assert "No settings of this program" in said and "task 'text', prompt 'rain', seed 7" in said
    assert said.count("No weights in") == 2, "the detector is left out where there is none"
    assert maa_main(["whatis", str(tagged), "--detector", str(trained[0]), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["settings"]["prompt"] == "rain" and 0.5 < facts["generated"] <= 1.0
    assert "generators that it had not heard" in facts["detector"]
    assert maa_main(["whatis", str(tmp_path / "none.wav")]) == 2
    assert maa_main(["whatis", str(plain), "--detector", str(tmp_path)]) == 2
    assert "no detector in" in capsys.readouterr().err


def test_weights_are_those_that_are_described(trained: tuple[Path, str], tmp_path: Path) -> None:
    import shutil

    assert open_detector(tmp_path / "none") is None
    shutil.copytree(trained[0], tmp_path / "d")
    weights = tmp_path / "d" / "detector.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(ValueError, match="not the file"):
        open_detector(tmp_path / "d")
    (tmp_path / "d" / "detector.json").write_text("[]")
    with pytest.raises(ValueError, match="damaged"):
        open_detector(tmp_path / "d")


def test_a_detector_is_small() -> None:
    network = Detector(DetectorConfig())
    assert sum(p.numel() for p in network.parameters()) * 4 < 1_000_000
    assert np.isnan(probability(torch.zeros(0))) and probability(torch.zeros(3)) == 0.5


def test_mistakes_are_one_line(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for one in ("real=x", "nameless", f"x={tmp_path / 'none'}"):
        given = ["--real", str(folders / REAL), "--generated", one, "--out", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", ["train.detector", *given])
        with pytest.raises(SystemExit) as ended:
            command.main()
        assert ended.value.code == 2 and len(capsys.readouterr().err.strip().splitlines()[-1:]) == 1
