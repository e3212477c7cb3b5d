"""Inside the loop of steps: conditions are prepared once, and the host never asks the device for a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from maa import Box, MakeAnAudio, Sampling
from maa.models.context import Context
from maa.pipeline import conditioning
from tests.sounds import sine_wave


class NoQuestions(TorchDispatchMode):
    """Fails when a tensor's value is read by Python: on a GPU that would wait for all work in flight."""

    def __torch_dispatch__(self, function: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(function)
        assert "_local_scalar_dense" not in name and "nonzero" not in name, f"{name} waits for the device"
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("sampler", ["dpm++", "ddim", "official"])
def test_the_step_loop_reads_no_values(tiny: MakeAnAudio, sampler: str) -> None:
    sample = tiny.renderer._sample
    with pytest.MonkeyPatch.context() as patch:

        def watched(*args: Any) -> Any:
            with NoQuestions():
                return sample(*args)

        patch.setattr(tiny.renderer, "_sample", watched)
        tiny.text_to_audio("rain", Sampling(steps=4, seed=1, sampler=sampler), seconds=1)
        sound = (16_000, sine_wave(rate=16_000, seconds=1.0)[0])
        tiny.inpaint(sound, [Box(0.2, 0.5)], "rain", Sampling(steps=4, seed=1, sampler=sampler))


def test_the_watch_is_awake() -> None:
    with pytest.raises(AssertionError, match="waits"), NoQuestions():
        int(torch.ones(1))


def test_keys_and_values_are_computed_once(tiny: MakeAnAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    unet = tiny.model.unet
    prepare = type(unet).prepare
    monkeypatch.setattr(type(unet), "prepare", lambda self, *args: calls.append(1) or prepare(self, *args))
    tiny.text_to_audio("rain", Sampling(steps=5, seed=1), seconds=1)
    assert len(calls) == 2  # the condition and the null


@torch.inference_mode()
def test_a_prepared_condition_is_the_condition(tiny: MakeAnAudio) -> None:
    unet = tiny.model.unet
    condition, null = conditioning.from_text(tiny.model, "a dog", "")
    z, t = torch.randn(2, 4, 10, 20), torch.tensor([5, 900])
    raw = unet(z, t, null.then(condition))
    ready = unet(z, t, unet.prepare(null, 1).then(unet.prepare(condition, 1)))
    assert torch.allclose(raw, ready, atol=1e-6)
    assert torch.allclose(unet(z, t, None), unet(z, t, unet.prepare(Context(), 2)), atol=1e-6)
    assert not np.allclose(raw.numpy(), unet(z, t, None).numpy())
