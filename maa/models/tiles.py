"""Convolutions on a processor with fewer products than taps: short stretches go through a transform and back.

A stretch of N samples becomes P products' left sides, a kernel of K taps their right sides, and P products become the
S = N - K + 1 outputs that the stretch holds. All three maps are linear, and between them P matrix products mix the
channels: P / S of them an output, where a plain convolution takes K. Transforms are Fourier's (with Gauss's three
products for one of complex numbers) for long kernels, and Toom's and Cook's (Winograd's, arXiv 1509.09308) for three
taps. Sequences lie with their channels beside one another, [N, C], so that every step is a large matrix product.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)  # where polynomials are evaluated, besides infinity
LEAST_ROWS = 192  # of a matrix product: fewer would read the kernels too often
MANY_ROWS = 1024  # where the kernels are transformed every time
CACHED = 1 << 18  # floats of transformed stretches at once, where that is more: they stay in the processor's cache
HELD = 1 << 23  # floats of transformed kernels at once


@dataclass(frozen=True)
class Transform:
    """The three maps, float32: into [P, N], kernel [P, K], back [S, P]; column `flat` of `back` is a constant."""

    into: Tensor
    kernel: Tensor
    back: Tensor
    flat: int

    @property
    def outputs(self) -> int:
        """S, outputs of one stretch."""
        return len(self.back)

    @property
    def taps(self) -> int:
        """K."""
        return self.kernel.shape[1]


@cache
def fourier(size: int, taps: int) -> Transform:
    """By real Fourier transforms of stretches of `size` samples, an even number."""
    into: list[Tensor] = []
    kernel: list[Tensor] = []
    back: list[Tensor] = []
    time = torch.arange(size, dtype=torch.float64)
    for bin_ in range(size // 2 + 1):
        cos, sin = torch.cos(2 * math.pi * bin_ / size * time), torch.sin(2 * math.pi * bin_ / size * time)
        real, imaginary, out = cos[:taps], sin[:taps], size - taps + 1
        if 2 * bin_ in (0, size):
            into, kernel, back = [*into, cos], [*kernel, real], [*back, cos[:out] / size]
            continue
        into += [cos - sin, cos, -sin]
        kernel += [real, imaginary - real, real + imaginary]
        back += [2 / size * (cos - sin)[:out], -2 / size * sin[:out], -2 / size * cos[:out]]
    return Transform(torch.stack(into).float(), torch.stack(kernel).float(), torch.stack(back, 1).float(), 0)


@cache
def toom(outputs: int, taps: int) -> Transform:
    """By the values of polynomials at `outputs` + `taps` - 1 points, the last of them infinity."""
    finite = torch.tensor(POINTS[: outputs + taps - 2], dtype=torch.float64)
    count = len(finite) + 1
    into, kernel = torch.zeros(count, count, dtype=torch.float64), torch.zeros(count, taps, dtype=torch.float64)
    back = torch.zeros(outputs, count, dtype=torch.float64)
    into[-1], kernel[-1, -1], back[-1, -1] = _with_roots(finite), 1.0, 1.0
    for index, point in enumerate(finite):
        rest = torch.cat([finite[:index], finite[index + 1 :]])
        into[index, :-1] = _with_roots(rest)
        kernel[index] = point ** torch.arange(taps) / (point - rest).prod()
        back[:, index] = point ** torch.arange(outputs)
    return Transform(into.float(), kernel.float(), back.float(), 1)


def _with_roots(roots: Tensor) -> Tensor:
    """Coefficients of the polynomial with these roots, the constant first."""
    coefficients = torch.ones(1, dtype=torch.float64)
    for root in roots:
        zero = torch.zeros(1, dtype=torch.float64)
        coefficients = torch.cat([zero, coefficients]) - root * torch.cat([coefficients, zero])
    return coefficients


@cache
def plane(rows: int, columns: int) -> Transform:
    """For pictures and 3x3 kernels: `toom` over `rows` x `columns` outputs, both sides at once."""
    down, across = toom(rows, 3), toom(columns, 3)
    return Transform(
        torch.kron(down.into, across.into),
        torch.kron(down.kernel, across.kernel),
        torch.kron(down.back, across.back),
        down.flat * len(across.into) + across.flat,
    )


class Scratch:
    """Memory by name, used again and again: fresh memory has to be cleared by the system every time."""

    def __init__(self) -> None:
        self.held: dict[str, Tensor] = {}

    def get(self, name: str, *shape: int) -> Tensor:
        """Unset values of that shape, float32, valid until the name is asked for again."""
        size = math.prod(shape)
        if name not in self.held or self.held[name].numel() < size:
            self.held[name] = torch.empty(size)
        return self.held[name][:size].view(shape)


class Mixing:
    """The products between the transforms: [P, rows, C] with a kernel to [P, rows, D].

    Kernels are transformed once, or, where they would take too much memory, in turn for every call.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, transform: Transform, scratch: Scratch) -> None:
        self.weight, self.transform, self.scratch = weight.flatten(2), transform, scratch
        self.bias = None if bias is None else bias / transform.back[0, transform.flat]
        self.points = len(transform.into)
        self.group = max(1, min(self.points, HELD // (weight.shape[0] * weight.shape[1])))
        self.ready = self._kernels(0) if self.group == self.points else None

    def _kernels(self, first: int) -> Tensor:
        outputs, inputs, taps = self.weight.shape
        chosen = self.transform.kernel[first : first + self.group]
        out = self.scratch.get("kernels", len(chosen), outputs * inputs)
        return torch.mm(chosen, self.weight.reshape(-1, taps).t(), out=out).view(-1, outputs, inputs)

    def __call__(self, tiles: Tensor, count: int) -> Tensor:
        """`count` stretches [N, count * C] to their outputs [S, count * D]."""
        outputs, inputs, _ = self.weight.shape
        values = self.scratch.get("values", self.points, count * inputs)
        torch.mm(self.transform.into, tiles, out=values)
        values = values.view(self.points, count, inputs)
        products = self.scratch.get("products", self.points, count, outputs)
        for first in range(0, self.points, self.group):
            part = slice(first, first + self.group)
            kernels = self._kernels(first) if self.ready is None else self.ready
            torch.bmm(values[part], kernels.transpose(1, 2), out=products[part])
        if self.bias is not None:
            products[self.transform.flat] += self.bias
        made = self.scratch.get("made", self.transform.outputs, count * outputs)
        return torch.mm(self.transform.back, products.view(self.points, -1), out=made)


def room_of(transform: Transform, length: int, dilation: int) -> int:
    """Rows that `along` reads or writes behind the first of `length`, before it subtracts what lies in front."""
    step = transform.outputs * dilation
    return (-(-length // step) - 1) * step + transform.into.shape[1] * dilation


def along(x: Tensor, out: Tensor, mixing: Mixing, dilation: int, *, onto: bool = False) -> None:
    """Convolve a sequence: x [rows, C] with zeros on either side to out [rows, D]; `onto` adds to what is there.

    Args:
        x: it begins dilation * (K - 1) / 2 rows in front of the first sample and has `room_of` rows in all.
        out: begins at the first sample; as many rows as x are needed, those behind the last sample are overwritten.
        mixing: kernel, bias and transform.
        dilation: rows from tap to tap.
        onto: for a residual.
    """
    transform, scratch, channels, wide = mixing.transform, mixing.scratch, x.shape[1], out.shape[1]
    size, outputs = transform.into.shape[1], transform.outputs
    count = 1 + (len(x) - size * dilation) // (outputs * dilation)
    least = LEAST_ROWS if mixing.ready is not None else MANY_ROWS
    rows = max(least, CACHED // (mixing.points * max(channels, wide)))
    step = max(1, min(count, rows // dilation))
    line, start = dilation * channels, x.storage_offset()
    sink = out[: count * outputs * dilation].view(count, outputs, dilation * wide)
    for first in range(0, count, step):
        some = min(step, count - first)
        place = start + first * outputs * line
        tiles = scratch.get("tiles", size, some, line)
        tiles.copy_(x.as_strided((size, some, line), (line, outputs * line, 1), place))
        made = mixing(tiles.view(size, -1), some * dilation).view(outputs, some, -1)
        part = sink[first : first + some].transpose(0, 1)
        part.add_(made) if onto else part.copy_(made)
