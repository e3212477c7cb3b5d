"""BigVGAN generator (Lee et al., arXiv 2206.04658): the vocoder that the authors' published weights come with.

HiFi-GAN's frame with periodic activations, each at twice the rate between two low-pass filters so that what it adds
does not alias.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from maa.config.vocoders import BigvganConfig
from maa.models.hifigan import Generator, Level, ResidualBlock
from maa.models.tiles import Mixing, Scratch, Transform, along, fourier, room_of, toom

TAPS = 12  # of the low-pass filter, at the doubled rate
SPAN = 16  # samples that one row of the filter matrices makes at once
STRETCH = 8  # the same where channels lie beside one another
ACTIVATED = 1 << 17  # samples in flight there
CHUNK = 1 << 18  # samples in flight: at four times that many floats the activation stays in the processor's cache


def low_pass() -> Tensor:
    """The Kaiser-windowed sinc [12], float64, that keeps the lower half of the doubled rate's band."""
    half_width = 0.3  # of the transition, in cycles per sample
    attenuation = 2.285 * (TAPS // 2 - 1) * math.pi * 4 * half_width + 7.95  # dB; Kaiser's rule, 51 here
    window = torch.kaiser_window(TAPS, periodic=False, beta=0.1102 * (attenuation - 8.7), dtype=torch.float64)
    taps = window * torch.sinc(0.5 * (torch.arange(TAPS, dtype=torch.float64) - (TAPS - 1) / 2))
    return taps / taps.sum()


@cache
def doubling(span: int = SPAN) -> Tensor:
    """[span + 6, 2 * span]: samples -3 .. span + 2 to twice as many, by the taps that zero-stuffing leaves over."""
    taps, matrix = 2 * low_pass(), torch.zeros(span + 6, 2 * span, dtype=torch.float64)
    for index in range(span):
        matrix[index : index + 6, 2 * index] = taps[1::2].flip(0)
        matrix[index + 1 : index + 7, 2 * index + 1] = taps[0::2].flip(0)
    return matrix.float()


@cache
def halving(span: int = SPAN) -> Tensor:
    """[2 * span + 10, span]: samples -5 .. 2 * span + 4 to half as many, every second one of the filtered."""
    taps, matrix = low_pass(), torch.zeros(2 * span + 10, span, dtype=torch.float64)
    for index in range(span):
        matrix[2 * index : 2 * index + TAPS, index] = taps
    return matrix.float()


def rows(x: Tensor, reach: int, span: int) -> Tensor:
    """Cut [B, C, N] into rows of `span` samples and `reach` more on either side; the ends are repeated."""
    before, after = x[..., :1].expand(-1, -1, reach), x[..., -1:].expand(-1, -1, reach + -x.shape[2] % span)
    return torch.cat([before, x, after], dim=2).unfold(2, span + 2 * reach, span)


class Lane:
    """Samples [length, C] of one sound, channels beside one another, with room in front and behind."""

    def __init__(self, scratch: Scratch, name: str, length: int, channels: int, room: tuple[int, int]) -> None:
        self.rows = scratch.get(name, room[0] + length + room[1], channels)
        self.before, self.length = room[0], length

    @property
    def inner(self) -> Tensor:
        """The samples themselves."""
        return self.rows[self.before : self.before + self.length]

    def end(self, repeat: bool) -> None:
        """Fill the room: with the first and last sample, or with zeros."""
        self.rows[: self.before] = self.rows[self.before] if repeat else 0.0
        stop = self.before + self.length
        self.rows[stop:] = self.rows[stop - 1].clone() if repeat else 0.0

    def convolved(self, layer: nn.Conv1d, out: Lane, scratch: Scratch, *, onto: bool = False) -> None:
        """This lane through a layer that keeps its length, into another lane; `onto` adds to what is there."""
        transform, dilation = transform_for(layer.kernel_size[0]), layer.dilation[0]
        self.end(repeat=False)
        first = self.before - dilation * (transform.taps // 2)
        x = self.rows[first : first + room_of(transform, self.length, dilation)]
        along(x, out.rows[out.before :], Mixing(layer.weight, layer.bias, transform, scratch), dilation, onto=onto)


def transform_for(taps: int) -> Transform:
    """The fastest of those tried for a kernel of so many taps."""
    return toom(4, 3) if taps == 3 else fourier(max(24, 2 * taps + 2), taps)


class Snake(nn.Module):
    """x + sin^2(a x) / b per channel (log-scale a and b), free of aliasing: [B, C, N] -> [B, C, N].

    Both filters are matrix products over overlapping rows: exact, and for ten seconds about three times as fast as the
    depthwise convolutions they stand for. Groups of channels, which know nothing of one another, go through by turns.
    """

    doubled: Tensor
    halved: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.register_buffer("doubled", doubling(), persistent=False)
        self.register_buffer("halved", halving(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        frequency, height = self.alpha.exp()[:, None], 1.0 / (self.beta.exp() + 1e-9)[:, None]
        group = max(1, CHUNK // (x.shape[0] * x.shape[2])) if x.device.type == "cpu" else x.shape[1]
        parts = zip(x.split(group, 1), frequency.split(group), height.split(group), strict=True)
        return torch.cat([self._activate(*part) for part in parts], dim=1)

    def _activate(self, x: Tensor, frequency: Tensor, height: Tensor) -> Tensor:
        length = x.shape[2]
        fast = (rows(x, 3, SPAN) @ self.doubled).flatten(2)[..., : 2 * length]
        fast = torch.addcmul(fast, (fast * frequency).sin_().square_(), height)
        return (rows(fast, 5, 2 * SPAN) @ self.halved).flatten(2)[..., :length]

    def along(self, lane: Lane, out: Lane, scratch: Scratch) -> None:
        """The same for channels beside one another, stretch by stretch; for inference on a processor."""
        lane.end(repeat=True)
        channels, span = lane.rows.shape[1], STRETCH
        frequency, height = self.alpha.exp(), 1.0 / (self.beta.exp() + 1e-9)
        up, down = doubling(span).t().contiguous(), halving(span).t().contiguous()
        count, start = -(-lane.length // span), lane.rows[lane.before - 3 :].storage_offset()
        step = max(1, ACTIVATED // (span * channels))
        made = out.rows[out.before :][: count * span].view(count, span, channels)
        for first in range(0, count, step):
            some = min(step, count - first)
            fast = scratch.get("fast", 2 * span * some + 10, channels)
            tiles = lane.rows.as_strided(
                (some + 2, span + 6, channels), (span * channels, channels, 1), start + (first - 1) * span * channels
            )
            torch.bmm(up.expand(some, -1, -1), tiles[1:-1], out=fast[5:-5].view(some, 2 * span, channels))
            torch.mm(up[-5:], tiles[0], out=fast[:5])
            torch.mm(up[:5], tiles[-1], out=fast[-5:])
            bent = torch.mul(fast, frequency, out=scratch.get("bent", *fast.shape)).sin_().square_()
            fast.addcmul_(bent, height)
            if first == 0:
                fast[:5] = fast[5]
            if first + some == count:
                last = 5 + 2 * (lane.length - first * span)
                fast[last:] = fast[last - 1].clone()
            wide = fast.as_strided((some, 2 * span + 10, channels), (2 * span * channels, channels, 1))
            torch.bmm(down.expand(some, -1, -1), wide, out=made[first : first + some])


class PeriodicBlock(ResidualBlock):
    """HiFi-GAN's residual block with a `Snake` in front of every convolution."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__(channels, kernel, dilations)
        self.before_dilated = nn.ModuleList(Snake(channels) for _ in dilations)
        self.before_plain = nn.ModuleList(Snake(channels) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for first, dilated, second, plain in zip(
            self.before_dilated, self.dilated, self.before_plain, self.plain, strict=True
        ):
            x = x + plain(second(dilated(first(x))))
        return x

    def along(self, lane: Lane, bent: Lane, mid: Lane, scratch: Scratch) -> None:
        """The same in place, for channels beside one another, by way of two other lanes."""
        for first, dilated, second, plain in zip(
            self.before_dilated, self.dilated, self.before_plain, self.plain, strict=True
        ):
            assert isinstance(first, Snake)
            assert isinstance(second, Snake)
            assert isinstance(dilated, nn.Conv1d)
            assert isinstance(plain, nn.Conv1d)
            first.along(lane, bent, scratch)
            bent.convolved(dilated, mid, scratch)
            second.along(mid, bent, scratch)
            bent.convolved(plain, lane, scratch, onto=True)


def raised(up: nn.ConvTranspose1d, x: Tensor, out: Tensor, scratch: Scratch) -> None:
    """An upsampling layer: [N, C] to [rate * N, D], for a kernel of twice the rate two matrix products."""
    rate, kernel, channels = up.stride[0], up.kernel_size[0], up.out_channels
    if kernel != 2 * rate:
        out.copy_(up(x.t()[None])[0].t())
        return
    now, later = up.weight.transpose(1, 2).split(rate, dim=1)  # what a sample gives to its own block, and the next one
    made = scratch.get("raised", len(x) + 1, rate * channels)
    torch.mm(x, now.flatten(1), out=made[:-1])
    made[-1] = 0.0
    made[1:].addmm_(x, later.flatten(1))
    first = rate // 2
    out.copy_(made.view(-1, channels)[first : first + len(out)])
    if up.bias is not None:
        out.add_(up.bias)


def leveled(level: Level, x: Tensor, scratch: Scratch) -> Lane:
    """One level for channels beside one another: [N, C] to a lane of [rate * N, D]."""
    length, channels = level.up.stride[0] * len(x), level.up.out_channels
    layers = [layer for layer in level.blocks.modules() if isinstance(layer, nn.Conv1d)]
    reach = max(layer.padding[0] for layer in layers if not isinstance(layer.padding, str))
    widest = max(layer.dilation[0] * transform_for(layer.kernel_size[0]).into.shape[1] for layer in layers)
    room = (reach + STRETCH + 6, 2 * widest + STRETCH + 6)
    start, total, state, bent, mid = (
        Lane(scratch, name, length, channels, room) for name in ("start", "total", "state", "before", "middle")
    )
    raised(level.up, x, start.inner, scratch)
    for index, block in enumerate(level.blocks):
        assert isinstance(block, PeriodicBlock)
        lane = state if index else total
        lane.inner.copy_(start.inner)
        block.along(lane, bent, mid, scratch)
        if index:
            total.inner.add_(lane.inner)
    total.inner.div_(len(level.blocks))
    return total


class BigvganGenerator(Generator):
    """BigVGAN: no activation in front of the upsampling steps, a `Snake` in front of the last convolution."""

    block = PeriodicBlock

    def __init__(self, config: BigvganConfig, mels: int = 80, weight_norm: bool = False) -> None:
        super().__init__(config, mels, weight_norm)
        self.snake = Snake(config.channels >> len(config.rates))

    def forward(self, mel: Tensor) -> Tensor:
        plain = mel.device.type == "cpu" and mel.dtype == torch.float32 and not is_parametrized(self.first, "weight")
        if not plain or torch.is_grad_enabled() or torch.compiler.is_compiling():
            return super().forward(mel)
        scratch = Scratch()
        return torch.stack([self._along(one, scratch) for one in (mel[:, 0] if mel.ndim == 4 else mel)])

    def _along(self, mel: Tensor, scratch: Scratch) -> Tensor:
        """One mel [80, T] to its waveform [256 * T] with channels beside one another: about twice as fast."""
        x = self.first(mel[None])[0].t()
        for level in self.levels:
            assert isinstance(level, Level)
            lane = leveled(level, x, scratch)
            x = lane.inner
        out = Lane(scratch, "before", lane.length, x.shape[1], (0, STRETCH))
        self.snake.along(lane, out, scratch)
        return self.last(out.inner.t()[None]).tanh()[0, 0]

    def before_level(self, x: Tensor) -> Tensor:
        return x

    def before_last(self, x: Tensor) -> Tensor:
        return self.snake(x)
