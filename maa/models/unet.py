"""The denoising U-Net: one class for the paper's text, image and inpainting networks and for the unified one.

Its layout is latent diffusion's: residual blocks with the time embedding, attention after each at the chosen levels,
skip connections by concatenation (Sec. 3.5, Table 6).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.config import UNetConfig
from maa.models.blocks import (
    SelfAttentionBlock,
    TransformerBlock,
    Upsample,
    group_norm,
    timestep_embedding,
    zero_init,
)
from maa.models.context import Context

EPS = 1e-5
# Channels in a group. With one, the norm would take away what the time embedding adds: an offset of the whole channel.
LEAST = 2


class ResBlock(nn.Module):
    """Two convolutions with the time embedding added between them; optionally halves or doubles the sides."""

    def __init__(self, channels_in: int, channels: int, emb: int, resample: str = "none") -> None:
        super().__init__()
        self.resample = resample
        self.norm_in = group_norm(channels_in, EPS, LEAST)
        self.conv_in = nn.Conv2d(channels_in, channels, 3, padding=1)
        self.emb = nn.Linear(emb, channels)
        self.norm_out = group_norm(channels, EPS, LEAST)
        self.conv_out = zero_init(nn.Conv2d(channels, channels, 3, padding=1))
        self.skip = nn.Identity() if channels_in == channels else nn.Conv2d(channels_in, channels, 1)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h = F.silu(self.norm_in(x))
        if self.resample == "down":
            x, h = F.avg_pool2d(x, 2), F.avg_pool2d(h, 2)
        elif self.resample == "up":
            x, h = (F.interpolate(y, scale_factor=2.0, mode="nearest") for y in (x, h))
        h = self.conv_in(h) + self.emb(F.silu(emb))[:, :, None, None]
        return self.skip(x) + self.conv_out(F.silu(self.norm_out(h)))


class Downsample(nn.Module):
    """Halve both sides with a strided convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Stage(nn.Module):
    """A residual block and, at some levels, attention; or only a change of size."""

    def __init__(self, block: nn.Module, attention: nn.Module | None = None, resize: nn.Module | None = None) -> None:
        super().__init__()
        self.block = block
        self.attention = attention
        self.resize = resize

    def forward(self, h: Tensor, emb: Tensor, tokens: Tensor | None, mask: Tensor | None) -> Tensor:
        h = self.block(h, emb) if isinstance(self.block, ResBlock) else self.block(h)
        if isinstance(self.attention, TransformerBlock):
            h = self.attention(h, tokens, mask)
        elif self.attention is not None:
            h = self.attention(h)
        if isinstance(self.resize, ResBlock):
            return self.resize(h, emb)
        return h if self.resize is None else self.resize(h)


class Middle(nn.Module):
    """Block, attention, block at the coarsest level."""

    def __init__(self, channels: int, emb: int, attention: nn.Module) -> None:
        super().__init__()
        self.first = Stage(ResBlock(channels, channels, emb), attention)
        self.second = ResBlock(channels, channels, emb)

    def forward(self, h: Tensor, emb: Tensor, tokens: Tensor | None, mask: Tensor | None) -> Tensor:
        return self.second(self.first(h, emb, tokens, mask), emb)


