"""Files in the authors' layout with small networks inside: made by naming our tensors as they do."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor, nn

from maa.config import AutoencoderConfig, MsClapConfig, ScheduleConfig, TextConfig, UNetConfig
from maa.config.vocoders import BigvganConfig, HifiganConfig
from maa.diffusion.schedule import Schedule
from maa.models.autoencoder import Autoencoder
from maa.models.bigvgan import BigvganGenerator, low_pass
from maa.models.hifigan import HifiganGenerator
from maa.models.msclap import Cnn14, MsClapHeads, stored_front_end
from maa.models.text import TextEncoder, spelling_tokenizer
from maa.models.unet import UNet
from maa.official import keys, names

CLIP = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
_UNET = UNetConfig(channels=16, res_blocks=1)
UNETS = {
    "text": replace(_UNET, context_dim=48),
    "image": replace(_UNET, context_dim=64, global_dim=64, head_channels=16),
    "inpaint": replace(_UNET, in_channels=9, context_dim=None, resample_in_block=True, hole="silence"),
}
AUTOENCODER = AutoencoderConfig(channels=8, res_blocks=1)
TEXT = TextConfig(width=16, layers=1, heads=1, intermediate=16, projection=48, pooler=True)
CLAP = MsClapConfig(
    channels=2, classes=5, caption=replace(TEXT, tokens=100, mask_pads=True, projection=24, positions=512)
)
VOCODERS = {"hifigan": HifiganConfig(channels=16), "bigvgan": BigvganConfig(channels=64)}
NAMES = {
    "text": "maa1_full.ckpt",
    "image": "ta54_epoch=000216.ckpt",
    "inpaint": "inpaint7_epoch00047.ckpt",
    "hifigan": "hifi_0127/best_netG.pt",
    "bigvgan": "bigvnat/best_netG.pt",
    "clap": "CLAP_weights_2022.pth",
}
Rename = Callable[[Iterable[str]], dict[str, str]]


def named(module: nn.Module, rename: Rename, prefix: str = "") -> dict[str, Tensor]:
    """A module's tensors, drawn anew, by the authors' names."""
    state = module.state_dict()
    theirs = rename(state)
    return {prefix + theirs[name]: _drawn(value) for name, value in state.items()}


def _drawn(value: Tensor) -> Tensor:
    return 0.2 * torch.randn_like(value) if value.is_floating_point() and value.ndim > 1 else value.clone()


def each(rename: Callable[[str], str]) -> Rename:
    return lambda ours: {name: rename(name) for name in ours}


def buffers(config: ScheduleConfig, scale: float | None) -> dict[str, Tensor]:
    """What a diffusion file stores beside its networks."""
    schedule = Schedule(config)
    found = {"betas": schedule.betas.float(), "alphas_cumprod": schedule.alphas_cumprod.float()}
    return found if scale is None else {**found, "scale_factor": torch.tensor(scale)}


def diffusion(
    kind: str, unet: UNetConfig | None = None, autoencoder: AutoencoderConfig = AUTOENCODER
) -> dict[str, Any]:
    """The state dict of one of the three diffusion files."""
    state = named(UNet(unet or UNETS[kind]), keys.unet_keys, "model.diffusion_model.")
    first = named(Autoencoder(autoencoder), keys.autoencoder_keys)
    state |= {f"first_stage_model.{name}": value for name, value in first.items()}
    if kind == "inpaint":
        state |= {f"cond_stage_model.{name}": value for name, value in first.items()}
        return state | buffers(ScheduleConfig(beta_start=0.0015, beta_end=0.0205), None)
    if kind == "image":
        clip = open_clip.CLIP(**CLIP).state_dict()
        state |= {f"cond_stage_model.model.{name}": value for name, value in clip.items()}
    else:
        state |= named(TextEncoder(TEXT, spelling_tokenizer()), each(names.text_key), "cond_stage_model.")
        state["cond_stage_model.caption_encoder.base.embeddings.position_ids"] = torch.arange(512)[None]
    return state | buffers(ScheduleConfig(), 0.9)


def vocoder(kind: str) -> dict[str, Tensor]:
    """A generator in weight-norm form."""
    config = VOCODERS[kind]
    if isinstance(config, BigvganConfig):
        plain = named(BigvganGenerator(config), each(names.bigvgan))
    else:
        plain = named(HifiganGenerator(config), keys.hifigan)
    found: dict[str, Tensor] = {}
    for name, value in plain.items():
        if value.ndim == 3:
            found[f"{name}_g"] = 0.5 + torch.rand(len(value), 1, 1)
            found[f"{name}_v"] = value
        else:
            found[name] = value
        if name.endswith(".act.alpha"):
            outer = name.removesuffix(".act.alpha")
            found[f"{outer}.upsample.filter"] = low_pass().float()[None, None]
            found[f"{outer}.downsample.lowpass.filter"] = low_pass().float()[None, None]
    return found


def clap() -> dict[str, Tensor]:
    """Both towers of MS-CLAP, with the front end as they store it."""
    found = named(MsClapHeads(CLAP, spelling_tokenizer()), each(names.clap_text))
    found |= named(Cnn14(CLAP), each(names.clap_audio))
    return found | {f"audio_encoder.base.{name}": value for name, value in stored_front_end().items()}


def document(kind: str) -> dict[str, Any]:
    """The file's whole content, wrapped as the authors' programs wrap it; the dictionaries are the caller's own."""
    state = dict(_state(kind))
    if kind in VOCODERS:
        return {"generator": state, "steps": 5}
    return {"model": state} if kind == "clap" else lightning(state)


@cache
def _state(kind: str) -> dict[str, Tensor]:
    torch.manual_seed(len(kind))
    if kind in VOCODERS:
        return vocoder(kind)
    return clap() if kind == "clap" else diffusion(kind)


def lightning(state: dict[str, Any]) -> dict[str, Any]:
    """As a Lightning checkpoint: settings and callbacks of classes that are not installed here."""
    return {
        "epoch": 85,
        "global_step": 1,
        "pytorch-lightning_version": "1.7.0",
        "callbacks": {"ModelCheckpoint": {"best": _foreign("pytorch_lightning.callbacks", "State", object)()}},
        "hyper_parameters": _foreign("pytorch_lightning.utilities.parsing", "AttributeDict", dict)(a=1, b=[2]),
        "state_dict": state,
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}}],
    }


def _foreign(module: str, name: str, base: type) -> type:
    return type(name, (base,), {"__module__": module})


@contextmanager
def importable(value: Any) -> Iterator[None]:
    """While a file is written, pickle must find the foreign classes where they say they live."""
    modules: dict[str, types.ModuleType] = {}

    def walk(item: Any) -> None:
        kind = type(item)
        if kind.__module__.startswith("pytorch_lightning"):
            modules.setdefault("pytorch_lightning", types.ModuleType("pytorch_lightning"))
            modules.setdefault(kind.__module__, types.ModuleType(kind.__module__)).__dict__[kind.__name__] = kind
        for inner in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
            walk(inner)

    walk(value)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for module in modules:
            del sys.modules[module]


def write(kind: str, folder: Path, content: dict[str, Any] | None = None, name: str | None = None) -> Path:
    """One of the authors' files under its published name."""
    path = folder / (name or NAMES[kind])
    path.parent.mkdir(parents=True, exist_ok=True)
    content = document(kind) if content is None else content
    with importable(content):
        torch.save(content, path)
    return path
