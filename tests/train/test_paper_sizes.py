"""The documented commands of the paper's sizes, word for word, at reduced widths and without a network."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import open_clip
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from maa import checkpoint
from maa.config import PAPER, ModelConfig, MsClapConfig, changed
from maa.models.bigvgan import BigvganGenerator
from maa.models.hifigan import HifiganGenerator
from maa.models.msclap import MsClapHeads
from maa.models.text import spelling_tokenizer
from tests.models.test_clip import MODEL
from tests.train.library import little_library
from tests.train.test_stages import losses
from train import autoencoder, clap, diffusion, parts, vocoder
from train.data.library import CACHE

TOWER = ["width=32", "layers=1", "heads=2", "intermediate=32", "vocabulary=128", "positions=128"]
PROJECTED = "text.projection=32"  # of the tower behind CLAP's projection; the other rows of Table 1 have none
WIDTHS = [
    *("audio.frames=160", "autoencoder.channels=8", "autoencoder.res_blocks=1", "autoencoder.attention_levels=[]"),
    *("unet.channels=16", "unet.res_blocks=1", "unet.heads=2", "unet.head_channels=8", "unet.attention_levels=[1]"),
    *(f"text.{one}" for one in TOWER),
]
MS_CLAP = [*(f"clap.caption.{one}" for one in TOWER), "clap.caption.projection=32", "clap.channels=2"]
QUICK = ["--steps", "1", "--warmup", "1", "--log-every", "1"]


def documented(module: ModuleType) -> list[list[str]]:
    """The commands of a module's docstring that name a configuration of the paper, as words after the module's name."""
    text = (module.__doc__ or "").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        command = re.sub(r"   +[^-$ ].*$", "", line.strip())  # what stands behind it says for whom it is
        if " --config paper" in command:
            found.append(shlex.split(command.split(f"-m {module.__name__} ")[1]))
    return found


def run(module: ModuleType, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [module.__name__, *words])
    module.main()


def value(words: list[str], flag: str) -> str:
    return words[words.index(flag) + 1]


def save_parts(config: ModelConfig, folder: Path, *names: str) -> Path:
    checkpoint.save(checkpoint.random_model(config, parts=names), folder, torch.float32)
    (folder / checkpoint.CONFIG).unlink()
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to work in: recordings, towers of the paper's kinds with random weights, a CLIP."""
    folder = tmp_path_factory.mktemp("paper")
    (folder / "data").mkdir()
    little_library(4, 2).save(folder / "data" / CACHE)
    narrow = changed(PAPER, [*WIDTHS, PROJECTED, *MS_CLAP, "vocoder.channels=64"])
    save_parts(narrow, folder / "data/parts", "autoencoder", "text", "clap", "clap_audio")
    (folder / "towers").symlink_to(folder / "data/parts")
    (folder / "vision").mkdir()
    clip_of = {**MODEL, "embed_dim": 64}  # as wide as the network's embedding of time, to which the vector is added
    description = {"model_cfg": clip_of, "preprocess_cfg": {}}
    (folder / "vision/open_clip_config.json").write_text(json.dumps(description))
    torch.manual_seed(0)
    save_file(open_clip.CLIP(**clip_of).state_dict(), folder / "vision/open_clip_model.safetensors")
    return folder


