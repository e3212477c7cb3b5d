"""A long sound that stays what it is: its windows' estimates have the mean of the first one's.

Windows that are denoised together (arXiv 2302.08113) agree where they overlap and nowhere else, so a wind that begins
low may be a shrill one ten seconds on. What lasts of a sound, its level and its bands, is the mean over time of each
channel and row of its latent; the events in it are what differs from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maa.diffusion.schedule import Schedule

if TYPE_CHECKING:
    from torch import Tensor

    from maa.diffusion.windows import Answer


def anchored(answer: Answer, schedule: Schedule, firsts: Sequence[int]) -> Answer:
    """The same answers with every window's estimate of the clean latent moved to the mean of its first window's.

    The mean is over the columns, for each channel and row, and of the same step: windows have to take their steps in
    order, and no window before its first one, as in all orders of `wavefront`. It lasts for one latent.

    Args:
        answer: the denoisers of the windows.
        schedule: of the steps.
        firsts: for each window the first one that it shall sound like; that one's answers stay.
    """
    import torch

    taken = [0] * len(firsts)  # steps of each window
    means: dict[tuple[int, int], Tensor] = {}  # first window and step to [B, C, H, 1]

    def inner(windows: Sequence[int], z: Tensor, t: Tensor) -> Tensor:
        eps = answer(windows, z, t)
        alpha, sigma = schedule.columns(t, z)
        mean = ((z - sigma * eps) / alpha).mean(3, keepdim=True)
        wanted = []
        for window, own in zip(windows, mean.chunk(len(windows)), strict=True):
            step, first = taken[window], firsts[window]
            taken[window] += 1
            if window == first:
                means[first, step] = own
            wanted.append(means[first, step])
        return eps - alpha / sigma * (torch.cat(wanted) - mean)

    return inner
