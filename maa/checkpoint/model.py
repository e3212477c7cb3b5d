"""The networks of one checkpoint, and how each is built from the config."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from maa.audio.mel import MelSpectrogram
from maa.checkpoint.student import STUDENT
from maa.config import TINY, ModelConfig, MsClapConfig, OpenClipConfig
from maa.device import layout
from maa.models.aisfx import AisfxEncoder
from maa.models.autoencoder import Autoencoder
from maa.models.bridge import PictureBridge
from maa.models.clap import ClapHeads, JointSpace
from maa.models.clip import ClipBridge, ClipVision
from maa.models.msclap import Cnn14, MsClapHeads
from maa.models.refine import vocode
from maa.models.text import TextEncoder, spelling_tokenizer
from maa.models.unet import UNet
from maa.models.vocabulary import Vocabulary
from maa.models.vocoders import build_vocoder

Part = TypeVar("Part")

PARTS = ("autoencoder", "unet", "vocoder", "text", "clap", "clap_audio", "vision")


@dataclass
class Model:
    """The networks of one checkpoint; a part whose file is absent is None and named in `missing`."""

    config: ModelConfig
    front: MelSpectrogram
    autoencoder: Autoencoder | None = None
    unet: UNet | None = None
    student: UNet | None = None  # of the denoising network: it leads by itself, for quick sounds
    vocoder: nn.Module | None = None
    text: TextEncoder | None = None
    clap: ClapHeads | MsClapHeads | None = None
    clap_audio: AisfxEncoder | Cnn14 | None = None
    vision: PictureBridge | ClipBridge | None = None
    vocabulary: Vocabulary | None = None  # the sounds it was trained on; None = it is never led by them
    concepts: tuple[str, ...] = ()
    sustained: tuple[str, ...] = ()  # names of sounds that go on, such as rain: a take of one should have no hole
    hashes: dict[str, str] = field(default_factory=dict)  # file name -> sha256
    missing: dict[str, str] = field(default_factory=dict)  # part -> sentence
    folder: Path | None = None  # where it was read from
    experts: dict[str, Model] = field(default_factory=dict)

    def networks(self) -> dict[str, nn.Module]:
        """The parts that are present, by name."""
        return {name: part for name in PARTS if (part := getattr(self, name)) is not None}

    @property
    def leading(self) -> UNet | None:
        """The denoising network that takes the scale of guidance as an input; None where there is none."""
        if self.student is None and self.unet is not None and self.unet.config.guided:
            return self.unet
        return self.student

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> Model:
        """Move everything; only the denoising network changes its inner precision."""
        self.front.to(device)
        every = self.networks() | ({} if self.student is None else {STUDENT: self.student})
        for name, network in every.items():
            network.to(device, dtype if name in ("unet", STUDENT) else torch.float32)
            if name in ("unet", STUDENT, "autoencoder"):
                network.to(memory_format=layout(device))
        for expert in self.experts.values():
            expert.to(device, dtype)
        return self

    def vocode(self, mel: Tensor) -> Tensor:
        """Waveforms [B, hop * T], about ±1, of mels [B, 1, mels, T] in the autoencoder's units."""
        chosen = getattr(self.config.vocoder, "refine", None)
        vocoder, front = present(self.vocoder, "vocoder"), self.front
        return vocode(vocoder, front.to_vocoder(mel), front.filters, self.config.audio, chosen)

    @property
    def joint(self) -> JointSpace | None:
        """Sound and text in one space, whichever CLAP this is; None without it."""
        return None if self.clap is None else self.clap.space(self.text, self.clap_audio)

    @property
    def weights_hash(self) -> str:
        """Short hash over all parts, the experts' too: which weights made a sound."""
        files = dict(self.hashes)
        for name, expert in self.experts.items():
            files |= {f"{name}/{file}": value for file, value in expert.hashes.items()}
        text = "".join(f"{name}:{files[name]};" for name in sorted(files))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def present(part: Part | None, name: str) -> Part:
    """A part that has to be there by now.

    Raises:
        ValueError: it is not.
    """
    if part is None:
        raise ValueError(f"The model has no {name}, which this needs; add its file to the model's folder.")
    return part


def build(config: ModelConfig, part: str, tokenizer: Any = None) -> nn.Module:
    """One network with fresh weights."""
    if part == "autoencoder":
        return Autoencoder(config.autoencoder)
    if part == "unet":
        return UNet(config.unet)
    if part == "vocoder":
        return _vocoder(config)
    if part == "text":
        return TextEncoder(config.text, tokenizer or spelling_tokenizer())
    if part in ("clap", "clap_audio"):
        return _clap(config, part, tokenizer)
    if part == "vision":
        return _vision(config)
    raise KeyError(part)


def _clap(config: ModelConfig, part: str, tokenizer: Any) -> nn.Module:
    if isinstance(config.clap, MsClapConfig):
        sound = part == "clap_audio"
        return Cnn14(config.clap) if sound else MsClapHeads(config.clap, tokenizer or spelling_tokenizer())
    if part == "clap_audio":
        return AisfxEncoder(config.clap.audio_width)
    return ClapHeads(config.clap, config.text.width)


def _vision(config: ModelConfig) -> nn.Module:
    if isinstance(config.vision, OpenClipConfig):
        return ClipBridge(ClipVision.untrained(config.vision.model))
    return PictureBridge(config.vision, config.text.width)


def _vocoder(config: ModelConfig) -> nn.Module:
    return build_vocoder(config.vocoder, config.audio)


def random_model(config: ModelConfig = TINY, seed: int = 0, parts: Sequence[str] = PARTS) -> Model:
    """A real model with random weights: what "tiny" is. The same on every machine of one torch version."""
    model = Model(config, MelSpectrogram(config.audio), concepts=("dog barking", "rain", "church bell"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in parts:
            if part == "vision" and isinstance(config.vision, OpenClipConfig):
                model.missing[part] = "The CLIP model is missing: random weights would see nothing in a picture."
                continue
            network = build(config, part)
            for parameter in network.parameters():
                if part == "unet" and not parameter.any():
                    nn.init.normal_(parameter, std=0.02)  # zero-initialised branches would make every prompt alike
            setattr(model, part, network.eval().requires_grad_(False))
            model.hashes[part] = f"random-{seed}"
    return model
