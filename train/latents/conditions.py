"""What each sample of a batch hears: its caption, its vector, its numbers, or nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from maa.models.context import Context
from train.data.prompts.composer import MOST
from train.latents.pool import CaptionTable, LatentCrops, Pool
from train.latents.recipes import Recipe, drop_conditions

QUIET = 0.25  # share of inpainting samples without a caption
NAMED = 2 / 3  # share of the others whose caption is of the one event which the mask hides, and not of the whole crop
OWN_SOUND = 0.5  # share of samples whose vector is that of the sound itself and not of its caption, where it is one


def captioned_events(crops: LatentCrops, masked: Tensor, quiet: Tensor, named: Tensor) -> Tensor:
    """The events in each sample's caption, as a set of bits [B].

    The caption of an inpainting sample whose mask hides one event is of that event (half), of all that is audible (a
    quarter) or empty (a quarter): so the prompt learns to say what to fill in. Where a mask hides silence it is empty.

    Args:
        masked: [B] samples that inpaint. quiet, named: [B] uniform in [0, 1).
    """
    hidden = masked & (crops.hidden > 0) & (named < NAMED)
    events = torch.where(hidden, crops.hidden, crops.audible.events)
    return torch.where(masked & ((quiet < QUIET) | crops.silent), 0, events)


def has_event(events: Tensor) -> Tensor:
    """Sets of events as bits [B] to bool [B, MOST]."""
    return (events[:, None] >> torch.arange(MOST, device=events.device) & 1).bool()


def conditions_of(
    table: CaptionTable, recipe: Recipe, hides_pads: bool, slots: Tensor, entry: Tensor, chance: tuple[Tensor, Tensor]
) -> dict[str, Tensor]:
    """The fields of a `Context` for entries [B] of the captions of the clips in slots [B]."""
    recording, mode, vector = table.recordings[slots, entry], chance[0], table.vectors[slots, entry]
    if table.encoder.sounds:
        own = ((recording >= 0) & (chance[1] < OWN_SOUND))[:, None]
        vector = torch.where(own, table.sounds[slots, entry], vector)
    tokens = table.tokens[slots, entry]
    at = torch.arange(tokens.shape[1], device=tokens.device)
    mask = at < table.lengths[slots, entry].clamp_min(1)[:, None] if hides_pads else None
    context = drop_conditions(Context(tokens, mask, vector), recipe, entry > 0, mode)
    return {name: value for name, value in vars(context).items() if value is not None}


def with_empty(conditions: dict[str, Tensor], table: CaptionTable) -> dict[str, Tensor]:
    """The fields of a `Context` for a network without learned nulls: who hears nothing hears the empty text."""
    tokens, lengths, vector = table.encoder.nothing
    found = dict(conditions)
    for name, empty in (("tokens", tokens), ("vector", vector)):
        if name in found:
            has = found.pop(f"has_{name}").view(-1, *[1] * (found[name].ndim - 1))
            found[name] = torch.where(has, found[name], empty.to(found[name]))
            if name == "tokens" and "mask" in found:
                at = torch.arange(tokens.shape[1], device=tokens.device)
                found["mask"] = torch.where(has[:, 0], found["mask"], at < lengths[:, None])
    return found


def scalars_of(
    pool: Pool, recipe: Recipe, conditions: dict[str, Tensor], measured: dict[str, Tensor], chance: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The conditions of one number each, where they are given: seldom where there is no text or vector, for guidance
    leads away from no condition at all."""
    found: dict[str, Tensor] = {}
    for name in pool.config.unet.scalars:
        nothing = torch.ones_like(measured[name], dtype=torch.bool)
        for other in ("has_tokens", "has_vector"):
            if other in conditions:
                nothing &= ~conditions[other]
        share = torch.where(nothing, recipe.scalar_alone, recipe.scalar)
        found |= {name: measured[name], f"has_{name}": chance[name] < share}
    return found
