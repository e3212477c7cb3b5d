"""What a diffusion network is trained to do: the paper's networks, the unified one that ships, and the values of the
paper itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.config import PAPER, AudioSpec, ModelConfig, ScheduleConfig, UNetConfig
from maa.models.context import Context
from train.data import Library
from train.data.masks import FRAME, MaskShares
from train.data.prompts.composer import Composer, Mixing
from train.trainer.options import RunOptions

WHOLE = PAPER.latent_cells[1]  # columns of the paper's 9.984 s


@dataclass(frozen=True)
class Recipe:
    """What a person chooses about the data and the loss of a run.

    `tokens`, `vector` and `both` are the shares of samples conditioned on text tokens, a global vector, or the two; the
    rest is unconditional, and that is what guidance leads away from.
    """

    name: str = "unified"
    batch: int = 16  # crops of the narrowest width per process; wider crops come in proportionally smaller batches
    pool: int = 512  # clips
    renew: float = 0.5  # new clips per step
    given: float = 0.5  # share of samples that inpaint
    tokens: float = 0.55
    vector: float = 0.15
    both: float = 0.15
    scalar: float = 0.5  # share of samples conditioned on a number such as density, for each such number
    scalar_alone: float = 0.15  # the same among those with neither text nor vector
    counted: float = 0.5  # share of samples whose caption says how often something sounds, where it is known
    onset: float = 0.35  # share of crops that begin where a sound does
    # Words that nobody has written: most that half of the samples' token states are moved by, at random (relative to
    # their spread), and towards their mean; and how far, at most, the states of a clip of one sound lie towards those
    # of another caption of its concept.
    text_noise: float = 0.2
    text_mean: float = 0.3
    text_between: float = 0.5
    spans: float = 0.5  # share of samples that hear the caption of each event in the columns where it sounds
    widths: tuple[tuple[int, float], ...] = ((20, 0.7), (40, 0.2), (WHOLE, 0.1))  # latent columns and how often
    outside: float = 0.1  # loss weight of the cells that are given
    min_snr: float = 0.0  # gamma of arXiv 2303.09556; 0 = every timestep alike
    norm: int = 2  # of the error: 2, or 1 as in the authors' inpainting network
    single: bool = False  # clips of one sound each (App. E.3: a vector cannot speak of two)
    labelled: bool = False  # of recordings with one class label only, where there are any (App. E.3)
    masks: MaskShares = field(default_factory=MaskShares)
    mixing: Mixing = field(default_factory=Mixing)
    natural: bool = True  # clips and captions as they come in life; False = only as Sec. 3.2.2 and App. F say
    split: str = "train"  # of the recordings that are drawn from
    held_out: int = 1000  # steps between two measurements on recordings that are not trained on; 0 = none
    # What stands for no text: a learned token, or the encoded empty text (App. E.2).
    empty: bool = False
    unit: bool = True  # vectors of length 1 (Table 9's NormGlobal)
    published: bool = False  # learning rate, betas and decay of the authors' code, where a run does not say otherwise

    def without(self, share: float) -> Recipe:
        """The same with another share of samples that hear nothing, what the rest hears in its proportions.

        Raises:
            ValueError: it is no share, or the network hears nothing anyway.
        """
        if not 0 <= share <= 1 or not self.conditional:
            raise ValueError(f"The share of samples without a condition is 0 to 1, not {share:g}; inpaint has none.")
        more = (1 - share) / (self.tokens + self.vector + self.both)
        return replace(self, tokens=more * self.tokens, vector=more * self.vector, both=more * self.both)

    def settled(self, options: RunOptions) -> RunOptions:
        """A run's options with what is open chosen as in the authors' code, if this recipe is theirs."""
        if not self.published:
            return options
        theirs: dict[str, Any] = {"lr_end": 1.0, "beta1": 0.9, "beta2": 0.999, "weight_decay": 1e-2}
        return replace(options, **{name: value for name, value in theirs.items() if getattr(options, name) is None})

    def recordings(self, library: Library) -> NDArray[np.int64]:
        """Those that clips are made of."""
        found = library.indices(self.split)
        if not self.labelled:
            return found
        labelled = found[library.events[found]]
        return labelled if len(labelled) else found

    def composer(self, library: Library, spec: AudioSpec, device: torch.device) -> Composer:
        """What makes its clips."""
        place = (spec.samples, spec.sample_rate, device)
        return Composer(library, self.recordings(library), *place, mixing=self.mixing, natural=self.natural)

    def configure(self, config: ModelConfig, clip: int | None = None) -> ModelConfig:
        """The configuration with the U-Net that this recipe trains.

        Args:
            clip: numbers of a vector of the CLIP that guides; None = there is none.

        Raises:
            ValueError: the network hears CLIP's vectors, and there is none.
        """
        latent = config.autoencoder.latent_channels
        channels = 2 * latent + 1 if self.inpaints else latent
        unet = replace(config.unet, in_channels=channels, out_channels=latent, global_unit=self.unit)
        if self.inpaints:
            unet = replace(unet, hole="mean")  # what is in the holes of training
        if self.name == "visual":
            return replace(config, unet=self._guided(unet, config, clip))
        unet = replace(unet, context_dim=config.text.context_dim, global_dim=None, global_projection=False)
        unet = replace(unet, global_space="joint", learned_null=not self.empty)
        if self.name == "unified":
            unet = replace(unet, global_dim=config.clap.joint, global_projection=True)
        elif self.name == "inpaint":
            unet = replace(unet, context_dim=None, learned_null=False).with_scalars(())
        elif self.name == "paper":
            # Table 6: 4 channels in and out, condition 1024 wide; Eq. 1 trains eps.
            return replace(config, unet=unet.with_scalars(()), schedule=ScheduleConfig(prediction="eps"))
        return replace(config, unet=unet)

    def _guided(self, unet: UNetConfig, config: ModelConfig, clip: int | None) -> UNetConfig:
        """Sec. 4.3: a vector is the only condition; of length 1, its size stays the same whatever a picture holds."""
        if unet.clip_conditioned and not unet.global_projection:  # the authors' network
            if clip is None:
                raise ValueError(
                    f"The network of {config.name} hears CLIP's vectors: name an open_clip model with --guide, or put "
                    "one into a folder vision/ of --parts."
                )
            return replace(unet, global_dim=clip, context_dim=clip)  # the vector is its one token, too
        unet = replace(unet, context_dim=None, global_projection=True, learned_null=True)
        if clip is None:
            return replace(unet, global_dim=config.clap.joint, global_space="joint")
        return replace(unet, global_dim=clip, global_space="clip")

    @property
    def inpaints(self) -> bool:
        """True when the network is given a masked latent and a mask."""
        return self.name in ("unified", "inpaint", "text-inpaint")

    @property
    def conditional(self) -> bool:
        """True when the network is conditioned on text or a vector."""
        return self.name != "inpaint"


RECIPES = {
    "unified": Recipe(),
    "text": Recipe("text", given=0.0, tokens=0.8, vector=0.0, both=0.0),  # App. E.2: 20 % of the texts are dropped
    "visual": Recipe("visual", given=0.0, tokens=0.0, vector=0.8, both=0.0, single=True, labelled=True),
    "inpaint": Recipe(
        "inpaint", given=1.0, tokens=0.0, vector=0.0, both=0.0, masks=MaskShares(0.0, 0.0, tuple(FRAME)), norm=1
    ),
    # Sec. 4.2: the text network, trained on from its weights (--start), with the sound around a hole beside its input.
    "text-inpaint": Recipe(
        "text-inpaint", given=1.0, tokens=0.8, vector=0.0, both=0.0, masks=MaskShares(0.0, 0.0, tuple(FRAME))
    ),
    # The paper's values; where paper and published code disagree, docs/training.md says what was chosen.
    "paper": Recipe(
        "paper",
        batch=4,
        given=0.0,
        tokens=0.8,
        vector=0.0,
        both=0.0,
        text_noise=0.0,
        text_mean=0.0,
        text_between=0.0,
        spans=0.0,
        widths=((WHOLE, 1.0),),
        pool=4096,
        renew=4.0,
        mixing=Mixing((1 / 3, 1 / 3, 1 / 3), together=0.0),
        natural=False,
        empty=True,
        published=True,
    ),
}


def blurred(tokens: Tensor, real: Tensor, noise: Tensor, chance: Tensor, recipe: Recipe) -> Tensor:
    """Token states moved a little, by the recipe's measures.

    Args:
        tokens: [B, K, D]. real: bool [B, K], which of them are words; the others stay as they are.
        noise: [B, K, D] Gaussian. chance: [2, B] uniform in [0, 1): how much noise, how far towards the mean.
    """
    kind, tokens = tokens.dtype, tokens.float()
    by_noise, by_mean = (2 * chance - 1).clamp_min(0.0)[..., None, None]
    real = real[..., None]
    count = real.sum(1, keepdim=True).clamp_min(1)
    mean = (tokens * real).sum(1, keepdim=True) / count
    spread = (((tokens - mean) * real).square().sum((1, 2), keepdim=True) / (count * tokens.shape[2])).sqrt()
    moved = torch.lerp(tokens, mean.expand_as(tokens), recipe.text_mean * by_mean)
    moved = moved + recipe.text_noise * by_noise * spread * noise
    return torch.where(real, moved, tokens).to(kind)


def between_captions(tokens: Tensor, lengths: Tensor, others: Tensor, others_lengths: Tensor, share: Tensor) -> Tensor:
    """Token states on the way to those of other captions, word by word as far as both have words.

    Args:
        tokens, others: [B, K, D], of which the first `lengths` and `others_lengths` [B] are words.
        share: [B] in [0, 1]: 0 leaves a sample as it is.
    """
    at = torch.arange(tokens.shape[1], device=tokens.device)
    both = at < torch.minimum(lengths, others_lengths)[:, None]
    weight = share[:, None, None] * both[..., None]
    return torch.lerp(tokens.float(), others.float(), weight).to(tokens.dtype)


def drop_conditions(context: Context, recipe: Recipe, captioned: Tensor, mode: Tensor) -> Context:
    """The context with each sample's conditions kept or dropped by the recipe's shares.

    Args:
        context: everything there is: tokens, their mask, and vectors.
        captioned: [B] False where there is no caption: such a sample is unconditional.
        mode: [B] uniform in [0, 1).
    """
    tokens, vector = recipe.tokens, recipe.vector
    has_tokens = ((mode < tokens) | ((mode >= tokens + vector) & (mode < tokens + vector + recipe.both))) & captioned
    has_vector = (mode >= tokens) & (mode < tokens + vector + recipe.both) & captioned
    if recipe.name in ("text", "paper", "text-inpaint"):
        return Context(context.tokens, context.mask, None, has_tokens, None)
    if recipe.name == "visual":
        return Context(None, None, context.vector, None, has_vector)
    return replace(context, has_tokens=has_tokens, has_vector=has_vector)
