"""The networks against the authors' modules: the same weights, by formula, must give the same numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from maa.config import PAPER, PAPER_IMAGE, PAPER_INPAINT, MsClapConfig, UNetConfig
from maa.config.vocoders import BigvganConfig
from maa.models.autoencoder import Autoencoder
from maa.models.bigvgan import BigvganGenerator
from maa.models.context import Context
from maa.models.msclap import Cnn14, MsClapHeads, stored_front_end
from maa.models.text import TextEncoder, spelling_tokenizer
from maa.models.unet import UNet
from maa.official import keys, names
from tests.models.weights import error, filled, folded
from tests.reference import FOLDER, reference


def within_bounds(compute: Callable[[], list[torch.Tensor]], wanted: list[np.ndarray]) -> None:
    """1e-5 of the reference's own peak with plain attention, as the reference has it; 1e-4 with fused attention."""
    with torch.inference_mode():
        with sdpa_kernel(SDPBackend.MATH):
            plain = [error(made, array) for made, array in zip(compute(), wanted, strict=True)]
        fused = [error(made, array) for made, array in zip(compute(), wanted, strict=True)]
    assert max(plain) <= 1e-5
    assert max(fused) <= 1e-4


def tensors(name: str) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(value) for key, value in reference(name).items()}


def key_names(name: str) -> set[str]:
    """The authors' names in a key list, relative to the module."""
    lines = (FOLDER.parent / "keys" / f"official-keys-{name}.txt").read_text(encoding="utf-8").splitlines()
    listed = [line.split("\t")[0] for line in lines if line and not line.startswith("#")]
    return {re.sub(r"^(model\.diffusion_model|first_stage_model|cond_stage_model)\.", "", key) for key in listed}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("unet_text2audio", PAPER.unet),
        ("unet_img2audio", PAPER_IMAGE.unet),
        ("unet_inpaint", PAPER_INPAINT.unet),
    ],
)
def test_unet(name: str, config: UNetConfig) -> None:
    data = tensors(name)
    network = UNet(config)
    theirs = keys.unet_keys(network.state_dict())
    filled(network, theirs.__getitem__)
    pictures = config.global_dim is not None  # then the network attends to its vector as to one token
    context = Context(vector=data["ctx"][:, 0]) if pictures else Context(tokens=data.get("ctx"))
    z, beside = data["x"].split([config.out_channels, config.in_channels - config.out_channels], dim=1)
    ready = replace(network.prepare(context, len(z)), beside=beside if config.inpaints else None)
    within_bounds(lambda: [network(z, data["t"], ready)], [data["out"].numpy()])
    assert set(theirs.values()) == key_names(name.replace("_", "-"))


@pytest.mark.slow
def test_autoencoder() -> None:
    data = tensors("autoencoder")
    network = Autoencoder(PAPER.autoencoder)
    theirs = keys.autoencoder_keys(network.state_dict())
    filled(network, theirs.__getitem__)

    def compute() -> list[torch.Tensor]:
        posterior = network.posterior(data["x"])
        return [posterior.mean, posterior.logvar, network.decode(data["z"])]

    within_bounds(compute, [data[key].numpy() for key in ("mean", "logvar", "dec")])
    assert set(theirs.values()) == key_names("autoencoder")


@pytest.mark.slow
def test_clap_text_for_conditioning() -> None:
    """All 77 token states through the projection, padding attended to."""
    data = tensors("clap_text")
    encoder = filled(TextEncoder(PAPER.text, spelling_tokenizer()), names.text_key)
    assert isinstance(encoder, TextEncoder) and encoder.projection is not None
    ids = data["ids"].long()

    def compute() -> list[torch.Tensor]:
        return [encoder.projection(encoder.states(ids, torch.zeros_like(ids, dtype=torch.bool)))]

    within_bounds(compute, [data["cond_tokens"].numpy()])
    assert {names.text_key(key) for key in encoder.state_dict()} == key_names("clap-text")


@pytest.mark.slow
def test_clap_for_scoring() -> None:
    """The caption's first token without its padding, and one window of sound; both as they are before normalising."""
    data = {**tensors("clap_text"), **tensors("clap_audio")}
    assert isinstance(PAPER.clap, MsClapConfig)
    heads = filled(MsClapHeads(PAPER.clap, spelling_tokenizer()), names.clap_text)
    sound = filled(Cnn14(PAPER.clap), names.clap_audio)
    assert isinstance(heads, MsClapHeads)

    def compute() -> list[torch.Tensor]:
        return [heads.caption_vectors(data["ids100"].long(), data["mask100"].bool()), heads.audio(sound(data["wav"]))]

    within_bounds(compute, [data["caption_embed"].numpy(), data["audio_embed"].numpy()])
    ours = {names.clap_text(key) for key in heads.state_dict()} | {names.clap_audio(key) for key in sound.state_dict()}
    front = {f"audio_encoder.base.{key}" for key in stored_front_end()}
    assert ours | front == key_names("clap-full")
    assert not ours & front


@pytest.mark.slow
def test_bigvgan() -> None:
    data = tensors("bigvgan")
    network = filled(BigvganGenerator(BigvganConfig()), names.bigvgan, folded)
    within_bounds(lambda: [network(data["mel"])[:, None]], [data["wav"].numpy()])
    normed = {key.replace("weight", part) for key in map(names.bigvgan, network.state_dict()) for part in parts(key)}
    assert normed == {key for key in key_names("bigvgan") if not key.endswith(".filter")}


def parts(key: str) -> tuple[str, ...]:
    """A weight-normed layer's weight is two tensors in the authors' file."""
    return ("weight_g", "weight_v") if key.endswith("weight") else ("weight",)
