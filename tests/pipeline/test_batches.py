"""Many conditions in one batch, each with its own seed: the latents that single takes have."""

from __future__ import annotations

import pytest
import torch

from maa import MakeAnAudio, Sampling
from maa.pipeline import conditioning
from maa.pipeline.render import Start, window_parts

PROMPTS = ("dog barking", "rain", "a much longer text of rain and a dog, and of nothing else")
SEEDS = (7, 1000, 3)


@pytest.mark.parametrize(
    ("how", "seconds"),
    [
        (Sampling(2, guidance=4.0), 12.0),
        (Sampling(4, guidance=1.0, density=0.3), 2.0),
        (Sampling(3, guidance=4.0, sampler="ddim", eta=0.5), 2.0),
        (Sampling(4, guidance=4.0, sampler="official"), 2.0),
    ],
    ids=["windows", "density", "ddim", "official"],
)
def test_rows_are_single_takes(tiny: MakeAnAudio, how: Sampling, seconds: float) -> None:
    renderer, config = tiny.renderer, tiny.config
    frames = round(seconds * config.audio.sample_rate / config.audio.hop) // 16 * 16
    pairs = [conditioning.from_text(tiny.model, prompt, "wind") for prompt in PROMPTS]
    together = renderer.batch(pairs, SEEDS, frames, how)
    for row, pair, seed in zip(together, pairs, SEEDS, strict=True):
        parts = window_parts(renderer.spans(frames // config.autoencoder.factor), [pair])
        one = Sampling(**{**vars(how), "seed": seed})
        alone, _ = renderer.takes(Start(*pair, frames, parts=parts), one, None)
        assert torch.allclose(row, alone[0], rtol=0, atol=1e-5 * float(alone.abs().max()))
    assert (together[0] - together[1]).abs().max() > 0.1
