"""Sounds without an end: a latent whose last column is followed by its first."""

from __future__ import annotations

import itertools

from torch import Tensor

from maa.diffusion.denoiser import Denoiser

GOLDEN = (5**0.5 - 1) / 2  # of the circle from cut to cut: no place is near one twice soon


def circular(inner: Denoiser, multiple: int = 2) -> Denoiser:
    """A denoiser of circles z [B, C, H, W] from one of stretches: each call sees the circle cut open at another place.

    A network learns what goes on within a stretch and knows nothing of what follows its last column. Cut elsewhere in
    every step (cf. arXiv 2302.08113), each pair of neighbours is within the stretch in nearly all of them, the last
    column and the first like any other. The first call sees it as it is.

    Args:
        inner: of latents of the same width.
        multiple: cuts lie at multiples of so many columns.
    """
    calls = itertools.count()

    def rolled(z: Tensor, t: Tensor) -> Tensor:
        places = z.shape[-1] // multiple
        shift = multiple * (round(next(calls) * GOLDEN * places) % places)
        return inner(z.roll(-shift, dims=-1), t).roll(shift, dims=-1)

    return rolled
