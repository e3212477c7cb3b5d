"""What a network is, told from the shapes of its tensors: widths, depths, and which of the authors' networks it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from maa.config import AutoencoderConfig, TextConfig, UNetConfig
from maa.config.vocoders import BigvganConfig, HifiganConfig

Kind = Literal["text", "image", "inpaint"]
Shapes = Mapping[str, tuple[int, ...]]

HEADS = 8  # of the text and the inpainting network; tensors do not tell
IMAGE_HEAD = 32  # channels of one head in the image network
BERT_HEAD = 64  # channels of one head in every BERT of this size family


def shape(shapes: Shapes, name: str) -> tuple[int, ...]:
    """Shape of a tensor that must be there."""
    if name not in shapes:
        raise ValueError(f"{name} is missing.")
    return shapes[name]


def unet_of(shapes: Shapes) -> tuple[Kind, UNetConfig]:
    """Which network, and its config.

    9 input channels make it the inpainting one. The image network adds its condition to the time embedding as it is, so
    its context is as wide as that embedding; the text network's is not.
    """
    channels, inputs = shape(shapes, "input_blocks.0.0.weight")[:2]
    outputs = shape(shapes, "out.2.weight")[0]
    embedding = shape(shapes, "time_embed.2.weight")[0]
    multipliers, blocks, in_block = _levels(shapes, channels)
    keys = [size for name, size in shapes.items() if name.endswith("attn2.to_k.weight")]
    context = keys[0][1] if keys else None
    config = UNetConfig(
        channels=channels,
        multipliers=multipliers,
        res_blocks=blocks,
        in_channels=inputs,
        out_channels=outputs,
        attention_levels=tuple(range(len(multipliers))),
        heads=HEADS,
        context_dim=context,
        resample_in_block=in_block,
    )
    if config.inpaints:
        return "inpaint", replace(config, hole="silence")
    if inputs != outputs or context is None:
        raise ValueError(
            f"a network with {inputs} input and {outputs} output channels and "
            f"{'no' if context is None else 'a'} context is none of the authors'."
        )
    if context == embedding:
        return "image", replace(config, head_channels=min(IMAGE_HEAD, channels), global_dim=context)
    return "text", config


def _levels(shapes: Shapes, channels: int) -> tuple[tuple[int, ...], int, bool]:
    """Width of each level over the first one's, residual blocks a level, and whether blocks do the resampling."""
    multipliers: list[int] = []
    counts: list[int] = [0]
    in_block = False
    indices = {int(match[1]) for name in shapes if (match := re.match(r"input_blocks\.(\d+)\.", name))}
    for index in range(1, max(indices) + 1):
        if f"input_blocks.{index}.0.op.weight" in shapes:
            counts.append(0)
            continue
        width = shape(shapes, f"input_blocks.{index}.0.out_layers.3.weight")[0]
        if f"input_blocks.{index}.1.norm.weight" not in shapes:  # every other block has attention behind it
            in_block = True
            counts.append(0)
            continue
        counts[-1] += 1
        if len(multipliers) < len(counts):
            multipliers.append(width // channels)
    if len(set(counts)) != 1 or len(multipliers) != len(counts):
        raise ValueError("the levels of the denoising network differ in depth; it is none of the authors'.")
    return tuple(multipliers), counts[0], in_block


def autoencoder_of(shapes: Shapes, latent_scale: float) -> AutoencoderConfig:
    """The autoencoder's config; the latent scale is stored beside the networks, not in them."""
    channels = shape(shapes, "encoder.conv_in.weight")[0]
    levels = 1 + max(int(match[1]) for name in shapes if (match := re.match(r"encoder\.down\.(\d+)\.", name)))
    blocks = [name for name in shapes if re.fullmatch(r"encoder\.down\.0\.block\.\d+\.conv1\.weight", name)]
    widths = [shape(shapes, f"encoder.down.{level}.block.0.conv2.weight")[0] for level in range(levels)]
    return AutoencoderConfig(
        channels=channels,
        multipliers=tuple(width // channels for width in widths),
        res_blocks=len(blocks),
        latent_channels=shape(shapes, "quant_conv.weight")[0] // 2,
        attention_levels=tuple(k for k in range(levels) if f"encoder.down.{k}.attn.0.norm.weight" in shapes),
        middle_attention="encoder.mid.attn_1.norm.weight" in shapes,
        latent_scale=latent_scale,
    )


def text_tower_of(shapes: Shapes, tokens: int) -> TextConfig:
    """A BERT with the CLAP projection on every token; `tokens` K is a habit of its user, not of the weights."""
    vocabulary, width = shape(shapes, "base.embeddings.word_embeddings.weight")
    pattern = re.compile(r"base\.encoder\.layer\.(\d+)\.")
    return TextConfig(
        vocabulary=vocabulary,
        width=width,
        layers=1 + max((int(match[1]) for name in shapes if (match := pattern.match(name))), default=0),
        heads=max(1, width // BERT_HEAD),
        intermediate=shape(shapes, "base.encoder.layer.0.intermediate.dense.weight")[0],
        positions=shape(shapes, "base.embeddings.position_embeddings.weight")[0],
        tokens=tokens,
        projection=shape(shapes, "projection.linear1.weight")[0],
        pooler="base.pooler.dense.weight" in shapes,
    )


def vocoder_of(shapes: Shapes) -> HifiganConfig | BigvganConfig:
    """HiFi-GAN or BigVGAN; both upsample by half of each kernel. The dilations are the papers'."""
    ups = _numbered(shapes, r"ups\.(\d+)\.(?:0\.)?weight")
    kernels = tuple(size[2] for size in ups)
    convolutions = _numbered(shapes, r"resblocks\.(\d+)\.convs1\.0\.weight")
    return replace(
        BigvganConfig() if any(".activations." in name for name in shapes) else HifiganConfig(),
        channels=shape(shapes, "conv_pre.weight")[0],
        rates=tuple(kernel // 2 for kernel in kernels),
        kernels=kernels,
        block_kernels=tuple(size[2] for size in convolutions[: len(convolutions) // max(1, len(ups))]),
    )


def _numbered(shapes: Shapes, pattern: str) -> list[tuple[int, ...]]:
    """Shapes of the tensors whose names match, in the order of their number."""
    found = {int(match[1]): size for name, size in shapes.items() if (match := re.fullmatch(pattern, name))}
    return [found[index] for index in sorted(found)]
