"""`python -m maa convert`: the authors' files become folders that do what the files can do, or nothing at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from maa import Box, MakeAnAudio, Sampling
from maa.cli import main
from maa.cli.info import of_model
from maa.config.vocoders import BigvganConfig, HifiganConfig
from maa.official.convert import Choices, convert
from tests.files import picture_file
from tests.official.files import NAMES, document, write
from tests.sounds import sine_wave

QUICK = Sampling(steps=2, seed=7)
WITHOUT_WORDS = Choices(words=None)


def listing(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_text_network_with_vocoder_and_clap(theirs: dict[str, Path], tmp_path: Path) -> None:
    lines: list[str] = []
    files = [theirs["text"], theirs["bigvgan"], theirs["clap"]]
    before = [path.read_bytes() for path in files]
    maa = MakeAnAudio.from_pretrained(convert(files, tmp_path / "full", say=lines.append), device="cpu")
    assert [path.read_bytes() for path in files] == before
    assert [line.split(": ")[1] for line in lines] == [
        "the text network, mel convention B (by its name)", "a bigvgan vocoder, mel convention B (by its name)",
        "MS-CLAP",
    ]  # fmt: skip
    assert maa.config.audio.convention == "B" and isinstance(maa.config.vocoder, BigvganConfig)
    assert set(maa.capabilities().values()) == {None}
    take = maa.text_to_audio("a dog", QUICK, seconds=1)
    assert take.audio.shape == (1, 1, 16_000) and np.isfinite(take.audio).all() and take.scores is not None


def test_every_tensor_arrives(theirs: dict[str, Path], tmp_path: Path) -> None:
    maa = MakeAnAudio.from_pretrained(convert([theirs["text"]], tmp_path / "m", WITHOUT_WORDS), device="cpu")
    state = document("text")["state_dict"]
    for ours, name in (
        (maa.model.unet.conv_in.weight, "model.diffusion_model.input_blocks.0.0.weight"),
        (maa.model.unet.up[1].resize.conv.bias, "model.diffusion_model.output_blocks.1.2.conv.bias"),
        (
            maa.model.autoencoder.decoder.levels[0][0].conv_in.weight,
            "first_stage_model.decoder.up.0.block.0.conv1.weight",
        ),
        (maa.model.text.projection.linear1.weight, "cond_stage_model.caption_encoder.projection.linear1.weight"),
    ):
        assert torch.equal(ours, state[name]), name
    assert maa.config.autoencoder.latent_scale == pytest.approx(0.9)
    assert "vocoder" in maa.capabilities()["text"]


def test_three_networks_and_two_conventions_in_one_folder(
    theirs: dict[str, Path], tmp_path: Path, small_clip: None
) -> None:
    folder = convert([theirs[kind] for kind in NAMES], tmp_path / "all")
    maa = MakeAnAudio.from_pretrained(folder, device="cpu")
    image, inpaint = maa.experts["image"], maa.experts["inpaint"]
    assert [one.config.audio.convention for one in (maa, image, inpaint)] == ["B", "A", "A"]
    assert isinstance(maa.config.vocoder, BigvganConfig) and isinstance(image.config.vocoder, HifiganConfig)
    assert image.model.vocoder is inpaint.model.vocoder is not maa.model.vocoder
    assert inpaint.config.audio.frames == 848 and inpaint.config.schedule.beta_end == pytest.approx(0.0205)
    assert set(maa.capabilities().values()) == {None}

    facts = of_model(str(folder))
    assert {"unet", "image/unet", "image/vision", "inpaint/unet", "words/vision"} <= set(facts["parts"])
    assert "inpaint/vocoder" not in facts["parts"] and "image/text" not in facts["parts"]

    picture = picture_file(tmp_path / "picture.png")
    seen = maa.image_to_audio(picture, QUICK, seconds=1)
    assert seen.settings["network"] == "image" and seen.settings["model"] == "all" and seen.words
    told = maa.image_to_audio(picture, QUICK, prompt="rain", seconds=1)
    assert "network" not in told.settings

    sound = (16_000, sine_wave(rate=16_000, seconds=2.0)[0])
    filled = maa.inpaint(sound, [Box(0.5, 1.0)], "", QUICK)
    assert filled.settings["network"] == "inpaint" and filled.mel.shape == (1, 80, 125)
    assert np.array_equal(filled.audio[0, 0, :7000], sound[1][:7000].astype(np.float32))
    assert "network" not in maa.inpaint(sound, [Box(0.5, 1.0)], "rain", QUICK).settings
    mask = np.zeros((80, maa.frames_of(sound)), bool)
    mask[10:20, 30:60] = True
    assert maa.inpaint(sound, mask, "", QUICK).settings["spans"] == [(0.48, 0.96)]


def test_a_text_network_hears_pictures_by_caption_and_inpaints_with_a_prompt(
    theirs: dict[str, Path], tmp_path: Path
) -> None:
    maa = MakeAnAudio.from_pretrained(convert([theirs["text"], theirs["bigvgan"]], tmp_path / "text"), device="cpu")
    take = maa.image_to_audio(picture_file(tmp_path / "picture.png"), QUICK, seconds=1)
    assert take.words and take.scores is None
    sound = (16_000, sine_wave(rate=16_000, seconds=2.0)[0])
    quiet, loud = (maa.inpaint(sound, [Box(0.5, 1.0)], prompt, QUICK).audio for prompt in ("rain", "a dog"))
    assert not np.array_equal(quiet, loud)


def test_image_network_alone(theirs: dict[str, Path], tmp_path: Path, small_clip: None) -> None:
    maa = MakeAnAudio.from_pretrained(convert([theirs["image"], theirs["hifigan"]], tmp_path / "i"), device="cpu")
    first, second = (
        maa.image_to_audio(picture_file(tmp_path / f"{seed}.png", seed), QUICK, seconds=1).audio for seed in (0, 1)
    )
    assert not np.array_equal(first, second)
    with pytest.raises(ValueError, match="convert one of the authors' text checkpoints"):
        maa.text_to_audio("rain", QUICK)


def test_an_image_file_without_clips_picture_tower(tmp_path: Path, small_clip: None) -> None:
    content = document("image")
    content["state_dict"] = {n: v for n, v in content["state_dict"].items() if ".model.visual." not in n}
    folder = convert([write("image", tmp_path, content)], tmp_path / "i", WITHOUT_WORDS)
    maa = MakeAnAudio.from_pretrained(folder, device="cpu")
    assert "put open_clip's ViT-H-14" in maa.capabilities()["image"] or "vocoder" in maa.capabilities()["image"]
    assert "put open_clip's ViT-H-14" in maa.model.missing["vision"]


def test_networks_are_added_to_a_folder(theirs: dict[str, Path], tmp_path: Path, small_clip: None) -> None:
    folder = convert([theirs["text"]], tmp_path / "m")
    convert([theirs["inpaint"]], folder)
    convert([theirs["hifigan"]], folder)
    convert([theirs["bigvgan"], theirs["clap"]], folder)
    convert([theirs["image"]], folder)
    maa = MakeAnAudio.from_pretrained(folder, device="cpu")
    assert set(maa.capabilities().values()) == {None}
    assert maa.model.joint is not None
    before = listing(folder)
    for kind in NAMES:
        with pytest.raises(ValueError, match=r"already|second"):
            convert([theirs[kind]], folder)
    assert listing(folder) == before


def test_half_precision_halves_the_files(theirs: dict[str, Path], tmp_path: Path) -> None:
    whole = convert([theirs["text"]], tmp_path / "whole", WITHOUT_WORDS)
    half = convert([theirs["text"]], tmp_path / "half", Choices(words=None, half=True))
    sizes = [sum(path.stat().st_size for path in folder.glob("*.safetensors")) for folder in (whole, half)]
    assert 0.4 < sizes[1] / sizes[0] < 0.6
    MakeAnAudio.from_pretrained(half, device="cpu")


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        (("bigvgan",), "no diffusion network among the files"),
        (("text", "text"), "is a text network, and there is one already"),
        (("text", "hifigan"), "network and vocoder must agree"),
        (("text", "inpaint", "bigvgan"), "none of the vocoders given does; add the authors' bigv16k53w"),
        (("text", "clap", "clap"), "second CLAP"),
        (("text", "bigvgan", "bigvgan"), "second vocoder"),
        ((), "Give at least one"),
    ],
)
def test_files_that_do_not_go_together(
    theirs: dict[str, Path], tmp_path: Path, kinds: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        convert([theirs[kind] for kind in kinds], tmp_path / "m")
    assert listing(tmp_path) == []


def test_a_folder_of_something_else_is_left_alone(theirs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="is no model"):
        convert([theirs["text"]], tmp_path)
    assert listing(tmp_path) == ["notes.txt"]


def test_unknown_names_need_the_mel_convention(theirs: dict[str, Path], tmp_path: Path) -> None:
    path = write("text", tmp_path, name="a/mine.ckpt")
    with pytest.raises(ValueError, match="--mel A"):
        convert([path], tmp_path / "m")
    folder = convert([path], tmp_path / "m", Choices(mel="A", words=None))
    assert MakeAnAudio.from_pretrained(folder, device="cpu").config.audio.convention == "A"


def test_model_card_names_sources_and_says_that_the_licence_is_unknown(theirs: dict[str, Path], tmp_path: Path) -> None:
    card = (convert([theirs["text"]], tmp_path / "m", WITHOUT_WORDS) / "README.md").read_text()
    assert "maa1_full.ckpt" in card and "no licence was found" in card


def test_command_line(theirs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "m"
    command = ["convert", str(theirs["text"]), "--vocoder", str(theirs["bigvgan"]), "-o", str(folder)]
    assert main(command) == 0
    assert "text network" in capsys.readouterr().err
    assert main(["info", "--model", str(folder), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["tasks"].values()) == {None}
    assert main(["text", "rain", "-o", str(tmp_path / "r.wav"), "--model", str(folder), "--steps", "1"]) == 0
    capsys.readouterr()
    assert main(command) == 2
    assert len(capsys.readouterr().err.splitlines()) >= 1


@pytest.mark.parametrize("first", ["image", "inpaint"])
def test_a_text_network_comes_into_a_folder_that_began_with_another(
    theirs: dict[str, Path], tmp_path: Path, small_clip: None, first: str
) -> None:
    folder = convert([theirs[first], theirs["hifigan"], theirs["clap"]], tmp_path / "m")
    before = {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}
    sentence = MakeAnAudio.from_pretrained(folder, device="cpu").capabilities()["text"]
    assert sentence is not None and f"into {folder}, too" in sentence
    convert([theirs["text"], theirs["bigvgan"]], folder)
    assert {path.name: path.read_bytes() for path in (folder / first).glob("*.safetensors")} == before
    assert {path.name for path in tmp_path.iterdir()} - {"clip-config"} == {"m"}
    card = (folder / "README.md").read_text()
    assert all(theirs[kind].name in card for kind in (first, "text", "clap")) and "best_netG.pt" in card
    maa = MakeAnAudio.from_pretrained(folder, device="cpu")
    assert maa.config.name == "official-text" and set(maa.model.experts) == {first, "words"}
    assert set(maa.capabilities().values()) == {None} and of_model(str(folder))["waiting"] == {}
    take = maa.text_to_audio("rain", QUICK, seconds=1)
    assert take.scores is not None and np.isfinite(take.audio).all()
    if first == "image":
        seen = maa.image_to_audio(picture_file(tmp_path / "picture.png"), QUICK, seconds=1)
        assert seen.settings["network"] == "image"


def test_a_text_network_without_words_says_so_and_gets_them_later(theirs: dict[str, Path], tmp_path: Path) -> None:
    folder = convert([theirs["text"], theirs["bigvgan"]], tmp_path / "m", WITHOUT_WORDS)
    maa = MakeAnAudio.from_pretrained(folder, device="cpu")
    assert maa.capabilities()["text"] is None
    assert maa.capabilities()["image"] == maa.capabilities()["video"]
    assert f"python -m maa convert -o {folder} adds" in (maa.capabilities()["image"] or "")
    convert([], folder)
    assert MakeAnAudio.from_pretrained(folder, device="cpu").capabilities()["image"] is None
    with pytest.raises(ValueError, match="Give at least one"):
        convert([], folder)


def test_a_clip_without_names_of_sounds_is_not_called_ready(
    theirs: dict[str, Path], tmp_path: Path, small_clip: None
) -> None:
    folder = convert([theirs["text"], theirs["bigvgan"]], tmp_path / "m", WITHOUT_WORDS)
    image = convert([theirs["image"]], tmp_path / "i", WITHOUT_WORDS)
    (image / "vision").rename(folder / "vision")
    maa = MakeAnAudio.from_pretrained(folder, device="cpu")
    assert "puts pictures into words" in (maa.capabilities()["image"] or "")
    with pytest.raises(ValueError, match="puts pictures into words"):
        maa.image_to_audio(picture_file(tmp_path / "picture.png"), QUICK, seconds=1)


def test_a_missing_vocoder_is_named_with_the_command_that_adds_it(theirs: dict[str, Path], tmp_path: Path) -> None:
    folder = convert([theirs["text"]], tmp_path / "m", WITHOUT_WORDS)
    sentence = MakeAnAudio.from_pretrained(folder, device="cpu").capabilities()["text"]
    assert sentence is not None
    assert f"python -m maa convert --vocoder bigvnat/best_netG.pt -o {folder}" in sentence
    assert main(["convert", "--vocoder", str(theirs["bigvgan"]), "-o", str(folder), "--words", "none", "--quiet"]) == 0
    assert MakeAnAudio.from_pretrained(folder, device="cpu").capabilities()["text"] is None


def test_a_network_that_waits_for_its_vocoder_is_said(
    theirs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = convert([theirs["text"], theirs["bigvgan"]], tmp_path / "m", WITHOUT_WORDS)
    lines: list[str] = []
    convert([theirs["inpaint"]], folder, WITHOUT_WORDS, lines.append)
    waits = f"python -m maa convert --vocoder bigv16k53w/best_netG.pt -o {folder}"
    assert lines[-1].startswith("The inpaint network waits.") and waits in lines[-1]
    assert main(["info", "--model", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "networks that wait" in told and waits in told
    lines.clear()
    convert([theirs["hifigan"]], folder, WITHOUT_WORDS, lines.append)
    assert not any("waits" in line for line in lines) and of_model(str(folder))["waiting"] == {}


def test_a_convention_against_the_name_is_said(theirs: dict[str, Path], tmp_path: Path) -> None:
    lines: list[str] = []
    convert([theirs["text"]], tmp_path / "m", Choices(mel="A", words=None), lines.append)
    assert "mel convention A (as told; by its name it would be B)" in lines[0]


@pytest.mark.parametrize("name", ["args.yml", "config.json"])
def test_settings_are_no_weights(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("fmin: 0\nfmax: 8000\n" if name == "args.yml" else '{"a": [1, 2]}\n')
    with pytest.raises(ValueError, match=f"{name} is a text, no weights; give one of the authors'"):
        convert([tmp_path / name], tmp_path / "m")
