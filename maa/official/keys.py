"""Our parameter names and the authors', for the denoising network, the autoencoder and HiFi-GAN.

Each function takes all names of one of our networks and answers {our name: the authors' name}, relative to the module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_UNET_TOP = {
    "time": "time_embed",
    "conv_in": "input_blocks.0.0",
    "norm_out": "out.0",
    "conv_out": "out.2",
    "middle.first.block": "middle_block.0",
    "middle.first.attention": "middle_block.1",
    "middle.second": "middle_block.2",
}
_UNET_LEAF = {
    "norm_in": "in_layers.0",
    "conv_in": "in_layers.2",
    "emb": "emb_layers.1",
    "norm_out": "out_layers.0",
    "conv_out": "out_layers.3",
    "skip": "skip_connection",
    "out": "proj_out",
    "norm_self": "transformer_blocks.0.norm1",
    "norm_context": "transformer_blocks.0.norm2",
    "norm_feed": "transformer_blocks.0.norm3",
    "feed.expand": "transformer_blocks.0.ff.net.0.proj",
    "feed.contract": "transformer_blocks.0.ff.net.2",
    "attend_self": "transformer_blocks.0.attn1",
    "attend_context": "transformer_blocks.0.attn2",
}
_ATTENTION_LEAF = {"q": "to_q", "k": "to_k", "v": "to_v", "out": "to_out.0"}
_AUTOENCODER_LEAF = {
    "norm_in": "norm1",
    "conv_in": "conv1",
    "norm_out": "norm2",
    "conv_out": "conv2",
    "skip": "nin_shortcut",
    "out": "proj_out",
}


def unet_keys(names: Iterable[str]) -> dict[str, str]:
    """Latent diffusion's `UNetModel`."""
    names = list(names)
    attends = {f"up.{match[1]}" for name in names if (match := re.match(r"up\.(\d+)\.attention\.", name))}
    return {name: _unet(name, attends) for name in names}


def _unet(name: str, attends: set[str]) -> str:
    for ours, theirs in _UNET_TOP.items():
        if name.startswith(f"{ours}."):
            rest = name[len(ours) + 1 :]
            return f"{theirs}.{_inside(rest) if ours.startswith('middle') else rest}"
    way, index, role, rest = name.split(".", 3)
    if way == "down":
        place = f"input_blocks.{int(index) + 1}.{0 if role == 'block' else 1}"
        return f"{place}.{rest.replace('conv.', 'op.', 1) if rest.startswith('conv.') else _inside(rest)}"
    places = ("block", "attention", "resize") if f"up.{index}" in attends else ("block", "resize")
    return f"output_blocks.{index}.{places.index(role)}.{rest if rest.startswith('conv.') else _inside(rest)}"


def _inside(rest: str) -> str:
    """Names inside a residual block or an attention block."""
    head, _, tail = rest.partition(".")
    if head == "feed":
        second, _, tail = tail.partition(".")
        head = f"feed.{second}"
    if head in ("attend_self", "attend_context"):
        role, _, leaf = tail.partition(".")
        tail = f"{_ATTENTION_LEAF[role]}.{leaf}"
    return f"{_UNET_LEAF.get(head, head)}.{tail}"


def autoencoder_keys(names: Iterable[str]) -> dict[str, str]:
    """Latent diffusion's `AutoencoderKL`; its `up.0` is the finest level, as is our `levels.0`."""
    names = list(names)
    attends = {name.rsplit(".", 3)[0] for name in names if re.search(r"\.levels\.\d+\.\d+\.q\.weight$", name)}
    return {name: _autoencoder(name, attends) for name in names}


def _autoencoder(name: str, attends: set[str]) -> str:
    found = re.fullmatch(r"(encoder|decoder)\.(levels|middle|downsamples|upsamples)\.(\d+)\.(.*)", name)
    if not found:
        return name
    side, kind, index, rest = found.groups()
    way = "down" if side == "encoder" else "up"
    if kind in ("downsamples", "upsamples"):
        return f"{side}.{way}.{index}.{kind[:-1]}.{rest}"
    if kind == "middle":
        return f"{side}.mid.{_middle(int(index), rest)}.{_leaf(rest)}"
    place, _, inner = rest.partition(".")
    attention = f"{side}.levels.{index}" in attends
    role = "attn" if attention and int(place) % 2 else "block"
    return f"{side}.{way}.{index}.{role}.{int(place) // 2 if attention else place}.{_leaf(inner)}"


def _middle(index: int, rest: str) -> str:
    """Block, attention, block; without attention the second block stands at 1."""
    if rest.split(".")[0] in ("norm", "q", "k", "v", "out"):
        return "attn_1"
    return "block_1" if index == 0 else "block_2"


def _leaf(rest: str) -> str:
    head, _, tail = rest.partition(".")
    return f"{_AUTOENCODER_LEAF.get(head, head)}.{tail}"


def hifigan(names: Iterable[str]) -> dict[str, str]:
    """HiFi-GAN's `Generator`: its residual blocks are numbered through, ours by level."""
    names = list(names)
    blocks = 1 + max(int(match[1]) for name in names if (match := re.match(r"levels\.0\.blocks\.(\d+)\.", name)))
    return {name: _hifigan(name, blocks) for name in names}


def _hifigan(name: str, blocks: int) -> str:
    if match := re.match(r"levels\.(\d+)\.blocks\.(\d+)\.(dilated|plain)\.(.+)", name):
        convs = "convs1" if match[3] == "dilated" else "convs2"
        return f"resblocks.{blocks * int(match[1]) + int(match[2])}.{convs}.{match[4]}"
    if match := re.match(r"levels\.(\d+)\.up\.(.+)", name):
        return f"ups.{match[1]}.{match[2]}"
    return re.sub(r"^last\.", "conv_post.", re.sub(r"^first\.", "conv_pre.", name))
