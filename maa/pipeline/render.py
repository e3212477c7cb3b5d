"""From a prepared start to latents and waveforms: the path that every task shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.checkpoint import Model
from maa.diffusion.guidance import Denoiser, guided, keep_known
from maa.diffusion.noise import TakeNoise, take_seeds
from maa.diffusion.samplers import ddim, dpm_solver
from maa.diffusion.schedule import Schedule, timesteps
from maa.models.autoencoder import Autoencoder
from maa.models.context import Context
from maa.pipeline.request import OnStep, Sampling


@dataclass(frozen=True)
class Start:
    """What a task prepares: condition, length, and where the noise begins."""

    condition: Context  # for one take
    null: Context  # what guidance leads away from: nothing, or the negative prompt
    frames: int  # mel frames, a multiple of the config's frame_multiple
    first: int  # first timestep; -1 = no denoising
    steps: int  # number of denoising steps from there
    clean: Tensor | None = None  # [1, C, H, W] latent that the noise is added to; None = pure noise
    known: Tensor | None = None  # [1, C, H, W] latent of the masked sound, hole cells zero
    make: Tensor | None = None  # [1, 1, H, W], 1 = make new
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
        assert sampling.seed is not None
        seeds = take_seeds(sampling.seed, sampling.count)
        size = 1 if self.device.type == "cpu" else len(seeds)
        groups = [seeds[i : i + size] for i in range(0, len(seeds), size)]
        latents = []
        for index, group in enumerate(groups):
            report = None if on_step is None else self._report(on_step, index, len(groups))
            latents.append(self._sample(start, sampling, group, report))
        return torch.cat(latents), seeds

    def _report(self, on_step: OnStep, index: int, groups: int) -> Callable[[int, int, Tensor], None]:
        def report(step: int, total: int, z0: Tensor) -> None:
            def preview() -> NDArray[np.float32]:
                with torch.inference_mode():
                    mel = self.model.front.to_log10(self.autoencoder.decode(z0[:1]))
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
        seeds: tuple[int, ...],
        report: Callable[[int, int, Tensor], None] | None,
    ) -> Tensor:
        config = self.model.config
        columns = start.frames // config.autoencoder.factor
        shape = (config.autoencoder.latent_channels, config.latent_cells[0], columns)
        noise = TakeNoise(seeds, self.device)
        z = noise.draw(shape)
        if start.clean is not None:
            alpha, sigma = self.schedule.rates(start.first)
            z = alpha * start.clean + sigma * z
        if start.first < 0:
            return z
        denoiser = self._denoiser(start, sampling, len(seeds))
        steps = timesteps(start.first, start.steps)
        if sampling.sampler == "ddim":
            return ddim(denoiser, z, steps, self.schedule, report, eta=sampling.eta, noise=noise)
        return dpm_solver(denoiser, z, steps, self.schedule, report)

    def _denoiser(self, start: Start, sampling: Sampling, count: int) -> Denoiser:
        unet = self.model.unet
        assert unet is not None
        assert sampling.guidance is not None
        beside = self._beside(start) if unet.config.inpaints else None

        def network(z: Tensor, t: Tensor, context: Context) -> Tensor:
            if beside is not None:
                z = torch.cat([z, beside.expand(z.shape[0], -1, -1, -1)], dim=1)
            return unet(z, t, context)

        condition, null = start.condition.repeat(count), start.null.repeat(count)
        denoiser = guided(network, self.schedule, condition, null, sampling.guidance)
        if start.known is not None and start.make is not None:
            follow = start.make if start.follow is None else start.follow
            denoiser = keep_known(denoiser, self.schedule, start.known, follow)
        return denoiser

    def _beside(self, start: Start) -> Tensor:
        """The 5 extra channels of a network that inpaints: masked latent and mask (+1 = make new, -1 = keep)."""
        config = self.model.config
        if start.known is not None and start.make is not None:
            return torch.cat([start.known * (1.0 - start.make), 2.0 * start.make - 1.0], dim=1)
        columns = start.frames // config.autoencoder.factor
        beside = torch.zeros(1, config.autoencoder.latent_channels + 1, config.latent_cells[0], columns)
        beside[:, -1] = 1.0  # nothing is given, everything is to be made
        return beside.to(self.device)

    @torch.inference_mode()
    def mel_of(self, wave: NDArray[np.float32]) -> Tensor:
        """Mono waveform [n] at the model's rate to mel [1, 1, mels, ceil(n / hop)]; the last frame is padded."""
        spec = self.model.config.audio
        frames = max(1, -(-len(wave) // spec.hop))
        padded = np.zeros(frames * spec.hop, np.float32)
        padded[: len(wave)] = wave
        return self.model.front(torch.from_numpy(padded)[None].to(self.device))[..., :frames]

    @torch.inference_mode()
    def decode(self, z: Tensor) -> Tensor:
        """Latents to mels [takes, 1, mels, frames], one at a time."""
        return torch.cat([self.autoencoder.decode(row[None]) for row in z])

    @torch.inference_mode()
    def vocode(self, mel: Tensor) -> NDArray[np.float32]:
        """Mels to waveforms [takes, samples], one at a time."""
        vocoder = self.model.vocoder
        assert vocoder is not None
        waves = [vocoder(self.model.front.to_vocoder(row[None])) for row in mel]
        return torch.cat(waves).float().cpu().numpy()

    @torch.inference_mode()
    def scores(self, waves: NDArray[np.float32], prompt: str) -> tuple[float, ...] | None:
        """CLAP cosine of each whole waveform [takes, samples] to the prompt; None where it cannot be judged."""
        model = self.model
        if not prompt or model.clap is None or model.clap_audio is None or model.text is None:
            return None
        context = model.text.encode([prompt])
        assert context.tokens is not None
        text = model.clap.embed_text(context.tokens, context.mask)
        rate = model.config.audio.sample_rate
        sound = torch.cat(
            [model.clap_audio.embed(torch.from_numpy(wave)[None].to(self.device), rate) for wave in waves]
        )
        return tuple(float(x) for x in model.clap.embed_audio(sound) @ text[0])