class UNet(nn.Module):
    """Noisy latent, timestep and context to the network's prediction (eps or v, by the schedule's config)."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        width, emb = config.channels, 4 * config.channels
        self.time = nn.Sequential(nn.Linear(width, emb), nn.SiLU(), nn.Linear(emb, emb))
        self._build_conditioning(emb)
        self.conv_in = nn.Conv2d(config.in_channels, width, 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        skips = [width]
        channels = width
        for level, multiplier in enumerate(config.multipliers):
            for _ in range(config.res_blocks):
                self.down.append(Stage(ResBlock(channels, width * multiplier, emb), self._attention(level)))
                channels = width * multiplier
                skips.append(channels)
            if level + 1 < len(config.multipliers):
                self.down.append(Stage(self._resize(channels, emb, "down")))
                skips.append(channels)
        self.middle = Middle(channels, emb, self._make_attention(channels))
        for level, multiplier in reversed(list(enumerate(config.multipliers))):
            for index in range(config.res_blocks + 1):
                block = ResBlock(channels + skips.pop(), width * multiplier, emb)
                channels = width * multiplier
                grows = level > 0 and index == config.res_blocks
                resize = self._resize(channels, emb, "up") if grows else None
                self.up.append(Stage(block, self._attention(level), resize))
        self.norm_out = group_norm(channels, EPS, LEAST)
        self.conv_out = zero_init(nn.Conv2d(channels, config.out_channels, 3, padding=1))

    def _build_conditioning(self, emb: int) -> None:
        config = self.config
        self.vector: nn.Module | None = None
        if config.global_dim is not None and config.global_projection:
            self.vector = zero_init(nn.Linear(config.global_dim, emb))
        elif config.global_dim is not None and config.global_dim != emb:
            raise ValueError(f"A global vector added as it is must be {emb} wide, not {config.global_dim}.")
        if config.learned_null:
            if config.context_dim is not None:
                self.null_token = nn.Parameter(0.02 * torch.randn(1, 1, config.context_dim))
            if config.global_dim is not None:
                self.null_vector = nn.Parameter(torch.zeros(1, config.global_dim))

    def _make_attention(self, channels: int) -> nn.Module:
        config = self.config
        heads = config.heads if config.head_channels is None else channels // config.head_channels
        if config.context_dim is None:
            return SelfAttentionBlock(channels, heads)
        return TransformerBlock(channels, heads, config.context_dim)

    def _attention(self, level: int) -> nn.Module | None:
        if level not in self.config.attention_levels:
            return None
        return self._make_attention(self.config.channels * self.config.multipliers[level])

    def _resize(self, channels: int, emb: int, way: str) -> nn.Module:
        if self.config.resample_in_block:
            return ResBlock(channels, channels, emb, way)
        return Downsample(channels) if way == "down" else Upsample(channels)

    def forward(self, z: Tensor, t: Tensor, context: Context | None = None) -> Tensor:
        """z [B, in_channels, 10, W] with even W, t [B] in [0, 1000), B contexts -> [B, out_channels, 10, W]."""
        config = self.config
        if z.ndim != 4 or z.shape[1] != config.in_channels or z.shape[3] % 2:
            raise ValueError(f"Expected a latent [batch, {config.in_channels}, 10, even], got {tuple(z.shape)}.")
        dtype = self.conv_in.weight.dtype
        z = z.to(dtype)
        emb = self.time(timestep_embedding(t, config.channels).to(dtype))
        tokens, mask, emb = self._condition(context or Context(), emb)
        h = self.conv_in(z)
        skips = [h]
        for stage in self.down:
            h = stage(h, emb, tokens, mask)
            skips.append(h)
        h = self.middle(h, emb, tokens, mask)
        for stage in self.up:
            h = stage(torch.cat([h, skips.pop()], dim=1), emb, tokens, mask)
        return self.conv_out(F.silu(self.norm_out(h))).float()

    def _condition(self, context: Context, emb: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor]:
        """Put the learned nulls where a sample has no tokens or no vector; add the vector to the time embedding."""
        config, batch, dtype = self.config, emb.shape[0], emb.dtype
        tokens, mask, vector = context.tokens, context.mask, context.vector
        tokens = None if tokens is None else tokens.to(dtype)
        if config.context_dim is not None and config.learned_null:
            tokens, mask = self._null_tokens(tokens, mask, context.has_tokens, batch)
        elif config.context_dim is not None and tokens is None and vector is not None:
            tokens = vector.to(dtype)[:, None]  # the image network attends to its global vector as to one token
        elif config.context_dim is not None and tokens is None:
            raise ValueError("This network needs text tokens (or a one-token context) and got none.")
        if config.global_dim is None:
            return tokens, mask, emb
        if config.learned_null:
            null = self.null_vector.expand(batch, -1)
            if vector is None:
                vector = null
            elif context.has_vector is not None:
                vector = torch.where(context.has_vector[:, None], vector.to(dtype), null)
        if vector is None:
            raise ValueError("This network needs a global vector and got none.")
        vector = vector.to(dtype)
        return tokens, mask, emb + (vector if self.vector is None else self.vector(vector))

    def _null_tokens(
        self, tokens: Tensor | None, mask: Tensor | None, has: Tensor | None, batch: int
    ) -> tuple[Tensor, Tensor | None]:
        null = self.null_token.expand(batch, -1, -1)
        if tokens is None:
            return null, None
        if has is None:
            return tokens, mask
        chosen = torch.where(has[:, None, None], tokens, null)  # every position is the same null, so no mask is needed
        if mask is not None:
            mask = mask | ~has[:, None]
        return chosen, mask
