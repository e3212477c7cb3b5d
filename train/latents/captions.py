"""Captions as the network's conditions: token states and a global vector (paper Sec. 3.6, 4.3)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from maa.checkpoint import CLIP, present, weight_files
from maa.config import ModelConfig
from maa.device import compute_dtype
from maa.models.aisfx import AisfxEncoder
from maa.models.clap import ClapHeads
from maa.models.clip import ClipVision
from maa.models.msclap import Cnn14, MsClap, MsClapHeads
from maa.models.text import TextEncoder
from train.data import Library
from train.data.features import SoundVectors, sound_vectors, token_states
from train.package import load_frozen

CACHE = 2048  # captions remembered: those of single sounds come again and again

Encoded = tuple[Tensor, Tensor, Tensor]  # tokens [M, K, D] with zeros behind, their lengths [M], vectors [M, G]


class Space(Protocol):
    """Where captions are vectors."""

    @property
    def sounds(self) -> SoundVectors:
        """The library's own recordings there."""

    def embed(self, captions: list[str], tokens: Tensor | None, mask: Tensor | None) -> Tensor:
        """Captions to vectors [M, G]; their states [M, K, D] and mask [M, K] where there is a text tower."""


class CaptionEncoder:
    """The frozen towers that a network's conditions come from, with their last answers remembered.

    Args:
        config: of the network: what it reads, and in which space its vector lies.
        clip: whose texts' vectors guide; None = CLAP's do, where there is a vector.
    """

    def __init__(
        self,
        config: ModelConfig,
        library: Library,
        parts: list[Path],
        device: torch.device,
        clip: ClipVision | None = None,
    ) -> None:
        self.device = device
        self.dtype = compute_dtype(device)
        self.reads = config.unet.reads
        self.text: TextEncoder | None = None
        if self.reads or (config.unet.global_dim is not None and clip is None and config.clap.kind == "heads"):
            text = load_frozen(config, "text", *parts, device=device)
            assert isinstance(text, TextEncoder)
            self.text = text
        self.token_shape = (config.text.tokens, config.text.context_dim) if self.reads else (1, 0)
        with torch.inference_mode():
            self.space = _space(config, library, parts, device, clip)
        self.known: OrderedDict[str, Encoded] = OrderedDict()

    @property
    def sounds(self) -> SoundVectors:
        """The library's own recordings as vectors; False where only texts have one."""
        return self.space.sounds

    @cached_property
    def nothing(self) -> Encoded:
        """The empty text: what a network without learned nulls gets where nothing is said."""
        return self.encode([""])

    @torch.no_grad()
    def encode(self, captions: list[str]) -> Encoded:
        """Conditions of captions, in their order.

        A CPU encodes one caption at a time, so that no answer's last digits depend on what is encoded beside it.
        """
        if self.device.type != "cpu":
            return self._encode(captions)
        for caption in captions:
            if caption not in self.known:
                self.known[caption] = self._encode([caption])
            self.known.move_to_end(caption)
        tokens, lengths, vectors = zip(*(self.known[caption] for caption in captions), strict=True)
        while len(self.known) > CACHE:
            self.known.popitem(last=False)
        return torch.cat(tokens), torch.cat(lengths), torch.cat(vectors)

    def _encode(self, captions: list[str]) -> Encoded:
        tokens, mask = (None, None) if self.text is None else token_states(self.text, captions)
        vectors = self.space.embed(captions, tokens, mask)
        if tokens is None or not self.reads:
            nothing = torch.zeros(len(captions), 1, 0, dtype=self.dtype, device=self.device)
            return nothing, torch.ones(len(captions), dtype=torch.long, device=self.device), vectors
        lengths = torch.full((len(captions),), tokens.shape[1], device=self.device) if mask is None else mask.sum(1)
        tokens = tokens if mask is None else tokens * mask[..., None]
        return F.pad(tokens, (0, 0, 0, self.token_shape[0] - tokens.shape[1])).to(self.dtype), lengths, vectors


def _space(
    config: ModelConfig, library: Library, parts: list[Path], device: torch.device, clip: ClipVision | None
) -> Space:
    """Where the network's vector lies."""
    unet = config.unet
    if unet.global_dim is None:
        return Nowhere(SoundVectors(0, device))
    if unet.clip_conditioned:
        return ClipSpace(present(clip, "CLIP"), unet.global_unit, SoundVectors(unet.global_dim, device))
    heads = load_frozen(config, "clap", *parts, device=device)
    sound = load_frozen(config, "clap_audio", *parts, device=device)
    assert isinstance(heads, ClapHeads | MsClapHeads)
    assert isinstance(sound, AisfxEncoder | Cnn14)
    cache = next(folder for folder in parts if weight_files(folder, "clap_audio"))
    embed = partial(heads.embed_audio, unit=unet.global_unit)
    sounds = sound_vectors(library, sound, config.audio.sample_rate, cache, embed)
    return ClapSpace(heads, unet.global_unit, sounds)


@dataclass(frozen=True)
class Nowhere:
    """There is no vector."""

    sounds: SoundVectors

    def embed(self, captions: list[str], tokens: Tensor | None, mask: Tensor | None) -> Tensor:
        """[M, 0]."""
        return torch.zeros(len(captions), 0, device=self.sounds.device)


@dataclass(frozen=True)
class ClapSpace:
    """CLAP's joint space, of either kind."""

    heads: ClapHeads | MsClapHeads
    unit: bool
    sounds: SoundVectors

    def embed(self, captions: list[str], tokens: Tensor | None, mask: Tensor | None) -> Tensor:
        """[M, joint]: from the states of the network's text tower, or by a caption tower of its own."""
        if isinstance(self.heads, MsClapHeads):
            return MsClap(self.heads, None).embed_text(captions, self.unit).clone()
        return self.heads.embed_text(present(tokens, "text encoder"), mask, self.unit)


@dataclass(frozen=True)
class ClipSpace:
    """CLIP's: at inference a picture's vector takes the place of the text's (Sec. 4.3)."""

    clip: ClipVision
    unit: bool
    sounds: SoundVectors

    def embed(self, captions: list[str], tokens: Tensor | None, mask: Tensor | None) -> Tensor:
        """[M, D]."""
        return self.clip.text_vectors(captions, self.unit).clone()


def find_clip(named: str | None, parts: list[Path]) -> tuple[str, ClipVision] | None:
    """The CLIP that guides, and what it is called.

    Args:
        named: a folder, a hub id or an architecture with open_clip's tag behind a comma ("ViT-H-14,laion2b_s32b_b79k");
            None = the first folder vision/ in `parts`.
        parts: folders with frozen parts.

    Raises:
        ValueError: it cannot be opened.
    """
    found = [str(folder / CLIP) for folder in parts if (folder / CLIP).is_dir()]
    if named is None and not found:
        return None
    name, _, tag = (named or found[0]).partition(",")
    return name, ClipVision.load(name, tag or None)
