"""Contrastive language-audio pretraining: sound and text in one space (paper Sec. 3.3; arXiv 2206.04769).

Ranks takes by their fit to the prompt, and supplies the global vector of the unified network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.config import ClapConfig
from maa.models.aisfx import AisfxEncoder
from maa.models.text import Projection, TextEncoder, mean_pool


class JointSpace(Protocol):
    """Sound and text as unit vectors of one space: what ranking takes needs of any CLAP."""

    def embed_text(self, texts: list[str], unit: bool = True) -> Tensor:
        """Captions to vectors [N, joint], of length 1 unless they should stay as they are."""

    def embed_audio(self, wave: Tensor, rate: int) -> Tensor:
        """Whole clips [B, n] float32 ±1 at `rate` to unit vectors [B, joint]; ValueError without a sound encoder."""


class ClapHeads(nn.Module):
    """The two projections into the joint space, on top of a text tower and a sound encoder that are kept frozen."""

    def __init__(self, config: ClapConfig, text_width: int) -> None:
        super().__init__()
        self.text = Projection(text_width, config.joint)
        self.audio = Projection(config.audio_width, config.joint)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def embed_text(self, tokens: Tensor, mask: Tensor | None, unit: bool = True) -> Tensor:
        """Token states [B, K, C] to vectors [B, joint], of length 1 unless they should stay as they are."""
        vectors = self.text(mean_pool(tokens, mask))
        return F.normalize(vectors, dim=-1) if unit else vectors

    def embed_audio(self, features: Tensor, unit: bool = True) -> Tensor:
        """Sound features [B, audio_width] to vectors [B, joint]; `unit` as for texts."""
        vectors = self.audio(features)
        return F.normalize(vectors, dim=-1) if unit else vectors

    def space(self, text: TextEncoder | None, sound: nn.Module | None) -> Clap | None:
        """The joint space over the two towers; None without the text tower."""
        if text is None:
            return None
        return Clap(self, text, sound if isinstance(sound, AisfxEncoder) else None)


@dataclass(frozen=True)
class Clap:
    """The heads with the towers they stand on (`JointSpace`)."""

    heads: ClapHeads
    text: TextEncoder
    sound: AisfxEncoder | None

    @torch.inference_mode()
    def embed_text(self, texts: list[str], unit: bool = True) -> Tensor:
        """Captions to vectors [N, joint], of length 1 unless they should stay as they are."""
        return self.heads.embed_text(*self.text.token_states(texts), unit)

    @torch.inference_mode()
    def embed_audio(self, wave: Tensor, rate: int) -> Tensor:
        """wave [B, n] float32 ±1 at any usual rate -> unit vectors [B, joint], of the mean over the whole clip."""
        if self.sound is None:
            raise ValueError("The CLAP sound encoder is missing, so sounds cannot be compared with words.")
        return self.heads.embed_audio(self.sound.embed(wave, rate))
