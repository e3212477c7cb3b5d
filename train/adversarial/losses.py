"""Losses of a generator and its discriminator, of a waveform's reconstruction, and how they are weighed together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from train.adversarial.discriminators import Judgements

RESOLUTIONS = ((256, 64), (512, 128), (1024, 256), (2048, 512))  # window and hop in samples


class MultiResolutionStft(nn.Module):
    """Spectral convergence plus log-magnitude distance, averaged over window sizes (arXiv 1910.11480, Eq. 4-6)."""

    def __init__(self, resolutions: tuple[tuple[int, int], ...] = RESOLUTIONS) -> None:
        super().__init__()
        self.resolutions = resolutions
        for size, _ in resolutions:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        """Waveforms [B, L] each to a scalar."""
        total = made.new_zeros(())
        for size, hop in self.resolutions:
            a, b = (self._magnitude(x, size, hop) for x in (made, real))
            convergence = (b - a).norm() / b.norm().clamp_min(1e-6)
            total = total + convergence + (a.log() - b.log()).abs().mean()
        return total / len(self.resolutions)

    def _magnitude(self, wave: Tensor, size: int, hop: int) -> Tensor:
        window = self.get_buffer(f"window_{size}")
        spectrum = torch.stft(wave, size, hop, window=window, return_complex=True)
        return (spectrum.real.square() + spectrum.imag.square() + 1e-7).sqrt()


class FrameLines(nn.Module):
    """How far lines at multiples of the frame rate stand above a waveform's own spectrum, in nepers.

    A vocoder that repeats itself from frame to frame buzzes at rate / hop. Its power at these lines, averaged over the
    lines of a band of half an octave, is held against the power between them, and that against the same of the real
    sound: a sound that has such lines may keep them.

    Args:
        length: samples of the waveforms; a second tells the lines well apart.
        hop: samples between frames. rate: Hz.
    """

    LOW, HIGH = 300.0, 7700.0  # Hz
    NEAR, AWAY = 2.0, 8.0  # Hz from a line: what belongs to it, and what lies between two

    def __init__(self, length: int, hop: int, rate: int) -> None:
        super().__init__()
        frequency = torch.fft.rfftfreq(length, 1 / rate)
        spacing = rate / hop
        distance = (frequency / spacing - (frequency / spacing).round()).abs() * spacing
        band = (2 * torch.log2(frequency.clamp_min(1.0) / self.LOW)).floor().long()
        inside = (frequency > self.LOW) & (frequency < self.HIGH)
        rows = torch.arange(int(band[inside].max()) + 1)[:, None] == band
        for name, chosen in (("on", distance <= self.NEAR), ("off", distance > self.AWAY)):
            weight = (rows & inside & chosen).float()
            self.register_buffer(name, weight / weight.sum(1, keepdim=True).clamp_min(1.0), persistent=False)
        self.register_buffer("window", torch.hann_window(length), persistent=False)

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        """Waveforms [B, length] each to a scalar."""
        a, b = (self.contrast(x) for x in (made, real))
        return (a - b.detach()).relu().mean()

    def contrast(self, wave: Tensor) -> Tensor:
        """[B, bands]: natural log of the power on the lines over that between them."""
        power = torch.fft.rfft(wave.float() * self.get_buffer("window")).abs().square()
        on, off = (power @ self.get_buffer(name).T + 1e-6 for name in ("on", "off"))
        return 0.5 * (on / off).log()


@contextmanager
def fixed(discriminator: nn.Module) -> Iterator[None]:
    """A discriminator that judges inside, and does not learn from it."""
    discriminator.requires_grad_(False)
    try:
        yield
    finally:
        discriminator.requires_grad_(True)


def discriminator_loss(real: Judgements, made: Judgements) -> Tensor:
    """What a discriminator minimises (HiFi-GAN Eq. 1): least squares to 1 (real) and 0 (made), mean over members."""
    pairs = zip(real, made, strict=True)
    total = [(r.float() - 1).square().mean() + m.float().square().mean() for (r, _), (m, _) in pairs]
    return torch.stack(total).mean()


def adversarial_loss(made: Judgements) -> Tensor:
    """What the generator minimises (HiFi-GAN Eq. 2), mean over members."""
    return torch.stack([(score.float() - 1).square().mean() for score, _ in made]).mean()


def feature_matching(real: Judgements, made: Judgements) -> Tensor:
    """L1 between features, summed over layers, mean over members (HiFi-GAN Eq. 4 sums the members too)."""
    totals = []
    for (_, wanted), (_, got) in zip(real, made, strict=True):
        totals.append(
            torch.stack([(w.detach() - g).abs().float().mean() for w, g in zip(wanted, got, strict=True)]).sum()
        )
    return torch.stack(totals).mean()


def gradient_penalty(scores: Judgements, inputs: Tensor) -> Tensor:
    """R1: the squared gradient of the scores of real inputs (arXiv 1801.04406, Eq. 9), mean over the batch."""
    total = torch.stack([score.float().flatten(1).mean(1).sum() for score, _ in scores]).sum()
    (gradient,) = torch.autograd.grad(total, inputs, create_graph=True)
    return gradient.float().square().flatten(1).sum(1).mean()


def held_back(loss: Tensor, floor: float, accelerator: Accelerator) -> Tensor:
    """A discriminator's loss, or 0 where its mean over all processes is below the floor: far ahead, it waits."""
    if not floor:
        return loss
    everywhere = loss.detach()
    if accelerator.num_processes > 1:
        everywhere = accelerator.reduce(everywhere, "mean")
    return torch.where(everywhere < floor, 0.0 * loss, loss)


def weighted(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The sum of losses by their weights, which have the same names."""
    return torch.stack([weights[name] * loss for name, loss in terms.items()]).sum()


def balance(
    terms: Mapping[str, Tensor],
    weights: Mapping[str, float],
    output: Tensor,
    accelerator: Accelerator,
    reach: float | Tensor = 1.0,
) -> Tensor:
    """Losses of one output, joined so that each moves it by its share and not by its scale.

    Each gradient at the output is brought to the length `reach` and weighted (EnCodec's balancer, arXiv 2210.13438,
    Sec. 3.4), so an adversarial loss neither drowns a reconstruction nor is drowned by it, whatever the units.

    Args:
        terms: losses that depend on `output`, by name. weights: of the same names.
        output: [B, ...] what they were computed from.
        accelerator: where a batch is shared by processes, lengths are those of the whole batch's gradient.

    Returns:
        A scalar whose value is the plain weighted sum and whose gradient at `output` is the balanced one.
    """
    total = torch.zeros_like(output)
    value = output.new_zeros(())
    for name, loss in terms.items():
        (gradient,) = torch.autograd.grad(loss, output, retain_graph=True)
        total += weights[name] * gradient / gradient_norm(gradient, accelerator).clamp_min(1e-12)
        value = value + weights[name] * loss.detach()
    surrogate = (output * reach * total).sum()
    return surrogate - surrogate.detach() + value


def gradient_norm(gradient: Tensor, accelerator: Accelerator) -> Tensor:
    """The norm of the gradient [B, ...] of a mean over all processes' samples, from that of each process's own."""
    squared = gradient.square().sum()
    if accelerator.num_processes > 1:
        squared = accelerator.reduce(squared, "sum") / accelerator.num_processes**2
    return squared.sqrt()
