"""How sounds are made: every setting once, with its default, range, label and help. `tasks` has those of one task.

To add one, declare a field here and use it where it acts. Command line, endpoints, page, saved settings and copied
commands follow by themselves. The wording of a field is what all of them say.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from maa.config import SCALARS, ModelConfig
from maa.pipeline.setting import (
    ADVANCED,
    SOUND,
    TAB,
    Choice,
    Number,
    OptionGroup,
    Switch,
    Whole,
    declare,
    read_options,
    settings_of,
)

MAX_STEPS, MAX_TAKES = 1000, 8
MAX_EXTENSION = 30.0  # seconds at each end of a sound
SEEDS = 2**32
MIX_DB = -6.0  # level of a clip's own sound when it is mixed in, and nothing else is said

QUALITIES = {"instant": "Instant", "fine": "Fine"}
AS_MADE = "as-made"
LOUDNESS = {AS_MADE: "As made", "-23": "−23 LUFS (broadcast)", "-18": "−18 LUFS", "peak": "Peak −1 dBTP"}
ORIGINALS = {"replace": "Replace", "mix": "Mix", "keep": "Keep as the first of two tracks"}


def _samplers() -> dict[str, str]:
    from maa.diffusion.samplers import SAMPLERS  # here, because it brings NumPy

    return {name: sampler.label for name, sampler in SAMPLERS.items()}


@dataclass(frozen=True)
class Sampling(OptionGroup):
    """How to sample, the same for every task.

    Raises:
        ValueError: a value outside its range, or two that do not go together.
    """

    steps: int = declare(  # None = as many as the quality takes
        None,
        Whole(
            help="denoising steps", low=1, high=MAX_STEPS, slider=(1, 200, 1), place=ADVANCED, always=True,
            label="Steps", info="Those of the quality, unless you choose.", open="the quality's",
        ),
    )  # fmt: skip
    guidance: float | None = declare(  # s of Eq. 2; 1 = no guidance (half the cost); None = the model's default
        None,
        Number(
            help="guidance scale, 1 = none", low=0.0, high=20.0, slider=(0.0, 12.0, 0.5), place=ADVANCED, always=True,
            label="Guidance", info="How closely to follow the prompt; 1 turns guidance and the negative prompt off.",
            metavar="S", native=lambda config: config.guidance, open="the model's",
        ),
    )  # fmt: skip
    seed: int | None = declare(  # of the first take; take k uses seed + k; None = a fresh one
        None, Whole(help="seed of the first take", low=0, high=SEEDS - 1, open="a fresh one", label="Seed", turn=1)
    )
    count: int = declare(
        1,
        Whole(
            name="takes", help="sounds to make, best first", low=1, high=MAX_TAKES, slider=(1, MAX_TAKES, 1),
            place=SOUND, label="Takes", info="Several at once, the best match first.", metavar="N", turn=1,
        ),
    )  # fmt: skip
    sampler: str = declare(  # "dpm++" = DPM-Solver++(2M), "ddim", "official" = the authors' DDIM and their seeds
        "dpm++",
        Choice(
            help="dpm++, ddim, or official: the authors' DDIM and their seeds", choices=_samplers, place=ADVANCED,
            half=True, always=True, label="Sampler",
        ),
    )  # fmt: skip
    eta: float = declare(
        0.0,
        Number(
            help="fresh noise in ddim", low=0.0, high=1.0, slider=(0.0, 1.0, 0.05), place=ADVANCED, half=True,
            label="Randomness of DDIM (eta)", api=False,
        ),
    )  # fmt: skip
    # With "official": personalise as the authors' script does, one step noisier than the network is told. To compare.
    mismatch: bool = declare(
        False,
        Switch(
            help="with --sampler official: one step noisier than the network is told, as the authors do it; to compare",
            api=False, only=("personalize",),
        ),
    )  # fmt: skip
    # With "official": the user's sound enters as a draw from the posterior, as in the authors' scripts, not its mean.
    posterior_sample: bool = declare(
        False,
        Switch(
            help="with --sampler official: your sound enters as a draw from the posterior, as the authors do it, "
            "not as its mean",
            api=False, only=("personalize", "inpaint"),
        ),
    )  # fmt: skip
    quality: str = declare(  # how many steps, where none are given
        "fine",
        Choice(
            help="instant: few steps, to try things out; fine: as good as it gets", choices=lambda: QUALITIES,
            radio=True, place=SOUND, label="Quality", turn=99,
        ),
    )  # fmt: skip
    density: float | None = declare(  # share of the time that sounds; None = open
        None,
        Number(
            help="how much of the time sounds: 0 = one event, 1 = many", low=0.0, high=1.0, slider=(0.0, 1.0, 0.05),
            place=SOUND, label="One ↔ many", turn=4, metavar="D", open="the model's choice",
            free="free", known=lambda config: config.unet.density,
            info="How much of the time sounds: a single event at 0, one after the other at 1.",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        from maa.diffusion.samplers import sampler_named  # here, because it brings NumPy

        sampler = sampler_named(self.sampler)
        if self.eta and not sampler.uses_eta:
            raise ValueError("eta adds noise in DDIM only; choose the sampler ddim, or leave eta at 0.")
        if self.mismatch and not sampler.candidates:
            raise ValueError("mismatch repeats a habit of the authors' sampler; choose the sampler official.")
        if self.posterior_sample and not sampler.published:
            raise ValueError("posterior_sample repeats a habit of the authors' scripts; choose the sampler official.")
        if self.keywords()["steps"] is None:
            object.__setattr__(self, "steps", sampler.usual[self.quality])
        sampler.check(self.steps)

    @property
    def tried(self) -> bool:
        """Whether this is one quick take, which has no other to be ranked with and should not wait for a judge."""
        return self.quality == "instant" and self.count == 1

    @property
    def scalars(self) -> dict[str, float | None]:
        """The conditions of one number each, by name; None = open."""
        return {name: getattr(self, name) for name in SCALARS}

    @classmethod
    def asked(cls, given: Mapping[str, Any]) -> Sampling:
        """As a page or a program asks for it: a seed of -1 or none is a fresh one, and what is no use is left out."""
        from maa.diffusion.samplers import SAMPLERS  # here, because it brings NumPy

        fields = dict(given)
        seed = fields.get("seed")
        if seed is None or (not isinstance(seed, bool) and isinstance(seed, int | float) and seed == -1):
            fields["seed"] = fresh_seed()
        name = fields.get("sampler", cls.sampler)
        unused = isinstance(name, str) and name in SAMPLERS and not SAMPLERS[name].uses_eta
        if unused or fields.get("eta") is None:
            fields["eta"] = 0.0  # a control that stays in the page while this sampler is chosen
        return read_options(cls, fields)

    def settled(self, config: ModelConfig) -> Sampling:
        """The same with the open choices made: a seed drawn, and the model's own numbers filled in."""
        found: dict[str, Any] = {
            one.field: one.native(config)
            for one in settings_of(Sampling)
            if one.native is not None and getattr(self, one.field) is None
        }
        return replace(self, **found, seed=fresh_seed() if self.seed is None else self.seed)


