"""Samples at places between those of a recording, and the edges of what is laid into a clip."""

from __future__ import annotations

import torch
from torch import Tensor


def between(samples: Tensor, at: Tensor, dull: Tensor | None = None) -> Tensor:
    """int16 samples at places between them, by cubic (Catmull-Rom) interpolation.

    Args:
        dull: as many shares of the mean of both neighbours, which is cos(w) of each frequency, in place of the sample.
    """
    whole = at.floor().long()
    x = (at - whole).float()
    last = len(samples) - 1
    a, b, c, d = (samples[(whole + k).clamp(0, last)].float() for k in (-1, 0, 1, 2))
    sound = b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))
    if dull is None:
        return sound
    return torch.lerp(sound, 0.5 * torch.lerp(a + c, b + d, x), dull)


def fade(place: Tensor, start: Tensor, end: Tensor, join: Tensor) -> Tensor:
    """Equal-power edges of `join` samples inside a span."""
    edge = torch.minimum(place - start, end - 1 - place).float()
    width = torch.minimum(join, (end - start) // 2).float().clamp_min(2.0)
    return torch.sin((edge / (width - 1)).clamp(0.0, 1.0) * (torch.pi / 2))
