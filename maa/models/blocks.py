"""Pieces the autoencoder and the U-Net share, smallest first."""

from __future__ import annotations

import math
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.models.tiles import convolved

Layer = TypeVar("Layer", bound=nn.Module)


def group_norm(channels: int, eps: float, least: int = 1) -> nn.GroupNorm:
    """Up to 32 groups of at least `least` channels, as in latent diffusion; fewer groups where the layer is narrow."""
    return nn.GroupNorm(math.gcd(32, channels // least), channels, eps=eps)


def activated(norm: nn.GroupNorm, x: Tensor) -> Tensor:
    """SiLU of the normalised values, in the same memory where no gradients are wanted."""
    return F.silu(norm(x), inplace=not torch.is_grad_enabled())


def zero_init(module: Layer) -> Layer:
    """Zero a layer's weights, so that its branch starts as the identity."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def timestep_embedding(t: Tensor, width: int) -> Tensor:
    """Sinusoids of the timestep, cosines first: t [B] in [0, 1000) -> [B, width]."""
    half = width // 2
    frequencies = torch.exp(-math.log(10_000.0) * torch.arange(half, device=t.device, dtype=torch.float32) / half)
    angles = t.float()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def share_embedding(share: Tensor, width: int) -> Tensor:
    """Cosines and sines of the half waves that fit into 0..1: share [B] in [0, 1] -> [B, width]."""
    angles = torch.pi * share.float()[:, None] * torch.arange(1, width // 2 + 1, device=share.device)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Tensor | None = None) -> Tensor:
    """Multi-head attention over [B, N, C] queries and [B, M, C] keys and values.

    mask [B, M], or [B, N, M] for each query its own, True = may be seen.
    """
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    allowed = None if mask is None else mask[:, None, None, :] if mask.ndim == 2 else mask[:, None]
    if torch.is_autocast_enabled("cpu") and q.device.type == "cpu":
        # Trained in bf16 on a CPU, the fused kernel's backward pass takes ten times as long as in fp32.
        with torch.autocast("cpu", enabled=False):
            return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), allowed).transpose(1, 2).flatten(2)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed).transpose(1, 2).flatten(2)


def at_cells(mask: Tensor, rows: int, columns: int) -> Tensor:
    """A mask of tokens by column of the latent [B, K, W] for the cells of a level, row by row: [B, rows * columns, K].

    A cell of a coarser level sees what any of its columns sees.
    """
    if mask.shape[2] != columns:
        mask = F.adaptive_max_pool1d(mask.float(), columns) > 0
    return mask.transpose(1, 2).repeat(1, rows, 1)


class Upsample(nn.Module):
    """Double both sides by repetition, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return convolved(self.conv, F.interpolate(x, scale_factor=2.0, mode="nearest"))


class SpatialAttention(nn.Module):
    """Self-attention over the cells of [B, C, H, W] with 1x1 projections and a residual (autoencoder)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = group_norm(channels, eps=1e-6)
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (layer(h).flatten(2).transpose(1, 2) for layer in (self.q, self.k, self.v))
        cells = attend(q, k, v, heads=1).transpose(1, 2).unflatten(2, x.shape[2:])
        return x + self.out(cells)


class CrossAttention(nn.Module):
    """Queries from the latent, keys and values from the context (or from the latent itself)."""

    def __init__(self, channels: int, heads: int, context_dim: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        source = channels if context_dim is None else context_dim
        self.q = nn.Linear(channels, channels, bias=False)
        self.k = nn.Linear(source, channels, bias=False)
        self.v = nn.Linear(source, channels, bias=False)
        self.out = nn.Linear(channels, channels)

    def keys_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """What the queries look at, [B, K, source] -> keys and values [B, K, C]."""
        return self.k(source), self.v(source)

    def forward(self, x: Tensor, seen: tuple[Tensor, Tensor] | None = None, mask: Tensor | None = None) -> Tensor:
        """x [B, N, C]; `seen` are the keys and values of a context, None = x looks at itself."""
        k, v = self.keys_values(x) if seen is None else seen
        return self.out(attend(self.q(x), k, v, self.heads, mask))


class GatedFeedForward(nn.Module):
    """GEGLU: value times GELU of the gate, four times as wide inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.expand = nn.Linear(channels, 8 * channels)
        self.contract = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.expand(x).chunk(2, dim=-1)
        return self.contract(value * F.gelu(gate))


class TransformerBlock(nn.Module):
    """Self-attention, cross-attention, feed-forward over the flattened cells of [B, C, H, W]."""

    def __init__(self, channels: int, heads: int, context_dim: int) -> None:
        super().__init__()
        self.norm = group_norm(channels, eps=1e-6)
        self.proj_in = nn.Conv2d(channels, channels, 1)
        self.norm_self = nn.LayerNorm(channels)
        self.attend_self = CrossAttention(channels, heads)
        self.norm_context = nn.LayerNorm(channels)
        self.attend_context = CrossAttention(channels, heads, context_dim)
        self.norm_feed = nn.LayerNorm(channels)
        self.feed = GatedFeedForward(channels)
        self.proj_out = zero_init(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor, seen: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        """x [B, C, H, W]; keys and values of the context; its mask [B, K], or [B, K, columns] of the whole latent."""
        if mask is not None and mask.ndim == 3:
            mask = at_cells(mask, *x.shape[2:])
        h = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        h = h + self.attend_self(self.norm_self(h))
        h = h + self.attend_context(self.norm_context(h), seen, mask)
        h = h + self.feed(self.norm_feed(h))
        return x + self.proj_out(h.transpose(1, 2).unflatten(2, x.shape[2:]))


class SelfAttentionBlock(nn.Module):
    """Self-attention without text, for networks that have no context (the authors' inpainting network).

    The packed projection is split into heads first and into q, k, v second; another order would scramble their weights.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = group_norm(channels, eps=1e-5)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.out = zero_init(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        cells = x.flatten(2)
        packed = self.qkv(self.norm(cells)).unflatten(1, (self.heads, 3, -1))  # [B, heads, 3, C / heads, N]
        q, k, v = (part.transpose(2, 3) for part in packed.unbind(2))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(2, 3).flatten(1, 2)
        return x + self.out(mixed).unflatten(2, x.shape[2:])
