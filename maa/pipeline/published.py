"""What the authors' scripts do around their sampler, for results that can be compared with theirs number for number.

Their inpainting demo (`Inpaint` of AudioGPT) runs 848 frames of a sound that silence fills up, tells the network the
hole and does not hold it to the rest. Their personalisation (`audio2audio.py`) takes the mel-spectrogram of a whole
file and cuts or repeats its frames.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.audio import mask as masks
from maa.audio.io import Audio
from maa.audio.sound import mono_at
from maa.dsp import whole_frames
from maa.pipeline.filling import MaskLike
from maa.pipeline.holes import Conditions, Counter, Job
from maa.pipeline.options import Filling, Sampling
from maa.pipeline.render import Renderer, Start, decided
from maa.pipeline.stretches import Window


class PublishedJob(Job):
    """Inpainting as the authors' demo does it, window by window where a sound is longer than the 848 frames of theirs.

    What a hole is made of is theirs; into the user's own samples it goes as every other (`splice`).
    """

    def __init__(self, renderer: Renderer, source: Audio, mask: MaskLike, filling: Filling) -> None:
        super().__init__(renderer, source, mask, filling)
        self.loud, self.gain = self.source, 1.0
        self.mono = mono_at(self.source.samples, self.source.sample_rate, self.spec.sample_rate)

    def _given(self, mel: Tensor, window: Window, done: NDArray[np.bool_]) -> Tensor:
        """848 frames [1, 1, mels, 848] of the window's own samples and silence."""
        hop, width = self.spec.hop, window.last - window.first
        stretch = whole_frames(self.mono[window.first * hop : window.last * hop], hop, self.spec.frames)
        given = self.renderer.mel_of(stretch)
        made = torch.from_numpy(done[window.first : window.last]).to(given.device)
        given[..., :width][..., made] = mel[..., window.first : window.last][..., made]
        return given

    def _painted(self, hole: masks.Mask, window: Window) -> masks.Mask:
        """Nothing is made in the silence behind a sound."""
        painted = super()._painted(hole, window)
        return np.pad(painted, ((0, 0), (0, self.spec.frames - painted.shape[1])))

    def _window(
        self, given: Tensor, hole: masks.Mask, conditions: Conditions, sampling: Sampling, count: Counter
    ) -> Tensor:
        factor = self.renderer.model.config.autoencoder.factor
        make = torch.from_numpy(hole)[None, None].to(given.device)
        cells = make[..., ::factor, ::factor].to(given)  # theirs is shrunk to its nearest cells
        known = posterior_latent(self.renderer, self._heard(given, make), sampling)
        condition, null = (replace(one, known=known, make=cells) for one in (conditions.condition, conditions.null))
        start = Start(condition, null, self.spec.frames, held=False)
        made = self.renderer.decode(self._denoise(start, (known, cells), given, sampling, count))
        return torch.where(make, made, given)


@torch.inference_mode()
def repeated(renderer: Renderer, wave: NDArray[np.float32]) -> Tensor:
    """The mel [1, 1, mels, frames] of a whole sound, mono [n], cut or said again until it fills the model's frames."""
    mel, frames = (
        renderer.model.front(torch.from_numpy(wave)[None].to(renderer.device)),
        renderer.model.config.audio.frames,
    )
    return mel.repeat(1, 1, 1, -(-frames // mel.shape[-1]))[..., :frames]


@torch.inference_mode()
def posterior_latent(renderer: Renderer, mel: Tensor, sampling: Sampling) -> Tensor:
    """The latent of a mel: the posterior's mean, or where that is asked for a draw that the seed decides."""
    generator = (
        torch.Generator("cpu").manual_seed(decided(sampling.seed, "seed")) if sampling.posterior_sample else None
    )
    return renderer.autoencoder.encode(mel, generator)
