"""What is listened to, from the command line: chosen, said, and made again byte for byte."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import torch
from PIL import Image

from maa import MakeAnAudio, checkpoint
from maa.audio.tags import read_tags
from maa.cli import main
from maa.models.vocabulary import Vocabulary
from maa.pipeline import replay
from maa.pipeline.conditioning import embed_words
from tests.words import CAPTIONS, SOUNDS

QUICK = ["--steps", "1", "--seed", "7", "--model", "knowing", "--device", "cpu"]
ODD = ["🐶" * 500, "狗叫", "<b>rain</b> & 'more'", " --seed 7", "x" * 1000, "word " * 199 + "end"]


@pytest.fixture
def knowing(in_folder: Path) -> Path:
    """A tiny model that knows three sounds, as its own text encoder sees them."""
    model = checkpoint.random_model()
    model.vocabulary = Vocabulary(SOUNDS, embed_words(model, CAPTIONS))
    checkpoint.save(model, in_folder / "knowing", torch.float32)
    return in_folder


def text(*words: str) -> None:
    assert main(["text", *words, "-o", "one.wav", "--seconds", "0.5", *QUICK]) == 0


def test_what_is_chosen_is_heard_and_made_again(knowing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text("rain, then a bell rings", "--heard", "church bell", "--heard", "a bell rings", "--json")
    settings = json.loads(capsys.readouterr().out)
    assert settings["prompt"] == "rain, then a bell rings" and settings["heard"] == ["church bell", "a bell rings"]
    made = Path("one.wav").read_bytes()
    line = replay.command(read_tags(Path("one.wav")) or {}, replay.Files("again.wav"))
    assert "--heard 'church bell' --heard 'a bell rings'" in line
    maa = MakeAnAudio.from_pretrained("knowing", device="cpu")
    assert maa.heard("rain, then a bell rings", captions=["church bell", "a bell rings"]).text == (
        "church bell, then a bell rings"
    )
    assert main([*shlex.split(line)[3:], "--device", "cpu", "--quiet"]) == 0
    assert Path("again.wav").read_bytes() == made


def test_pictures_say_it_with_another_option(knowing: Path) -> None:
    Image.new("RGB", (64, 48), "red").save("picture.png")
    given = ["image", "picture.png", "-o", "one.wav", "--seconds", "0.5", *QUICK]
    assert main([*given, "--prompt", "rain", "--led-to", "church bell"]) == 0
    settings = read_tags(Path("one.wav")) or {}
    assert settings["heard"] == ["church bell"]
    assert "--led-to 'church bell'" in replay.command(settings, replay.Files("two.wav", source="picture.png"))
    assert main([*given, "--heard", "rain", "0.5"]) == 0
    assert (read_tags(Path("one.wav")) or {})["words"] == [["rain", 1.0]]


@pytest.mark.parametrize(
    ("heard", "wrong"),
    [
        (["a spell"], "'a spell' is no sound that the model knows"),
        (["rain", "rain"], "The prompt has 1 parts; give a caption for each of them, not 2"),
        ([""], "The text in heard is empty"),
        (["x" * 1001], "has 1,001 characters"),
        (["rain"] * 65, "at most 64 texts"),
    ],
)
def test_what_does_not_fit_is_one_line(
    knowing: Path, capsys: pytest.CaptureFixture[str], heard: list[str], wrong: str
) -> None:
    words = [word for one in heard for word in ("--heard", one)]
    assert main(["text", "rain", *words, "-o", "one.wav", *QUICK]) == 2
    said = capsys.readouterr().err
    assert wrong in said and said.count("\n") == 1 and not Path("one.wav").exists()


@pytest.mark.parametrize("prompt", ODD)
def test_odd_prompts_are_made_and_said(knowing: Path, capsys: pytest.CaptureFixture[str], prompt: str) -> None:
    text(prompt)
    settings = read_tags(Path("one.wav")) or {}
    assert settings["prompt"] == prompt.strip()
    said = capsys.readouterr().err
    for name, sentence in (("unread", "cannot read"), ("cut", "too long"), ("unknown", "knows nothing like")):
        assert (name in settings) == (sentence in said), name
    assert "Traceback" not in said


def test_half_a_character_is_a_mistake(knowing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "\ud83d", "-o", "one.wav", *QUICK]) == 2
    assert "half a character" in capsys.readouterr().err
