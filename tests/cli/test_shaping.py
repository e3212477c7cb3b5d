"""The end of a sound from the command line: what is cut off, turned, faded, made louder and wider."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from maa.cli import main

QUICK = ["--steps", "2", "--seed", "7", "--seconds", "1.5"]


def test_a_sound_is_shaped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "rain", "-o", "plain.wav", "--bits", "32", *QUICK]) == 0
    how = ["--trim", "0.5", "1", "--fade-in", "0.05", "--reverse", "--bits", "32", "--rate", "48000", "--json"]
    capsys.readouterr()
    assert main(["text", "rain", "-o", "a.wav", *how, *QUICK]) == 0
    settings = json.loads(capsys.readouterr().out)
    assert (settings["trim"], settings["fade_in"], settings["reverse"]) == ([0.5, 1.0], 0.05, True)
    sound, rate = soundfile.read("a.wav", dtype="float32")
    assert (len(sound), rate) == (24_000, 48_000) and sound[0] == sound[-1] == 0
    plain, _ = soundfile.read("plain.wav", dtype="float32")
    assert np.corrcoef(sound[::-1][::3][40:-800], plain[8_000:16_000][40:-800])[0, 1] > 0.99


def test_a_width_gives_stereo_and_one_file(folder: Path) -> None:
    assert main(["text", "rain", "-o", "wide.wav", "--width", "0.6", "--takes", "2", "--all-takes", *QUICK]) == 0
    assert sorted(path.name for path in Path().glob("wide*.wav")) == ["wide-2.wav", "wide.wav"]
    assert soundfile.info("wide.wav").channels == 2


def test_mistakes_are_told_before_anything_is_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for more, said in (
        (["--trim", "1", "0.5"], "trim must begin before it ends"),
        (["--width", "2"], "width must be a number from 0 to 1"),
        (["--width", "1", "--takes", "8"], "at most 7"),
        (["--target", "loud"], "target must be one of as-made"),
    ):
        assert main(["text", "rain", "-o", "a.wav", *more, *QUICK]) == 2
        assert said in capsys.readouterr().err
    assert main(["video", "clip.mp4", "-o", "a.mp4", "--trim", "0", "1"]) == 2
    assert "as long as its picture" in capsys.readouterr().err
    assert main(["inpaint", "stereo48.wav", "-o", "a.wav", "--frames", "0", "1", "--width", "1"]) == 2
    assert not list(Path().glob("a.*"))
