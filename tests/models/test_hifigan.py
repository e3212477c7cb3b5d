"""HiFi-GAN: length, folded weight norm, and the same numbers as the original network (reference tensors)."""

from __future__ import annotations

import re

import pytest
import torch

from maa.config import HifiganConfig
from maa.models.hifigan import HifiganGenerator
from tests.models.weights import error, formula
from tests.reference import FOLDER, reference

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


def _our_name(key: str) -> str:
    """`resblocks.4.convs1.2` -> `levels.1.blocks.1.dilated.2`; three blocks a level."""
    if match := re.match(r"resblocks\.(\d+)\.convs([12])\.(\d)\.(.+)", key):
        level, block = divmod(int(match[1]), 3)
        return f"levels.{level}.blocks.{block}.{('dilated', 'plain')[int(match[2]) - 1]}.{match[3]}.{match[4]}"
    if match := re.match(r"ups\.(\d)\.(.+)", key):
        return f"levels.{match[1]}.up.{match[2]}"
    return key.replace("conv_pre", "first").replace("conv_post", "last")


def test_same_wave_as_the_original_network() -> None:
    golden = reference("hifigan")
    keys = (FOLDER.parent / "keys" / "official-keys-hifigan.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in keys if line and not line.startswith("#")]
    raw = {key: formula(key, tuple(int(n) for n in re.findall(r"\d+", shape))) for key, shape, _ in rows}
    plain = {}
    for key, value in raw.items():
        if key.endswith("weight_v"):
            scale = raw[key.replace("weight_v", "weight_g")] / value.flatten(1).norm(dim=1)[:, None, None]
            plain[_our_name(key.replace("weight_v", "weight"))] = value * scale
        elif not key.endswith("weight_g"):
            plain[_our_name(key)] = value
    net = HifiganGenerator(HifiganConfig()).eval()
    net.load_state_dict(plain)
    with torch.inference_mode():
        wave = net(torch.from_numpy(golden["mel"]))[:, None]
    assert error(wave, golden["wav"]) <= 1e-5
