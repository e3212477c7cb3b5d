"""Reconstruction losses of the waveform stages."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from torch import Tensor, nn

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


def balance(
    parts: dict[str, tuple[Tensor, float]], output: Tensor, accelerator: Accelerator, reach: float | Tensor = 1.0
) -> Tensor:
    """Losses of one output, joined so that each moves it by its share and not by its scale.

    Each gradient at the output is brought to the length `reach` and weighted (EnCodec's balancer, arXiv 2210.13438,
    Sec. 3.4), so an adversarial loss neither drowns a reconstruction nor is drowned by it, whatever the units.

    Args:
        parts: a loss that depends on `output`, and its weight, by name.
        output: what they were computed from.
        accelerator: where a batch is shared by processes, lengths are those of the whole batch's gradient.

    Returns:
        A scalar whose value is the plain weighted sum and whose gradient at `output` is the balanced one.
    """
    total = torch.zeros_like(output)
    value = output.new_zeros(())
    for loss, weight in parts.values():
        (gradient,) = torch.autograd.grad(loss, output, retain_graph=True)
        total += weight * gradient / length(gradient, accelerator).clamp_min(1e-12)
        value = value + weight * loss.detach()
    surrogate = (output * reach * total).sum()
    return surrogate - surrogate.detach() + value


def length(gradient: Tensor, accelerator: Accelerator) -> Tensor:
    """The norm that the gradient of a mean over all processes' samples has, from each process's gradient of its own."""
    squared = gradient.square().sum()
    if accelerator.num_processes > 1:
        squared = accelerator.reduce(squared, "sum") / accelerator.num_processes**2
    return squared.sqrt()
