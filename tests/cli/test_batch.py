"""`python -m maa batch`: lists and grids into a folder, each sound once, whatever stops it."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from maa.audio.tags import read_tags
from maa.cli import main
from maa.pipeline.batch import typed_values
from tests.sounds import sine_wave

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["--model", "tiny", "--steps", "2", "--quiet"]


def sounds(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("[0-9]*.wav"))


def test_prompts_one_a_line(in_folder: Path) -> None:
    Path("prompts.txt").write_text("a dog barks\n\n  rain on a roof  \n../../etc: <b>ÄÖ</b>\n", encoding="utf-8")
    command = ["batch", "prompts.txt", "-o", "out", "--seconds", "0.5", "--seed", "7", *QUICK]
    assert main(command) == 0
    names = ["001_a-dog-barks_s7.wav", "002_rain-on-a-roof_s8.wav", "003_etc-b-b_s9.wav"]
    assert sounds(Path("out")) == names
    tags = read_tags(Path("out", names[1]))
    assert tags is not None and tags["prompt"] == "rain on a roof" and tags["seed"] == 8 and tags["seconds"] == 0.5
    table = list(csv.DictReader(Path("out/sounds.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["file"] for row in table] == names and table[2]["prompt"] == "../../etc: <b>ÄÖ</b>"
    alone = ["text", "a dog barks", "-o", "one.wav", "--seconds", "0.5", "--seed", "7", *QUICK]
    assert main(alone) == 0
    assert Path("one.wav").read_bytes() == Path("out", names[0]).read_bytes()
    before = {path: path.stat().st_mtime_ns for path in Path("out").glob("*.wav")}
    Path("out", names[1]).unlink()
    assert main(command) == 0
    after = {path: path.stat().st_mtime_ns for path in Path("out").glob("*.wav")}
    assert [path.name for path in before if before[path] != after[path]] == [names[1]]


def test_a_table_and_a_grid(in_folder: Path) -> None:
    soundfile.write("mine.wav", sine_wave(seconds=0.5)[0], 16_000)
    Path("list.csv").write_text(
        'prompt,seed,seconds,loop,input,t0\nrain,5,0.512,yes,,\n"a dog, and a cat",,,,mine.wav,0.3\n', "utf-8"
    )
    command = ["batch", "list.csv", "-o", "out", "--grid", "guidance", "1", "3", "--seed", "40", *QUICK]
    assert main(command) == 0
    assert sounds(Path("out")) == [
        "001_rain_s5_guidance1.wav", "002_rain_s5_guidance3.wav",
        "003_a-dog-and-a-cat_s41_guidance1.wav", "004_a-dog-and-a-cat_s41_guidance3.wav",
    ]  # fmt: skip
    rain, dog = (read_tags(Path("out", name)) for name in sounds(Path("out"))[1:3])
    assert rain is not None and (rain["loop"], rain["guidance"], rain["task"]) == (True, 3.0, "text")
    assert dog is not None and (dog["t0"], dog["guidance"], dog["task"]) == (0.3, 1.0, "personalize")


def test_the_values_of_a_grid_as_they_are_typed(in_folder: Path) -> None:
    Path("p.txt").write_text("rain\n")
    command = [
        "batch",
        "p.txt",
        "-o",
        "out",
        "--seconds",
        "0.5",
        "--grid",
        "guidance=2, 4",
        "--grid",
        "seed=1,2",
        *QUICK,
    ]
    assert main(command) == 0
    assert sounds(Path("out")) == [
        "001_rain_s1_guidance2.wav", "002_rain_s2_guidance2.wav", "003_rain_s1_guidance4.wav",
        "004_rain_s2_guidance4.wav",
    ]  # fmt: skip
    assert typed_values("2, 4;4\n 6 ", "guidance") == ["2", "4", "6"]
    assert typed_values("rain, wind\n\nsnow; ice", "prompt") == ["rain, wind", "snow", "ice"]


def test_a_folder_keeps_its_seeds_and_its_batch(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text("rain\nwind\n")
    command = ["batch", "a.txt", "-o", "out", "--seconds", "0.5", *QUICK]
    assert main(command) == 0
    names = sounds(Path("out"))
    Path("out", names[0]).unlink()
    assert main(command) == 0 and sounds(Path("out")) == names  # the seed that was drawn
    Path("a.txt").write_text("rain\nwind\nsnow\n")
    assert main(command) == 2
    assert "holds another batch" in capsys.readouterr().err and sounds(Path("out")) == names
    Path("other").mkdir()
    Path("other/notes.txt").write_text("mine")
    assert main([*command[:3], "other", *command[4:]]) == 2
    assert "holds no batch" in capsys.readouterr().err
    Path("out/batch.json").write_text("[[[")
    assert main(command) == 2 and "is damaged" in capsys.readouterr().err


def test_all_sounds_are_shaped_and_another_shape_is_another_batch(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("p.txt").write_text("rain\nwind\n")
    command = ["batch", "p.txt", "-o", "out", "--seconds", "0.5", "--seed", "7", *QUICK]
    shape = ["--trim", "0.1", "0.3", "--reverse", "--fade-in", "0.05", "--fade-out", "0.02", "--gain", "-3"]
    shape += ["--target", "-23", "--width", "0.5"]
    assert main([*command, *shape]) == 0
    first, second = sounds(Path("out"))
    facts, tags = soundfile.info(f"out/{second}"), read_tags(Path("out", second))
    assert (facts.channels, facts.duration, first) == (2, 0.2, "001_rain_s7.wav") and tags is not None
    assert (tags["trim"], tags["reverse"], tags["width"], tags["seed"]) == ([0.1, 0.3], True, 0.5, 8)
    alone = ["text", "wind", "-o", "one.wav", "--seconds", "0.5", "--seed", "8", *QUICK, *shape]
    assert main(alone) == 0
    assert Path("one.wav").read_bytes() == Path("out", second).read_bytes()
    Path("out", first).unlink()
    for other in ([*command, *shape, "--gain", "-2"], command):
        assert main(other) == 2
        assert "holds another batch" in capsys.readouterr().err and sounds(Path("out")) == [second]
    assert main([*command, *shape]) == 0 and sounds(Path("out")) == [first, second]


@pytest.mark.parametrize(
    ("name", "content", "more", "sentence"),
    [
        ("a.txt", b"", [], "has no prompts"),
        ("a.txt", b"\xff\xfe\x00", [], "no text in UTF-8"),
        ("a.txt", b"rain\n" + b"x" * 1001 + b"\n", [], "line 2: "),
        ("a.csv", b"text\nrain\n", [], "one of them prompt"),
        ("a.csv", b"prompt,prompt\nrain,x\n", [], "each column once"),
        ("a.csv", b"prompt\nrain,with a comma\n", [], "line 2: there are more cells than columns"),
        ("a.csv", b"prompt,steps\nrain,many\n", [], "line 2: steps must be a whole number"),
        ("a.csv", b"prompt,colour\nrain,red\n", [], "'colour' is no setting"),
        ("a.csv", b"prompt,input\nrain,no.wav\n", [], "there is no file"),
        ("a.csv", b"prompt,t0\nrain,0.5\n", [], "t0 is for lines that name an input"),
        ("a.csv", b"prompt,seed\n,3\n", [], "line 2: there is no prompt"),
        ("a.txt", b"rain\n", ["--grid", "seed"], "--grid seed takes"),
        ("a.txt", b"rain\n", ["--grid", "colour", "1"], "--grid colour takes"),
        ("a.txt", b"rain\n", ["--grid", "seed= ,"], "--grid seed takes"),
        ("a.txt", b"rain\n" * 101, ["--grid", "seed", *map(str, range(100))], "at most 10,000"),
        ("b.txt", None, [], "There is no file b.txt"),
        ("a.txt", b"rain\n", ["--trim", "0.3", "0.2"], "trim must begin before it ends"),
        ("a.txt", b"rain\n", ["--target", "loud"], "target must be one of as-made"),
        ("a.txt", b"rain\nwind\n", ["--trim", "0.5", "0.6"], "line 1: the sound has 0.5 s, so there is nothing"),
        ("a.csv", b"prompt,seconds\nrain,2\nwind,0.5\n", ["--fade-out", "0.6"], "line 3: a fade is longer"),
        ("a.csv", b"prompt,takes\nrain,\nwind,8\n", ["--width", "1"], "line 3: With a width one more take"),
    ],
)
def test_mistakes_are_said_before_anything_is_made(
    in_folder: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes | None,
    more: list[str],
    sentence: str,
) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    assert main(["batch", name, "-o", "out", "--seconds", "0.5", *QUICK, *more]) == 2
    told = capsys.readouterr().err
    assert sentence in told and len(told.strip().splitlines()) == 1 and not Path("out").exists()


def test_a_sound_that_fails_is_named_and_the_others_are_made(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write("good.wav", sine_wave(seconds=0.5)[0], 16_000)
    Path("bad.wav").write_bytes(b"RIFF....WAVE")
    Path("list.csv").write_text("prompt,input\nrain,bad.wav\nwind,good.wav\nsnow,\n")
    assert main(["batch", "list.csv", "-o", "out", "--seed", "1", *QUICK]) == 2
    told = capsys.readouterr().err
    assert "1 of 3 could not be made: line 2:" in told and "bad.wav" in told
    assert sounds(Path("out")) == ["002_wind_s2.wav", "003_snow_s3.wav"]


@pytest.mark.slow
def test_killed_and_resumed_it_makes_every_sound_once(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("".join(f"rain {index}\n" for index in range(100)))
    command = [sys.executable, "-m", "maa", "batch", str(tmp_path / "p.txt"), "-o", str(tmp_path / "out")]
    command += ["--seed", "0", "--seconds", "0.5", *QUICK]
    made: dict[str, int] = {}
    for wait in (4, 30):
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})
        end = time.monotonic() + 120
        while process.poll() is None and len(sounds(tmp_path / "out")) < wait and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        for path in (tmp_path / "out").glob("*.wav"):
            assert made.setdefault(path.name, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
    assert len(made) >= 30
    (tmp_path / "out/.0123456789abcdef.wav").write_bytes(b"half")  # what a kill while writing leaves
    assert subprocess.run(command, cwd=ROOT, timeout=200).returncode == 0
    files = sounds(tmp_path / "out")
    assert len(files) == 100 and all(read_tags(tmp_path / "out" / name) for name in files)
    for name, moment in made.items():
        assert (tmp_path / "out" / name).stat().st_mtime_ns == moment
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")] == []