@pytest.mark.parametrize("words", documented(autoencoder), ids=lambda words: words[1])
def test_the_autoencoder(words: list[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    assert float(value(words, "--kl-weight")) == pytest.approx(1e-6 * 3120 / 49_920, rel=0.05), "the authors' 1e-6"
    run(autoencoder, [*words, *QUICK, "--batch", "1", "--frames", "32", "--set", *WIDTHS[:4]], monkeypatch)
    assert len(losses(home / value(words, "--out"), "autoencoder", "kl")) == 1
    words = ["--config", "paper-image", "--latent-channels", "8", "--out", "runs/wide"]  # the other mel; Table 8
    run(autoencoder, [*words, *QUICK, "--batch", "1", "--frames", "32", "--set", *WIDTHS[:4]], monkeypatch)
    assert load_file(home / "runs/wide/autoencoder.safetensors")["post_quant_conv.weight"].shape[0] == 8


@pytest.mark.parametrize("words", documented(vocoder), ids=lambda words: "hifigan" if "hifigan" in words else "bigvgan")
def test_the_vocoders(words: list[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With discriminators of the paper's kinds from the first step; the weights open in the program's network."""
    monkeypatch.chdir(home)
    small = ["--discriminator-channels", "8", "--batch", "1", "--frames", "16", "--set", "vocoder.channels=64"]
    run(vocoder, [*words, *QUICK, *small, "--out", "runs/vocoder"], monkeypatch)
    hifi = "--vocoder" in words
    kind = vocoder.KINDS["hifigan" if hifi else "bigvgan"](channels=64)
    network = HifiganGenerator(kind) if hifi else BigvganGenerator(kind)
    run(
        vocoder, ["--config", "paper-image", "--vocoder", kind.kind, "--out", "runs/other", *QUICK, *small], monkeypatch
    )
    network.load_state_dict(load_file(home / "runs/vocoder/vocoder.safetensors"))
    assert len(losses(home / "runs/vocoder", "vocoder", "adversarial")) >= 1


def test_ms_clap_and_then_every_network_of_the_paper(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order in which they stand: some start from others."""
    monkeypatch.chdir(home)
    (words,) = documented(clap)
    run(clap, [*words, *QUICK, "--steps", "2", "--set", *WIDTHS, PROJECTED, *MS_CLAP], monkeypatch)
    before, after = (load_file(home / folder / "text.safetensors") for folder in ("towers", "runs/clap"))
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"projection"}, "the tower stays, and the text network reads through the new projection"
    save_parts(t5 := row_config("t5"), home / "data/t5", "text")
    assert t5.text.kind == "t5"
    frozen = ["runs/clap", "data/parts"]
    for words in documented(diffusion):
        named = [part for word in words for part in (frozen if word == "$PARTS" else [word])]
        more = [] if "t5" in words else [PROJECTED]
        if "t5" in words:
            named.insert(named.index("--parts") + 1, "data/t5")
            more = ["text.pad=[PAD]"]
        quick = [*QUICK, "--batch", "1", "--pool", "8", "--renew", "0"]
        run(diffusion, [*named, *quick, "--set", *WIDTHS, *more, *MS_CLAP], monkeypatch)
        assert len(losses(home / value(words, "--out"), "unet")) == 1, words
    free, filled = (checkpoint.read_config(home / "runs" / name)[0].unet for name in ("paper-free", "paper-fill"))
    assert (free.in_channels, filled.in_channels) == (4, 9) and filled.context_dim == free.context_dim == 32
    assert not free.learned_null, "the paper's null is the empty text"


def test_ms_claps_projections_learn_which_text_belongs_to_which_sound() -> None:
    torch.manual_seed(0)
    config = changed(PAPER, MS_CLAP).clap
    assert isinstance(config, MsClapConfig)
    heads = MsClapHeads(config, spelling_tokenizer()).eval()
    sounds, texts = torch.randn(8, config.audio_width), torch.randn(8, config.caption.width)
    optimiser = torch.optim.Adam(heads.parameters(), lr=1e-2)
    seen = []
    for _ in range(30):
        loss = clap.contrast(heads, sounds, texts, torch.eye(8, dtype=torch.bool))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        seen.append(float(loss.detach()))
    assert seen[-1] < 0.1 * seen[0]


def row_config(row: str) -> ModelConfig:
    config = ModelConfig(text=diffusion.ROWS[row], clap=PAPER.clap, vision=PAPER.vision, vocoder=PAPER.vocoder)
    return changed(config, [*WIDTHS, "text.pad=[PAD]", *MS_CLAP, "vocoder.channels=64"])


def test_a_tower_of_transformers_is_a_part(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain BERT: for its row of Table 1, and as the caption tower of MS-CLAP."""
    monkeypatch.chdir(home)
    sizes = {"vocab_size": 128, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.BertConfig(**sizes, intermediate_size=32, max_position_embeddings=128)
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(home / "plain")
    spelling_tokenizer().save(str(home / "plain/tokenizer.json"))
    run(parts, ["--tower", "plain", "--to", "data/bert"], monkeypatch)
    words = ["--config", "paper", "--recipe", "text", "--text", "bert", "--parts", "data/bert", "data/parts"]
    quick = [*QUICK, "--batch", "1", "--pool", "8", "--renew", "0"]
    run(diffusion, [*words, "--out", "runs/bert", *quick, "--set", *WIDTHS], monkeypatch)
    (home / "data/bert/clap_audio.safetensors").symlink_to(home / "data/parts/clap_audio.safetensors")
    words = ["--config", "paper", "--parts", "data/bert", "--out", "runs/clap-of-bert", *QUICK]
    run(clap, [*words, "--set", *WIDTHS, PROJECTED, *MS_CLAP], monkeypatch)
    plain, made = (load_file(home / name / "text.safetensors") for name in ("data/bert", "runs/clap-of-bert"))
    assert all(torch.equal(value, made[name]) for name, value in plain.items()) and "projection.linear1.weight" in made


@pytest.mark.parametrize("row", sorted(diffusion.ROWS))
def test_every_row_of_table_1_conditions_a_network(row: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    config = changed(row_config(row), [PROJECTED] if row == "clap" else [])
    save_parts(config, home / f"data/row-{row}", "text")
    words = ["--config", "paper", "--recipe", "text", "--text", row, "--parts", f"data/row-{row}", "data/parts"]
    words += ["--out", f"runs/row-{row}", *QUICK, "--batch", "1", "--pool", "8", "--renew", "0"]
    run(diffusion, [*words, "--set", *WIDTHS, "text.pad=[PAD]", *([PROJECTED] if row == "clap" else [])], monkeypatch)
    made = checkpoint.read_config(home / f"runs/row-{row}")[0]
    assert made.text == config.text and made.unet.context_dim == 32 and made.unet.global_dim is None


def test_table_1_has_four_rows() -> None:
    assert {row: config.kind for row, config in diffusion.ROWS.items()} == {
        "bert": "bert", "clap": "bert", "clip": "clip", "t5": "t5",
    }  # fmt: skip
    assert [row for row, config in diffusion.ROWS.items() if config.projection] == ["clap"]


def test_every_documented_recipe_is_tried() -> None:
    tried = {value(words, "--recipe") for words in documented(diffusion)}
    assert tried == {"paper", "text", "text-inpaint", "visual", "unified", "inpaint"}
    assert len(documented(vocoder)) == 2 and len(documented(autoencoder)) == len(documented(clap)) == 1


@pytest.mark.parametrize("wrong", ["unet.chanels=3", "unet=3x", "unet.channels", "text.kind=gpt"])
def test_sizes_that_do_not_exist_are_one_line(
    wrong: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    with pytest.raises(SystemExit) as end:
        run(diffusion, ["--out", "runs/no", "--set", wrong], monkeypatch)
    said = capsys.readouterr().err
    assert end.value.code == 2 and said.count("\n") == 1 and "Traceback" not in said
