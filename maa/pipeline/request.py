"""What a person may ask for, and the checks that turn a mistake into one sentence."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maa.audio.finish import AS_MADE, LOUDNESS
from maa.diffusion.samplers import sampler_named

MAX_STEPS = 1000
MAX_GUIDANCE = 20.0
MAX_TAKES = 8
MAX_PROMPT = 1000  # characters
MIN_SECONDS, MAX_SECONDS = 0.5, 30.0
MAX_WORDS = 20  # that a picture may be heard as

# step (1..total), total, and a function that gives the mel [mels, T] (log10) as it would sound now
OnStep = Callable[[int, int, Callable[[], NDArray[np.float32]]], None]


class Cancelled(Exception):  # noqa: N818 - a signal from the caller, not an error
    """Raise from `on_step` to stop a generation within that step."""


@dataclass(frozen=True)
class Sampling:
    """How to sample, the same for every task."""

    steps: int = 25  # denoising steps, 1..1000
    guidance: float | None = None  # s of Eq. 2, 0..20; 1 = no guidance (half the cost); None = the model's default
    seed: int | None = None  # of the first take, 0..2^32-1; take k uses seed + k; None = a fresh one
    count: int = 1  # takes, 1..8
    sampler: str = "dpm++"  # "dpm++" = DPM-Solver++(2M), "ddim", "official" = the authors' DDIM and their seeds
    eta: float = 0.0  # fresh noise in DDIM, 0..1
    # With "official": personalise as the authors' script does, one step noisier than the network is told. To compare.
    mismatch: bool = False
    density: float | None = None  # share of the time that sounds, 0 (one event) .. 1 (many); None = open

    def __post_init__(self) -> None:
        check_whole("steps", self.steps, 1, MAX_STEPS)
        check_whole("takes", self.count, 1, MAX_TAKES)
        if self.seed is not None:
            check_whole("seed", self.seed, 0, 2**32 - 1)
        if self.guidance is not None:
            check_number("guidance", self.guidance, 0.0, MAX_GUIDANCE)
        check_number("eta", self.eta, 0.0, 1.0)
        if self.density is not None:
            check_number("density", self.density, 0.0, 1.0)
        sampler = sampler_named(self.sampler)
        if self.eta and not sampler.uses_eta:
            raise ValueError("eta adds noise in DDIM only; choose the sampler ddim, or leave eta at 0.")
        if self.mismatch and not sampler.candidates:
            raise ValueError("mismatch repeats a habit of the authors' sampler; choose the sampler official.")
        sampler.check(self.steps)

    def settled(self, guidance: float) -> Sampling:
        """The same with the open choices made: a seed drawn, the model's guidance filled in."""
        seed = secrets.randbelow(2**32) if self.seed is None else self.seed
        return replace(self, seed=seed, guidance=guidance if self.guidance is None else float(self.guidance))


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """A whole number within its limits, or ValueError with the name."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")


def check_number(name: str, value: object, low: float, high: float) -> None:
    """A number within its limits, or ValueError with the name."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating)) or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.")


def check_prompt(prompt: str, *, name: str = "prompt", needed: bool = False) -> str:
    """The prompt with white space tidied; ValueError when it is empty but needed, or too long."""
    if not isinstance(prompt, str):
        raise ValueError(f"The {name} must be text, not {type(prompt).__name__}.")
    tidy = " ".join(prompt.split())
    if needed and not tidy:
        raise ValueError(f"The {name} is empty; describe the sound you want, for example: a dog barks twice.")
    if len(tidy) > MAX_PROMPT:
        raise ValueError(f"The {name} has {len(tidy):,} characters; use at most {MAX_PROMPT:,}.")
    return tidy


def check_seconds(seconds: float | None) -> None:
    """None, or a length the model can be asked for."""
    if seconds is not None:
        check_number("seconds", seconds, MIN_SECONDS, MAX_SECONDS)


def check_loudness(loudness: object, *, fixed: bool = False) -> str:
    """One of `LOUDNESS`; -23 and -18 may come as numbers.

    Args:
        loudness: what was asked for.
        fixed: the task keeps the user's own samples, so that nothing but "as-made" will do.
    """
    number = isinstance(loudness, int | float | np.number) and not isinstance(loudness, bool)
    name = f"{loudness:g}" if number else loudness
    if not isinstance(name, str) or name not in LOUDNESS:
        raise ValueError(f"loudness must be one of {', '.join(LOUDNESS)}, not {loudness!r}.")
    if fixed and name != AS_MADE:
        raise ValueError(
            f"Inpainting keeps your own samples as they are, so its loudness can only be {AS_MADE}, not {name}."
        )
    return name


def check_words(words: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Sounds that a person hears in a picture: at most 20, with weights above 0 that are made to add up to 1."""
    if not isinstance(words, Sequence) or len(words) > MAX_WORDS:
        raise ValueError(f"Give at most {MAX_WORDS} words, each with its weight.")
    pairs: list[tuple[str, float]] = []
    for pair in words:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise ValueError("Each word should come with its weight, such as ('rain', 0.5).")
        word, weight = check_prompt(pair[0], name="word", needed=True), pair[1]
        check_number("The weight of a word", weight, 0.0, 1e6)
        if weight > 0:
            pairs.append((word, float(weight)))
    if words and not pairs:
        raise ValueError("Every word has weight 0; give at least one of them more.")
    total = sum(weight for _, weight in pairs)
    if abs(total - 1) > 0.01:  # weights that this function gave out come back as they are
        pairs = [(word, round(weight / total, 4)) for word, weight in pairs]
    return sorted(pairs, key=lambda pair: -pair[1])


def check_t0(t0: float) -> None:
    """The share of the noise schedule that personalisation goes back, 0..1 (Sec. 4.1)."""
    if isinstance(t0, bool) or not isinstance(t0, (int, float, np.floating)) or not math.isfinite(t0):
        raise ValueError(f"t0 must be a number from 0 to 1, not {t0!r}.")
    if not 0.0 <= t0 <= 1.0:
        raise ValueError(f"t0 must lie between 0 (keep the sound) and 1 (follow the prompt), not {t0:g}.")
