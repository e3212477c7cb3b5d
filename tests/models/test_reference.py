"""The networks against the authors' modules: the same weights, by formula, must give the same numbers."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from maa.config import PAPER, UNetConfig
from maa.models.autoencoder import Autoencoder
from maa.models.context import Context
from maa.models.unet import UNet
from tests.reference import reference


def formula(name: str, shape: torch.Size) -> torch.Tensor:
    """The reference weights: see the description beside the reference tensors."""
    x = np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF).standard_normal(tuple(shape)).astype(np.float32)
    if len(shape) >= 2:
        return torch.from_numpy(x / np.sqrt(np.prod(shape[1:])).astype(np.float32))
    return torch.from_numpy(1 + 0.1 * x if name.endswith("weight") else 0.05 * x)


def theirs_unet(name: str, config: UNetConfig) -> str:
    """Our parameter name -> the authors'."""
    top = {
        "time": "time_embed", "conv_in": "input_blocks.0.0", "norm_out": "out.0", "conv_out": "out.2",
        "middle.first.block": "middle_block.0", "middle.first.attention": "middle_block.1",
        "middle.second": "middle_block.2",
    }  # fmt: skip
    for ours, theirs in top.items():
        if name == ours or name.startswith(ours + "."):
            return theirs + within(name[len(ours) :])
    way, index, role, rest = re.fullmatch(r"(down|up)\.(\d+)\.(block|attention|resize)(\..*)", name).groups()
    if way == "down":
        resizes = int(index) == config.res_blocks and not config.resample_in_block
        rest = rest.replace(".conv.", ".op.") if resizes else within(rest)
        return f"input_blocks.{int(index) + 1}.{'0' if role == 'block' else '1'}{rest}"
    place = {"block": "0", "attention": "1", "resize": "2"}[role]
    return f"output_blocks.{index}.{place}{rest if role == 'resize' and '.conv.' in rest[:6] else within(rest)}"


def within(rest: str) -> str:
    """Names inside a residual block or a transformer."""
    table = {
        ".norm_in": ".in_layers.0", ".conv_in": ".in_layers.2", ".emb": ".emb_layers.1", ".norm_out": ".out_layers.0",
        ".conv_out": ".out_layers.3", ".skip": ".skip_connection", ".norm_self": ".transformer_blocks.0.norm1",
        ".norm_context": ".transformer_blocks.0.norm2", ".norm_feed": ".transformer_blocks.0.norm3",
        ".feed.expand": ".transformer_blocks.0.ff.net.0.proj", ".feed.contract": ".transformer_blocks.0.ff.net.2",
        ".attend_self.out": ".transformer_blocks.0.attn1.to_out.0",
        ".attend_context.out": ".transformer_blocks.0.attn2.to_out.0",
    }  # fmt: skip
    rest = re.sub(r"^\.attend_self\.([qkv])", r".transformer_blocks.0.attn1.to_\1", rest)
    rest = re.sub(r"^\.attend_context\.([qkv])", r".transformer_blocks.0.attn2.to_\1", rest)
    for ours, theirs in table.items():
        if rest.startswith(ours + "."):
            return theirs + rest[len(ours) :]
    return re.sub(r"^\.out\.", ".proj_out.", rest)


def theirs_autoencoder(name: str) -> str:
    """Our parameter name -> the authors'."""
    table = {
        "norm_in": "norm1", "conv_in": "conv1", "norm_out": "norm2", "conv_out": "conv2", "skip": "nin_shortcut",
        "out": "proj_out",
    }  # fmt: skip

    def leaf(rest: str) -> str:
        head, _, tail = rest.partition(".")
        return f"{table.get(head, head)}.{tail}"

    found = re.fullmatch(r"(encoder|decoder)\.(levels|middle|downsamples|upsamples)\.(\d+)\.(.*)", name)
    if not found:
        return name
    side, kind, index, rest = found.groups()
    way = "down" if side == "encoder" else "up"
    if kind == "middle":
        return f"{side}.mid.{('block_1', 'attn_1', 'block_2')[int(index)]}.{leaf(rest)}"
    if kind in ("downsamples", "upsamples"):
        return f"{side}.{way}.{index}.{kind[:-1]}.{rest}"
    place, _, inner = rest.partition(".")
    attention = int(index) in PAPER.autoencoder.attention_levels
    role = "attn" if attention and int(place) % 2 else "block"
    return f"{side}.{way}.{index}.{role}.{int(place) // 2 if attention else place}.{leaf(inner)}"


def fill(module: nn.Module, names: dict[str, str]) -> None:
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(formula(names[name], parameter.shape))


def close(made: torch.Tensor, wanted: np.ndarray) -> None:
    """Within 1e-4 of the reference's own peak: attention is fused here and plain there."""
    assert np.abs(made.numpy() - wanted).max() < 1e-4 * np.abs(wanted).max()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("unet_text2audio", PAPER.unet),
        ("unet_img2audio", UNetConfig(channels=256, head_channels=32, global_dim=1024)),
        ("unet_inpaint", UNetConfig(in_channels=9, context_dim=None, resample_in_block=True)),
    ],
)
@torch.inference_mode()
def test_unet(name: str, config: UNetConfig) -> None:
    data = {key: torch.from_numpy(value) for key, value in reference(name).items()}
    network = UNet(config).eval()
    fill(network, {n: theirs_unet(n, config) for n, _ in network.named_parameters()})
    context = Context(tokens=data.get("ctx"))
    if config.global_dim is not None:
        context = replace(context, vector=data["ctx"][:, 0])
    close(network(data["x"], data["t"], context), data["out"].numpy())


@pytest.mark.slow
@torch.inference_mode()
def test_autoencoder() -> None:
    data = {key: torch.from_numpy(value) for key, value in reference("autoencoder").items()}
    network = Autoencoder(PAPER.autoencoder).eval()
    fill(network, {n: theirs_autoencoder(n) for n, _ in network.named_parameters()})
    posterior = network.posterior(data["x"])
    close(posterior.mean, data["mean"].numpy())
    close(posterior.logvar, data["logvar"].numpy())
    close(network.decode(data["z"]), data["dec"].numpy())
