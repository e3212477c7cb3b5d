"""Sounds longer than the network's own length: overlapping windows denoised together (arXiv 2302.08113).

All windows share one long latent. At every step each window answers for its own stretch, and where two overlap their
answers are mixed, the weight passing from one to the next, so there is no joint to hear.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from maa.diffusion.denoiser import Denoiser

Span = tuple[int, int]  # first column, last + 1


def plan(columns: int, size: int, overlap: int, multiple: int = 2) -> list[Span]:
    """Windows of `size` columns that cover `columns`, evenly spread, each overlapping the next by at least `overlap`.

    One window when the whole fits. Windows begin at multiples of `multiple`; so must sizes and `columns`.
    """
    if columns <= size:
        return [(0, columns)]
    count = -(-(columns - overlap) // (size - overlap))
    last = columns - size
    starts = [multiple * (last * index // (count - 1) // multiple) for index in range(count)]
    return [(start, start + size) for start in starts]


def window_weights(spans: Sequence[Span], columns: int) -> list[Tensor]:
    """How much each window counts at each of its columns; over all windows the weights of a column add up to 1."""
    raw = []
    for index, (first, last) in enumerate(spans):
        place = torch.arange(first, last, dtype=torch.float64) + 0.5
        rise, fall = torch.ones_like(place), torch.ones_like(place)
        if index:
            begin, end = first, spans[index - 1][1]
            rise = ((place - begin) / (end - begin)).clamp(0.0, 1.0)
        if index + 1 < len(spans):
            begin, end = spans[index + 1][0], last
            fall = ((end - place) / (end - begin)).clamp(0.0, 1.0)
        raw.append(torch.minimum(rise, fall))
    total = torch.zeros(columns, dtype=torch.float64)
    for (first, last), weight in zip(spans, raw, strict=True):
        total[first:last] += weight
    return [weight / total[first:last] for (first, last), weight in zip(spans, raw, strict=True)]


def joined(spans: Sequence[Span], pieces: Sequence[Tensor], scale: int = 1) -> Tensor:
    """Pieces [..., scale * width] of the windows, mixed into one [..., scale * columns]."""
    columns = spans[-1][1]
    shares = window_weights([(scale * first, scale * last) for first, last in spans], scale * columns)
    out = pieces[0].new_zeros((*pieces[0].shape[:-1], scale * columns))
    for (first, last), piece, share in zip(spans, pieces, shares, strict=True):
        out[..., scale * first : scale * last] += piece * share.to(piece)
    return out


def windowed(spans: Sequence[Span], denoisers: Sequence[Denoiser]) -> Denoiser:
    """One denoiser for the long latent [B, C, H, columns] from one for each window."""

    def inner(z: Tensor, t: Tensor) -> Tensor:
        pieces = [denoise(z[..., a:b], t) for (a, b), denoise in zip(spans, denoisers, strict=True)]
        return joined(spans, pieces)

    return inner


def piecewise(x: Tensor, spans: Sequence[Span], change: Callable[[Tensor], Tensor], scale: int = 1) -> Tensor:
    """`change` applied to each window of x [..., columns]; it makes `scale` values of every column."""
    if len(spans) == 1:
        return change(x)
    return joined(spans, [change(x[..., first:last]) for first, last in spans], scale)
