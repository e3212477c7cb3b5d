"""The paper's networks, counted: every part, the text encoders of Table 1, Table 6, and where the 332 M come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from maa import checkpoint
from maa.config import PAPER, PAPER_IMAGE, PAPER_INPAINT, PAPER_TEXT, MsClapConfig, TextConfig
from maa.config.vocoders import HifiganConfig
from maa.models import towers
from maa.models.autoencoder import Autoencoder
from maa.models.hifigan import HifiganGenerator
from maa.models.msclap import Cnn14
from maa.models.text import Projection
from maa.models.unet import UNet

TOTALS = {"CLAP": "332M", "BERT": "809M", "T5-Large": "563M", "CLIP": "576M"}  # as Table 1 prints them
PLAIN = "autoencoder without multi-resolution attention"


def facts() -> dict[str, Any]:
    """Counts of everything the paper and the published files name. Shapes only: no weights are made."""
    with torch.device("meta"):
        parts = {part: _count(checkpoint.build(PAPER, part)) for part in checkpoint.PARTS}
        besides = {name: _count(make()) for name, make in _besides().items()}
        rows = {row: _row(config, besides[PLAIN]) for row, config in PAPER_TEXT.items()}
    sizes = {"U-Net": parts["unet"], PLAIN: besides[PLAIN], "BERT": rows["BERT"]["parameters"]}
    return {
        "name": "paper",
        "parts": {part: {"parameters": count} for part, count in parts.items()},
        "besides": {name: {"parameters": count} for name, count in besides.items()},
        "table_1": rows,
        "table_6": [{"setting": name, "paper": paper, "here": here} for name, paper, here in _table_6()],
        "332M": {**sizes, "sum": sum(sizes.values())},
        "published": parts["unet"] + parts["autoencoder"] + parts["text"],
        "config": PAPER.to_json(),
    }


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _text(config: TextConfig) -> nn.Module:
    """A text encoder as its files have it, BERT with its pooler; built without a tokenizer's file."""
    tower = towers.build_tower(replace(config, pooler=config.kind == "bert"))
    return tower if config.projection is None else nn.ModuleList([tower, Projection(config.width, config.projection)])


def _row(config: TextConfig, autoencoder: int) -> dict[str, Any]:
    """A row of Table 1: the text encoder, and the total with the U-Net for its width and the plain autoencoder."""
    encoder = _count(_text(config))
    network = _count(UNet(replace(PAPER.unet, context_dim=config.context_dim)))
    return {"parameters": encoder, "total": encoder + network + autoencoder}


def _besides() -> dict[str, Callable[[], nn.Module]]:
    clap = PAPER.clap
    assert isinstance(clap, MsClapConfig)
    return {
        "U-Net for pictures": lambda: checkpoint.build(PAPER_IMAGE, "unet"),
        "U-Net for inpainting": lambda: checkpoint.build(PAPER_INPAINT, "unet"),
        PLAIN: lambda: Autoencoder(replace(PAPER.autoencoder, attention_levels=())),
        "HiFi-GAN V1, folded": lambda: HifiganGenerator(HifiganConfig()),
        "MS-CLAP's text side": lambda: _text(clap.caption),
        "MS-CLAP's sound side": lambda: nn.ModuleList([Cnn14(clap), Projection(clap.audio_width, clap.joint)]),
    }


def _table_6() -> list[tuple[str, str, str]]:
    """Table 6's rows: the name, what the paper prints, what the configuration says."""
    audio, autoencoder, unet, text = PAPER.audio, PAPER.autoencoder, PAPER.unet, PAPER.text
    return [
        ("autoencoder hidden channels", "4", str(autoencoder.latent_channels)),
        ("autoencoder residual blocks", "2", str(autoencoder.res_blocks)),
        ("spectrogram size", "80 x 624", f"{audio.mels} x {audio.frames}"),
        ("autoencoder channel multipliers", "[1, 2, 2, 4]", str(list(autoencoder.multipliers))),
        ("U-Net input and output channels", "4", f"{unet.in_channels}"),
        ("U-Net model channels", "320", str(unet.channels)),
        ("U-Net attention heads", "8", str(unet.heads)),
        ("U-Net condition channels", "1024", str(unet.context_dim)),
        ("latent size", "10 x 78", "{} x {}".format(*PAPER.latent_cells)),
        ("U-Net channel multipliers", "[1, 2]", str(list(unet.multipliers))),
        ("text encoder channels", "768", str(text.width)),
        ("text encoder output channels", "1024", str(text.context_dim)),
        ("token length", "77", str(text.tokens)),
    ]


def paper_table(found: dict[str, Any]) -> str:
    """The same for people."""
    kinds = {"vocoder": "BigVGAN, folded", "clap": "MS-CLAP's captions", "clap_audio": "MS-CLAP's Cnn14"}
    kinds["vision"] = "open_clip ViT-H-14"
    lines = ["paper", "", f"{'part':<48}{'parameters':>14}"]
    for part, about in found["parts"].items():
        name = f"{part:<13}{kinds.get(part, '')}".rstrip()
        lines.append(f"{name:<48}{about['parameters']:>14,}")
    lines += ["", f"{'besides':<48}{'parameters':>14}"]
    lines += [f"{name:<48}{about['parameters']:>14,}" for name, about in found["besides"].items()]
    lines += ["", f"{'text encoders of Table 1':<34}{'parameters':>14}{'total, paper':>14}{'here':>14}"]
    for row, about in found["table_1"].items():
        lines.append(f"{row:<34}{about['parameters']:>14,}{TOTALS[row]:>14}{_millions(about['total']):>14}")
    lines.append("The paper's totals for BERT and T5-Large are more than these parts add up to.")
    lines += ["", f"{'Table 6':<48}{'paper':>14}{'here':>14}"]
    lines += [f"{row['setting']:<48}{row['paper']:>14}{row['here']:>14}" for row in found["table_6"]]
    sizes = found["332M"]
    addends = " + ".join(f"{name} {_millions(count)}" for name, count in sizes.items() if name != "sum")
    lines.append(f"{'parameters':<48}{TOTALS['CLAP']:>14}{_millions(sizes['sum']):>14}")
    lines += ["", f"The paper's {TOTALS['CLAP']} = {addends} = {_millions(sizes['sum'])}."]
    lines.append(f"The published model has that attention and a projection besides: {found['published']:,} parameters.")
    return "\n".join(lines)


def _millions(count: int) -> str:
    return f"{count / 1e6:.2f}M"
