"""The networks: the paper's counts, shapes, and what conditions must and must not change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maa.config import PAPER, SMALL, TINY, AudioSpec, AutoencoderConfig, UNetConfig
from maa.config.vocoders import IstftConfig
from maa.models.autoencoder import Autoencoder
from maa.models.context import Context
from maa.models.istft import IstftVocoder
from maa.models.text import TextEncoder, spelling_tokenizer
from maa.models.unet import UNet
from train.trainer.keeping import save_weights
from train.trainer.loop import start_from


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (PAPER.unet, 160_223_684),
        (UNetConfig(channels=256, head_channels=32, global_dim=1024), 104_356_612),
        (UNetConfig(in_channels=9, context_dim=None, resample_in_block=True), 107_344_324),
    ],
    ids=["text", "image", "inpaint"],
)
def test_unet_has_the_papers_size(config: UNetConfig, wanted: int) -> None:
    with torch.device("meta"):
        assert count(UNet(config)) == wanted


def test_autoencoder_has_the_papers_size() -> None:
    with torch.device("meta"):
        assert count(Autoencoder(PAPER.autoencoder)) == 68_984_037
        assert count(Autoencoder(AutoencoderConfig(attention_levels=()))) == 62_407_397


@pytest.fixture(scope="module")
def unet() -> UNet:
    torch.manual_seed(0)
    network = UNet(TINY.unet)
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


def context(batch: int = 2, **changes: object) -> Context:
    torch.manual_seed(1)
    fields = {
        "tokens": torch.randn(batch, 7, 32),
        "mask": torch.ones(batch, 7, dtype=torch.bool),
        "vector": torch.randn(batch, 16),
        "has_tokens": torch.ones(batch, dtype=torch.bool),
        "has_vector": torch.ones(batch, dtype=torch.bool),
    }
    return Context(**{**fields, **changes})


def test_unet_keeps_the_latents_shape(unet: UNet) -> None:
    for width in (2, 20, 78):
        assert unet(torch.randn(2, 4, 10, width), torch.tensor([1, 999]), context()).shape == (2, 4, 10, width)


def test_unet_refuses_other_shapes(unet: UNet) -> None:
    with pytest.raises(ValueError, match="Expected a latent"):
        unet(torch.randn(1, 9, 10, 20), torch.tensor([1]))
    with pytest.raises(ValueError, match="Expected a latent"):
        unet(torch.randn(1, 4, 10, 19), torch.tensor([1]))


@torch.inference_mode()
def test_conditions_reach_the_output(unet: UNet) -> None:
    z, t = torch.randn(2, 4, 10, 20), torch.tensor([500, 500])
    full = unet(z, t, context())
    for other in (
        unet(z, t, context(tokens=torch.randn(2, 7, 32))),
        unet(z, t, context(vector=torch.randn(2, 16))),
        unet(z, t - 400, context()),
    ):
        assert (full - other).abs().max() > 0.01 * full.std()


@torch.inference_mode()
def test_absent_conditions_do_not_reach_the_output(unet: UNet) -> None:
    z, t = torch.randn(2, 4, 10, 20), torch.tensor([500, 500])
    absent = {"has_tokens": torch.zeros(2, dtype=torch.bool), "has_vector": torch.zeros(2, dtype=torch.bool)}
    nothing = context(**absent)
    other = context(tokens=torch.randn(2, 7, 32), vector=torch.randn(2, 16), **absent)
    assert torch.allclose(unet(z, t, nothing), unet(z, t, other), atol=1e-6)
    assert torch.allclose(unet(z, t, nothing), unet(z, t, None), atol=1e-5)


@torch.inference_mode()
def test_what_is_known_reaches_the_output_but_for_its_hole(unet: UNet) -> None:
    z, t, known = torch.randn(2, 4, 10, 20), torch.tensor([500, 500]), torch.randn(2, 4, 10, 20)
    make = torch.zeros(2, 1, 10, 20)
    make[..., 8:] = 1.0
    result = unet(z, t, context(known=known, make=make))
    hidden = torch.where(make > 0, torch.randn(2, 4, 10, 20), known)
    assert torch.equal(unet(z, t, context(known=hidden, make=make)), result)
    assert (unet(z, t, context(known=-known, make=make)) - result).abs().max() > 0.01 * result.std()
    everything = context(known=known, make=torch.ones_like(make))
    assert torch.equal(unet(z, t, everything), unet(z, t, context()))


@torch.inference_mode()
def test_padding_is_not_heard(unet: UNet) -> None:
    z, t = torch.randn(1, 4, 10, 20), torch.tensor([500])
    short = context(1)
    padded = context(
        1,
        tokens=torch.cat([short.tokens, torch.randn(1, 4, 32)], 1),
        mask=torch.tensor([[True] * 7 + [False] * 4]),
        vector=short.vector,
    )
    assert torch.allclose(unet(z, t, short), unet(z, t, padded), atol=1e-5)


def test_contexts_join_in_order() -> None:
    first, second = context(1), context(1, vector=torch.zeros(1, 16))
    joined = first.then(second)
    assert torch.equal(joined.vector[1], torch.zeros(16)) and joined.tokens.shape == (2, 7, 32)
    with pytest.raises(ValueError, match="vector"):
        first.then(Context(tokens=first.tokens, mask=first.mask, has_tokens=first.has_tokens))


def test_autoencoder_shapes_and_scale() -> None:
    torch.manual_seed(0)
    model = Autoencoder(TINY.autoencoder)
    mel = torch.randn(1, 1, 80, 64)
    z = model.encode(mel)
    assert z.shape == (1, 4, 10, 8) and model.decode(z).shape == mel.shape
    plain = model.decode(z)
    model.config = AutoencoderConfig(**{**vars(TINY.autoencoder), "latent_scale": 2.5})
    assert torch.allclose(model.encode(mel), 2.5 * z)
    assert torch.allclose(model.decode(model.encode(mel)), plain, atol=1e-5)
    with pytest.raises(ValueError, match="mel"):
        model.encode(torch.randn(1, 1, 80, 63))


def test_vocoder_puts_energy_where_it_is_told() -> None:
    vocoder = IstftVocoder(IstftConfig(width=16, layers=1), AudioSpec()).eval()
    wave = vocoder(torch.randn(2, 1, 80, 10))
    assert wave.shape == (2, 2560) and torch.isfinite(wave).all() and wave.abs().max() > 0.0


def test_text_tower_tokens_and_mask() -> None:
    encoder = TextEncoder(TINY.text, spelling_tokenizer()).eval()
    contexts = encoder.encode(["a dog", "", "x " * 5000])
    assert contexts.tokens.shape == (3, TINY.text.tokens, TINY.text.width)
    assert contexts.mask.sum(1).tolist() == [2 + 4, 2, TINY.text.tokens]


def test_presets_fit_together() -> None:
    for config in (SMALL, TINY):
        assert config.unet.context_dim == (config.text.projection or config.text.width)
        assert config.unet.global_dim == config.clap.joint
        assert config.unet.inpaints


def test_a_density_is_heard_only_where_it_is_given(unet: UNet) -> None:
    z, t = torch.randn(2, 4, 10, 20), torch.tensor([500, 500])
    some = torch.tensor([0.1, 0.9])
    none, both = unet(z, t, context()), unet(z, t, context(density=some))
    first = unet(z, t, context(density=some, has_density=torch.tensor([True, False])))
    assert torch.allclose(first[0], both[0], atol=1e-5) and torch.allclose(first[1], none[1], atol=1e-5)
    assert ((both - none).flatten(1).abs().amax(1) > 0.01 * none.std()).all()
    assert (unet(z, t, context(density=some.flip(0))) - both).abs().max() > 0.01 * none.std()


def test_contexts_join_though_one_has_no_density() -> None:
    given, absent = context(1, density=torch.tensor([0.4])), context(2)
    joined = given.then(absent)
    assert joined.density is not None and joined.density.tolist()[:1] == pytest.approx([0.4])
    assert joined.has_density is not None and joined.has_density.tolist() == [True, False, False]
    assert absent.then(given).repeat(2).row(2).has_density.tolist() == [True]
    with pytest.raises(ValueError, match="empty"):
        given.then(Context())


def test_a_new_density_layer_changes_nothing(tmp_path: Path) -> None:
    """A network without it can be trained on with it, and prepared batches of which one has a density join."""
    plain = UNet(replace(TINY.unet, density=False)).eval()
    torch.nn.init.normal_(plain.conv_out.weight)
    save_weights(plain.state_dict(), tmp_path / "unet.safetensors")
    dense = UNet(TINY.unet).eval()
    start_from(dense, tmp_path / "unet.safetensors")
    z, t = torch.randn(2, 4, 10, 20), torch.tensor([500, 500])
    with torch.inference_mode():
        assert torch.equal(dense(z, t, context(density=torch.tensor([0.2, 0.8]))), plain(z, t, context()))
        null, told = dense.prepare(Context(), 2), dense.prepare(replace(Context(), density=torch.rand(2)), 2)
        assert dense(torch.cat([z, z]), torch.cat([t, t]), null.then(told)).shape[0] == 4
    assert count(dense) > count(plain)
