"""From waveforms to takes: their finish, their order, and the settings that only one of them has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio import finish
from maa.audio.loudness import silence_share
from maa.pipeline.render import Renderer
from maa.pipeline.sustained import names_sustained
from maa.pipeline.tasks import check_loudness

STEP = 0.1  # share of silence within which takes are ranked by CLAP alone


@dataclass(frozen=True)
class Wish:
    """How takes should leave, and what they are judged by."""

    loudness: str = finish.AS_MADE
    level: float | None = None  # LUFS of the user's own sound, which takes that stay "as-made" are brought to
    scored_by: str | None = None  # the prompt that CLAP scores them by; None = the request's own
    raw: bool = False  # as the vocoder made them, without fades at their ends
    loop: bool = False  # without such fades, too
    gaps: bool = False  # silence is meant, so that no take is worse for it
    judged: bool = True  # CLAP says how well they fit the prompt


def wish(loudness: object, *, fixed: bool = False, loop: bool = False) -> Wish:
    """What a caller asks for, checked; `fixed` as in `check_loudness`."""
    return Wish(check_loudness(loudness, fixed=fixed), loop=loop)


@dataclass(frozen=True)
class Takes:
    """Waveforms in the order of the result, best first."""

    waves: NDArray[np.float32]  # [takes, samples]
    order: list[int]  # which one each of them was
    scores: tuple[float, ...] | None
    facts: tuple[dict[str, Any], ...]  # what each adds to its settings


def finished(renderer: Renderer, waves: NDArray[np.float32], prompt: str, wish: Wish) -> Takes:
    """Takes [takes, samples] as the vocoder made them, finished and ranked.

    They are judged before their loudness is changed, so that the order does not depend on it. CLAP ranks them; where
    the prompt names a sound that goes on, those with holes go behind those without, in steps of a tenth of silence.
    """
    rate, model = renderer.model.config.audio.sample_rate, renderer.model
    made = [finish.raw(wave[None]) if wish.raw else finish.clean(wave[None], rate, not wish.loop) for wave in waves]
    plain = np.concatenate([one.samples for one in made])
    prompt = prompt if wish.scored_by is None else wish.scored_by
    scores = renderer.scores(plain, prompt) if wish.judged else None
    steady = not wish.gaps and names_sustained(prompt, model.sustained, model.concepts)
    silent = [silence_share(wave, rate) for wave in plain] if steady else None
    made = [one.then(finish.levelled(one.samples, rate, wish.loudness, wish.level)) for one in made]
    facts = [one.to_settings() for one in made]
    if silent is not None:
        facts = [{**fact, "silence": round(share, 3)} for fact, share in zip(facts, silent, strict=True)]
    order = ranked(len(waves), scores, silent)
    return Takes(
        waves=np.concatenate([made[k].samples for k in order]),
        order=order,
        scores=tuple(scores[k] for k in order) if scores else None,
        facts=tuple(facts[k] for k in order),
    )


def ranked(count: int, scores: Sequence[float] | None, silent: Sequence[float] | None = None) -> list[int]:
    """Takes from the best to the worst: those without holes, by their scores, then by how much of them is silent."""

    def key(take: int) -> tuple[int, float]:
        holes = 0 if silent is None else int(np.ceil(silent[take] / STEP))
        return holes, 0.0 if not scores else -scores[take]

    return sorted(range(count), key=key)
