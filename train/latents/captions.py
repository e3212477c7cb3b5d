"""Captions as the network's conditions: token states and a global vector (paper Sec. 3.6, 4.3)."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from maa.checkpoint import weight_files
from maa.config import ModelConfig
from maa.device import compute_dtype
from maa.models.aisfx import AisfxEncoder
from maa.models.clap import ClapHeads
from maa.models.text import TextEncoder
from train.data import Library
from train.data.features import SoundVectors, token_states
from train.package import load_frozen

CACHE = 2048  # captions remembered: those of single sounds come again and again

Encoded = tuple[Tensor, Tensor, Tensor]  # tokens [M, K, D] with zeros behind, their lengths [M], vectors [M, G]


class CaptionEncoder:
    """The frozen towers, with their last answers remembered.

    Attributes:
        sounds: the library's own recordings in the joint space.
    """

    def __init__(self, config: ModelConfig, library: Library, parts: list[Path], device: torch.device) -> None:
        text = load_frozen(config, "text", *parts, device=device)
        heads = load_frozen(config, "clap", *parts, device=device)
        sound = load_frozen(config, "clap_audio", *parts, device=device)
        assert isinstance(text, TextEncoder)
        assert isinstance(heads, ClapHeads)
        assert isinstance(sound, AisfxEncoder)
        self.text, self.heads, self.device = text, heads, device
        self.dtype = compute_dtype(device)
        self.token_shape = (config.text.tokens, config.text.context_dim)
        cache = next(folder for folder in parts if weight_files(folder, "clap_audio"))
        self.sounds = SoundVectors(library, sound, heads, config.audio.sample_rate, cache)
        self.known: OrderedDict[str, Encoded] = OrderedDict()

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
        tokens, mask = token_states(self.text, captions)
        lengths = torch.full((len(captions),), tokens.shape[1], device=self.device) if mask is None else mask.sum(1)
        vectors = self.heads.embed_text(tokens, mask)
        tokens = tokens if mask is None else tokens * mask[..., None]
        return F.pad(tokens, (0, 0, 0, self.token_shape[0] - tokens.shape[1])).to(self.dtype), lengths, vectors
