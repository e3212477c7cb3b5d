"""From a prepared start to latents and waveforms: the path that every task shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.checkpoint import Model, present
from maa.diffusion import official
from maa.diffusion.anchor import anchored
from maa.diffusion.circle import circular
from maa.diffusion.denoiser import Denoiser, guided, keep_known
from maa.diffusion.noise import Noise, RowNoise
from maa.diffusion.samplers import sampler_named
from maa.diffusion.schedule import Schedule
from maa.diffusion.solvers import Solver, run
from maa.diffusion.wavefront import Front, OnColumns, in_fronts, one_by_one, reach, step_by_step, swept
from maa.diffusion.windows import Answer, Span, piecewise, plan, windowed
from maa.dsp import whole_frames
from maa.models.autoencoder import Autoencoder
from maa.models.context import Context, Prepared, batched
from maa.models.unet import UNet
from maa.pipeline.conditioning import Pair, with_scalars
from maa.pipeline.options import Sampling
from maa.pipeline.steps import OnStep

Value = TypeVar("Value")
OVERLAP = 16  # latent columns that two windows of a long sound share: 2 s
TOGETHER = 16  # windows of a long sound that a GPU works on at once
REMEMBERED = 64  # windows whose conditions are kept prepared


@dataclass(frozen=True)
class Part:
    """One window of a long sound, in latent columns, with its condition and null."""

    span: Span
    condition: Context
    null: Context


@dataclass(frozen=True)
class Start:
    """What a task prepares: condition, length, and where the noise begins."""

    condition: Context  # for one take, or a row for each
    null: Context  # what it is led away from (Eq. 2)
    frames: int  # mel frames, a multiple of the config's frame_multiple
    strength: float = 1.0  # share of the noise schedule that is run, 0..1; 0 = no denoising
    clean: Tensor | None = None  # [1, C, H, W] latent that the noise is added to; None = pure noise
    parts: tuple[Part, ...] = ()  # the windows of a sound longer than the model's own; they replace the condition
    follow: Tensor | None = None  # [1, 1, H, W], how far each cell of a hole follows the network, 0..1; None = its mask
    held: bool = True  # whether the known sound is set again at every step (Sec. 4.2); the authors' demo does not
    loop: bool = False  # whether the last column is followed by the first
    each: bool = False  # condition and null have a row for each take, and not one for all

    @property
    def free(self) -> bool:
        """Whether all comes from noise: no sound of a person's says what it has to be like."""
        return self.clean is None and all(part.condition.known is None for part in self.parts)

    @property
    def firsts(self) -> list[int]:
        """For each window the first one with the same condition."""
        kinds = [id(part.condition) for part in self.parts]
        return [kinds.index(kind) for kind in kinds]


def window_parts(spans: Sequence[Span], contexts: Sequence[tuple[Context, Context]]) -> tuple[Part, ...]:
    """Windows with their conditions and nulls; none when there is only one. A single pair serves all windows."""
    if len(spans) == 1:
        return ()
    every = list(contexts) * len(spans) if len(contexts) == 1 else contexts
    return tuple(Part(span, *pair) for span, pair in zip(spans, every, strict=True))


