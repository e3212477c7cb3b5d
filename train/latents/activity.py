"""Where a pool's clips sound, by event and by latent column: what can be said of a crop of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from maa.config import ModelConfig
from maa.device import send
from train.data.prompts.composer import MOST
from train.data.prompts.plans import TIMES, Plan
from train.latents.measures import MEASURES

MANY = 40  # single sounds of an event that are told apart
AUDIBLE = 0.12  # share of a crop that an event must fill to be named, if none of its single sounds is whole
WHOLE, TOUCHED = 0.75, 0.1  # shares of a single sound above which it counts, and below which it is not noticed
BEFORE = 320  # samples between the beginning of a crop and of the sound it begins with, at least


@dataclass(frozen=True)
class Audible:
    """What can be heard in crops, every tensor [B]."""

    events: Tensor  # as a set of bits
    counted: Tensor  # the entry of the pool's captions that also says how often, where that is certain; else `events`
    scalars: dict[str, Tensor]  # each measure's, 0..1: its density is the share that sounds


class Activity:
    """Tables by slot, on the pool's device.

    Attributes:
        spans: [slots, MOST, MANY, 2] samples of each event's single sounds, zeros behind.
        measured: by name, [slots, columns] what each of MEASURES gives for each latent column, 0..1.
    """

    def __init__(self, config: ModelConfig, slots: int, device: torch.device) -> None:
        self.device = device
        self.columns = config.latent_cells[1]
        self.samples = config.audio.hop * config.autoencoder.factor  # of a column
        self.spans = torch.zeros(slots, MOST, MANY, 2, dtype=torch.long, device=device)
        self.countable = torch.zeros(slots, MOST, dtype=torch.bool, device=device)
        self.counting = torch.zeros(slots, dtype=torch.long, device=device)  # events of a clip with counted captions
        self.measured = {name: torch.zeros(slots, self.columns, device=device) for name in MEASURES}

    def write(self, slots: Tensor, plans: Sequence[Plan], waves: Tensor, mel: Tensor) -> None:
        """Note new clips: plans, waveforms [B, samples] and mels [B, 1, mels, frames] for slots [B]."""
        spans = np.zeros((len(plans), MOST, MANY, 2), np.int64)
        countable = np.zeros((len(plans), MOST), bool)
        for clip, plan in enumerate(plans):
            for event, (sounds, known) in enumerate(zip(plan.sounding, plan.countable, strict=True)):
                spans[clip, event, : len(sounds)] = sounds[:MANY]
                countable[clip, event] = known and len(sounds) <= MANY
                if len(sounds) > MANY:
                    spans[clip, event, -1, 1] = sounds[-1, 1]
        counting = torch.tensor([len(plan.events) if plan.counted else 0 for plan in plans])
        self.spans[slots] = send(torch.from_numpy(spans), self.device)
        self.countable[slots] = send(torch.from_numpy(countable), self.device)
        self.counting[slots] = send(counting, self.device)
        for name, measure in MEASURES.items():
            self.measured[name][slots] = measure(waves, mel, self.columns)

    def place(self, slots: Tensor, width: int, onset: Tensor, chance: Tensor) -> Tensor:
        """First columns [B] of crops that hold some sound.

        Args:
            onset: [B] crops that begin where a single sound does; the others lie anywhere over a column that sounds.
            chance: [2, B] uniform in [0, 1).
        """
        last = self.columns - width
        active = self.measured["density"][slots] > 0
        active = active | ~active.any(1, keepdim=True)
        anywhere = _choice(active, chance[0]) - (chance[1] * width).long()
        spans = self.spans[slots].flatten(1, 2)
        begin = (spans[..., 0] - BEFORE).clamp_min(0) // self.samples
        begins = begin.gather(1, _choice(spans[..., 1] > 0, chance[0])[:, None])[:, 0]
        return torch.where(onset, begins, anywhere).clamp(0, last)

    def audible(self, slots: Tensor, first: Tensor, width: int) -> Audible:
        """What crops of `width` columns from the first ones [B] on hold."""
        start, end = (edge.view(-1, 1, 1) * self.samples for edge in (first, first + width))
        spans, countable, counting = self.spans[slots], self.countable[slots], self.counting[slots]
        length = spans[..., 1] - spans[..., 0]
        within = (torch.minimum(spans[..., 1], end) - torch.maximum(spans[..., 0], start)).clamp_min(0)
        whole = (within >= WHOLE * length) & (length > 0)
        certain = (whole == (within > TOUCHED * length)).all(2) & countable
        number, total = whole.sum(2), (length > 0).sum(2)
        audible = (within.sum(2) > AUDIBLE * width * self.samples) | whole.any(2)
        events = (audible << torch.arange(MOST, device=self.device)).sum(1)
        # Of one event as often as it sounds here; of two only if all that is said of the clip is true of the crop.
        one = (counting == 1) & (events == 1) & certain[:, 0] & (number[:, 0] > 0)
        both = (counting == 2) & (events == 3) & (~countable | certain & (number == total)).all(1)
        counted = torch.where(one, 1 + number[:, 0].clamp_max(len(TIMES)), torch.where(both, 4, events))
        return Audible(events, counted, {name: self.over(slots, first, width, name).mean(1) for name in MEASURES})

    def heard(self, slots: Tensor, first: Tensor, width: int) -> Tensor:
        """Where each event of crops sounds, from its first sound to the end of its last: bool [B, MOST, width]."""
        spans = self.spans[slots]
        there = spans[..., 1] > spans[..., 0]
        begin = torch.where(there, spans[..., 0], self.columns * self.samples).amin(2)
        end = torch.where(there, spans[..., 1], 0).amax(2)
        column = first[:, None, None] + torch.arange(width, device=self.device)
        return (column >= begin[..., None] // self.samples) & (column * self.samples < end[..., None])

    def over(self, slots: Tensor, first: Tensor, width: int, name: str = "density") -> Tensor:
        """What a measure gives for each column of crops, [B, width]; of density, the share of it that sounds."""
        return self.measured[name][slots[:, None], first[:, None] + torch.arange(width, device=self.device)]


def _choice(possible: Tensor, chance: Tensor) -> Tensor:
    """One of the true entries of each row [B, N], all alike: its index [B]."""
    count = possible.cumsum(1)
    wanted = (chance * count[:, -1]).long()
    return torch.searchsorted(count, wanted[:, None], right=True)[:, 0].clamp_max(possible.shape[1] - 1)
