"""Denoisers: a network with its condition, guidance and known region folded in (paper Sec. 3.6, Eq. 2; Sec. 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from maa.diffusion.schedule import Schedule

if TYPE_CHECKING:
    from torch import Tensor

Denoiser = Callable[["Tensor", "Tensor"], "Tensor"]  # z [B, C, H, W], t [B] -> eps [B, C, H, W]
# The same with a condition for B samples, in the network's own units.
Network = Callable[["Tensor", "Tensor", Any], "Tensor"]


class Condition(Protocol):
    """Anything that can be put behind another of its kind to form one batch."""

    def then(self, other: Any) -> Any:
        """This batch followed by the other."""


def guided(network: Network, schedule: Schedule, condition: Condition, null: Condition, scale: float) -> Denoiser:
    """Eq. 2: eps~ = eps_null + s (eps_cond - eps_null), one call on the doubled batch; at s = 1 the condition alone."""
    if scale == 1.0:

        def plain(z: Tensor, t: Tensor) -> Tensor:
            return schedule.eps_of(network(z, t, condition), z, t)

        return plain
    import torch

    both = null.then(condition)

    def doubled(z: Tensor, t: Tensor) -> Tensor:
        output_null, output = network(torch.cat([z, z]), torch.cat([t, t]), both).chunk(2)
        return schedule.eps_of(output_null + scale * (output - output_null), z, t)

    return doubled


def keep_known(denoiser: Denoiser, schedule: Schedule, known: Tensor, follow: Tensor) -> Denoiser:
    """Hold the known region: there, answer with the eps that leads to `known`, whatever the network says.

    known [B, C, H, W] latent of the given sound; follow [1, 1, H, W], how far a cell follows the network: 1 = make new,
    0 = held, between them a blend of both. The network still sees the known region at its right noise level in every
    step, because eps of that region never changes on the way down; so a network without a mask input can inpaint, too
    (arXiv 2201.09865 without its resampling).
    """
    import torch

    def inner(z: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = schedule.columns(t, z)
        held = (z - alpha * known) / sigma
        return torch.lerp(held, denoiser(z, t), follow.expand_as(z))

    return inner
