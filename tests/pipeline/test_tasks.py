"""The five tasks from Python, on the random model and on the shipped one, and the promises about their bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from maa import Audio, Box, Cancelled, Generation, MakeAnAudio, Sampling
from maa.pipeline.length import frames_for
from tests.files import write_clip
from tests.sounds import assert_audio_valid, sine_wave

QUICK = Sampling(steps=3, guidance=2.0, seed=7)
SHORT = 1.024  # seconds: 64 frames, four times the least the network takes


@pytest.fixture(params=["tiny", "small"])
def maa(request: pytest.FixtureRequest) -> MakeAnAudio:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def stereo() -> Audio:
    noise = 0.1 * np.random.default_rng(1).standard_normal((2, 96_000))
    exact = np.round((sine_wave(440, 2.0, 48_000, 2) * 0.5 + noise) * 32768).clip(-32768, 32767) / 32768
    return Audio(exact.astype(np.float32), 48_000, "PCM_16")


def test_text(maa: MakeAnAudio) -> None:
    result = maa.text_to_audio("a dog barks twice", QUICK, seconds=SHORT)
    assert isinstance(result, Generation) and result.audio.shape == (1, 1, 16_384)
    assert_audio_valid(result.audio)
    assert result.mel.shape == (1, 80, 64) and result.seeds == (7,)
    assert result.scores is not None and -1 <= result.scores[0] <= 1
    assert result.settings["prompt"] == "a dog barks twice" and result.settings["task"] == "text"


def test_image(maa: MakeAnAudio, picture: np.ndarray) -> None:
    result = maa.image_to_audio(picture, QUICK, seconds=SHORT)
    assert_audio_valid(result.audio)
    assert result.words and sum(weight for _, weight in result.words) == pytest.approx(1.0, abs=1e-3)
    corrected = maa.image_to_audio(picture, QUICK, prompt="rain", seconds=SHORT)
    assert not np.array_equal(result.audio, corrected.audio)


def test_video(maa: MakeAnAudio, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    write_clip(clip, frames=10)
    result = maa.video_to_audio(clip, QUICK)
    assert_audio_valid(result.audio)
    assert result.audio.shape[-1] == pytest.approx(16_000, abs=1600)


def test_personalize(maa: MakeAnAudio, stereo: Audio) -> None:
    result = maa.personalize(stereo, "a cat meows", QUICK, t0=0.4)
    assert_audio_valid(result.audio, 2.0)


def test_inpaint(maa: MakeAnAudio, stereo: Audio) -> None:
    result = maa.inpaint(stereo, [Box(0.5, 1.0)], "rain", QUICK)
    assert result.sample_rate == 48_000 and result.audio.shape == (1, 2, 96_000)
    assert_audio_valid(result.audio)
    outside = np.ones(96_000, bool)
    start, end = result.settings["spans"][0]
    outside[int(start * 48_000) : int(np.ceil(end * 48_000))] = False
    assert 0.5 - 0.016 <= start <= 0.5 and 1.0 <= end <= 1.0 + 0.016
    assert np.array_equal(result.audio[0][:, outside], stereo.samples[:, outside])
    assert not np.array_equal(result.audio[0][:, ~outside], stereo.samples[:, ~outside])


def test_the_same_request_gives_the_same_bytes(maa: MakeAnAudio, tmp_path: Path) -> None:
    paths = [maa.text_to_audio("rain", QUICK, seconds=SHORT).save(tmp_path / name) for name in ("a.wav", "b.wav")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_take_k_is_the_single_run(maa: MakeAnAudio) -> None:
    takes = maa.text_to_audio("rain", Sampling(steps=2, seed=2**32 - 1, count=3), seconds=SHORT)
    assert sorted(takes.seeds) == [0, 1, 2**32 - 1]
    assert list(takes.scores) == sorted(takes.scores, reverse=True)
    for k, seed in enumerate(takes.seeds):
        single = maa.text_to_audio("rain", Sampling(steps=2, seed=seed), seconds=SHORT)
        assert np.array_equal(single.audio[0], takes.audio[k])


def test_t0_one_is_text_to_audio(maa: MakeAnAudio, stereo: Audio) -> None:
    whole = maa.personalize(stereo, "rain", QUICK, t0=1.0)
    assert np.array_equal(whole.audio, maa.text_to_audio("rain", QUICK, seconds=2.0).audio)


def test_t0_zero_is_the_round_trip(maa: MakeAnAudio, stereo: Audio) -> None:
    import torch

    from maa.audio.finish import clean

    result = maa.personalize(stereo, "", QUICK, t0=0.0, level_match=False)
    wave = maa.engine.mono(stereo)
    frames = frames_for(maa.config, len(wave))
    padded = np.zeros(frames * 256, np.float32)
    padded[: len(wave)] = wave
    with torch.inference_mode():
        mel = maa.renderer.autoencoder
        made = mel.decode(mel.encode(maa.renderer.mel_of(padded)))
    assert np.array_equal(result.audio[0], clean(maa.renderer.vocode(made)[:, : len(wave)], 16_000).samples)


def test_empty_mask_is_the_input(tiny: MakeAnAudio, stereo: Audio, tmp_path: Path) -> None:
    mask = np.zeros((80, tiny.frames_of(stereo)), bool)
    result = tiny.inpaint(stereo, mask, "rain", QUICK)
    assert np.array_equal(result.audio[0], stereo.samples)
    data, rate = soundfile.read(result.save(tmp_path / "same.wav"), dtype="int16", always_2d=True)
    assert rate == 48_000 and np.array_equal(data.T, np.round(stereo.samples * 32768).astype(np.int16))


def test_inpainting_a_long_file_in_windows(tiny: MakeAnAudio) -> None:
    source = Audio(sine_wave(300, 25.0, 8000, 1), 8000, "PCM_16")
    steps = []
    spans = [Box(1.0, 1.5), Box(20.0, 20.4)]
    result = tiny.inpaint(source, spans, "", QUICK, on_step=lambda k, n, _: steps.append((k, n)))
    assert steps == [(k, 6) for k in range(1, 7)]  # two windows of three steps
    changed = np.flatnonzero(result.audio[0, 0] != source.samples[0]) / 8000
    assert ((changed >= 0.98) & (changed < 1.52) | (changed >= 19.98) & (changed < 20.42)).all()


def test_a_thin_stroke_does_not_vanish(tiny: MakeAnAudio, stereo: Audio) -> None:
    mask = np.zeros((80, tiny.frames_of(stereo)), bool)
    mask[13, 37] = True
    result = tiny.inpaint(stereo, mask, "", QUICK)
    assert not np.array_equal(result.audio[0], stereo.samples)


def test_a_text_only_network_can_inpaint(stereo: Audio) -> None:
    from dataclasses import replace

    import torch

    from maa.checkpoint import random_model
    from maa.config import TINY

    plain = replace(TINY, unet=replace(TINY.unet, in_channels=4))
    maa = MakeAnAudio(random_model(plain), torch.device("cpu"), "plain")
    result = maa.inpaint(stereo, [Box(0.5, 1.0)], "rain", QUICK)
    assert np.array_equal(result.audio[0][:, :20_000], stereo.samples[:, :20_000])


@pytest.mark.parametrize("seconds", [0.5, 1.0, 9.984, 10.0, 12.3])
def test_lengths_are_exact(tiny: MakeAnAudio, seconds: float) -> None:
    result = tiny.text_to_audio("rain", Sampling(steps=1, seed=0), seconds=seconds)
    assert result.audio.shape[-1] == round(seconds * 16_000)
    wanted = 624 if 9.9 < seconds <= 10.0 else -(-round(seconds * 16_000) // 4096) * 16
    assert result.mel.shape[-1] == wanted


def test_progress_and_preview(tiny: MakeAnAudio) -> None:
    seen = []
    twice = Sampling(steps=4, seed=0, count=2)
    tiny.text_to_audio("rain", twice, seconds=SHORT, on_step=lambda k, n, look: seen.append((k, n, look())))
    assert [(k, n) for k, n, _ in seen] == [(k, 8) for k in range(1, 9)]
    assert seen[-1][2].shape == (80, 64)


def test_cancelled_stops_within_the_step(tiny: MakeAnAudio) -> None:
    calls = []

    def stop(step: int, total: int, preview: object) -> None:
        calls.append(step)
        if step == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        tiny.text_to_audio("rain", Sampling(steps=50, seed=0), seconds=SHORT, on_step=stop)
    assert calls == [1, 2]


def test_conditions_matter(tiny: MakeAnAudio) -> None:
    def make(prompt: str, **changes: object) -> np.ndarray:
        guidance = changes.pop("guidance", 3.0)
        return tiny.text_to_audio(prompt, Sampling(3, guidance, 1), seconds=SHORT, **changes).audio

    rain = make("rain")
    assert not np.array_equal(rain, make("a dog"))
    assert not np.array_equal(rain, make("rain", negative="music"))
    assert not np.array_equal(rain, make("rain", guidance=1.0))


def test_ddim_and_eta(tiny: MakeAnAudio) -> None:
    def make(**changes: object) -> np.ndarray:
        return tiny.text_to_audio("rain", Sampling(steps=4, seed=1, **changes), seconds=SHORT).audio

    assert not np.array_equal(make(sampler="ddim"), make(sampler="ddim", eta=1.0))
    assert np.array_equal(make(sampler="ddim", eta=1.0), make(sampler="ddim", eta=1.0))
