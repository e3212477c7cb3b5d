"""The named configurations: the authors' published networks, and our own."""

from __future__ import annotations

from dataclasses import replace

from maa.config.model import (
    AudioSpec,
    AutoencoderConfig,
    ClapConfig,
    ModelConfig,
    MsClapConfig,
    OpenClipConfig,
    ScheduleConfig,
    TextConfig,
    UNetConfig,
)
from maa.config.vocoders import BigvganConfig, IstftConfig, RefineConfig

# The authors' published networks: text, picture and inpainting, each a model of its own.
PAPER = ModelConfig(vocoder=BigvganConfig(), text=TextConfig(pooler=True), clap=MsClapConfig(), vision=OpenClipConfig())
PAPER_IMAGE = replace(
    PAPER,
    name="paper-image",
    audio=AudioSpec(convention="A"),
    unet=UNetConfig(channels=256, head_channels=32, global_dim=1024),
)
PAPER_INPAINT = replace(
    PAPER,
    name="paper-inpaint",
    audio=AudioSpec(convention="A", frames=848),
    unet=UNetConfig(in_channels=9, context_dim=None, resample_in_block=True, hole="silence"),
    schedule=ScheduleConfig(beta_start=0.0015, beta_end=0.0205),
)
# The text encoders of Table 1. "CLIP" is ViT-H-14's text tower: with it the row's 576 M adds up.
PAPER_TEXT = {
    "CLAP": PAPER.text,
    "BERT": TextConfig(projection=None),
    "T5-Large": TextConfig(
        kind="t5", vocabulary=32_128, width=1024, layers=24, heads=16, intermediate=4096, positions=0, projection=None
    ),
    "CLIP": TextConfig(
        kind="clip",
        vocabulary=49_408,
        width=1024,
        layers=24,
        heads=16,
        intermediate=4096,
        positions=77,
        projection=None,
        activation="gelu",
    ),
}

_MINILM = TextConfig(width=384, layers=6, heads=12, intermediate=1536, projection=None, mask_pads=True)
_UNIFIED = UNetConfig(
    in_channels=9, context_dim=384, global_dim=256, global_projection=True, learned_null=True, density=True
)
_EIGHT = replace(_UNIFIED, in_channels=17, out_channels=8)

# One network for all five tasks: latent, masked latent and mask, text tokens and a global vector.
SMALL = ModelConfig(
    name="small",
    # Convolutions only: what a latent cell tells stays near it, and any length decodes alike. Eight channels, where the
    # paper has four: with so small a decoder, harmonics did not survive four numbers for 8 bands by 8 frames.
    autoencoder=AutoencoderConfig(channels=32, latent_channels=8, attention_levels=(), middle_attention=False),
    unet=replace(_EIGHT, channels=128),
    schedule=ScheduleConfig(prediction="v"),
    vocoder=IstftConfig(refine=RefineConfig()),
    text=_MINILM,
    guidance=5.0,
)
MINI = replace(SMALL, name="mini", unet=replace(_EIGHT, channels=64))
# Real but tiny networks with random weights, for tests and for trying the program without a download.
TINY = ModelConfig(
    name="tiny",
    autoencoder=AutoencoderConfig(channels=8, res_blocks=1, attention_levels=(), middle_attention=False),
    unet=replace(_UNIFIED, channels=16, res_blocks=1, heads=2, context_dim=32, global_dim=16, attention_levels=(1,)),
    schedule=ScheduleConfig(prediction="v"),
    vocoder=IstftConfig(width=16, layers=1, expansion=2, refine=RefineConfig(rounds=2)),
    text=TextConfig(
        vocabulary=128, width=32, layers=1, heads=2, intermediate=32, positions=80, projection=None, mask_pads=True
    ),
    clap=ClapConfig(joint=16),
)
PRESETS = {config.name: config for config in (PAPER, PAPER_IMAGE, PAPER_INPAINT, SMALL, MINI, TINY)}