def fresh_seed() -> int:
    """A seed that nobody can foresee, 0 to 2**32 - 1."""
    return secrets.randbelow(SEEDS)


@dataclass(frozen=True)
class Filling(OptionGroup):
    """How a hole is filled.

    Raises:
        ValueError: a value outside its range.
    """

    strength: float = declare(  # 1 = from nothing; below, from the noised sound that lies there (Sec. 4.1)
        1.0,
        Number(
            help="1 fills from nothing; less keeps a trace of what lies there", low=0.0, high=1.0,
            slider=(0.0, 1.0, 0.01), place=TAB, label="Strength",
            info="1 makes the hole from nothing; less keeps a trace of what lies there.",
        ),
    )  # fmt: skip
    resampling: int = declare(  # times that the hole is noised half-way back and denoised again (cf. arXiv 2201.09865)
        0,
        Whole(
            help="rounds of going back half-way, for a closer fit", low=0, high=4, slider=(0, 4, 1), place=TAB,
            label="Rounds of refinement", info="Rounds of going back half-way, for a closer fit; slower.", metavar="N",
        ),
    )  # fmt: skip
    blend: float = declare(  # how far latent cells beside the hole may follow the network
        0.0,
        Number(
            help="how far latent cells beside the hole may follow the model; your samples stay anyway", low=0.0,
            high=1.0, slider=(0.0, 1.0, 0.05), place=TAB, label="Blend at the edge", metavar="X",
            info="How far the model may also change what touches the hole, while it works; your samples stay anyway.",
        ),
    )  # fmt: skip
    level_match: bool = declare(
        True, Switch(help="as loud as the neighbours say", place=TAB, label="As loud as its neighbours")
    )
    before: float = declare(
        0.0,
        Number(
            help="seconds to add in front of the sound", low=0.0, high=MAX_EXTENSION, place=TAB, half=True,
            label="Add before, in seconds", metavar="S",
        ),
    )  # fmt: skip
    after: float = declare(
        0.0,
        Number(
            help="seconds to add behind the sound", low=0.0, high=MAX_EXTENSION, place=TAB, half=True,
            label="Add after, in seconds", metavar="S",
        ),
    )  # fmt: skip

    @property
    def extends(self) -> bool:
        """Whether the result is longer than the source."""
        return self.before > 0 or self.after > 0


# What the page's buttons set: away with something, and something else in its place.
REMOVE = {"strength": 1.0, "resampling": 1}
REPLACE = {"strength": 1.0, "resampling": 0}


@dataclass(frozen=True)
class Soundtrack(OptionGroup):
    """What becomes of a clip's own sound."""

    original: str = declare(
        "replace",
        Choice(
            help="the clip's own sound: replace it, mix it in, or keep it as the first of two tracks", radio=True,
            choices=lambda: ORIGINALS, place=TAB, half=True, turn=2, always=True, label="The clip's own sound",
        ),
    )  # fmt: skip
    original_db: float = declare(
        MIX_DB,
        Number(
            help="level of the clip's own sound in a mix", low=-60.0, high=12.0, unit="dB", slider=(-30.0, 6.0, 1.0),
            place=TAB, half=True, turn=2, always=True, label="Its level when mixed (dB)", metavar="DB",
        ),
    )  # fmt: skip
