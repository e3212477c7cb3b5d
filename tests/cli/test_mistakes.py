"""Every mistake is one line on stderr and exit code 2, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import maa
from maa.cli import main
from tests.files import write_clip, write_header
from tests.sounds import sine_wave


def text(*more: str) -> list[str]:
    return ["text", "rain", "-o", "out.wav", *more]


def sound(name: str) -> list[str]:
    return ["personalize", name, "rain", "-o", "out.wav"]


def hole(*more: str) -> list[str]:
    return ["inpaint", "stereo48.wav", "-o", "out.wav", *more]


MISTAKES = {
    "no command": ([], "required"),
    "unknown command": (["sing", "x"], "invalid choice"),
    "no output": (["text", "rain"], "-o/--output"),
    "empty prompt": (["text", "  ", "-o", "out.wav"], "empty"),
    "long prompt": (["text", "x" * 10_000, "-o", "out.wav"], "10,000"),
    "long negative": (text("--negative", "x" * 10_000), "10,000"),
    "no steps": (text("--steps", "0"), "steps"),
    "many steps": (text("--steps", "1001"), "steps"),
    "half a step": (text("--steps", "2.5"), "--steps"),
    "negative seed": (text("--seed", "-1"), "seed"),
    "guidance": (text("--guidance", "21"), "guidance"),
    "NaN": (text("--guidance", "nan"), "--guidance"),
    "no takes": (text("--takes", "0"), "takes"),
    "many takes": (text("--takes", "1000000000", "--all-takes"), "takes"),
    "pick": (text("--takes", "2", "--pick", "3"), "--pick 3"),
    "sampler": (text("--sampler", "magic"), "magic"),
    "loudness": (text("--loudness", "-12"), "as-made, -23, -18, peak"),
    "loudness of an inpainting": (hole("--frames", "0.5", "1", "--loudness", "-23"), "own samples"),
    "density": (text("--density", "1.5"), "density"),
    "short": (text("--seconds", "0"), "seconds"),
    "long": (text("--seconds", "3600"), "seconds"),
    "bits": (text("--bits", "8"), "--bits"),
    "device": (text("--device", "abacus"), "abacus"),
    "missing checkpoint": (text("--model", "nowhere"), "nowhere"),
    "corrupt config": (text("--model", "bad_config"), "bad_config"),
    "corrupt weights": (text("--model", "bad_weights"), "unet.safetensors"),
    "ending": (["text", "rain", "-o", "out.aac"], "out.aac"),
    "no folder": (["text", "rain", "-o", "nowhere/out.wav"], "nowhere"),
    "a folder": (["text", "rain", "-o", "folder.wav"], "folder"),
    "own input": (["personalize", "stereo48.wav", "rain", "-o", "stereo48.wav"], "input"),
    "bits of a video": (["video", "clip.mp4", "-o", "out.mp4", "--bits", "24"], "--bits"),
    "missing input": (sound("nothing.wav"), "nothing.wav"),
    "silence": (sound("silent.wav"), "silent"),
    "no samples": (sound("empty.wav"), "no samples"),
    "three hours": (sound("hours.wav"), "10 minutes"),
    "NaN samples": (sound("nan.wav"), "NaN"),
    "nine channels": (sound("nine.wav"), "channels"),
    "5 Hz": (sound("5hz.wav"), "5 Hz"),
    "384 kHz": (sound("384khz.wav"), "384"),
    "cut header": (sound("header.wav"), "header.wav"),
    "truncated": (sound("truncated.wav"), "ends early"),
    "text as sound": (sound("letter.wav"), "letter.wav"),
    "1 x 1 picture": (["image", "dot.png", "-o", "out.wav"], "1 x 1"),
    "20,000 x 20,000 picture": (["image", "huge.png", "-o", "out.wav"], "pixels"),
    "text as picture": (["image", "letter.wav", "-o", "out.wav"], "letter.wav"),
    "video without frames": (["video", "blind.mp4", "-o", "out.mp4"], "blind.mp4"),
    "text as video": (["video", "letter.wav", "-o", "out.mp4"], "letter.wav"),
    "t0 above": (["personalize", "stereo48.wav", "rain", "--t0", "1.5", "-o", "out.wav"], "t0"),
    "t0 below": (["personalize", "stereo48.wav", "rain", "--t0", "-0.1", "-o", "out.wav"], "t0"),
    "start": (["personalize", "stereo48.wav", "rain", "--start", "60", "-o", "out.wav"], "start"),
    "no mask": (hole(), "--box"),
    "inverted box": (hole("--box", "1.5", "0.5", "0", "8000"), "1.5"),
    "upside-down box": (hole("--box", "0.5", "1.5", "4000", "300"), "4000"),
    "box outside": (hole("--box", "60", "61", "0", "8000"), "60"),
    "mask of the wrong size": (hole("--mask", "picture.png"), "80"),
}


@pytest.fixture
def bad_files(folder: Path) -> Path:
    """One file for every way in which a file can be wrong."""
    soundfile.write("silent.wav", np.zeros(16_000), 16_000)
    soundfile.write("empty.wav", np.zeros(0), 16_000)
    soundfile.write("nan.wav", np.full(16_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    soundfile.write("nine.wav", sine_wave(channels=9).T, 16_000)
    write_header(Path("hours.wav"), rate=8000, seconds=3 * 3600)
    write_header(Path("5hz.wav"), rate=5, seconds=20)
    write_header(Path("384khz.wav"), rate=384_000)
    whole = Path("stereo48.wav").read_bytes()
    Path("header.wav").write_bytes(whole[:30])
    Path("truncated.wav").write_bytes(whole[: len(whole) // 2])
    Path("letter.wav").write_text("Dear listener,\nthis is no sound.\n", encoding="utf-8")
    Image.new("RGB", (1, 1)).save("dot.png")
    Image.new("1", (20_000, 20_000)).save("huge.png")
    write_clip(Path("blind.mp4"), frames=0, with_sound=True)
    Path("folder.wav").mkdir()
    Path("bad_config").mkdir()
    Path("bad_config/config.json").write_text("{", encoding="utf-8")
    Path("bad_weights").mkdir()
    document = {"model": maa.MakeAnAudio.from_pretrained("tiny").config.to_json(), "files": {}}
    Path("bad_weights/config.json").write_text(json.dumps(document), encoding="utf-8")
    Path("bad_weights/unet.safetensors").write_bytes(b"not weights")
    return folder


def test_every_mistake_is_one_line(bad_files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(bad_files.rglob("*"))
    wrong = []
    for name, (argv, word) in MISTAKES.items():
        code = main(argv)
        said = capsys.readouterr()
        lines = said.err.splitlines()
        if code != 2 or said.out or len(lines) != 1 or not lines[0].startswith("maa: ") or word not in lines[0]:
            wrong.append(f"{name}: code {code}, {said.err!r}")
        if sorted(bad_files.rglob("*")) != before:
            wrong.append(f"{name}: left {set(bad_files.rglob('*')) - set(before)}")
    assert wrong == []


def test_a_full_disk_is_not_the_users_mistake(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "out.wav")

    monkeypatch.setattr(maa.Generation, "save", save)
    assert main(text("--seconds", "1")) == 1
