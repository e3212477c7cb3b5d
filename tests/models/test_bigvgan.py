"""BigVGAN: lengths, folded weight norm, training, and its activation against the definition."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from maa.config import PAPER, ModelConfig
from maa.config.vocoders import BigvganConfig
from maa.models import bigvgan
from maa.models.bigvgan import BigvganGenerator, Snake, low_pass
from maa.models.hifigan import Generator
from maa.models.tiles import Scratch

SMALL = BigvganConfig(channels=64)


def by_definition(snake: Snake, x: torch.Tensor) -> torch.Tensor:
    """Zero-stuff and filter, activate, filter and drop every second sample: depthwise convolutions, as published."""
    channels, taps = x.shape[1], low_pass().float()[None, None].expand(x.shape[1], 1, -1)
    fast = F.conv_transpose1d(F.pad(x, (5, 5), mode="replicate"), 2 * taps, stride=2, groups=channels)[..., 15:-15]
    alpha, beta = snake.alpha.exp()[:, None], snake.beta.exp()[:, None]
    fast = fast + (fast * alpha).sin().square() / (beta + 1e-9)
    return F.conv1d(F.pad(fast, (5, 6), mode="replicate"), taps, stride=2, groups=channels)


@pytest.mark.parametrize("frames", [1, 5, 16])
def test_256_samples_a_frame_from_either_shape(frames: int) -> None:
    mel = torch.randn(2, 80, frames)
    net = BigvganGenerator(SMALL).eval()
    wave = net(mel)
    assert wave.shape == (2, 256 * frames)
    assert wave.abs().max() <= 1
    assert torch.equal(wave, net(mel[:, None]))


@pytest.mark.parametrize("length", [1, 4, 15, 16, 17, 160, 1001])
def test_snake_is_what_the_definition_says(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    snake = Snake(5)
    torch.nn.init.normal_(snake.alpha, std=0.5)
    torch.nn.init.normal_(snake.beta, std=0.5)
    x = 3 * torch.randn(2, 5, length)
    whole = snake(x)
    assert (whole - by_definition(snake, x)).abs().max() < 1e-5 * whole.abs().max()
    monkeypatch.setattr(bigvgan, "CHUNK", 1)  # every channel by itself
    assert torch.allclose(snake(x), whole, atol=1e-6)


@pytest.mark.parametrize("frames", [1, 7, 24])
def test_channels_beside_one_another_make_the_same_sound(frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigvgan, "ACTIVATED", 2000)  # several turns
    torch.manual_seed(0)
    net = BigvganGenerator(SMALL).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3 if parameter.ndim == 1 else 0.6 * parameter[0].numel() ** -0.5)
    mel = torch.randn(2, 80, frames)
    with torch.inference_mode():
        plain, made = Generator.forward(net, mel), net(mel[:, None])
        assert not torch.equal(plain, made)  # another way, indeed
    assert made.shape == plain.shape and 0.01 < plain.std() < 0.9
    assert (made - plain).abs().max() < 1e-5 * plain.abs().max()


def test_an_upsampling_layer_of_any_kernel() -> None:
    torch.manual_seed(0)
    for rate, kernel in ((4, 8), (2, 4), (2, 6), (3, 3)):
        up, x = torch.nn.ConvTranspose1d(5, 3, kernel, rate, padding=(kernel - rate) // 2), torch.randn(9, 5)
        out = torch.empty(9 * rate, 3)
        with torch.inference_mode():
            bigvgan.raised(up, x, out, Scratch())
            assert torch.allclose(out, up(x.t()[None])[0].t(), atol=1e-6)


def test_folding_weight_norm_changes_nothing_and_leaves_plain_names() -> None:
    torch.manual_seed(0)
    net = BigvganGenerator(SMALL, weight_norm=True).eval()
    mel = torch.randn(1, 80, 4)
    before = net(mel)
    assert torch.allclose(net.fold()(mel), before, atol=1e-6)
    assert set(net.state_dict()) == set(BigvganGenerator(SMALL).state_dict())


def test_it_can_be_trained() -> None:
    net = BigvganGenerator(SMALL, weight_norm=True)
    net(torch.randn(1, 80, 2)).square().mean().backward()
    assert [name for name, parameter in net.named_parameters() if parameter.grad is None] == []


def test_published_size() -> None:
    assert isinstance(PAPER.vocoder, BigvganConfig)
    with torch.device("meta"):
        net = BigvganGenerator(PAPER.vocoder, weight_norm=True)
        assert sum(p.numel() for p in net.parameters()) == 112_231_250


def test_config_round_trip() -> None:
    assert ModelConfig.from_json(PAPER.to_json()) == PAPER
    data = PAPER.to_json()
    data["vocoder"]["kind"] = "melgan"
    with pytest.raises(ValueError, match=r"vocoder\.kind"):
        ModelConfig.from_json(data)
