"""The authors' complete key lists go through the reader: nothing is missing, nothing is left over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from maa.config import PAPER, PAPER_IMAGE, PAPER_INPAINT, MsClapConfig, ScheduleConfig
from maa.config.vocoders import BigvganConfig, HifiganConfig
from maa.diffusion.schedule import Schedule
from maa.models.bigvgan import low_pass
from maa.models.msclap import stored_front_end
from maa.official.networks import ClapFile, Network, Vocoder, recognise
from maa.official.pickles import TensorFile
from tests.models.weights import error, formula
from tests.reference import FOLDER, reference


def shapes(name: str) -> dict[str, tuple[int, ...]]:
    """One of the authors' key lists."""
    path = FOLDER.parent / "keys" / f"official-keys-{name}.txt"
    if not path.is_file():
        pytest.skip("reference key lists are not at hand")
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return {row[0]: tuple(int(n) for n in re.findall(r"\d+", row[1])) for row in rows if len(row) == 3}


def hollow(name: str) -> dict[str, Tensor]:
    """Tensors of those names and shapes that take no room."""
    return {key: torch.zeros(()).expand(shape) for key, shape in shapes(name).items()}


def stored(config: ScheduleConfig) -> dict[str, Tensor]:
    """The buffers of the diffusion, with the real betas."""
    found = hollow("diffusion-buffers")
    return {**found, "betas": Schedule(config).betas.float(), "scale_factor": torch.tensor(0.8)}


def network(*parts: dict[str, Tensor]) -> Network:
    merged = {key: value for part in parts for key, value in part.items()}
    found = recognise(TensorFile(Path("file.ckpt"), merged))
    assert isinstance(found, Network)
    return found


def test_text_file() -> None:
    positions = "cond_stage_model.caption_encoder.base.embeddings.position_ids"
    extra = {positions: torch.arange(512)[None]}
    first = hollow("autoencoder")
    found = network(hollow("unet-text2audio"), first, hollow("clap-text"), stored(ScheduleConfig()), extra)
    assert found.kind == "text" and found.config.unet == PAPER.unet and found.config.text == PAPER.text
    assert found.config.schedule == ScheduleConfig() and found.config.autoencoder.latent_scale == pytest.approx(0.8)
    counts = {part: sum(value.numel() for value in weights.values()) for part, weights in found.parts.items()}
    assert counts == {"unet": 160_223_684, "autoencoder": 68_984_037, "text": 111_319_296}


def test_image_file() -> None:
    found = network(hollow("unet-img2audio"), hollow("autoencoder"), stored(ScheduleConfig()))
    assert found.kind == "image" and found.config.unet == PAPER_IMAGE.unet


def test_inpainting_file() -> None:
    first = hollow("autoencoder")
    again = {key.replace("first_stage_model", "cond_stage_model"): value for key, value in first.items()}
    buffers = stored(PAPER_INPAINT.schedule)
    del buffers["scale_factor"]
    found = network(hollow("unet-inpaint"), first, again, buffers)
    assert found.kind == "inpaint" and found.config.unet == PAPER_INPAINT.unet
    assert found.config.schedule == PAPER_INPAINT.schedule and found.config.autoencoder.latent_scale == 1.0
    assert found.config.audio.frames == 848


@pytest.mark.slow
@pytest.mark.parametrize(("name", "config"), [("hifigan", HifiganConfig()), ("bigvgan", BigvganConfig())])
def test_vocoder_sings_the_same_wave(name: str, config: HifiganConfig | BigvganConfig) -> None:
    raw = {key: formula(key, shape) for key, shape in shapes(name).items() if not key.endswith(".filter")}
    filters = {key: low_pass().float()[None, None] for key in shapes(name) if key.endswith(".filter")}
    found = recognise(TensorFile(Path("best_netG.pt"), {**raw, **filters}))
    assert isinstance(found, Vocoder) and found.config == config
    golden = reference(name)
    with torch.inference_mode():
        wave = found.build()(torch.from_numpy(golden["mel"]))[:, None]
    assert error(wave, golden["wav"]) <= 1e-5


def test_clap_file() -> None:
    front = {f"audio_encoder.base.{name}": value for name, value in stored_front_end().items()}
    found = recognise(TensorFile(Path("CLAP.pth"), {**hollow("clap-full"), **front}))
    assert isinstance(found, ClapFile) and found.config == MsClapConfig()
    assert sum(value.numel() for part in found.parts.values() for value in part.values()) == sum(
        torch.Size(shape).numel() for key, shape in shapes("clap-full").items() if "extractor" not in key
    )
