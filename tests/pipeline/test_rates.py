"""Another rate is another configuration: a model at 44.1 kHz goes through every task that needs no trained weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from maa import Filling, MakeAnAudio, Sampling, checkpoint
from maa.audio.grid import centres
from maa.config import TINY, AudioSpec, ModelConfig
from tests.sounds import sine_wave

WIDE = AudioSpec(sample_rate=44_100, n_fft=2048, hop=512, mels=128, frames=864, high=20_000.0)
ONCE = Sampling(steps=2, seed=1)


@pytest.fixture(scope="module")
def wide() -> MakeAnAudio:
    config = replace(TINY, name="tiny-wide", audio=WIDE)
    return MakeAnAudio(checkpoint.random_model(config), torch.device("cpu"), config.name)


def test_the_spec_says_everything_about_the_mel() -> None:
    assert 19_000 < centres(WIDE)[-1] < 20_000 and len(centres(WIDE)) == 128
    again = ModelConfig.from_json(replace(TINY, audio=WIDE).to_json())
    assert again.audio == WIDE and again.latent_cells == (16, 108)


def test_text_and_personalise(wide: MakeAnAudio) -> None:
    made = wide.text_to_audio("rain", ONCE, seconds=2.0)
    assert made.sample_rate == 44_100 and made.audio.shape == (1, 1, 88_200)
    assert made.mel.shape[1] == 128
    led = wide.personalize((48_000, sine_wave(440, 2.0, rate=48_000).T), "rain", ONCE, t0=0.5)
    assert led.audio.shape == (1, 1, 88_200)
    assert wide.text_to_audio("rain", ONCE).audio.shape[-1] == WIDE.samples


def test_inpainting_keeps_the_rest(wide: MakeAnAudio) -> None:
    sound = sine_wave(440, 2.0, rate=48_000)
    made = wide.inpaint((48_000, sound.T), [(0.5, 0.9, 300.0, 12_000.0)], "rain", ONCE)
    assert made.sample_rate == 48_000 and made.audio.shape == (1, 1, 96_000)
    assert made.reports[0]["outside"] == 0.0
    longer = wide.inpaint((48_000, sound.T), None, "", ONCE, filling=Filling(after=1.0))
    assert np.array_equal(longer.audio[0, 0, :90_000], sound[0, :90_000])
