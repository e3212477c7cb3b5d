"""From a prepared start to latents and waveforms: the path that every task shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.checkpoint import Model
from maa.diffusion import official
from maa.diffusion.guidance import Denoiser, guided, keep_known
from maa.diffusion.noise import Noise, TakeNoise, take_seeds
from maa.diffusion.samplers import ddim, dpm_solver
from maa.diffusion.schedule import Schedule, timesteps
from maa.diffusion.windows import Span, piecewise, plan, windowed
from maa.dsp import whole_frames
from maa.models.autoencoder import Autoencoder
from maa.models.context import Context, Prepared
from maa.pipeline.conditions import with_density
from maa.pipeline.request import OnStep, Sampling

OVERLAP = 16  # latent columns that two windows of a long sound share: 2 s


@dataclass(frozen=True)
class Part:
    """One window of a long sound, in latent columns, and what it listens to."""

    span: Span
    condition: Context
    null: Context


@dataclass(frozen=True)
class Start:
    """What a task prepares: condition, length, and where the noise begins."""

    condition: Context  # for one take
    null: Context  # what guidance leads away from: nothing, or the negative prompt
    frames: int  # mel frames, a multiple of the config's frame_multiple
    first: int  # first timestep; -1 = no denoising
    steps: int  # number of denoising steps from there
    clean: Tensor | None = None  # [1, C, H, W] latent that the noise is added to; None = pure noise
    known: Tensor | None = None  # [1, C, H, W] latent of the sound with its hole filled
    make: Tensor | None = None  # [1, 1, H, W], 1 = make new
    parts: tuple[Part, ...] = ()  # the windows of a sound longer than the model's own; they replace the condition
    follow: Tensor | None = None  # [1, 1, H, W], how far each cell follows the network, 0..1; None = `make`


class Renderer:
    """Samples, decodes and vocodes with one model on one device."""

    def __init__(self, model: Model, device: torch.device) -> None:
        self.model = model
        self.device = device
        self.schedule = Schedule(model.config.schedule)

    def takes(self, start: Start, sampling: Sampling, on_step: OnStep | None) -> tuple[Tensor, tuple[int, ...]]:
        """Latents [takes, C, H, W] and their seeds.

        On the CPU takes run one at a time, so that a take's bytes do not depend on how many were asked for.
        """
        size = 1 if self.device.type == "cpu" else sampling.count
        groups = [range(i, min(i + size, sampling.count)) for i in range(0, sampling.count, size)]
        latents = []
        for index, group in enumerate(groups):
            report = None if on_step is None else self._report(on_step, index, len(groups))
            latents.append(self._sample(start, sampling, group, report))
        return torch.cat(latents), seeds_of(sampling)

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
        assert self.model.autoencoder is not None
        return self.model.autoencoder

    @torch.inference_mode()
    def _sample(
        self,
        start: Start,
        sampling: Sampling,
        takes: Sequence[int],
        report: Callable[[int, int, Tensor], None] | None,
    ) -> Tensor:
        config = self.model.config
        columns = start.frames // config.autoencoder.factor
        noise = self._noise(sampling, takes)
        z = noise.draw((config.autoencoder.latent_channels, config.latent_cells[0], columns))
        level, steps = self._plan(start, sampling)
        if start.clean is not None:
            alpha, sigma = self.schedule.rates(level)
            z = alpha * start.clean + sigma * z
        if not steps:
            return z
        denoiser = self._denoiser(start, sampling, len(takes))
        if sampling.sampler == "dpm++":
            return dpm_solver(denoiser, z, steps, self.schedule, report)
        end = official.END if sampling.sampler == "official" else -1
        return ddim(denoiser, z, steps, self.schedule, report, eta=sampling.eta, noise=noise, end=end)

    def _noise(self, sampling: Sampling, takes: Sequence[int]) -> Noise:
        assert sampling.seed is not None
        if sampling.sampler == "official":
            return official.CandidateNoise(sampling.seed, takes, self.device)
        seeds = seeds_of(sampling)
        return TakeNoise([seeds[take] for take in takes], self.device)

    def _plan(self, start: Start, sampling: Sampling) -> tuple[int, list[int]]:
        """The noise level to start from, and the timesteps to run; -1 and none when nothing is to be denoised."""
        if start.first < 0:
            return -1, []
        if sampling.sampler != "official":
            return start.first, timesteps(start.first, start.steps)
        length = self.model.config.schedule.steps
        every = official.timesteps(sampling.steps, length)
        steps = official.strength_steps((start.first + 1) / length, every)
        return official.start_step(steps, every, sampling.mismatch), steps

    def _denoiser(self, start: Start, sampling: Sampling, count: int) -> Denoiser:
        if start.parts:
            factor = self.model.config.autoencoder.factor
            inner = []
            for part in start.parts:
                frames = (part.span[1] - part.span[0]) * factor
                one = replace(start, condition=part.condition, null=part.null, frames=frames, parts=())
                inner.append(self._denoiser(one, sampling, count))
            return windowed([part.span for part in start.parts], inner)
        unet = self.model.unet
        assert unet is not None
        assert sampling.guidance is not None
        beside = self._beside(start) if unet.config.inpaints else None

        def network(z: Tensor, t: Tensor, context: Context | Prepared) -> Tensor:
            if beside is not None:
                z = torch.cat([z, beside.expand(z.shape[0], -1, -1, -1)], dim=1)
            return unet(z, t, context)

        heard = with_density(start.condition, sampling.density, self.device)  # guidance leads away from none
        condition, null = (self.prepare(one.repeat(count), count) for one in (heard, start.null))
        denoiser = guided(network, self.schedule, condition, null, sampling.guidance)
        if start.known is not None and start.make is not None:
            follow = start.make if start.follow is None else start.follow
            denoiser = keep_known(denoiser, self.schedule, start.known, follow)
        return denoiser

    def prepare(self, context: Context, count: int) -> Context | Prepared:
        """What of `count` conditions depends on neither latent nor timestep, computed once for all steps."""
        assert self.model.unet is not None
        return self.model.unet.prepare(context, count)

    def _beside(self, start: Start) -> Tensor:
        """The 5 extra channels of a network that inpaints: masked latent and mask (+1 = make new, -1 = keep)."""
        config = self.model.config
        if start.known is not None and start.make is not None:
            known = start.known if config.unet.hole == "silence" else start.known * (1.0 - start.make)
            return torch.cat([known, 2.0 * start.make - 1.0], dim=1)
        columns = start.frames // config.autoencoder.factor
        beside = torch.zeros(1, config.autoencoder.latent_channels + 1, config.latent_cells[0], columns)
        beside[:, -1] = 1.0  # nothing is given, everything is to be made
        return beside.to(self.device)

    @torch.inference_mode()
    def mel_of(self, wave: NDArray[np.float32]) -> Tensor:
        """Mono waveform [n] at the model's rate to mel [1, 1, mels, ceil(n / hop)]; the last frame is padded."""
        hop = self.model.config.audio.hop
        padded = whole_frames(wave, hop)
        return self.model.front(torch.from_numpy(padded)[None].to(self.device))[..., : len(padded) // hop]

    @torch.inference_mode()
    def encode(self, wave: NDArray[np.float32], frames: int) -> Tensor:
        """Mono waveform [n] at the model's rate, cut or followed by silence, to its latent [1, C, H, frames / 8]."""
        return self.autoencoder.encode(self.mel_of(whole_frames(wave, self.model.config.audio.hop, frames)))

    @torch.inference_mode()
    def decode(self, z: Tensor) -> Tensor:
        """Latents to mels [takes, 1, mels, frames], one at a time; a long one window by window."""
        factor, spans = self.model.config.autoencoder.factor, self.spans(z.shape[-1])
        return torch.cat([piecewise(row[None], spans, self.autoencoder.decode, factor) for row in z])

    def spans(self, columns: int) -> list[Span]:
        """The windows of a latent of `columns`: one, unless it is longer than the model's own."""
        return plan(columns, self.model.config.latent_cells[1], OVERLAP)

    @torch.inference_mode()
    def vocode(self, mel: Tensor) -> NDArray[np.float32]:
        """Mels to waveforms [takes, samples], one at a time; a long one window by window, to spare memory."""
        factor, hop = self.model.config.autoencoder.factor, self.model.config.audio.hop
        spans = [(factor * first, factor * last) for first, last in self.spans(mel.shape[-1] // factor)]
        waves = [piecewise(row[None], spans, self.model.vocode, hop) for row in mel]
        return torch.cat(waves).float().cpu().numpy()

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


def seeds_of(sampling: Sampling) -> tuple[int, ...]:
    """Seed of each take: the given one and its successors; the official sampler's candidates share one seed."""
    assert sampling.seed is not None
    if sampling.sampler == "official":
        return (sampling.seed,) * sampling.count
    return take_seeds(sampling.seed, sampling.count)
