"""The five tasks and `info` from the command line, on the tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import maa
from maa.audio.finish import true_peak
from maa.audio.loudness import lufs
from maa.cli import main
from maa.config import PRESETS
from tests.here import ROOT
from tests.sounds import assert_audio_valid, sine_wave

QUICK = ["--steps", "2", "--seed", "7"]


def test_text_writes_what_was_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "rain", "-o", "rain.wav", "--seconds", "1.5", *QUICK]) == 0
    samples, rate = soundfile.read("rain.wav", always_2d=True)
    assert rate == 16_000 and soundfile.info("rain.wav").subtype == "PCM_16"
    assert_audio_valid(samples.T, seconds=1.5)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("rain.wav: 1.50 s, seed 7")


def test_flac_of_24_bits(folder: Path) -> None:
    assert main(["text", "rain", "-o", "rain.flac", "--bits", "24", "--seconds", "1", "--quiet", *QUICK]) == 0
    info = soundfile.info("rain.flac")
    assert (info.format, info.subtype, info.frames) == ("FLAC", "PCM_24", 16_000)


def test_same_request_same_bytes(folder: Path) -> None:
    for name in ("one.wav", "two.wav"):
        assert main(["text", "rain", "-o", name, "--seconds", "1", *QUICK]) == 0
    assert Path("one.wav").read_bytes() == Path("two.wav").read_bytes()


@pytest.mark.parametrize("how", [["--loudness", "-23"], ["--loudness=-23"], ["--loudness", "peak"]])
def test_loudness(folder: Path, capsys: pytest.CaptureFixture[str], how: list[str]) -> None:
    """A value that begins with a minus is a value."""
    assert main(["text", "rain", "-o", "rain.wav", "--seconds", "1.5", "--json", *how, *QUICK]) == 0
    settings = json.loads(capsys.readouterr().out)
    samples, rate = soundfile.read("rain.wav", always_2d=True)
    if how[-1] == "peak":
        assert settings["loudness"] == "peak" and true_peak(samples.T, rate) == pytest.approx(10 ** (-1 / 20), abs=0.01)
    else:
        assert settings["loudness"] == "-23" and lufs(samples.T, rate) == pytest.approx(-23, abs=0.2)


def test_image(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "picture.png", "-o", "picture.wav", "--seconds", "1", *QUICK]) == 0
    assert_audio_valid(soundfile.read("picture.wav")[0], seconds=1)
    assert "heard as " in capsys.readouterr().err


def test_video_gets_sound(folder: Path) -> None:
    import av

    assert main(["video", "clip.mp4", "-o", "sound.mp4", *QUICK]) == 0
    with av.open("sound.mp4") as clip:
        assert len(clip.streams.video) == len(clip.streams.audio) == 1
        assert sum(1 for _ in clip.decode(video=0)) == 20
    assert main(["video", "clip.mp4", "-o", "sound.wav", *QUICK]) == 0
    assert_audio_valid(soundfile.read("sound.wav")[0], seconds=2)


def test_personalize(folder: Path) -> None:
    assert main(["personalize", "stereo48.wav", "rain", "--t0", "0.5", "--start", "0.5", "-o", "out.wav", *QUICK]) == 0
    assert_audio_valid(soundfile.read("out.wav")[0], seconds=1.5)
    soundfile.write("quiet.wav", sine_wave(rate=48_000, channels=2, peak=0.05).T, 48_000)
    levels = []
    for more in ([], ["--no-level-match"]):
        assert main(["personalize", "quiet.wav", "rain", "--t0", "0.5", *more, "-o", "out.wav", *QUICK]) == 0
        levels.append(lufs(soundfile.read("out.wav", always_2d=True)[0].T, 16_000))
    given = lufs(soundfile.read("quiet.wav")[0].mean(axis=1)[None], 48_000)
    assert levels[0] == pytest.approx(given, abs=0.2) and abs(levels[1] - given) > 1


@pytest.mark.parametrize("how", ["box", "frames", "mask", "all"])
def test_inpaint_keeps_the_rest(folder: Path, tiny: maa.MakeAnAudio, how: str) -> None:
    mask = np.zeros((80, tiny.frames_of("stereo48.wav")), np.uint8)
    mask[:, 50:70] = 255
    Image.fromarray(mask).save("mask.png")
    options = {
        "box": ["--box", "0.8", "1.1", "0", "8000"],
        "frames": ["--frames", "0.8", "1.1"],
        "mask": ["--mask", "mask.png"],
        "all": ["--frames", "0.8", "0.9", "--box", "1", "1.1", "300", "4000", "--mask", "mask.png"],
    }[how]
    assert main(["inpaint", "stereo48.wav", *options, "--prompt", "rain", "-o", "out.wav", *QUICK]) == 0
    before, after = (soundfile.read(name, dtype="int32")[0] for name in ("stereo48.wav", "out.wav"))
    info = soundfile.info("out.wav")
    assert (info.samplerate, info.channels, info.subtype, len(after)) == (48_000, 2, "PCM_24", len(before))
    changed = np.flatnonzero((before != after).any(1)) / 48_000
    assert changed.min() >= 0.78 and changed.max() <= 1.14


def test_a_saved_mask_makes_the_same_sound(folder: Path) -> None:
    """--save-mask writes what the options meant; as --mask, also as an array, it means the same."""
    told = ["--box", "0.8", "1.1", "300", "4000", "--save-mask", "mask.png"]
    assert main(["inpaint", "stereo48.wav", *told, "-o", "told.wav", *QUICK]) == 0
    np.save("mask.npy", np.asarray(Image.open("mask.png"))[::-1] > 0)
    for name in ("mask.png", "mask.npy"):
        assert main(["inpaint", "stereo48.wav", "--mask", name, "-o", "again.wav", *QUICK]) == 0
        assert Path("told.wav").read_bytes() == Path("again.wav").read_bytes()


def test_a_longer_sound(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--before", "0.48", "--after", "0.8", "--resampling", "1", "--strength", "0.9", "--blend", "0.5"]
    more.append("--no-level-match")
    assert main(["inpaint", "stereo48.wav", *more, "-o", "out.wav", "--json", *QUICK]) == 0
    settings = json.loads(capsys.readouterr().out)
    before, after = (soundfile.read(name, dtype="int32")[0] for name in ("stereo48.wav", "out.wav"))
    assert len(after) - len(before) == round(1.28 * 48_000)
    first = round(0.48 * 48_000)
    kept = slice(2000, len(before) - 2000)
    assert np.array_equal(after[first:][kept], before[kept])
    assert settings["report"]["outside"] == 0 and settings["resampling"] == 1 and not settings["level_match"]
    assert settings["blend"] == 0.5


def test_takes_are_the_single_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["text", "rain", "--seconds", "1", "--steps", "2", "--json"]
    assert main([*base, "--takes", "3", "--seed", "5", "--all-takes", "-o", "best.wav"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["file"] for row in rows] == ["best.wav", "best-2.wav", "best-3.wav"]
    assert sorted(row["seed"] for row in rows) == [5, 6, 7]
    for row in rows:
        assert main([*base, "--seed", str(row["seed"]), "-o", "single.wav"]) == 0
        assert Path("single.wav").read_bytes() == Path(row["file"]).read_bytes()
    assert main([*base, "--takes", "3", "--seed", "5", "--pick", "2", "-o", "second.wav"]) == 0
    assert Path("second.wav").read_bytes() == Path("best-2.wav").read_bytes()


def test_eight_channels_are_kept(folder: Path) -> None:
    soundfile.write("eight.wav", sine_wave(channels=8).T, 16_000)
    assert main(["inpaint", "eight.wav", "--frames", "0.3", "0.6", "-o", "out.wav", *QUICK]) == 0
    assert soundfile.info("out.wav").channels == 8


def test_info(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    table = capsys.readouterr().out
    assert table.startswith("tiny\n") and "inpaint       ready" in table
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert set(facts["tasks"]) == {"text", "image", "video", "personalize", "inpaint"}
    assert facts["parts"]["unet"]["parameters"] > 0


@pytest.mark.parametrize("name", list(PRESETS))
def test_the_pages_state_the_sizes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table of configurations in docs/models.md is what `info --config` counts, in millions."""
    assert main(["info", "--config", name, "--json"]) == 0
    parts = json.loads(capsys.readouterr().out)["parts"]
    lines = (ROOT / "docs" / "models.md").read_text(encoding="utf-8").splitlines()
    row = next(line for line in lines if line.startswith(f"| {name.upper()} |"))
    cells = [cell.strip() for cell in row.split("|")[3:7]]
    sizes = [parts[part]["parameters"] / 1e6 for part in ("unet", "autoencoder", "vocoder", "text")]
    assert cells == [f"{size:.1f} M" if size >= 1 else f"{size:.2f} M" for size in sizes]


