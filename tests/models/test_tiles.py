"""Convolutions by way of transforms: each against the convolution itself, in double precision."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from maa.models import tiles
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
