"""What is measured of a pool's clips for the conditions of one number each: a crop's is the mean of its columns'."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

BLOCKS = 4  # stretches of a latent column whose loudness is measured: 32 ms each
SILENT = 10 ** (-45 / 10)  # power of a stretch that sounds, relative to the clip's loudest

Measure = Callable[[Tensor, Tensor, int], Tensor]


def sounding(waves: Tensor, mel: Tensor, columns: int) -> Tensor:
    """Share of each latent column that sounds, 0..1.

    Args:
        waves: [B, samples]. mel: [B, 1, mels, frames], in the autoencoder's units.
        columns: of a latent.

    Returns:
        [B, columns].
    """
    power = waves.view(len(waves), columns, BLOCKS, -1).square().mean(-1)
    loudest = power.amax((1, 2), keepdim=True).clamp_min(1e-12)
    return (power > SILENT * loudest).float().mean(-1)


MEASURES: dict[str, Measure] = {"density": sounding}  # one for each of `maa.config.SCALARS`
