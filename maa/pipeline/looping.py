"""Loops: takes whose end goes on into their beginning, from circular latents."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.audio.loops import closed, cut_circle
from maa.pipeline.render import Renderer

AROUND = 8  # latent columns of the circle that are rendered again on each side: 1 s, so that no network sees an end


@torch.inference_mode()
def rendered(renderer: Renderer, latents: Tensor, length: int) -> tuple[NDArray[np.float32], Tensor]:
    """Waveforms [takes, length] of circular latents [takes, C, H, W], and their mels [takes, 1, mels, frames].

    Args:
        length: samples; at most those of the whole circle.
    """
    factor, hop = renderer.model.config.autoencoder.factor, renderer.model.config.audio.hop
    around = min(AROUND, latents.shape[-1])
    mel = renderer.decode(torch.cat([latents[..., -around:], latents, latents[..., :around]], dim=-1))
    waves = renderer.vocode(mel)
    frames = slice(around * factor, (around + latents.shape[-1]) * factor)
    rate, mel = renderer.model.config.audio.sample_rate, mel[..., frames]
    circles = closed(waves[:, frames.start * hop : frames.stop * hop], waves[:, : frames.start * hop], rate)
    made, turned = [], []
    for circle, picture in zip(circles, mel, strict=True):
        wave, begin = cut_circle(circle, length, rate, hop)
        made.append(wave)
        turned.append(picture.roll(-begin // hop, dims=-1))
    return np.stack(made), torch.stack(turned)
