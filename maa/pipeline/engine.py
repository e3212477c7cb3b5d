"""One network and what it can render: from prepared conditions to finished takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maa.audio.io import Audio
from maa.audio.sound import mono_at, resampled_count
from maa.checkpoint import Model
from maa.config import ModelConfig
from maa.diffusion.samplers import sampler_named
from maa.pipeline import conditioning, finishing, laying, looping, streaming
from maa.pipeline.conditioning import Pair
from maa.pipeline.events import length_of
from maa.pipeline.leading import Prompts
from maa.pipeline.length import fit_length, frames_for
from maa.pipeline.options import Sampling
from maa.pipeline.render import Renderer, Start, window_parts
from maa.pipeline.result import Generation
from maa.pipeline.steps import OnStep
from maa.pipeline.timeline import Placed
from maa.version import VERSION


@dataclass(frozen=True)
class Rendered:
    """Takes as they were made: waveforms [takes, samples], log10 mels [takes, mels, frames], and their seeds."""

    waves: NDArray[np.float32]
    pictures: NDArray[np.float32]
    seeds: tuple[int, ...]


class Engine:
    """A loaded network with its renderer, its settings and its limits. It keeps no state between calls."""

    def __init__(self, model: Model, renderer: Renderer, dtype: torch.dtype, made_by: dict[str, str]) -> None:
        """
        Args:
            model: on its device already, its U-Net computing in `dtype`.
            renderer: of that model.
            made_by: what every sound's settings say about the network: model, weights, and which expert it is.
        """
        self.model, self.renderer, self.dtype, self.made_by = model, renderer, dtype, made_by

    @property
    def config(self) -> ModelConfig:
        """What the network is: sizes, lengths, conventions."""
        return self.model.config

    def mono(self, source: Audio) -> NDArray[np.float32]:
        """A user's sound as mono [n] at the model's rate."""
        return mono_at(source.samples, source.sample_rate, self.config.audio.sample_rate)

    def frames_of(self, source: Audio) -> int:
        """Mel frames of a user's sound: the width a mask for it must have."""
        spec = self.config.audio
        return -(-resampled_count(source.samples.shape[1], source.sample_rate, spec.sample_rate) // spec.hop)

    def spectrogram(self, source: Audio) -> NDArray[np.float32]:
        """log10 mel of a user's sound, [mels, frames]."""
        return self.renderer.log10_mel_of(self.mono(source))

    def settled(self, sampling: Sampling) -> Sampling:
        """The same with the open choices made. ValueError where this network cannot be told what it is told."""
        for name, number in sampling.scalars.items():
            if number is not None and name not in self.config.unet.scalars:
                raise ValueError(f"The model {self.made_by['model']} was trained without {name}; leave {name} out.")
        return sampling.settled(self.config)

    def settings(self, task: str, sampling: Sampling, prompts: Prompts | Placed) -> dict[str, Any]:
        """What a sound's tags say of its making, JSON types."""
        return {
            "task": task,
            **prompts.to_settings(),
            **{
                name: value
                for name, value in sampling.to_settings().items()
                if value is not None and value is not False
            },
            "dtype": str(self.dtype).removeprefix("torch."),
            **self.made_by,
            "version": VERSION,
        }

    def from_text(self, prompts: Prompts) -> Pair:
        """Condition and null of one take."""
        return conditioning.from_text(self.model, prompts.text, prompts.negative)

    def generate(
        self,
        contexts: list[Pair],
        sampling: Sampling,
        seconds: float | None,
        settings: dict[str, Any],
        on_step: OnStep | None,
        wish: finishing.Wish,
    ) -> Generation:
        """From pure noise, `seconds` long: what is longer than the model's own length is made of windows."""
        length = self._length(seconds, settings)
        longest = length if wish.loop else sampler_named(sampling.sampler).longest
        frames = frames_for(self.config, length, longest)
        parts = window_parts(self.renderer.spans(frames // self.config.autoencoder.factor, sampling), contexts)
        start = Start(*contexts[0], frames, parts=parts, loop=wish.loop)
        return self.render(start, sampling, length, settings, on_step, wish)

    def render(
        self,
        start: Start,
        sampling: Sampling,
        length: int,
        settings: dict[str, Any],
        on_step: OnStep | None,
        wish: finishing.Wish,
    ) -> Generation:
        """From a prepared start to finished takes of `length` samples, best first."""
        judged = start.clean is not None or not sampling.tried
        wish = replace(wish, raw=sampler_named(sampling.sampler).published, judged=judged)
        first = streaming.growing(self.renderer, start, length, on_step, ends=not wish.raw)
        if first is None:
            latents, seeds = self.renderer.takes(start, sampling, on_step)
        else:
            latents, seeds = self.renderer.takes(start, sampling, on_step, first.grow)
        if start.loop:
            waves, mel = looping.rendered(self.renderer, latents, length)
        else:
            waves, mel = streaming.waves_and_mels(self.renderer, latents, self.renderer.spans_of(start), first)
            waves = fit_length(waves, length, self.config.audio.sample_rate)
        pictures = self.model.front.to_log10(mel)[:, 0].cpu().numpy()
        return self._finished(Rendered(waves, pictures, seeds), settings, wish)

    def from_words(
        self,
        prompts: Prompts | Placed,
        sampling: Sampling,
        seconds: float | None,
        settings: dict[str, Any],
        on_step: OnStep | None,
        wish: finishing.Wish,
    ) -> Generation:
        """Finished takes of one text, or of events each in its time; best first."""
        if isinstance(prompts, Prompts):
            return self.generate([self.from_text(prompts)], sampling, seconds, settings, on_step, wish)
        length = self._length(length_of(prompts.events, seconds, self.config.audio.seconds), settings)
        waves, seeds = laying.lay(self.renderer, prompts.heard, prompts.negative, sampling, length, on_step)
        pictures = np.stack([self.renderer.log10_mel_of(wave) for wave in waves])
        wish = replace(wish, gaps=True, judged=not sampling.tried)
        return self._finished(Rendered(waves, pictures, seeds), settings, wish)

    def _length(self, seconds: float | None, settings: dict[str, Any]) -> int:
        """Samples of a sound, None = as long as the model's own; the settings get to know it in seconds."""
        spec = self.config.audio
        settings["seconds"] = spec.seconds if seconds is None else float(seconds)
        return spec.samples if seconds is None else round(seconds * spec.sample_rate)

    def _finished(self, made: Rendered, settings: dict[str, Any], wish: finishing.Wish) -> Generation:
        seeds = made.seeds
        candidates = len(seeds) > 1 and len(set(seeds)) == 1
        takes = finishing.finished(self.renderer, made.waves, settings["prompt"], wish)
        return Generation(
            audio=takes.waves[:, None],
            sample_rate=self.config.audio.sample_rate,
            mel=made.pictures[takes.order],
            seeds=tuple(seeds[k] for k in takes.order),
            scores=takes.scores,
            settings={**settings, "loudness": wish.loudness, **({"loop": True} if wish.loop else {})},
            facts=tuple({**fact, "candidate": k + 1} for fact, k in zip(takes.facts, takes.order, strict=True))
            if candidates
            else takes.facts,
            together=len(seeds) > 1 and (self.renderer.device.type != "cpu" or candidates),
        )
