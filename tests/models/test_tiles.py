"""Convolutions by way of transforms: each against the convolution itself, in double precision."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F

from maa.config import AutoencoderConfig
from maa.models import tiles
from maa.models.autoencoder import Decoder
from maa.models.tiles import Mixing, Scratch, Transform, along, fourier, room_of, toom


@pytest.mark.parametrize("transform", [fourier(24, 11), fourier(24, 7), fourier(24, 1), toom(4, 3), toom(2, 3)])
@pytest.mark.parametrize("dilation", [1, 5])
@pytest.mark.parametrize("held", [1 << 23, 100])
def test_a_sequence(transform: Transform, dilation: int, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "HELD", held)  # floats of kernels at once: all of them, or one
    monkeypatch.setattr(tiles, "LEAST_ROWS", 3)
    monkeypatch.setattr(tiles, "CACHED", 1000)  # several turns
    torch.manual_seed(0)
    length, inputs, outputs, taps = 301, 6, 5, transform.taps
    weight, bias = torch.randn(outputs, inputs, taps), torch.randn(outputs)
    reach, room = dilation * (taps // 2), room_of(transform, length, dilation)
    x = torch.zeros(room, inputs)
    x[reach : reach + length] = torch.randn(length, inputs)
    expected = F.conv1d(
        x[reach : reach + length].double().t()[None], weight.double(), bias.double(), padding=reach, dilation=dilation
    )[0].t()
    out, onto = torch.empty(room, outputs), torch.ones(room, outputs)
    mixing = Mixing(weight, bias, transform, Scratch())
    along(x, out, mixing, dilation)
    along(x, onto, mixing, dilation, onto=True)
    close = 1e-5 * float(expected.abs().max())
    assert (out[:length] - expected).abs().max() < close
    assert (onto[:length] - 1 - expected).abs().max() < close


@pytest.mark.parametrize("size", [(10, 78), (11, 20), (4, 1)])
@pytest.mark.parametrize("held", [1 << 22, 100])
def test_a_picture(size: tuple[int, int], held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "HELD", held)
    for name in ("LEAST_CELLS", "LEAST_CHANNELS", "LEAST_PRODUCTS", "LEAST_ROWS", "MANY_ROWS", "CACHED"):
        monkeypatch.setattr(tiles, name, 1)  # every picture is worth it, and goes through row by row
    torch.manual_seed(0)
    layer, x = torch.nn.Conv2d(6, 5, 3, padding=1), torch.randn(2, 6, *size)
    expected = copy.deepcopy(layer).double()(x.double())
    with torch.inference_mode():
        for form in (torch.contiguous_format, torch.channels_last):
            made = tiles.convolved(layer, x.contiguous(memory_format=form))
            assert made.shape == expected.shape and not torch.equal(made, layer(x))
            assert (made - expected).abs().max() < 2e-5 * expected.abs().max()


def test_what_is_small_trained_or_another_kind_goes_the_usual_way(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    layer, x = torch.nn.Conv2d(6, 5, 3, padding=1), torch.randn(1, 6, 10, 12)
    with torch.inference_mode():
        assert torch.equal(tiles.convolved(layer, x), layer(x))  # too small
    for name in ("LEAST_CELLS", "LEAST_CHANNELS", "LEAST_PRODUCTS"):
        monkeypatch.setattr(tiles, name, 1)
    made = tiles.convolved(layer, x)
    assert torch.equal(made, layer(x))
    made.sum().backward()
    assert layer.weight.grad is not None
    with torch.inference_mode():
        for other in (torch.nn.Conv2d(6, 5, 1), torch.nn.Conv2d(6, 5, 3, stride=2, padding=1)):
            assert torch.equal(tiles.convolved(other, x), other(x))
        half = layer.bfloat16()
        assert torch.equal(tiles.convolved(half, x.bfloat16()), half(x.bfloat16()))


def test_a_network_of_the_papers_width_answers_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    decoder = Decoder(AutoencoderConfig(channels=128, multipliers=(1, 2), res_blocks=1, attention_levels=(1,))).eval()
    z = torch.randn(1, 4, 20, 60)
    with torch.inference_mode():
        made = decoder(z)
        monkeypatch.setattr(tiles, "LEAST_CELLS", 1 << 40)
        plain = decoder(z)
    assert not torch.equal(made, plain)
    assert (made - plain).abs().max() < 3e-5 * plain.abs().max()
