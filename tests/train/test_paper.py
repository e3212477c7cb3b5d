"""The paper's tables and figures, each run as a user runs it, at the smallest size."""

from __future__ import annotations

import csv
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from maa import checkpoint
from tests.train.library import little_library, random_yamnet
from train.evaluation.distances import Value
from train.paper import stages, table2
from train.paper.__main__ import MODULES, main
from train.paper.results import Result, as_text, differences, flat, order_seen


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of four kinds, five train and one test recording each, with a random judge and a random model."""
    root = tmp_path_factory.mktemp("data")
    little_library(concepts=4, each=6).save(root / "library-16k.npz")
    random_yamnet(root / "parts/yamnet.safetensors")
    checkpoint.save(checkpoint.random_model(), root / "tiny", torch.float32)
    return root


def arguments(what: str, data: Path, out: Path, *more: str) -> list[str]:
    given = [what, "--model", str(data / "tiny"), "--device", "cpu", "--library", str(data), "--out", str(out)]
    return [*given, "--steps", "1", "--seconds", "0.5", "--rounds", "4", *more]


def found(out: Path, name: str) -> list[dict[str, str]]:
    """The rows of a result that has all of its files."""
    assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG") and (out / f"{name}.png").stat().st_size < 200_000
    lines = (out / f"{name}.json").read_text().splitlines()
    assert len(lines) == 1 and json.loads(lines[0])["name"] == name
    with (out / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_figure_5_is_an_average_over_clips(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = arguments("figure5", data, tmp_path, "--values", "0", "0.5", "1", "--clips", "3")
    assert main(asked) == 0
    rows = found(tmp_path, "figure5")
    assert [row["t0"] for row in rows] == ["0.0", "0.5", "1.0"] and {row["clips"] for row in rows} == {"3"}
    kept = sorted((tmp_path / "work/figure5").glob("*.json"))
    each = [json.loads(path.read_text()) for path in kept]
    assert len(each) == 3
    for k, row in enumerate(rows):
        assert float(row["1-MSE"]) == pytest.approx(np.mean([one["realism"][k] for one in each]))
        assert float(row["CLAP low"]) <= float(row["CLAP"]) <= float(row["CLAP high"])
    settings = json.loads((tmp_path / "figure5.json").read_text())["settings"]
    assert len(settings["weights"]) == 16 and len(settings["prompts"]) == 3
    before = {path: path.stat().st_mtime_ns for path in kept}
    capsys.readouterr()
    assert main(asked) == 0 and {path: path.stat().st_mtime_ns for path in kept} == before
    assert "| 0.5 |" in capsys.readouterr().out


def test_figures_6_and_7(data: Path, tmp_path: Path) -> None:
    assert main(arguments("figure6", data, tmp_path, "--clips", "2")) == 0
    holes = found(tmp_path, "figure6")
    assert [row["hole"] for row in holes] == list(table2.KINDS)
    assert all(0 < float(row["covered"]) < 1 for row in holes)
    assert main(arguments("figure7", data, tmp_path, "--scales", "1", "3", "--batch", "2")) == 0
    rows = found(tmp_path, "figure7")
    assert [row["guidance"] for row in rows] == ["1.0", "3.0"] and {"CLAP", "FD yamnet", "KL yamnet"} <= set(rows[0])
    assert float(rows[0]["FD yamnet"]) > 0 and len(list((tmp_path / "work/figure7/scale-3").glob("*.wav"))) == 4


def test_the_check_of_the_harness_rises_with_noise(data: Path, tmp_path: Path) -> None:
    assert main(arguments("check", data, tmp_path, "--levels", "-30", "-10")) == 0
    rows = found(tmp_path, "check")
    assert [row["noise"] for row in rows] == ["none", "-30 dB", "-10 dB"]
    for name in ("FD yamnet", "KL yamnet", "FD aisfx"):
        values = [float(row[name]) for row in rows]
        assert abs(values[0]) < 1e-6 and values[0] < values[1] < values[2]


def test_tables_over_folders(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments("check", data, tmp_path, "--levels", "-20")) == 0
    work = tmp_path / "work"
    (listed,) = work.glob("test-*.csv")
    real = listed.with_suffix("")
    (noisy,) = (work / "check").glob("*dB")
    systems = ["--systems", f"ours={noisy}", f"copy={real}", "--reference", str(real), "--captions", str(listed)]
    assert main(arguments("table7", data, tmp_path, *systems)) == 0
    rows = found(tmp_path, "table7")
    assert [row["system"] for row in rows] == ["Reference", "ours", "copy"]
    assert rows[0]["FD yamnet"] == "" and float(rows[2]["FD yamnet"]) < 1e-6 < float(rows[1]["FD yamnet"])
    zero = ["--zero", f"ours={noisy}", "--zero-reference", str(real)]
    assert main(arguments("table1", data, tmp_path, *systems, *zero)) == 0
    rows = found(tmp_path, "table1")
    assert float(rows[1]["FD yamnet-Z"]) == pytest.approx(float(rows[1]["FD yamnet"])) and rows[2]["FD yamnet-Z"] == ""
    pictures = ["--images", f"ours={noisy}", "--images-reference", str(real), "--images-captions", str(listed)]
    assert main(arguments("table3", data, tmp_path, *pictures)) == 0
    assert [row["from"] for row in found(tmp_path, "table3")] == ["images", "images"]
    broken = tmp_path / "broken"
    shutil.copytree(noisy, broken)
    gone = sorted(broken.glob("*.wav"))[0]
    gone.unlink()
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main(arguments("table7", data, tmp_path / "other", "--systems", f"ours={broken}", *systems[3:]))
    assert end.value.code == 2 and f"{gone.stem}: no such sound was generated" in capsys.readouterr().err
    assert not (tmp_path / "other/table7.csv").exists()


def test_table_2_of_given_networks(data: Path, tmp_path: Path) -> None:
    networks = ["--networks", f"thin={data / 'tiny'}", f"frame-70={data / 'tiny'}"]
    assert main(arguments("table2", data, tmp_path, *networks, "--clips", "3")) == 0
    rows = found(tmp_path, "table2")
    assert [row["masks"] for row in rows] == ["Irregular (Thin)", "Frame (p=70%)"]
    assert rows[0]["FD yamnet, narrow"] == rows[1]["FD yamnet, narrow"], "one network, the same holes and seeds"
    assert float(rows[0]["FD yamnet, narrow"]) != float(rows[0]["FD yamnet, wide"])


def here(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
    """A stage in this process."""
    module, rest = command[2], command[3:]
    before, sys.argv = sys.argv, [module, *rest]
    try:
        importlib.import_module(module).main()
    finally:
        sys.argv = before
    return subprocess.CompletedProcess(command, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "more", "trained"),
    [
        ("table2", ["--start-steps", "1"], {"start", "thin"}),
        (
            "table8",
            ["--channels", "4", "--autoencoder-steps", "1"],
            {"autoencoder-4", "base-4", "wo-ppe-4"},
        ),
        ("table9", [], {"single-raw", "single-unit"}),
    ],
)
def test_tables_that_train(
    what: str, more: list[str], trained: set[str], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the stages' own command lines; a second call trains nothing, and another training is not mistaken for it."""
    commands: list[list[str]] = []

    def counted(command: list[str], **how: object) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return here(command, **how)

    monkeypatch.setattr(stages.subprocess, "run", counted)
    monkeypatch.setattr(table2, "KINDS", ("thin",))
    training = ["--config", "tiny", "--train-steps", "1", "--training", "--batch 2 --pool 4 --renew 0.1"]
    asked = arguments(what, data, tmp_path, *training, *more, "--clips", "3")
    assert main(asked) == 0
    assert {Path(command[command.index("--out") + 1]).name for command in commands} == trained
    assert len(found(tmp_path, what)) >= 1
    count = len(commands)
    assert main(asked) == 0 and len(commands) == count
    with pytest.raises(SystemExit):
        main([*asked, "--seed", "1"])


