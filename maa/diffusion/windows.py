"""Sounds longer than the network's own length: overlapping windows denoised together (arXiv 2302.08113).

All windows share one long latent. At every step each window answers for its own stretch, and where two overlap their
answers are mixed, the weight passing from one to the next, so there is no joint to hear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from maa.diffusion.denoiser import Denoiser

Span = tuple[int, int]  # first column, last + 1
# Windows, their latents [windows * B, C, H, width] behind one another and the timesteps of these rows, to eps.
Answer = Callable[[Sequence[int], Tensor, Tensor], Tensor]


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


def window_weights(spans: Sequence[Span], index: int) -> Tensor:
    """How much one window counts at each of its columns, float64; over all windows a column's weights add up to 1."""
    (first, last), other = spans[index], index
    while other and spans[other - 1][1] > first:
        other -= 1
    own = _ramp(spans, index)
    total = torch.zeros_like(own)
    while other < len(spans) and spans[other][0] < last:
        begin, end = spans[other]
        ramp = own if other == index else _ramp(spans, other)
        low, high = max(begin, first), min(end, last)
        total[low - first : high - first] += ramp[low - begin : high - begin]
        other += 1
    return own / total


def _ramp(spans: Sequence[Span], index: int) -> Tensor:
    """Up over what a window shares with the one before it, and down over what it shares with the next."""
    first, last = spans[index]
    place = torch.arange(first, last, dtype=torch.float64) + 0.5
    rise, fall = torch.ones_like(place), torch.ones_like(place)
    if index:
        begin, end = first, spans[index - 1][1]
        rise = ((place - begin) / (end - begin)).clamp(0.0, 1.0)
    if index + 1 < len(spans):
        begin, end = spans[index + 1][0], last
        fall = ((end - place) / (end - begin)).clamp(0.0, 1.0)
    return torch.minimum(rise, fall)


def joined(spans: Sequence[Span], pieces: Iterable[Tensor], scale: int = 1) -> Tensor:
    """Pieces [..., scale * width] of the windows, each asked for in its turn, mixed into one [..., scale * columns]."""
    mix = Mix(spans, scale)
    for piece in pieces:
        mix.add(piece)
    return mix.whole


class Mix:
    """Pieces of windows that come from left to right, mixed as they come.

    Args:
        spans: the windows.
        scale: values of a piece for every column of its window.
    """

    def __init__(self, spans: Sequence[Span], scale: int = 1) -> None:
        self.spans = [(scale * first, scale * last) for first, last in spans]
        self.count = 0  # pieces so far
        self._out: Tensor | None = None

    def add(self, piece: Tensor) -> None:
        """The piece [..., scale * width] of the next window."""
        first, last = self.spans[self.count]
        if self._out is None:
            self._out = piece.new_zeros((*piece.shape[:-1], self.spans[-1][1]))
        self._out[..., first:last] += piece * window_weights(self.spans, self.count).to(piece)
        self.count += 1

    @property
    def final(self) -> int:
        """Values from the left that no piece will change any more."""
        return self.spans[self.count][0] if self.count < len(self.spans) else self.spans[-1][1]

    @property
    def whole(self) -> Tensor:
        """Everything [..., scale * columns]; zeros where no piece has come yet.

        Raises:
            ValueError: there is no piece yet, so that nobody knows what the values are of.
        """
        if self._out is None:
            raise ValueError("No window has been mixed yet.")
        return self._out


def windowed(spans: Sequence[Span], answer: Answer) -> Denoiser:
    """One denoiser for the long latent [B, C, H, columns] from those of its windows, asked one by one."""

    def inner(z: Tensor, t: Tensor) -> Tensor:
        return joined(spans, [answer([window], z[..., a:b], t) for window, (a, b) in enumerate(spans)])

    return inner


def piecewise(x: Tensor, spans: Sequence[Span], change: Callable[[Tensor], Tensor], scale: int = 1) -> Tensor:
    """`change` applied to each window of x [..., columns]; it makes `scale` values of every column."""
    if len(spans) == 1:
        return change(x)
    return joined(spans, (change(x[..., first:last]) for first, last in spans), scale)
