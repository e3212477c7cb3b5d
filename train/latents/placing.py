"""Captions of single events, each heard only in the latent columns in which its event sounds.

Clips are composed, so it is known when each of their sounds lies. Half of the samples hear that instead of one sentence
about all of it: the tokens of every event, with a mask in cross-attention that lets a column see those of its own
(`Context.when`). A column of silence sees none and gets the null.
"""

from __future__ import annotations

import torch
from torch import Tensor

from train.data.prompts.composer import MOST
from train.latents.pool import CaptionTable


def placed(
    conditions: dict[str, Tensor],
    table: CaptionTable,
    heard: Tensor,
    slots: Tensor,
    chosen: Tensor,
) -> dict[str, Tensor]:
    """Conditions of which the `chosen` samples [B] hear their events one by one.

    Args:
        conditions: with tokens [B, K, D], and a mask [B, K] where padding is hidden.
        heard: bool [B, MOST, W]: the latent columns in which each event that the caption is about sounds.
        slots: of the clips, [B].
    """
    tokens = conditions["tokens"]
    batch, most, width = tokens.shape[0], tokens.shape[1], heard.shape[2]
    share = most // MOST  # tokens of an event; longer captions are cut
    one = torch.tensor([1 << number for number in range(MOST)], device=tokens.device)
    own = table.tokens[slots[:, None], one, :share]  # [B, MOST, share, D]
    lengths = table.lengths[slots[:, None], one].clamp_max(share)
    real = torch.arange(share, device=tokens.device) < lengths[..., None]
    when = (real[..., None] & heard[:, :, None]).flatten(1, 2)
    rest = most - MOST * share
    own = torch.cat([own.flatten(1, 2), tokens.new_zeros(batch, rest, tokens.shape[2])], dim=1)
    when = torch.cat([when, when.new_zeros(batch, rest, width)], dim=1)
    found = conditions | {
        "tokens": torch.where(chosen[:, None, None], own.to(tokens.dtype), tokens),
        "when": when | ~chosen[:, None, None],
    }
    if "mask" in conditions:
        found["mask"] = conditions["mask"] | chosen[:, None]
    return found
