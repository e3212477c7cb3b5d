"""Ogg and MP3: small, playable, with their settings inside, the same bytes for the same request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from maa import MakeAnAudio, Sampling
from maa.audio.io import read, write
from maa.audio.tags import read_tags, write_tags
from maa.cli import main
from tests.sounds import sine_wave

SETTINGS = {"task": "text", "prompt": "a 🐕 barks", "seed": 7, "heard": ["a dog"], "long": "x" * 70_000}


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("ending", [".ogg", ".mp3"])
def test_a_sound_and_its_settings_come_back(tmp_path: Path, ending: str, rate: int) -> None:
    wave = sine_wave(rate=rate, seconds=1.5, channels=2)
    path = write(tmp_path / f"a{ending}", wave, rate, tags=SETTINGS)
    again = write(tmp_path / f"b{ending}", wave, rate, tags=SETTINGS)
    assert path.read_bytes() == again.read_bytes()
    assert read_tags(path) == SETTINGS
    back = read(path)
    assert back.sample_rate == rate and back.channels == 2
    count = min(back.samples.shape[1], wave.shape[1])
    assert abs(back.samples.shape[1] - wave.shape[1]) <= 0.05 * rate
    middle = slice(rate // 4, count - rate // 4)
    level = np.sqrt(np.mean(back.samples[:, middle] ** 2))
    assert level == pytest.approx(np.sqrt(np.mean(wave[:, middle] ** 2)), rel=0.02)
    write_tags(path, {**SETTINGS, "seed": 8})
    tags = read_tags(path)
    assert tags is not None and tags["seed"] == 8
    assert read(path).samples.shape == back.samples.shape
    plain = write(tmp_path / f"c{ending}", wave, rate)
    assert plain.stat().st_size < wave.size * 2 / 2  # half of what 16 bits take


@pytest.mark.parametrize("ending", [".ogg", ".mp3"])
def test_files_without_or_with_damaged_settings(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"a{ending}", sine_wave(), 16_000)
    assert read_tags(path) is None
    tagged = write(tmp_path / f"b{ending}", sine_wave(), 16_000, tags=SETTINGS).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(tagged[: rng.integers(1, len(tagged))])
        for at in rng.integers(0, min(len(damaged), 80_000), 8):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        found = read_tags(path)
        assert found is None or isinstance(found, dict)


def test_rates_that_a_format_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose a rate of 44,100"):
        write(tmp_path / "a.mp3", sine_wave(rate=96_000), 96_000)
    with pytest.raises(ValueError, match=r"should end in \.wav"):
        write(tmp_path / "a.aac", sine_wave(), 16_000)
    assert list(tmp_path.iterdir()) == []


def test_every_format_from_the_command_line(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["text", "rain", "--model", "tiny", "--steps", "1", "--seconds", "0.5", "--seed", "1", "--quiet"]
    kinds = {"a.wav": "PCM_24", "b.flac": "PCM_24", "c.ogg": "VORBIS", "d.mp3": "MPEG_LAYER_III", "e.wav": "FLOAT"}
    for name, subtype in kinds.items():
        bits = {"PCM_24": ["--bits", "24"], "FLOAT": ["--bits", "32"]}.get(subtype, [])
        assert main([*common, "-o", name, "--rate", "48000", *bits]) == 0
        assert soundfile.info(name).subtype == subtype and soundfile.info(name).samplerate == 48_000
        tags = read_tags(name)
        assert tags is not None and tags["prompt"] == "rain"
    capsys.readouterr()
    assert main([*common, "-o", "f.ogg", "--bits", "24"]) == 2
    assert "--bits is for .wav and .flac" in capsys.readouterr().err


def test_a_float_file_holds_what_was_made(tiny: MakeAnAudio, tmp_path: Path) -> None:
    take = tiny.text_to_audio("rain", Sampling(1, seed=3), seconds=0.5)
    path = take.save(tmp_path / "a.wav", subtype="FLOAT")
    assert np.array_equal(read(path).samples[0], take.audio[0, 0])
