"""What is measured of a file, against sounds whose lines, levels and holes are known."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from maa import Sampling
from tests.sounds import sine_wave
from train import evaluate
from train.evaluation.card import score_table
from train.evaluation.files import (
    CONTINUOUS,
    TakeRequest,
    holes,
    line_contrast,
    made,
    measure_wave,
    noise_like,
    outside,
    requests,
    summary,
    true_peak_db,
)

RATE = 16_000


def noise(seconds: float = 4.0, seed: int = 0) -> np.ndarray:
    return (0.05 * np.random.default_rng(seed).normal(size=round(seconds * RATE))).astype(np.float32)


def buzz(hz: float, amplitude: float) -> np.ndarray:
    """Cosines at every multiple of `hz` below 7,900 Hz, four seconds."""
    t = np.arange(4 * RATE) / RATE
    return (amplitude * sum(np.cos(2 * np.pi * hz * k * t + k * k) for k in range(1, int(7900 / hz)))).astype(
        np.float32
    )


def test_lines_at_the_frame_rate_are_told_from_noise_and_from_other_lines() -> None:
    assert abs(line_contrast(noise(), RATE)) < 1
    assert abs(line_contrast(noise() + buzz(70.0, 0.005), RATE)) < 1
    small, large = (line_contrast(noise() + buzz(62.5, amplitude), RATE) for amplitude in (0.002, 0.004))
    # A cosine under a Hann window of a second, in the bins at 0, 0.5 and 1 Hz beside it, over white noise.
    window = np.hanning(RATE)
    floor = 0.05**2 * np.square(window).sum()
    near = [0.002**2 / 4 * np.abs(np.exp(-2j * np.pi * d * np.arange(RATE) / RATE) @ window) ** 2 for d in (0.5, 1)]
    assert 10 * math.log10(1 + near[1] / floor) - 1 < small < 10 * math.log10(1 + near[0] / floor) + 1
    assert 3 < large - small < 6.1
    assert math.isnan(line_contrast(noise(1.9), RATE)) and math.isnan(line_contrast(np.zeros(40_000, "f4"), RATE))


def test_energy_that_nobody_hears() -> None:
    assert outside(sine_wave(10, 2.0)[0], RATE) == (pytest.approx(1, abs=0.01), pytest.approx(0, abs=0.01))
    assert outside(sine_wave(7900, 2.0)[0], RATE)[1] > 0.99
    assert max(outside(sine_wave(1000, 2.0)[0], RATE)) < 0.001 and outside(np.zeros(100, "f4"), RATE) == (0, 0)
    both = sine_wave(10, 2.0)[0] + sine_wave(1000, 2.0)[0]
    assert outside(both, RATE)[0] == pytest.approx(0.5, abs=0.01)


def test_holes_are_counted_in_blocks() -> None:
    wave = noise()
    assert holes(wave, RATE) == (0, 0)
    wave[RATE : RATE + 8000] = 0
    wave[3 * RATE : 3 * RATE + 1600] *= 0.02  # 34 dB down
    assert holes(wave, RATE) == (pytest.approx(0.5), pytest.approx(0.6))
    wave[:] = 0
    assert holes(wave, RATE) == (0, 0), "silence has no level to fall below"


def test_the_peak_between_samples() -> None:
    t = np.arange(RATE)
    wave = (np.sin(np.pi / 2 * t + np.pi / 4) * np.hanning(RATE)).astype(np.float32)
    assert 20 * math.log10(np.abs(wave).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak_db(wave, RATE) == pytest.approx(0, abs=0.05)
    assert true_peak_db(np.zeros(99, "f4"), RATE) == -math.inf


def test_noise_is_told_from_partials() -> None:
    assert noise_like(noise(), RATE) and not noise_like(noise(1.0), RATE)
    assert not noise_like(noise() + buzz(110, 0.05), RATE) and not noise_like(np.zeros(40_000, "f4"), RATE)


def test_a_file_is_measured_whole() -> None:
    wave = noise()
    wave[0], wave[-1], wave[100:103] = 0.5, 0.0, 1.0
    row = measure_wave(wave, RATE)
    assert row["first_db"] == pytest.approx(-6.02, abs=0.01) and row["last_db"] == -math.inf
    assert row["full_scale"] == 3 and row["true_peak_db"] >= 0 and row["seconds"] == 4
    assert row["lufs"] == pytest.approx(-23, abs=4) and row["mean"] < 0.01


def test_a_summary_counts_what_its_rows_say() -> None:
    rows = [{"continuous": k > 0} | measure_wave(noise(seed=k), RATE) for k in range(3)]
    rows[0] |= {"first_db": -49.0, "last_db": -51.0, "full_scale": 2, "lufs": -math.inf, "longest_hole": 9.0}
    rows[1] |= {"first_db": -80.0, "last_db": -20.0, "full_scale": 1, "lines_db": 7.0}
    rows[2] |= {"first_db": -math.inf, "last_db": -60.0, "lines_db": 3.0, "longest_hole": 0.05, "below_20_hz": 0.4}
    found = summary(rows)
    assert (found["takes"], found["continuous"], found["clipped"]) == (3, 2, 1)
    assert (found["clicks_at_start"], found["clicks_at_end"]) == (1, 1)
    assert (found["lines_db_median"], found["lines_db_worst"]) == (5.0, 7.0)
    assert found["continuous_with_holes"] == 1 and found["longest_hole"] == 0.05, "one-shots may fall silent"
    assert found["below_20_hz_worst"] == 0.4 and found["outside_worst"] >= 0.4
    assert found["lufs_lowest"] <= found["lufs_highest"] < 0
    assert "| 5.0 / 7.0 | 2 continuous sounds |" in score_table({"files": {"summary": found}})


def test_34_takes_are_asked_for() -> None:
    asked = requests("-23")
    assert sum(one.takes for one in asked) == 34 and {one.loudness for one in asked} == {"-23"}
    assert [one.prompt for one in asked if one.continuous] == list(CONTINUOUS)


def fake() -> tuple[SimpleNamespace, list[dict[str, object]]]:
    """A judge whose model notes how it is called and writes a second of noise."""
    calls: list[dict[str, object]] = []

    def save(path: Path, take: int) -> Path:
        soundfile.write(path, noise(1.0, take), RATE)
        return path

    def answer(prompt: str, sampling: Sampling, **given: object) -> SimpleNamespace:
        calls.append({"prompt": prompt, "sampling": sampling, **given})
        return SimpleNamespace(seeds=tuple(range(sampling.count)), save=save)

    return SimpleNamespace(maa=SimpleNamespace(text_to_audio=answer), sampling=Sampling(steps=3)), calls


def test_takes_come_through_the_public_door_and_its_files() -> None:
    judge, calls = fake()
    rows = made(judge, TakeRequest("rain", 5.0, 7, 2, True))
    assert [row["seed"] for row in rows] == [0, 1] and rows[0]["lufs"] != rows[1]["lufs"] and rows[0]["seconds"] == 1
    asked = {"prompt": "rain", "seconds": 5.0, "sampling": Sampling(steps=3, seed=7, count=2), "loudness": "as-made"}
    assert calls == [asked]
    made(judge, TakeRequest("rain", None, 7, loudness="-23"))
    assert calls[-1]["loudness"] == "-23"


def test_a_folder_is_measured_without_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "--model",
        "no such model",
        "--only",
        "files",
        "--sounds",
        str(tmp_path / "in"),
        "--out",
        str(tmp_path),
    ]
    assert evaluate.main(arguments) == 2
    assert "There is no folder" in capsys.readouterr().err
    (tmp_path / "in/deep").mkdir(parents=True)
    assert evaluate.main(arguments) == 2
    assert "There is no sound to measure" in capsys.readouterr().err
    for name in ("heavy rain_2.wav", "deep/windmill.flac"):
        soundfile.write(tmp_path / "in" / name, np.stack([noise(), noise()], axis=1), RATE)
    assert evaluate.main(arguments) == 0
    report = json.loads((tmp_path / "scores.json").read_text())
    assert {row["file"]: row["continuous"] for row in report["files"]["takes"]} == {
        "heavy rain_2.wav": True,
        "windmill.flac": False,
    }
    assert report["files"]["summary"]["continuous_with_holes"] == 0 and "2 files" in capsys.readouterr().out
