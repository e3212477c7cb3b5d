"""The denoising U-Net: one class for the paper's text, image and inpainting networks and for the unified one.

Its layout is latent diffusion's: residual blocks with the time embedding, attention after each at the chosen levels,
skip connections by concatenation (Sec. 3.5, Table 6).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.config import UNetConfig
from maa.models.blocks import (
    SelfAttentionBlock,
    TransformerBlock,
    Upsample,
    activated,
    group_norm,
    share_embedding,
    timestep_embedding,
    zero_init,
)
from maa.models.context import Context, Prepared
from maa.models.tiles import convolved

Seen = Iterator[tuple[Tensor, Tensor]]  # keys and values of the cross-attention layers still to come
EPS = 1e-5
# Channels in a group. With one, the norm would take away what the time embedding adds: an offset of the whole channel.
LEAST = 2
WAVES = 16  # values that a condition of one number is written as, before a layer looks at them
MOST_GUIDANCE = 20.0  # of a network that leads by itself


def _number(emb: int) -> nn.Module:
    """A number to what it adds to the time embedding: nothing at first."""
    return nn.Sequential(nn.Linear(WAVES, emb), nn.SiLU(), zero_init(nn.Linear(emb, emb)))


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
        h = activated(self.norm_in, x)
        if self.resample == "down":
            x, h = F.avg_pool2d(x, 2), F.avg_pool2d(h, 2)
        elif self.resample == "up":
            x, h = (F.interpolate(y, scale_factor=2.0, mode="nearest") for y in (x, h))
        h = convolved(self.conv_in, h) + self.emb(F.silu(emb))[:, :, None, None]
        return self.skip(x) + convolved(self.conv_out, activated(self.norm_out, h))


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

    def forward(self, h: Tensor, emb: Tensor, seen: Seen, mask: Tensor | None) -> Tensor:
        h = self.block(h, emb) if isinstance(self.block, ResBlock) else self.block(h)
        if isinstance(self.attention, TransformerBlock):
            h = self.attention(h, next(seen), mask)
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

    def forward(self, h: Tensor, emb: Tensor, seen: Seen, mask: Tensor | None) -> Tensor:
        return self.second(self.first(h, emb, seen, mask), emb)


class UNet(nn.Module):
    """Noisy latent, timestep and context to the network's prediction (eps or v, by the schedule's config)."""

    # Training may begin from a network with fewer inputs here: one without the known sound and its mask (Sec. 4.2).
    WIDENS = ("conv_in.weight",)

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
        for name in config.scalars:
            # Adds nothing at first, so a network without it can be trained on with it; an absent one adds nothing ever.
            self.add_module(name, _number(emb))
        if config.guided:
            self.guidance = _number(emb)

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

    def forward(self, z: Tensor, t: Tensor, context: Context | Prepared | None = None) -> Tensor:
        """One prediction.

        Args:
            z: [B, out_channels, H, W], the noisy latent, W even. What a network that inpaints takes besides, the known
                latent and its mask, comes with the context.
            t: [B], in [0, 1000).
            context: B conditions; in a loop `prepare` them once.

        Returns:
            [B, out_channels, H, W] float32: eps or v, by the schedule's config.
        """
        config = self.config
        if z.ndim != 4 or z.shape[1] != config.out_channels or z.shape[3] % 2:
            raise ValueError(f"Expected a latent [batch, {config.out_channels}, rows, even], got {tuple(z.shape)}.")
        ready = context if isinstance(context, Prepared) else self.prepare(context or Context(), z.shape[0])
        if config.inpaints:
            z = torch.cat([z, self._nothing_known(z) if ready.beside is None else ready.beside], dim=1)
        z = z.to(self.conv_in.weight.dtype)
        emb = self.time(timestep_embedding(t, config.channels).to(z.dtype))
        emb = emb if ready.vector is None else emb + ready.vector
        seen = iter(ready.keys_values)
        h = self.conv_in(z)
        skips = [h]
        for stage in self.down:
            h = stage(h, emb, seen, ready.mask)
            skips.append(h)
        h = self.middle(h, emb, seen, ready.mask)
        for stage in self.up:
            h = stage(torch.cat([h, skips.pop()], dim=1), emb, seen, ready.mask)
        return self.conv_out(activated(self.norm_out, h)).float()

    def prepare(self, context: Context, batch: int) -> Prepared:
        """`batch` conditions for `forward`: learned nulls filled in, the vector projected, keys and values computed.

        A number that a network is not conditioned on, such as density, changes nothing.

        A CLIP-conditioned network takes the global vector both ways: added to the time embedding, and, unless
        tokens are given, as a context of one token (Sec. 4.3).
        """
        tokens, mask = self._tokens(context, batch)
        vector = self._with_guidance(self._with_scalars(self._vector(context, batch), context, batch), context)
        layers = [stage.attention for stage in [*self.down, self.middle.first, *self.up]]
        crossing = [layer.attend_context for layer in layers if isinstance(layer, TransformerBlock)]
        if crossing and tokens is None:
            raise ValueError("This network needs text tokens (or a one-token context) and got none.")
        pairs = tuple(layer.keys_values(tokens) for layer in crossing) if tokens is not None else ()
        return Prepared(vector, mask, pairs, self._beside(context))

    def _beside(self, context: Context) -> Tensor | None:
        """The extra input channels: masked latent, and mask as +1 = make new, -1 = keep."""
        if not self.config.inpaints or context.known is None or context.make is None:
            return None
        known = context.known if self.config.hole == "silence" else context.known * (1.0 - context.make)
        return torch.cat([known, 2.0 * context.make - 1.0], dim=1)

    def _nothing_known(self, z: Tensor) -> Tensor:
        """The extra channels where nothing is given and everything is to be made."""
        return torch.cat([torch.zeros_like(z), torch.ones_like(z[:, :1])], dim=1)

    def _tokens(self, context: Context, batch: int) -> tuple[Tensor | None, Tensor | None]:
        """Tokens and mask, with the learned null where a sample has none, and in the columns that attend to none."""
        config, dtype = self.config, self.conv_in.weight.dtype
        tokens, mask = context.tokens, context.mask
        if config.context_dim is None:
            return None, None
        if tokens is None and config.clip_conditioned and context.vector is not None:
            tokens = context.vector[:, None]
        if not config.learned_null:
            return (None, mask) if tokens is None else (tokens.to(dtype), self._when(mask, context.when))
        null = self.null_token.expand(batch, -1, -1)
        if tokens is None:
            return null, None
        tokens = tokens.to(dtype)
        if context.has_tokens is not None:
            has = context.has_tokens
            tokens = torch.where(has[:, None, None], tokens, null)
            mask = None if mask is None else mask | ~has[:, None]  # a null is the same everywhere: nothing to hide
        if context.when is None:
            return tokens, mask
        visible = context.when if mask is None else context.when & mask[:, :, None]
        return torch.cat([tokens, null], dim=1), torch.cat([visible, ~visible.any(1, keepdim=True)], dim=1)

    def _when(self, mask: Tensor | None, when: Tensor | None) -> Tensor | None:
        """The mask of a network without a learned null, for which every column has to hear something."""
        if when is None:
            return mask
        visible = when if mask is None else when & mask[:, :, None]
        return visible | ~visible.any(1, keepdim=True)

    def _with_scalars(self, vector: Tensor | None, context: Context, batch: int) -> Tensor | None:
        """What is added to the time embedding, and what each number adds to it where it is given."""
        if self.config.scalars and vector is None:
            vector = self.conv_in.weight.new_zeros(batch, 4 * self.config.channels)
        for name in self.config.scalars:
            number, has = context.scalar(name)
            if number is None or vector is None:
                continue
            added = self.get_submodule(name)(share_embedding(number, WAVES).to(vector.dtype))
            vector = vector + (added if has is None else torch.where(has[:, None], added, 0.0))
        return vector

    def _with_guidance(self, vector: Tensor | None, context: Context) -> Tensor | None:
        """What is added to the time embedding, and what the scale of guidance adds to it."""
        if not self.config.guided or context.guidance is None:
            return vector
        weight = self.conv_in.weight
        share = (context.guidance / MOST_GUIDANCE).to(weight.device)
        added = self.guidance(share_embedding(share, WAVES).to(weight.dtype))
        return added if vector is None else vector + added

    def _vector(self, context: Context, batch: int) -> Tensor | None:
        """What is added to the time embedding, with the learned null where a sample has no vector."""
        config, dtype, vector = self.config, self.conv_in.weight.dtype, context.vector
        if config.global_dim is None:
            return None
        if config.learned_null:
            null = self.null_vector.expand(batch, -1)
            if vector is None:
                vector = null
            elif context.has_vector is not None:
                vector = torch.where(context.has_vector[:, None], vector.to(dtype), null)
        if vector is None:
            raise ValueError("This network needs a global vector and got none.")
        return vector.to(dtype) if self.vector is None else self.vector(vector.to(dtype))