def test_info_of_the_paper(capsys: pytest.CaptureFixture[str]) -> None:
    """Every count that the paper or the published files state, and the 332 M as the sum that they are."""
    assert main(["info", "--config", "paper", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    counted = {name: about["parameters"] for name, about in {**facts["parts"], **facts["besides"]}.items()}
    assert counted == {
        "autoencoder": 68_984_037,
        "unet": 160_223_684,
        "vocoder": 112_199_473,
        "text": 111_319_296,
        "clap": 114_467_073,
        "clap_audio": 80_753_615,
        "vision": 986_109_441,
        "U-Net for pictures": 104_356_612,
        "U-Net for inpainting": 107_344_324,
        "autoencoder without multi-resolution attention": 62_407_397,
        "HiFi-GAN V1, folded": 13_926_017,
        "MS-CLAP's text side": 111_319_296,
        "MS-CLAP's sound side": 83_901_391,
    }
    assert {row: about["parameters"] for row, about in facts["table_1"].items()} == {
        "CLAP": 111_319_296,
        "BERT": 109_482_240,
        "T5-Large": 334_939_648,
        "CLIP": 352_984_064,
    }
    assert round(facts["332M"]["sum"] / 1e6) == 332
    assert facts["published"] == 340_527_017
    assert [row["setting"] for row in facts["table_6"] if row["paper"] != row["here"]] == []
    assert main(["info", "--config", "paper"]) == 0
    assert "U-Net 160.22M + autoencoder without" in capsys.readouterr().out
