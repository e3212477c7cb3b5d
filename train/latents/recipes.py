"""What a diffusion network is trained to do: the paper's three networks, the unified one that ships, and the values
of the paper itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from maa.config import PAPER, ModelConfig, ScheduleConfig
from maa.models.context import Context
from train.data.masks import FRAME, MaskShares

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
    masks: MaskShares = field(default_factory=MaskShares)

    def configure(self, config: ModelConfig) -> ModelConfig:
        """The configuration with the U-Net that this recipe trains."""
        unet = config.unet
        latent = config.autoencoder.latent_channels
        if self.name == "unified":
            return config
        if self.name == "text":
            unet = replace(unet, in_channels=latent, global_dim=None, global_projection=False, learned_null=True)
        elif self.name == "visual":
            # Sec. 4.3: one unit-norm vector is the only condition; its size stays the same whatever a picture holds.
            unet = replace(unet, in_channels=latent, context_dim=None, global_dim=config.clap.joint)
            unet = replace(unet, global_projection=True, learned_null=True)
        elif self.name == "inpaint":
            unet = replace(unet, in_channels=2 * latent + 1, context_dim=None, global_dim=None, learned_null=False)
            unet = unet.with_scalars(())
        elif self.name == "paper":
            # Table 6: 4 channels in and out, condition 1024 wide; Eq. 1 trains eps.
            eps = ScheduleConfig(prediction="eps")
            unet = replace(unet, in_channels=latent, learned_null=True).with_scalars(())
            return replace(config, unet=unet, schedule=eps)
        return replace(config, unet=unet)

    @property
    def inpaints(self) -> bool:
        """True when the network is given a masked latent and a mask."""
        return self.name in ("unified", "inpaint")

    @property
    def conditional(self) -> bool:
        """True when the network is conditioned on text or a vector."""
        return self.name != "inpaint"


RECIPES = {
    "unified": Recipe(),
    "text": Recipe("text", given=0.0, tokens=0.8, vector=0.0, both=0.0),  # App. E.2: 20 % of the texts are dropped
    "visual": Recipe("visual", given=0.0, tokens=0.0, vector=0.8, both=0.0, single=True),
    "inpaint": Recipe(
        "inpaint", given=1.0, tokens=0.0, vector=0.0, both=0.0, masks=MaskShares(0.0, 0.0, tuple(FRAME)), norm=1
    ),
    # The paper's values, and what was chosen where paper and published code disagree:
    # - learning rate: "base 0.005, scaled by GPUs and batch" (Sec. 5.2) would diverge; the code's is 1e-5 x GPUs x 4.
    #   Ours is the code's: pass --lr 7.2e-4 for the paper's 18 GPUs with 4 clips each, after 10,000 steps of warm-up.
    # - dropping: 20 % (App. E.2) against 10 % in the code; ours is the paper's. It is done from the start, not in a
    #   second run as App. E.2 tells: one run is enough, and the code does the same.
    # - padding: the code pads short clips with silence, of which the paper says nothing; ours repeats them (at most
    #   30 % silence): padding teaches the network to be quiet.
    # - crop: the code keeps the first frames of a clip, Table 6 only gives the size; ours is a random stretch.
    # - the empty text: the code encodes "", the paper speaks of an empty sequence; ours is a learned token.
    # - attention to padding: the code attends to it, the paper says nothing; as configured in `TextConfig.mask_pads`.
    # - the latent: the code's training takes a posterior sample and scales by one batch; ours the mean, scaled by the
    #   whole pool, so that training and sampling see the same.
    # - averaging: neither has an EMA; ours has (--ema 0.9999 for 2M steps; --ema 0 is the last step's weights).
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


def between(tokens: Tensor, lengths: Tensor, others: Tensor, others_lengths: Tensor, share: Tensor) -> Tensor:
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
    if recipe.name in ("text", "paper"):
        return Context(context.tokens, context.mask, None, has_tokens, None)
    if recipe.name == "visual":
        return Context(None, None, context.vector, None, has_vector)
    return replace(context, has_tokens=has_tokens, has_vector=has_vector)
