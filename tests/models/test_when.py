"""Tokens that are heard in some columns of the latent only (`Context.when`)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from maa.config import TINY
from maa.models.blocks import TransformerBlock, at_cells
from maa.models.context import Context
from maa.models.unet import UNet


@pytest.fixture(scope="module")
def unet() -> UNet:
    torch.manual_seed(0)
    made = UNet(TINY.unet).eval()
    for parameter in made.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return made


def context(when: torch.Tensor | None, count: int = 6) -> Context:
    torch.manual_seed(1)
    tokens = torch.randn(1, count, TINY.unet.context_dim or 0)
    there = torch.ones(1, dtype=torch.bool)
    vector = None if TINY.unet.global_dim is None else torch.zeros(1, TINY.unet.global_dim)
    return Context(tokens, torch.ones(1, count, dtype=torch.bool), vector, there, ~there, when=when)


def predicted(unet: UNet, one: Context, columns: int = 12) -> torch.Tensor:
    noise = torch.Generator().manual_seed(2)
    z = torch.randn(1, TINY.unet.out_channels, TINY.latent_cells[0], columns, generator=noise)
    with torch.inference_mode():
        return unet(z, torch.tensor([400]), one)


def test_tokens_heard_everywhere_are_tokens_without_times(unet: UNet) -> None:
    everywhere = predicted(unet, context(torch.ones(1, 6, 12, dtype=torch.bool)))
    torch.testing.assert_close(everywhere, predicted(unet, context(None)), atol=1e-5, rtol=1e-4)


def test_tokens_heard_nowhere_are_the_null(unet: UNet) -> None:
    nowhere = predicted(unet, context(torch.zeros(1, 6, 12, dtype=torch.bool)))
    none = replace(context(None), has_tokens=torch.zeros(1, dtype=torch.bool))
    torch.testing.assert_close(nowhere, predicted(unet, none), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(nowhere, predicted(unet, context(None)), atol=1e-3)


def test_a_network_without_a_null_hears_everything_where_nothing_sounds() -> None:
    torch.manual_seed(0)
    plain = UNet(replace(TINY.unet, learned_null=False, global_dim=None, global_projection=False)).eval()
    plain.conv_out.weight.data.normal_()
    one = context(torch.zeros(1, 6, 12, dtype=torch.bool))
    silent, said = replace(one, vector=None, has_vector=None), replace(one, vector=None, has_vector=None, when=None)
    torch.testing.assert_close(predicted(plain, silent), predicted(plain, said), atol=1e-5, rtol=1e-4)


def test_a_cell_attends_to_the_tokens_of_its_own_columns() -> None:
    """Without self-attention nothing else carries a token from one column to another."""
    torch.manual_seed(0)
    block = TransformerBlock(16, 4, 8).eval()
    block.proj_out.weight.data.normal_()
    block.attend_self.out.weight.data.zero_()
    when = torch.zeros(1, 4, 12, dtype=torch.bool)
    when[:, :2, :5], when[:, 2:, 5:] = True, True
    x = torch.randn(1, 16, 3, 12)
    tokens = torch.randn(1, 4, 8)
    other = tokens.clone()
    other[:, 2:] += 1
    with torch.inference_mode():
        one, two = (block(x, block.attend_context.keys_values(some), when) for some in (tokens, other))
    assert torch.equal(one[..., :5], two[..., :5])
    assert (one[..., 5:] != two[..., 5:]).any((1, 2)).all()


def test_a_coarser_cell_sees_what_any_of_its_columns_sees() -> None:
    when = torch.zeros(1, 2, 12, dtype=torch.bool)
    when[0, 0, 5], when[0, 1] = True, True
    cells = at_cells(when, 3, 6)
    assert cells.shape == (1, 18, 2) and cells[..., 1].all()
    assert cells[0, :, 0].view(3, 6).tolist() == [[False, False, True, False, False, False]] * 3
