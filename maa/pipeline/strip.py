"""The paper's Figure 5 for a sound of one's own: what each t0 keeps of the sound and gives of the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.io import to_audio
from maa.diffusion.samplers import sampler_named
from maa.diffusion.schedule import Schedule
from maa.pipeline.options import Sampling
from maa.pipeline.result import Generation
from maa.pipeline.steps import OnStep

if TYPE_CHECKING:
    from maa.pipeline.pipeline import MakeAnAudio

T0S = (0.1, 0.2, 0.35, 0.5, 0.8)  # three of them within what the paper recommends, 0.2 to 0.5


@dataclass(frozen=True)
class Strip(Generation):
    """One take for each t0, in their order. `scores` is faithfulness: CLAP of each take to the prompt."""

    points: tuple[Generation, ...] = ()
    realism: tuple[float, ...] = ()  # 1 - MSE of the take's mel to the upload's, both on the 0..1 scale of 100 dB

    @property
    def ranked(self) -> bool:
        """They lie in the order of their t0."""
        return False

    def settings_of(self, take: int = 0) -> dict[str, Any]:
        """The settings that make this one take, its own t0 among them."""
        return self.points[take].settings_of(0)

    def notes(self, take: int) -> list[list[str]]:
        """Its t0, and how near it is to the upload."""
        return [["t0", f"{self.settings_of(take)['t0']:g}"], ["1 − MSE", f"{self.realism[take]:.3f}"]]


def strip(
    maa: MakeAnAudio,
    audio: Any,
    prompt: str,
    sampling: Sampling,
    values: Sequence[float] = T0S,
    *,
    on_step: OnStep | None = None,
    **how: Any,
) -> Strip:
    """Personalise one sound at several t0 with one seed (Sec. 4.1, Figure 5).

    Args:
        maa: the pipeline.
        audio: as for `MakeAnAudio.personalize`.
        prompt: what to lead towards.
        sampling: how; one take is made for each t0.
        values: the t0, 0..1 each.
        on_step: progress over all of them.
        how: what else `MakeAnAudio.personalize` may be asked.
    """
    source = to_audio(audio)
    settled = replace(sampling.settled(maa.config), count=1)
    sampler, schedule = sampler_named(settled.sampler), Schedule(maa.config.schedule)
    totals = [len(sampler.timesteps(t0, settled.steps, schedule)) for t0 in values]
    points: list[Generation] = []
    for index, t0 in enumerate(values):
        report = None if on_step is None else _within(on_step, sum(totals[:index]), sum(totals))
        points.append(maa.personalize(source, prompt, settled, t0=t0, on_step=report, **how))
    start = how.get("start", 0.0)
    first, last = (round(s * source.sample_rate) for s in (start, start + maa.config.audio.seconds))
    upload = maa.spectrogram(replace(source, samples=source.samples[:, first:last]))
    scores = [point.scores[0] for point in points if point.scores is not None]
    return Strip(
        audio=np.concatenate([point.audio for point in points]),
        sample_rate=points[0].sample_rate,
        mel=np.concatenate([point.mel for point in points]),
        seeds=tuple(point.seeds[0] for point in points),
        scores=tuple(scores) if len(scores) == len(points) else None,
        settings=points[0].settings,
        points=tuple(points),
        realism=tuple(likeness(point.mel[0], upload) for point in points),
    )


def likeness(mel: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """1 - MSE of two log10 mels [mels, frames] over the frames that both have; -80 to +20 dB count as 0 to 1."""
    frames = min(mel.shape[1], other.shape[1])
    a, b = (np.clip((20.0 * one[:, :frames] + 80.0) / 100.0, 0.0, 1.0) for one in (mel, other))
    return 1.0 - float(np.mean((a - b) ** 2))


def _within(on_step: OnStep, before: int, total: int) -> OnStep:
    """Progress of one t0 within all of them."""

    def report(step: int, _: int, preview: Any) -> None:
        on_step(before + step, total, preview)

    return report
