"""Long sounds that are heard while they are made: what is done of a latent becomes sound at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.audio.finish import faded
from maa.diffusion.windows import Mix, Span
from maa.pipeline.render import Renderer, Start, stacked
from maa.pipeline.steps import Listener, OnSound, OnStep


class Growing:
    """One take of several windows, whose latent is done from left to right.

    A window is decoded once all of its columns are done, and vocoded once all of its frames are: the very calls that
    would be made at the end, in the same order, so that the bytes are the same.

    Args:
        renderer: of the model.
        spans: the windows in latent columns, at least two.
        length: samples of the sound.
        ends: whether its ends are faded.
        tell: hears of every stretch.
    """

    def __init__(self, renderer: Renderer, spans: Sequence[Span], length: int, ends: bool, tell: OnSound) -> None:
        config = renderer.model.config
        factor = config.autoencoder.factor
        self.renderer, self.spans, self.length, self.ends, self.tell = renderer, spans, length, ends, tell
        self.frames = [(factor * first, factor * last) for first, last in spans]
        self.mel = Mix(spans, factor)
        self.wave = Mix(self.frames, config.audio.hop)
        self.told = 0  # samples

    def grow(self, latents: Tensor, columns: int) -> None:
        """The latents [takes, C, H, W] of the take and of others behind it; so many columns of them are done."""
        while self.mel.count < len(self.spans) and self.spans[self.mel.count][1] <= columns:
            first, last = self.spans[self.mel.count]
            self.mel.add(self.renderer.autoencoder.decode(latents[:1, ..., first:last]))
            while self.wave.count < len(self.spans) and self.frames[self.wave.count][1] <= self.mel.final:
                first, last = self.frames[self.wave.count]
                self.wave.add(self.renderer.model.vocode(self.mel.whole[..., first:last]))
                self._tell()

    def _tell(self) -> None:
        first, last = self.told, min(self.wave.final, self.length)
        if first == last:
            return
        stretch = self.wave.whole[0, first:last].float().cpu().numpy()
        at_ends = (self.ends and first == 0, self.ends and last == self.length)
        self.told = last
        rate = self.renderer.model.config.audio.sample_rate
        self.tell(first, faded(stretch[None], rate, at_ends)[0].copy(), self.length)


def growing(renderer: Renderer, start: Start, length: int, on_step: OnStep | None, ends: bool = True) -> Growing | None:
    """What makes the first take of a long sound heard while it is made; None where nobody listens, or nothing is long.

    Args:
        length: samples of the sound.
        ends: whether its ends will be faded.
    """
    if not isinstance(on_step, Listener) or not start.parts or start.loop:
        return None
    return Growing(renderer, renderer.spans_of(start), length, ends, on_step.on_sound)


@torch.inference_mode()
def waves_and_mels(
    renderer: Renderer, latents: Tensor, spans: Sequence[Span], first: Growing | None
) -> tuple[NDArray[np.float32], Tensor]:
    """Waveforms [takes, samples] of latents [takes, C, H, W], and their mels [takes, 1, mels, frames].

    Args:
        spans: the windows in latent columns.
        first: the first of them, where it has been heard already.
    """
    if first is None:
        mel = renderer.decode(latents, spans)
        return renderer.vocode(mel, spans), mel
    own = first.wave.whole.float().cpu().numpy()
    if len(latents) == 1:
        return own, first.mel.whole
    others = renderer.decode(latents[1:], spans)
    return np.concatenate([own, renderer.vocode(others, spans)]), stacked([first.mel.whole, others])
