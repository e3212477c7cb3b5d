"""A user's mistakes: one sentence each, from the library itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from maa import Audio, Box, MakeAnAudio, Sampling, checkpoint
from tests.sounds import sine_wave

SOUND = Audio(sine_wave(seconds=1.0), 16_000, "PCM_16")


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 0},
        {"steps": 1001},
        {"steps": 2.5},
        {"count": 0},
        {"count": 9},
        {"seed": -1},
        {"seed": 2**32},
        {"guidance": float("nan")},
        {"guidance": -1.0},
        {"guidance": 21.0},
        {"sampler": "euler"},
        {"eta": 2.0},
        {"eta": 0.5},
    ],
    ids=str,
)
def test_sampling_ranges(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Sampling(**changes)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m.text_to_audio("  "), "empty"),
        (lambda m: m.text_to_audio("x" * 10_000), "10,000 characters"),
        (lambda m: m.text_to_audio("x", negative="y" * 2000), "negative prompt"),
        (lambda m: m.text_to_audio("x", seconds=0.1), "seconds"),
        (lambda m: m.text_to_audio("x", seconds=1e9), "seconds"),
        (lambda m: m.personalize(SOUND, "x", t0=-0.1), "t0"),
        (lambda m: m.personalize(SOUND, "x", t0=1.5), "t0"),
        (lambda m: m.personalize(SOUND, "x", t0=float("nan")), "t0"),
        (lambda m: m.personalize(SOUND, ""), "empty"),
        (lambda m: m.personalize(SOUND, "x", start=2.0), "start"),
        (lambda m: m.personalize((16_000, np.zeros(16_000)), "x"), "silent"),
        (lambda m: m.personalize((16_000, np.zeros(0)), "x"), "no sound|empty|samples"),
        (lambda m: m.personalize((5, np.ones(100)), "x"), "Hz"),
        (lambda m: m.personalize((384_000, np.ones(100_000)), "x"), "Hz"),
        (lambda m: m.personalize((16_000, np.full(16_000, np.nan)), "x"), "NaN|not a number|finite"),
        (lambda m: m.inpaint(SOUND, [Box(0.8, 0.2)]), "end|before"),
        (lambda m: m.inpaint(SOUND, np.zeros((80, 5), bool)), "mask"),
        (lambda m: m.inpaint(SOUND, [[0.1, 0.2, 0.3]]), "Each region"),
        (lambda m: m.inpaint("nowhere.wav", [Box(0, 1)]), "nowhere.wav"),
        (lambda m: m.image_to_audio("nowhere.png"), "nowhere.png"),
        (lambda m: m.video_to_audio("nowhere.mp4"), "nowhere.mp4"),
    ],
)
def test_one_sentence(tiny: MakeAnAudio, call: object, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        call(tiny)
    assert "\n" not in str(caught.value)


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(ValueError, match="no model 'nonesuch'"):
        MakeAnAudio.from_pretrained("nonesuch")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    checkpoint.save(checkpoint.random_model(), tmp_path / "model")
    return tmp_path / "model"


def test_a_saved_model_opens_and_sounds_the_same(folder: Path) -> None:
    first = MakeAnAudio.from_pretrained(folder, device="cpu")
    again = folder.parent / "again"
    checkpoint.save(first.model, again)
    second = MakeAnAudio.from_pretrained(again, device="cpu")
    assert first.model.weights_hash == second.model.weights_hash
    sampling = Sampling(steps=2, seed=3)
    sounds = [m.text_to_audio("rain", sampling, seconds=1.0).audio for m in (first, second)]
    assert np.array_equal(*sounds)


@pytest.mark.parametrize("part", ["text", "vision", "unet", "vocoder"])
def test_a_missing_part_disables_its_tasks(folder: Path, part: str) -> None:
    (folder / f"{part}.safetensors").unlink()
    maa = MakeAnAudio.from_pretrained(folder, device="cpu")
    sentence = maa.capabilities()["image"]
    assert sentence is not None and f"{part}.safetensors" in sentence
    with pytest.raises(ValueError, match=part):
        maa.image_to_audio(np.zeros((32, 32, 3), np.uint8))
    if part == "vision":
        assert maa.capabilities()["text"] is None
    if part == "text":
        hole, sampling = [Box(0.2, 0.6)], Sampling(steps=1, seed=0)
        assert maa.inpaint(SOUND, hole, "", sampling).audio.shape == (1, 1, 16_000)
        with pytest.raises(ValueError, match="leave the prompts empty"):
            maa.inpaint(SOUND, hole, "rain", sampling)


def test_missing_parts_are_called_by_their_names(folder: Path) -> None:
    parts = {"clap": "The CLAP projection", "clap_audio": "The CLAP sound encoder", "unet": "The denoising network"}
    for part in parts:
        (folder / f"{part}.safetensors").unlink(missing_ok=True)
    missing = checkpoint.load(folder).missing
    for part, name in parts.items():
        assert part not in missing or missing[part] == f"{name} is missing: add {part}.safetensors to {folder}."
    assert {"clap", "unet"} <= set(missing)


def test_a_damaged_part_is_named(folder: Path) -> None:
    path = folder / "unet.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"unet\.safetensors"):
        MakeAnAudio.from_pretrained(folder)


def test_a_damaged_part_without_hash_is_named(folder: Path) -> None:
    path = folder / "unet.safetensors"
    path.write_bytes(b"not safetensors at all")
    document = json.loads((folder / "config.json").read_text())
    del document["files"]["unet.safetensors"]
    (folder / "config.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"unet\.safetensors"):
        MakeAnAudio.from_pretrained(folder)


def test_a_part_of_another_size_is_named(folder: Path) -> None:
    document = json.loads((folder / "config.json").read_text())
    document["model"]["unet"]["channels"] = 32
    (folder / "config.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match="does not fit"):
        MakeAnAudio.from_pretrained(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": {"colour": 3}}', '{"model": {"audio": 7}}'])
def test_a_damaged_config_is_named(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json"):
        MakeAnAudio.from_pretrained(folder)


def test_a_folder_without_config(folder: Path) -> None:
    shutil.rmtree(folder)
    with pytest.raises(ValueError, match="no model"):
        MakeAnAudio.from_pretrained(folder)
