"""The critics of the adversarial losses: windows of a mel (paper Sec. 3.4), periods and scales of a wave (HiFi-GAN V1).

Every critic takes a batch and returns, for each of its members, scores and the features behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

Judgement = list[tuple[Tensor, list[Tensor]]]  # scores and features, one entry per member

SLOPE = 0.1
MEAN, DEVIATION = -2.5, 1.2  # of log10 mels, roughly: critics that first have to learn an offset learn nothing else


class MelCritic(nn.Module):
    """Three halving convolutions over a stretch of mel [B, 1, 80, W], then scores of patches [B, 1, 10, W / 8]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [1, width, 2 * width, 2 * width]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.score = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, mel: Tensor) -> tuple[Tensor, list[Tensor]]:
        mel = (mel - MEAN) / DEVIATION
        features = []
        for layer in self.layers:
            mel = F.leaky_relu(layer(mel), 2 * SLOPE)
            features.append(mel)
        return self.score(mel), features


class MultiWindow(nn.Module):
    """Critics of random stretches of 32, 64 and 128 frames (Sec. 3.4): each hears its own length of context.

    No norm layers: they would hide the level of a stretch, and a gradient penalty has to see single samples.
    """

    def __init__(self, width: int = 64, windows: tuple[int, ...] = (32, 64, 128)) -> None:
        super().__init__()
        self.windows = windows
        self.critics = nn.ModuleList(MelCritic(width) for _ in windows)

    def starts(self, frames: int, rng: np.random.Generator) -> Tensor:
        """Where each window begins in a mel of `frames`, int64 [windows]; the same for the real and the made mel."""
        return torch.tensor([int(rng.integers(0, max(0, frames - window) + 1)) for window in self.windows])

    def forward(self, mel: Tensor, starts: Tensor) -> Judgement:
        """Mel [B, 1, 80, T]; a window longer than T hears all of it. `starts` lies on the mel's device and is read
        there."""
        frames = torch.arange(mel.shape[-1], device=mel.device)
        windows = zip(self.critics, self.windows, starts.unbind(), strict=True)
        return [critic(mel.index_select(3, frames[:window] + start)) for critic, window, start in windows]


class PeriodCritic(nn.Module):
    """Every `period`-th sample of a wave, as columns (HiFi-GAN, Sec. 2.3)."""

    def __init__(self, period: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.period = period
        strides = [3] * (len(widths) - 1) + [1]
        sizes = zip(pairwise((1, *widths)), strides, strict=True)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (5, 1), (stride, 1), padding=(2, 0))) for (a, b), stride in sizes
        )
        self.score = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        wave = F.pad(wave[:, None], (0, -wave.shape[-1] % self.period), mode="reflect")
        h = wave.unflatten(2, (-1, self.period))  # [B, 1, L / period, period]
        features = []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), SLOPE)
            features.append(h)
        return self.score(h), features


class ScaleCritic(nn.Module):
    """Grouped convolutions over a wave, or over its average-pooled version (HiFi-GAN, Sec. 2.3)."""

    def __init__(self, width: int, spectral: bool) -> None:
        super().__init__()
        norm = spectral_norm if spectral else weight_norm
        plan = ((1, 1, 15, 1, 1), (1, 1, 41, 2, 4), (1, 2, 41, 2, 16), (2, 4, 41, 4, 16), (4, 8, 41, 4, 16))
        layers = []
        before = 1
        for _, after, kernel, stride, groups in plan:
            channels = after * width
            divides = groups if before % groups == 0 and channels % groups == 0 else 1
            layers.append(norm(nn.Conv1d(before, channels, kernel, stride, kernel // 2, groups=divides)))
            before = channels
        layers.append(norm(nn.Conv1d(before, before, 5, padding=2)))
        self.layers = nn.ModuleList(layers)
        self.score = norm(nn.Conv1d(before, 1, 3, padding=1))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        h, features = wave[:, None], []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), SLOPE)
            features.append(h)
        return self.score(h), features


class WaveCritics(nn.Module):
    """The multi-period and multi-scale discriminators of HiFi-GAN V1; `width` 128 gives the paper's sizes."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        widths = (width // 4, width, 4 * width, 8 * width, 8 * width)
        self.periods = nn.ModuleList(PeriodCritic(period, widths) for period in (2, 3, 5, 7, 11))
        self.scales = nn.ModuleList(ScaleCritic(width, spectral=index == 0) for index in range(3))

    def forward(self, wave: Tensor) -> Judgement:
        """Wave [B, L]."""
        judged = [critic(wave) for critic in self.periods]
        for index, critic in enumerate(self.scales):
            if index:
                wave = F.avg_pool1d(wave[:, None], 4, stride=2, padding=2)[:, 0]
            judged.append(critic(wave))
        return judged


@contextmanager
def fixed(critics: nn.Module) -> Iterator[None]:
    """Critics that are heard inside, and do not learn from it."""
    critics.requires_grad_(False)
    try:
        yield
    finally:
        critics.requires_grad_(True)


def judge_loss(real: Judgement, made: Judgement) -> Tensor:
    """What critics minimise: least squares to 1 for real and 0 for made (LSGAN; HiFi-GAN Eq. 1), mean over members."""
    pairs = zip(real, made, strict=True)
    total = [(r.float() - 1).square().mean() + m.float().square().mean() for (r, _), (m, _) in pairs]
    return torch.stack(total).mean()


def fool_loss(made: Judgement) -> Tensor:
    """What the generator minimises (HiFi-GAN Eq. 2), mean over members."""
    return torch.stack([(score.float() - 1).square().mean() for score, _ in made]).mean()


def feature_loss(real: Judgement, made: Judgement) -> Tensor:
    """L1 between features, summed over layers, mean over members (HiFi-GAN Eq. 4 sums the members too)."""
    totals = []
    for (_, wanted), (_, got) in zip(real, made, strict=True):
        totals.append(
            torch.stack([(w.detach() - g).abs().float().mean() for w, g in zip(wanted, got, strict=True)]).sum()
        )
    return torch.stack(totals).mean()


def gradient_penalty(scores: Judgement, inputs: Tensor) -> Tensor:
    """R1: the squared gradient of the scores of real inputs (arXiv 1801.04406, Eq. 9), mean over the batch."""
    total = torch.stack([score.float().flatten(1).mean(1).sum() for score, _ in scores]).sum()
    (gradient,) = torch.autograd.grad(total, inputs, create_graph=True)
    return gradient.float().square().flatten(1).sum(1).mean()
