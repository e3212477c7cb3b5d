"""What listens in the harness, behind one small interface: our own always, others where their weights are given.

To add one, write a class with the fields of `Embedder` and a line in `open_embedders`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maa import MakeAnAudio
from maa.config import SMALL
from maa.models import aisfx, msclap
from maa.models.aisfx import AisfxEncoder
from maa.models.clap import Clap, JointSpace
from train.evaluation import yamnet
from train.evaluation.ears import PEAK, YAMNET
from train.evaluation.outside import melception, panns, passt, vggish
from train.package import load_frozen

Array = NDArray[np.float32]
DISTANCES = ("FD", "KID")
TAGS = ("KL", "IS")


@dataclass(frozen=True)
class Heard:
    """What an embedder says of one sound; None = it says nothing of that kind."""

    vector: Array | None = None  # [D], of the whole sound
    windows: Array | None = None  # [W, D], of its stretches
    logits: Array | None = None  # [C], of classes


class Embedder(Protocol):
    """An encoder of sounds."""

    @property
    def name(self) -> str:
        """In tables, and in the names of what is kept."""

    @property
    def mark(self) -> str:
        """SHA-256 of the weights."""

    @property
    def rate(self) -> int:
        """Hz of the waves it takes."""

    @property
    def gives(self) -> tuple[str, ...]:
        """The measures that are taken with it."""

    @property
    def about(self) -> str:
        """How it hears a sound, for the report."""

    def hear(self, wave: Tensor) -> Heard:
        """Wave [n] float32, within about ±1, at `rate`, on the embedder's device."""