def test_table_5_is_what_the_distiller_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "measured").mkdir()
    (tmp_path / "measured/table5.csv").write_text(
        "dataset,method,sounds,score,low,high,shuffled\na,Original,9,0.4,0.3,0.5,0.1\na,Both,9,0.45,0.41,0.5,0.1\n"
    )
    assert main(["table5", "--out", str(tmp_path), "--measured", str(tmp_path / "measured")]) == 0
    assert "best is Both; no difference seen from Original" in capsys.readouterr().out
    assert found(tmp_path, "table5")[1]["CLAP low"] == "0.41"
    (tmp_path / "measured/table5.csv").write_text("something,else\n1,2\n")
    with pytest.raises(SystemExit) as end:
        main(["table5", "--out", str(tmp_path), "--measured", str(tmp_path / "measured")])
    assert end.value.code == 2


def test_overlapping_intervals_are_no_difference(tmp_path: Path) -> None:
    rows = [
        {"system": "a", "FD x": Value(1.0, 0.8, 1.2), "CLAP": Value(0.3, 0.28, 0.32)},
        {"system": "b", "FD x": Value(1.1, 0.9, 1.3), "CLAP": Value(0.5, 0.48, 0.52)},
        {"system": "c", "FD x": Value(2.0, 1.8, 2.2)},
    ]
    distance, clap = differences(rows, "system")
    assert distance == "FD x: best is a; no difference seen from b (intervals overlap); better than c."
    assert clap == "CLAP: best is b; better than a."
    text = as_text(Result("x", "X", rows, {}, lambda path: None, ["Said."]))
    assert "| c | 2 (1.8 to 2.2) |  |" in text and text.endswith("- Said.")
    assert flat(rows[2]) == {"system": "c", "FD x": 2.0, "FD x low": 1.8, "FD x high": 2.2}
    up = [Value(0.1, 0.05, 0.15), Value(0.3, 0.25, 0.35), Value(0.2, 0.15, 0.25)]
    assert order_seen(["p", "q", "r"], up, True) == (
        "rises from p to r, but not from q to r; no difference seen (overlap)."
    )


def test_every_command_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    for name in MODULES:
        with pytest.raises(SystemExit) as end:
            main([name, "--help"])
        assert not end.value.code and "--out" in capsys.readouterr().out
