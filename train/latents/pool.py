"""A pool of composed and encoded clips that training draws crops from, renewed a few at a time.

Composing and encoding a clip costs about as much as a training step on it. A pool lets each clip serve several steps
on a CPU; on a GPU it is renewed fast enough to be close to fresh data. Sounds, latents and words all stay on the
training device, as tables: a batch is a few look-ups there, and nothing in it is made sample by sample.

Clip number n is made from the seed and n alone, so a resumed run finds the clips it would have had, and several
processes hold between them what one would hold: slots lie in eight shards, process r owns those of its shards, and
sample i of a batch draws from shard i modulo eight.

Of a streamed library each recording is once an epoch the sound at hand of a clip, and a thread draws the clips that
come next and reads their sounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.audio.mask import to_latent
from maa.audio.mel import MelSpectrogram, fill_hole
from maa.config import ModelConfig
from maa.device import send
from maa.models.autoencoder import Autoencoder
from train.data import Library
from train.data.ahead import Ahead
from train.data.masks import draw_mask, one_span
from train.data.order import Order
from train.data.prompts.composer import MOST
from train.data.prompts.plans import Plan, captions_of
from train.data.sound import Held, joined_stretches
from train.latents.activity import Activity, Audible
from train.latents.captions import CaptionEncoder
from train.latents.recipes import Recipe, between_captions

SHARDS = 8  # the most processes that a pool can be shared by, and what their number has to divide
LEAST = 0.5  # latent columns of a masked stretch that must sound for a prompt to be about it
AT_ONCE = 64  # clips that an accelerator makes together
AROUND = (0.03, 0.3)  # seconds before and behind a single sound that a mask takes with it
ONLY = 1  # the set of events that a clip of one sound has
AT_HAND = 7  # of the order in which a streamed library's recordings are sounds at hand


@dataclass(frozen=True)
class LatentCrops:
    """Stretches of clips, and which of their events can be heard in them; everything [B, ...]."""

    z: Tensor  # [B, C, H, w] latents of the whole sound
    known: Tensor  # [B, C, H, w] latents of the sound without what is masked, masked cells zero
    mask: Tensor  # [B, 1, H, w], 1 = to be made
    audible: Audible
    hidden: Tensor  # [B] the one event that the mask hides, as a set of one bit; 0 = none or several
    silent: Tensor  # [B] True where a mask hides nothing that sounds


@dataclass(frozen=True)
class DrawnClip:
    """A clip before it is rendered."""

    rng: np.random.Generator  # as the drawing left it
    plan: Plan
    mask: NDArray[np.bool_]  # [mels, frames]
    hidden: int  # the one event that the mask hides, as a set of one bit; 0 = none or several
    held: Held | None  # its sounds, where they had to be read


@dataclass(frozen=True)
class CaptionTable:
    """The captions of each set of events of each clip, encoded, by [slot, set]; the empty set has none. Entries behind
    a clip's last set say how often its sounds are heard (`Audible.counted`)."""

    encoder: CaptionEncoder
    tokens: Tensor  # [N, sets, K, D]
    lengths: Tensor  # [N, sets] real tokens
    vectors: Tensor  # [N, sets, G]
    recordings: Tensor  # [N, sets] the recording where a set is one event, else -1
    sounds: Tensor  # [N, sets, G] the vector of that recording's own sound

    @classmethod
    def empty(cls, slots: int, encoder: CaptionEncoder) -> CaptionTable:
        """Tables for a number of clips."""
        sets, device = 1 << MOST, encoder.device
        tokens = torch.zeros(slots, sets, *encoder.token_shape, dtype=encoder.dtype, device=device)
        vectors = torch.zeros(slots, sets, encoder.sounds.width, device=device)
        lengths = torch.zeros(slots, sets, dtype=torch.long, device=device)
        return cls(encoder, tokens, lengths, vectors, torch.full_like(lengths, -1), torch.zeros_like(vectors))

    def write(self, slots: Tensor, plans: list[Plan], own: bool) -> None:
        """Encode the captions of clips into slots [len(plans)], and their `own` sounds if those are asked for."""
        listed = [[*captions_of(plan), *((caption, _only(plan)) for caption in plan.counted)] for plan in plans]
        sets = 1 << MOST
        places = [i * sets + k for i, clip in enumerate(listed) for k in range(1, len(clip) + 1)]
        at = send(torch.tensor(places), self.encoder.device)
        slot, chosen = slots[at // sets], at % sets
        tokens, lengths, vectors = self.encoder.encode([caption for clip in listed for caption, _ in clip])
        self.tokens[slot, chosen] = tokens
        self.lengths[slot, chosen] = lengths
        self.vectors[slot, chosen] = vectors
        recordings = [-1 if one is None else one for clip in listed for _, one in clip]
        self.recordings[slot, chosen] = send(torch.tensor(recordings), self.encoder.device)
        if own:
            self.sounds[slot, chosen] = self.encoder.sounds.of(recordings)

    def lean(self, slots: Tensor, captions: list[str], share: Tensor) -> None:
        """Move the token states of clips of one sound in slots [B] towards those of other captions, by share [B]."""
        tokens, lengths, _ = self.encoder.encode(captions)
        own, own_lengths = self.tokens[slots, ONLY], self.lengths[slots, ONLY]
        self.tokens[slots, ONLY] = between_captions(own, own_lengths, tokens, lengths, share)


class Pool:
    """The recipe's number of slots, filled with the clips up to the newest; `upto` brings it forward.

    Args:
        encoder: what turns captions into conditions; None for an unconditional network.
        recipe: its size, the kinds of masks, and whether clips are of one sound each.
        place: (rank, processes): this process holds its shards only.
    """

    def __init__(
        self,
        config: ModelConfig,
        library: Library,
        autoencoder: Autoencoder,
        encoder: CaptionEncoder | None,
        recipe: Recipe,
        seed: int,
        place: tuple[int, int] = (0, 1),
    ) -> None:
        self.rank, self.processes = place
        if SHARDS % self.processes:
            raise ValueError(f"{self.processes} processes cannot share a pool; use 1, 2, 4 or {SHARDS}.")
        self.config, self.autoencoder, self.recipe = config, autoencoder, recipe
        self.device = next(autoencoder.parameters()).device
        self.exact = self.device.type == "cpu"  # resuming bit for bit: nothing may depend on what is made beside it
        self.front = MelSpectrogram(config.audio).to(self.device)
        spec = config.audio
        self.composer = recipe.composer(library, spec, self.device)
        self.size = max(SHARDS, recipe.pool // SHARDS * SHARDS)
        self.seed, self.rows = seed, recipe.recordings(library)
        self.order = Order(len(self.rows), seed, AT_HAND) if library.streamed else None
        # One thread: planning a clip is work for Python, and what is remembered of recordings has no lock.
        self.ahead = Ahead(self._draw, AT_ONCE, self.processes, threads=1) if library.streamed else None
        self.made = 0  # clips so far, in all processes together
        self._lay_tables(encoder)

    def _lay_tables(self, encoder: CaptionEncoder | None) -> None:
        slots = self.size // self.processes
        rows, columns = self.config.latent_cells
        # One row for each column of a latent, so that a crop is a run of rows: z, known z and mask.
        height = (2 * self.config.autoencoder.latent_channels + 1) * rows
        self.columns = torch.zeros(slots, columns, height, device=self.device)
        self.activity = Activity(self.config, slots, self.device)
        self.hidden = torch.zeros(slots, dtype=torch.long, device=self.device)
        self.captions = None if encoder is None else CaptionTable.empty(slots, encoder)

    @property
    def shard_size(self) -> int:
        """Slots in a shard."""
        return self.size // SHARDS

    def slots(self, rows: NDArray[np.int64], samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where this process keeps the clips that samples of a batch draw from the given rows of their shards."""
        return rows * (SHARDS // self.processes) + samples % SHARDS // self.processes

    def upto(self, count: int) -> None:
        """Make every clip of this process below number `count` that is not among the older ones to be replaced.

        An accelerator waits until enough of them are due to be made together.
        """
        together = 1 if self.exact else AT_ONCE
        if self.made:
            count = self.made + (count - self.made) // together * together
        first = max(self.made, count - self.size)
        mine = [n for n in range(first, count) if n % SHARDS % self.processes == self.rank]
        for start in range(0, len(mine), AT_ONCE):
            self._make(mine[start : start + AT_ONCE])
        self.made = max(self.made, count)

    def close(self) -> None:
        """No more clips are made: what they are made with goes."""
        if self.ahead is not None:
            self.ahead.close()
        del self.composer

    def rescale(self, config: ModelConfig, autoencoder: Autoencoder) -> None:
        """Go on with an autoencoder of another latent scale; the latents that are held are brought to it."""
        cells = self.config.latent_cells[0]
        self.columns[..., :-cells] *= config.autoencoder.latent_scale / self.config.autoencoder.latent_scale
        self.config, self.autoencoder = config, autoencoder

    def moments(self) -> Tensor:
        """Mean and mean square of the latents that are held, [2]: what a latent scale is made from."""
        cells = self.config.latent_cells[0]
        z = self.columns[..., : self.config.autoencoder.latent_channels * cells].double()
        return torch.stack([z.mean(), z.square().mean()])

    def crop(self, slots: Tensor, first: Tensor, width: int) -> LatentCrops:
        """Stretches of `width` latent columns: slots and first columns [B]."""
        channels, (rows, _) = self.config.autoencoder.latent_channels, self.config.latent_cells
        at = first[:, None] + torch.arange(width, device=self.device)
        found = self.columns[slots[:, None], at].unflatten(2, (-1, rows)).permute(0, 2, 3, 1).contiguous()
        z, known, mask = found.split([channels, channels, 1], dim=1)
        masked = mask.amax((1, 2))
        silent = (masked.sum(1) > 0) & ((masked * self.activity.over(slots, first, width)).sum(1) < LEAST)
        return LatentCrops(z, known, mask, self.activity.audible(slots, first, width), self.hidden[slots], silent)

    def _draw(self, number: int) -> DrawnClip:
        """Everything random about a clip, from the seed and its number alone."""
        rng = np.random.default_rng([self.seed, 4, number])
        at_hand = None if self.order is None else int(self.rows[self.order.at(np.array([number]))[0]])
        plan = self._plan(rng, at_hand)
        mask, hidden = self._mask(plan, rng)
        return DrawnClip(rng, plan, mask, hidden, None if self.order is None else self.composer.hold([plan]))

    @torch.inference_mode()
    def _make(self, numbers: list[int]) -> None:
        """Compose, mask and encode clips and their captions, into their slots."""
        spec = self.config.audio
        drawn = [self._draw(n) if self.ahead is None else self.ahead.get(n) for n in numbers]
        plans = [clip.plan for clip in drawn]
        factor = self.config.autoencoder.factor
        mask = send(torch.from_numpy(np.stack([clip.mask for clip in drawn])[:, None]), self.device)
        cells = np.stack([to_latent(clip.mask, factor) for clip in drawn])[:, None]
        latent_mask = send(torch.from_numpy(cells), self.device).float()
        held = [clip.held for clip in drawn if clip.held is not None]
        waves = self.composer.render(plans, joined_stretches(held) if held else None)
        mel = self.front(waves)[..., : spec.frames]
        assert spec.frames == mel.shape[-1]
        both = torch.cat([mel, fill_hole(mel, mask)])
        parts = both.split(1 if self.exact else len(both))
        z, known = torch.cat([self.autoencoder.encode(part) for part in parts]).chunk(2)
        table = torch.cat([z, known * (1 - latent_mask), latent_mask], dim=1).permute(0, 3, 1, 2).flatten(2)
        samples = np.array(numbers)
        slots = send(torch.from_numpy(self.slots(samples % self.size // SHARDS, samples)), self.device)
        self.columns[slots] = table
        self.activity.write(slots, plans, waves, mel)
        self.hidden[slots] = send(torch.tensor([clip.hidden for clip in drawn]), self.device)
        if self.captions is not None:
            self.captions.write(slots, plans, own=self.recipe.vector + self.recipe.both > 0)
            self._lean(plans, [clip.rng for clip in drawn], slots, self.captions)

    def _lean(self, plans: list[Plan], rngs: list[np.random.Generator], slots: Tensor, captions: CaptionTable) -> None:
        """Token states of clips of one sound, moved some way towards another caption of the same concept."""
        most = self.recipe.text_between
        pairs = zip(plans, rngs, strict=True)
        others = [self.composer.another_caption(plan, rng) if most else None for plan, rng in pairs]
        leaning = [k for k, other in enumerate(others) if other is not None]
        if leaning:
            share = send(torch.tensor([most * rngs[k].random() for k in leaning]), self.device)
            captions.lean(slots[leaning], [other for other in others if other is not None], share.float())

    def _plan(self, rng: np.random.Generator, at_hand: int | None) -> Plan:
        while True:
            plan = self.composer.plan(rng, at_hand)
            if not self.recipe.single or len(plan.events) == 1:
                return plan

    def _mask(self, plan: Plan, rng: np.random.Generator) -> tuple[NDArray[np.bool_], int]:
        """A mask [mels, frames], and the event that it hides, as a set of one bit, where it hides exactly one."""
        spec, shares = self.config.audio, self.recipe.masks
        kind = rng.random()
        alone = [k for k, event in enumerate(plan.events) if event.alone]
        if kind < shares.event and len(plan.events) > 1 and alone:
            chosen = alone[int(rng.integers(len(alone)))]
            event = plan.events[chosen]
            mask = np.zeros((spec.mels, spec.frames), bool)
            mask[:, event.start // spec.hop : -(-event.end // spec.hop)] = True
            return mask, 1 << chosen
        only = int(len(plan.events) == 1)
        if kind < shares.event and only and plan.countable[0] and len(plan.sounding[0]) > 1:
            return self._around(plan.sounding[0], rng), only
        if kind < shares.event + shares.span:
            return one_span(spec.mels, spec.frames, rng), only
        name = shares.kinds[int(rng.integers(len(shares.kinds)))]
        return draw_mask(name, spec.mels, spec.frames, rng), only

    def _around(self, sounds: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.bool_]:
        """A mask [mels, frames] over one of an event's single sounds."""
        spec = self.config.audio
        k = int(rng.integers(len(sounds)))
        before, behind = (int(seconds * spec.sample_rate) for seconds in AROUND)
        start = max(0, int(sounds[k, 0]) - before)
        end = min(int(sounds[k, 1]) + behind, int(sounds[k + 1, 0]) if k + 1 < len(sounds) else spec.samples)
        mask = np.zeros((spec.mels, spec.frames), bool)
        mask[:, start // spec.hop : max(-(-end // spec.hop), start // spec.hop + 1)] = True
        return mask


def _only(plan: Plan) -> int | None:
    """The recording of a clip of one event."""
    return plan.events[0].recording if len(plan.events) == 1 else None