class Renderer:
    """Samples, decodes and vocodes with one model on one device."""

    def __init__(self, model: Model, device: torch.device) -> None:
        self.model = model
        self.device = device
        self.schedule = Schedule(model.config.schedule)

    def takes(
        self, start: Start, sampling: Sampling, on_step: OnStep | None, on_columns: OnColumns | None = None
    ) -> tuple[Tensor, tuple[int, ...]]:
        """Latents [takes, C, H, W] and their seeds.

        On the CPU takes run one at a time, so that a take's bytes do not depend on how many were asked for, and so do
        the windows of a long sound. There `on_columns` hears of the first take, whose columns are done from left to
        right, before the others are begun.
        """
        size = 1 if self.device.type == "cpu" else sampling.count
        groups = [range(i, min(i + size, sampling.count)) for i in range(0, sampling.count, size)]
        latents = []
        for index, group in enumerate(groups):
            report = None if on_step is None else self._report(on_step, index, len(groups))
            latents.append(self._sample(start, sampling, group, report, None if index else on_columns))
        return torch.cat(latents), sampler_named(sampling.sampler).seeds(decided(sampling.seed, "seed"), sampling.count)

    def _report(self, on_step: OnStep, index: int, groups: int) -> Callable[[int, int, Tensor], None]:
        def report(step: int, total: int, z0: Tensor) -> None:
            def preview() -> NDArray[np.float32]:
                with torch.inference_mode():
                    mel = self.model.front.to_log10(self.decode(z0[:1]))
                return mel[0, 0].float().cpu().numpy()

            on_step(index * total + step, groups * total, preview)

        return report

    @property
    def autoencoder(self) -> Autoencoder:
        """The autoencoder, present by the time anything renders."""
        return present(self.model.autoencoder, "autoencoder")

    @property
    def unet(self) -> UNet:
        """The denoising network, present as well."""
        return present(self.model.unet, "denoising network")

    @torch.inference_mode()
    def _sample(
        self,
        start: Start,
        sampling: Sampling,
        takes: Sequence[int],
        report: Callable[[int, int, Tensor], None] | None,
        on_columns: OnColumns | None = None,
    ) -> Tensor:
        noise = sampler_named(sampling.sampler).noise(decided(sampling.seed, "seed"), takes, self.device)
        return self._denoise(start, sampling, noise, len(takes), report, on_columns)

    @torch.inference_mode()
    def batch(self, pairs: Sequence[Pair], seeds: Sequence[int], frames: int, sampling: Sampling) -> Tensor:
        """Latents [B, C, H, W] of B conditions at once, each with its own seed: single takes, but for rounding.

        Args:
            pairs: condition and null of each, one row.
            seeds: of each.
            frames: mel frames of all, a multiple of the config's frame_multiple.
            sampling: settled; its own seed and count are not looked at.
        """
        condition, null = (batched([pair[side] for pair in pairs]) for side in (0, 1))
        spans = self.spans(frames // self.model.config.autoencoder.factor, sampling)
        start = Start(condition, null, frames, parts=window_parts(spans, [(condition, null)]), each=True)
        noise = RowNoise([sampler_named(sampling.sampler).noise(seed, [0], self.device) for seed in seeds])
        return self._denoise(start, sampling, noise, len(seeds))

    def _denoise(
        self,
        start: Start,
        sampling: Sampling,
        noise: Noise,
        count: int,
        report: Callable[[int, int, Tensor], None] | None = None,
        on_columns: OnColumns | None = None,
    ) -> Tensor:
        config = self.model.config
        columns = start.frames // config.autoencoder.factor
        sampler = sampler_named(sampling.sampler)
        z = noise.draw((config.autoencoder.latent_channels, config.latent_cells[0], columns))
        steps = sampler.timesteps(start.strength, sampling.steps, self.schedule)
        if start.clean is not None:
            alpha, sigma = self.schedule.rates(self._level(steps, sampling))
            z = alpha * start.clean + sigma * z
        if not steps:
            return z
        solver = sampler.solver(steps, self.schedule, sampling.eta)
        if not start.parts:
            denoiser = self._denoiser(start, sampling, count)
            return run(solver, circular(denoiser) if start.loop else denoiser, z, noise, report)
        spans, answer = [part.span for part in start.parts], self._answer(start, sampling, count)
        if start.loop:
            return run(solver, circular(windowed(spans, answer)), z, noise, report)
        fronts = self._fronts(spans, solver, on_columns is not None)
        return swept(spans, fronts, answer, solver, z, noise, report, on_columns)

    def _fronts(self, spans: Sequence[Span], solver: Solver, heard: bool) -> Iterator[Front]:
        """In which order windows take their steps: one by one on the CPU, where a batch of them is no faster."""
        windows, steps = len(spans), len(solver.steps)
        if self.device.type == "cpu":
            return one_by_one(windows, steps, reach(spans))
        return in_fronts(windows, steps, reach(spans)) if heard else step_by_step(windows, steps, TOGETHER)

    def _answer(self, start: Start, sampling: Sampling, count: int) -> Answer:
        """The denoisers of a long sound's windows, alone or several as one batch."""

        @lru_cache(maxsize=REMEMBERED)
        def denoiser(*kinds: int) -> Denoiser:
            pairs = [(kind_of[kind].condition, kind_of[kind].null) for kind in kinds]
            if len(pairs) == 1:
                return self._denoiser(
                    replace(start, condition=pairs[0][0], null=pairs[0][1], parts=()), sampling, count
                )
            each = [[one if start.each else one.repeat(count) for one in pair] for pair in pairs]
            condition, null = (batched([pair[side] for pair in each]) for side in (0, 1))
            several = replace(start, condition=condition, null=null, parts=(), each=True)
            return self._denoiser(several, sampling, count * len(kinds))

        kind_of = {id(part.condition): part for part in start.parts}  # windows of one condition share a denoiser

        def answer(windows: Sequence[int], z: Tensor, t: Tensor) -> Tensor:
            return denoiser(*(id(start.parts[window].condition) for window in windows))(z, t)

        if start.free and not sampler_named(sampling.sampler).published:
            return anchored(answer, self.schedule, start.firsts)
        return answer

    def _level(self, steps: Sequence[int], sampling: Sampling) -> int:
        """The timestep whose noise a sound starts with: the first that is run, but for the authors' mismatch."""
        if not steps:
            return -1
        if not sampling.mismatch:
            return steps[0]
        return official.start_step(steps, official.official_timesteps(sampling.steps, self.schedule.config.steps), True)

    def steps_of(self, strength: float, sampling: Sampling) -> int:
        """How many steps a take of that strength is denoised in."""
        return len(sampler_named(sampling.sampler).timesteps(strength, sampling.steps, self.schedule))

    def _denoiser(self, start: Start, sampling: Sampling, count: int) -> Denoiser:
        guidance = decided(sampling.guidance, "guidance")
        full = with_scalars(start.condition, sampling.scalars, self.device)  # guidance leads away from none
        network, leading = self.unet, self.model.leading
        if sampling.quality == "instant" and leading is not None and start.null.empty:
            full = replace(full, guidance=torch.full((full.rows,), guidance, device=self.device))
            network, guidance = leading, 1.0  # it leads by itself, so it is asked once
        condition, null = (
            self.prepare(network, one if start.each else one.repeat(count), count) for one in (full, start.null)
        )
        denoiser = guided(network, self.schedule, condition, null, guidance)
        known, make = start.condition.known, start.condition.make
        if known is not None and make is not None and start.held:
            denoiser = keep_known(denoiser, self.schedule, known, make if start.follow is None else start.follow)
        return denoiser

    def prepare(self, network: UNet, context: Context, count: int) -> Context | Prepared:
        """What of `count` conditions depends on neither latent nor timestep, computed once for all steps."""
        return network.prepare(context, count)

    @torch.inference_mode()
    def mel_of(self, wave: NDArray[np.float32]) -> Tensor:
        """Mono waveform [n] at the model's rate to mel [1, 1, mels, ceil(n / hop)]; the last frame is padded."""
        hop = self.model.config.audio.hop
        padded = whole_frames(wave, hop)
        return self.model.front(torch.from_numpy(padded)[None].to(self.device))[..., : len(padded) // hop]

    def log10_mel_of(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mono waveform [n] at the model's rate to its log10 mel [mels, ceil(n / hop)]."""
        return self.model.front.to_log10(self.mel_of(wave))[0, 0].cpu().numpy()

    @torch.inference_mode()
    def encode(self, wave: NDArray[np.float32], frames: int) -> Tensor:
        """Mono waveform [n] at the model's rate, cut or followed by silence, to its latent [1, C, H, frames / 8]."""
        return self.autoencoder.encode(self.mel_of(whole_frames(wave, self.model.config.audio.hop, frames)))

    @torch.inference_mode()
    def decode(self, z: Tensor, spans: Sequence[Span] = ()) -> Tensor:
        """Latents to mels [takes, 1, mels, frames], one at a time; a long one window by window, in `spans`."""
        factor, spans = self.model.config.autoencoder.factor, spans or self.spans(z.shape[-1])
        return stacked([piecewise(row[None], spans, self.autoencoder.decode, factor) for row in z])

    def spans(self, columns: int, sampling: Sampling | None = None) -> list[Span]:
        """The windows of a latent of `columns`: one, unless it is longer than the model's own, or the sampler's."""
        longest = 0 if sampling is None else sampler_named(sampling.sampler).longest
        return plan(columns, columns if columns <= longest else self.model.config.latent_cells[1], OVERLAP)

    def spans_of(self, start: Start) -> list[Span]:
        """The windows that a start is denoised in."""
        whole = (0, start.frames // self.model.config.autoencoder.factor)
        return [part.span for part in start.parts] or [whole]

    @torch.inference_mode()
    def vocode(self, mel: Tensor, spans: Sequence[Span] = ()) -> NDArray[np.float32]:
        """Mels to waveforms [takes, samples], one at a time; a long one window by window, to spare memory.

        `spans` are the windows in latent columns.
        """
        factor, hop = self.model.config.autoencoder.factor, self.model.config.audio.hop
        spans = [(factor * first, factor * last) for first, last in spans or self.spans(mel.shape[-1] // factor)]
        waves = [piecewise(row[None], spans, self.model.vocode, hop) for row in mel]
        return stacked(waves).float().cpu().numpy()

    @torch.inference_mode()
    def scores(self, waves: NDArray[np.float32], prompt: str) -> tuple[float, ...] | None:
        """CLAP cosine of each whole waveform [takes, samples] to the prompt; None where it cannot be judged."""
        space = self.model.joint
        if not prompt or space is None or self.model.clap_audio is None:
            return None
        rate = self.model.config.audio.sample_rate
        clips = [torch.from_numpy(wave)[None].to(self.device) for wave in waves]
        sound = torch.cat([space.embed_audio(clip, rate) for clip in clips])
        return tuple(float(x) for x in sound @ space.embed_text([prompt])[0])


def stacked(rows: Sequence[Tensor]) -> Tensor:
    """Batches behind one another; a single one as it is, for it may be long."""
    return rows[0] if len(rows) == 1 else torch.cat(list(rows))


def decided(value: Value | None, name: str) -> Value:
    """An open choice that has been made by now (`Sampling.settled`).

    Raises:
        ValueError: it has not.
    """
    if value is None:
        raise ValueError(f"The {name} is still open; settle the sampling first.")
    return value