def weights_digest(*networks: nn.Module) -> str:
    """SHA-256 of all tensors of networks, in their order."""
    found = hashlib.sha256()
    for network in networks:
        for name, value in network.state_dict().items():
            found.update(name.encode() + value.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _array(value: Tensor) -> Array:
    return value.float().cpu().numpy()


@dataclass
class AisfxHears:
    """aiSFX, untouched (ISMIR 2022). It remembers the last wave, which a CLAP on top of it is asked about next."""

    encoder: AisfxEncoder
    mark: str
    name: str = "aisfx"
    rate: int = aisfx.SAMPLE_RATE
    gives: tuple[str, ...] = (*DISTANCES, "FAD")
    about: str = "512 numbers; blocks of 2.3 s every 1.16 s, the vector is their mean"

    last: tuple[Tensor, Tensor] | None = field(default=None, repr=False)

    def blocks(self, wave: Tensor) -> Tensor:
        """A vector for each block, [W, 512]."""
        if self.last is None or self.last[0] is not wave:
            self.last = wave, self.encoder.embed_blocks(wave[None], self.rate)[0]
        return self.last[1]

    def hear(self, wave: Tensor) -> Heard:
        """A vector, and one for each block."""
        windows = self.blocks(wave)
        return Heard(_array(windows.mean(dim=0)), _array(windows))


@dataclass(frozen=True)
class YamnetHears:
    """YAMNet, which no model of ours was trained with."""

    network: yamnet.Yamnet
    mark: str
    name: str = "yamnet"
    rate: int = yamnet.RATE
    gives: tuple[str, ...] = (*DISTANCES, "FAD", *TAGS)
    about: str = "1,024 numbers, 521 tags; peak at 0.9, patches of 0.96 s every 0.48 s, vector and logits are means"

    def hear(self, wave: Tensor) -> Heard:
        """A vector, one for each patch, and logits; a softmax makes shares of them, as published KL does."""
        loud = wave * (PEAK / wave.abs().max().clamp_min(1e-4))
        windows = self.network.embeddings(self.network.patches(loud))
        vector = windows.mean(dim=0)
        return Heard(_array(vector), _array(windows), _array(self.network.classifier(vector)))


@dataclass(frozen=True)
class ClapHears:
    """The CLAP of a model of this project: sounds and captions in one space."""

    space: JointSpace
    mark: str
    below: AisfxHears | None = None  # what it stands on, where that listens, too
    name: str = "clap"
    rate: int = msclap.SAMPLE_RATE
    gives: tuple[str, ...] = ("CLAP",)
    about: str = "the model's own CLAP over the whole sound; cosines of another CLAP are another measure"

    def hear(self, wave: Tensor) -> Heard:
        """A unit vector."""
        if self.below is not None and isinstance(self.space, Clap) and self.space.sound is self.below.encoder:
            return Heard(_array(self.space.heads.embed_audio(self.below.blocks(wave).mean(dim=0)[None])[0]))
        return Heard(_array(self.space.embed_audio(wave[None], self.rate)[0]))

    def read(self, texts: list[str]) -> Array:
        """Captions as unit vectors [N, joint], each read by itself."""
        return np.concatenate([_array(self.space.embed_text([text])) for text in texts])


@dataclass(frozen=True)
class OutsideHears:
    """A network of others: wave to (vector, windows, logits)."""

    name: str
    mark: str
    rate: int
    gives: tuple[str, ...]
    about: str
    call: Callable[[Tensor], Heard] = field(repr=False)

    def hear(self, wave: Tensor) -> Heard:
        """What the network says."""
        return self.call(wave)


@dataclass(frozen=True)
class Weights:
    """Where the embedders' weights lie; hashable, and known to worker processes by its value."""

    model: str = "small"  # whose CLAP measures captions
    parts: Path | None = None  # folder with yamnet.safetensors, and with clap_audio.safetensors for models without it
    device: str | None = None
    panns: Path | None = None
    vggish: Path | None = None
    passt: Path | None = None
    melception: Path | None = None
    melception_statistics: Path | None = None


@dataclass(frozen=True)
class Panel:
    """All embedders that are there, and why others are not."""

    embedders: tuple[Embedder, ...]
    absent: dict[str, str]
    device: torch.device

    def named(self, name: str) -> Embedder | None:
        """One of them; None where it is not there."""
        return next((one for one in self.embedders if one.name == name), None)


def open_embedders(weights: Weights) -> Panel:
    """The embedders on their device.

    Raises:
        ValueError: a model or a file of weights that is named is not there, damaged, or does not fit.
    """
    maa = MakeAnAudio.from_pretrained(weights.model, device=weights.device)
    found: list[Embedder] = []
    absent: dict[str, str] = {}
    encoder, below = _aisfx(maa, weights.parts), None
    if encoder is None:
        absent["aisfx"] = f"{maa.name} has no aiSFX and {weights.parts} no clap_audio.safetensors"
    else:
        below = AisfxHears(encoder.to(maa.device), weights_digest(encoder))
        found.append(below)
    path = weights.parts / YAMNET if weights.parts is not None else None
    if path is None or not path.is_file():
        absent["yamnet"] = "not fetched: python -m train.parts --only judge --to data/parts"
    else:
        network, _ = yamnet.load_yamnet(path)
        found.append(YamnetHears(network.to(maa.device), weights_digest(network)))
    space = maa.model.joint
    if space is None or maa.model.clap_audio is None:
        absent["clap"] = f"{maa.name} has no CLAP"
    else:
        towers = [one for one in (maa.model.clap, maa.model.clap_audio, maa.model.text) if one is not None]
        found.append(ClapHears(space, weights_digest(*towers), below))
    found += _outside(weights, maa.device, absent)
    return Panel(tuple(found), absent, maa.device)


def _aisfx(maa: MakeAnAudio, parts: Path | None) -> AisfxEncoder | None:
    if isinstance(maa.model.clap_audio, AisfxEncoder):
        return maa.model.clap_audio
    if parts is None or not (parts / "clap_audio.safetensors").is_file():
        return None
    found = load_frozen(SMALL, "clap_audio", parts)
    return found if isinstance(found, AisfxEncoder) else None


def _outside(weights: Weights, device: torch.device, absent: dict[str, str]) -> list[Embedder]:
    """Those whose files are named; the others are absent."""
    found: list[Embedder] = []
    makers = {"panns": _panns, "vggish": _vggish, "passt": _passt, "melception": _melception}
    for name, make in makers.items():
        path = getattr(weights, name)
        if path is None:
            absent[name] = f"no weights given (--{name})"
        else:
            found.append(make(path, weights, device))
    return found


def _panns(path: Path, weights: Weights, device: torch.device) -> Embedder:
    network, mark = panns.load_cnn14(path)
    network.to(device)

    def call(wave: Tensor) -> Heard:
        embedding, logits = network(wave[None])
        return Heard(_array(embedding[0]), None, _array(logits[0]))

    about = f"Cnn14 at {network.front.rate // 1000} kHz over the whole sound, 2,048 numbers, 527 classes"
    return OutsideHears("panns", mark, network.front.rate, (*DISTANCES, *TAGS), about, call)


def _vggish(path: Path, weights: Weights, device: torch.device) -> Embedder:
    network, mark = vggish.load_vggish(path)
    network.to(device)
    about = "128 numbers of each 0.96 s, without the last ReLU and without PCA"
    return OutsideHears("vggish", mark, vggish.RATE, ("FAD",), about, lambda wave: Heard(windows=_array(network(wave))))


def _passt(path: Path, weights: Weights, device: torch.device) -> Embedder:
    network, mark = passt.load_passt(path)
    network.to(device)

    def call(wave: Tensor) -> Heard:
        features, logits = network.hear(wave)
        return Heard(_array(features), None, _array(logits))

    about = "768 numbers, 527 classes; means over windows of 10 s that cover the sound, silence after a shorter one"
    return OutsideHears("passt", mark, passt.RATE, (*DISTANCES, *TAGS), about, call)


def _melception(path: Path, weights: Weights, device: torch.device) -> Embedder:
    network, mark = melception.load_melception(path, weights.melception_statistics)
    network.to(device)

    def call(wave: Tensor) -> Heard:
        embedding, logits = network(wave)
        return Heard(_array(embedding), None, _array(logits))

    about = "the paper's: Inception v3 on the mel of the first 10 s at 22.05 kHz, 2,048 numbers, 309 classes"
    return OutsideHears("melception", mark, melception.RATE, (*DISTANCES, *TAGS), about, call)


def ears_of(panel: Panel) -> ClapHears | None:
    """The one that reads captions, too."""
    found = panel.named("clap")
    return found if isinstance(found, ClapHears) else None
