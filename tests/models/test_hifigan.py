"""HiFi-GAN: length, folded weight norm, and the same numbers as the original network (reference tensors)."""

from __future__ import annotations

import pytest
import torch

from maa.config.vocoders import HifiganConfig
from maa.models.hifigan import HifiganGenerator

SMALL = HifiganConfig(channels=16)


@pytest.mark.parametrize("frames", [1, 5, 16])
def test_256_samples_a_frame_from_either_shape(frames: int) -> None:
    mel = torch.randn(2, 80, frames)
    net = HifiganGenerator(SMALL).eval()
    wave = net(mel)
    assert wave.shape == (2, 256 * frames)
    assert wave.abs().max() <= 1
    assert torch.equal(wave, net(mel[:, None]))


def test_folding_weight_norm_changes_nothing_and_leaves_plain_names() -> None:
    torch.manual_seed(0)
    net = HifiganGenerator(SMALL, weight_norm=True).eval()
    mel = torch.randn(1, 80, 4)
    before = net(mel)
    assert torch.allclose(net.fold()(mel), before, atol=1e-6)
    assert set(net.state_dict()) == set(HifiganGenerator(SMALL).state_dict())


def test_kernel_and_rate_that_cannot_be_centred_are_refused() -> None:
    with pytest.raises(ValueError, match="even number"):
        HifiganGenerator(HifiganConfig(channels=16, kernels=(15, 16, 4, 4)))
