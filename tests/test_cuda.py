"""On a GPU: all five tasks, and bf16 inside the network against fp32. Run with `pytest -m cuda`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from maa import Audio, Box, MakeAnAudio, Sampling, checkpoint
from maa.device import available
from tests.files import write_clip
from tests.sounds import assert_audio_valid, sine_wave

pytestmark = pytest.mark.cuda
QUICK = Sampling(steps=10, seed=7, count=2)
SOUND = Audio(sine_wave(440, 2.0, 48_000, 2), 48_000, "PCM_16")


@pytest.fixture(scope="module", params=["tiny", "small"])
def maa(request: pytest.FixtureRequest) -> MakeAnAudio:
    try:
        return MakeAnAudio.from_pretrained(request.param, device=available()[0], dtype="bfloat16")
    except ValueError as error:
        pytest.skip(str(error))


def test_text(maa: MakeAnAudio) -> None:
    assert_audio_valid(maa.text_to_audio("rain", QUICK, seconds=3.0).audio, 3.0)


def test_image(maa: MakeAnAudio) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert_audio_valid(maa.image_to_audio(picture, QUICK).audio)


def test_video(maa: MakeAnAudio, tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4")
    assert_audio_valid(maa.video_to_audio(tmp_path / "clip.mp4", QUICK).audio)


def test_personalize(maa: MakeAnAudio) -> None:
    assert_audio_valid(maa.personalize(SOUND, "rain", QUICK, t0=0.4).audio, 2.0)


def test_inpaint(maa: MakeAnAudio) -> None:
    result = maa.inpaint(SOUND, [Box(0.5, 1.0)], "rain", QUICK)
    assert np.array_equal(result.audio[..., :23_000], np.stack([SOUND.samples[:, :23_000]] * 2))


def test_bf16_is_close_to_fp32(maa: MakeAnAudio) -> None:
    """The mean mel difference of a whole run stays below a tenth of a decade (2 dB)."""
    mels = []
    for dtype in (torch.float32, torch.bfloat16):
        assert maa.model.unet is not None
        maa.model.unet.to(dtype)
        mels.append(maa.text_to_audio("rain", Sampling(steps=25, seed=1)).mel)
    assert np.abs(mels[0] - mels[1]).mean() < 0.1


def test_a_batch_of_takes_is_close_to_single_takes(maa: MakeAnAudio) -> None:
    assert maa.model.unet is not None
    maa.model.unet.to(torch.float32)
    together = maa.text_to_audio("rain", Sampling(steps=5, seed=3, count=2), seconds=2.0)
    alone = maa.text_to_audio("rain", Sampling(steps=5, seed=together.seeds[1]), seconds=2.0)
    assert np.abs(together.audio[1] - alone.audio[0]).max() < 1e-3


def test_networks_are_where_they_should_be(maa: MakeAnAudio) -> None:
    assert isinstance(maa.model, checkpoint.Model)
    assert all(p.device == maa.device for n in maa.model.networks().values() for p in n.parameters())


def test_the_step_loop_never_waits_for_the_gpu(maa: MakeAnAudio) -> None:
    sampling = Sampling(steps=5, seed=3)
    maa.text_to_audio("rain", sampling, seconds=2.0)  # tables and kernels are in place
    renderer = maa.renderer
    sample = renderer._sample

    def watched(*args: object) -> torch.Tensor:
        torch.cuda.set_sync_debug_mode("error")
        try:
            return sample(*args)  # type: ignore[arg-type]
        finally:
            torch.cuda.set_sync_debug_mode("default")

    renderer._sample = watched  # type: ignore[method-assign]
    try:
        maa.text_to_audio("rain", sampling, seconds=2.0)
    finally:
        del renderer._sample
