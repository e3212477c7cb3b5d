"""Contrastive language-audio pretraining: sound and text in one space (paper Sec. 3.3; arXiv 2206.04769).

Ranks takes by their fit to the prompt, and supplies the global vector of the unified network.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.config import ClapConfig
from maa.models.text import Projection, mean_pool


class ClapHeads(nn.Module):
    """The two projections into the joint space, on top of a text tower and a sound encoder that are kept frozen."""

    def __init__(self, config: ClapConfig, text_width: int) -> None:
        super().__init__()
        self.text = Projection(text_width, config.joint)
        self.audio = Projection(config.audio_width, config.joint)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def embed_text(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Token states [B, K, C] to unit vectors [B, joint]."""
        return F.normalize(self.text(mean_pool(tokens, mask)), dim=-1)

    def embed_audio(self, features: Tensor) -> Tensor:
        """Sound features [B, audio_width] to unit vectors [B, joint]."""
        return F.normalize(self.audio(features), dim=-1)
