"""Loudness, level, density and the guard against holes, on the random model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maa import Audio, Generation, MakeAnAudio, Sampling, checkpoint
from maa.audio.finish import true_peak
from maa.audio.io import read
from maa.audio.loudness import lufs
from maa.audio.tags import read_tags
from maa.config import TINY
from maa.pipeline import finishing, sustained
from maa.pipeline.finishing import ranked
from maa.pipeline.render import Renderer
from maa.pipeline.tasks import check_loudness
from tests.clips import make_clip
from tests.sounds import sine_wave

QUICK = Sampling(steps=2, guidance=2.0, seed=7)
RATE = 16_000
TARGETS = {"-23": -23.0, "-18": -18.0}


def text(maa: MakeAnAudio, **options: object) -> Generation:
    return maa.text_to_audio("a dog", QUICK, seconds=1.5, **options)


def loudness_of(made: Generation, take: int = 0) -> float:
    return lufs(made.audio[take], made.sample_rate)


def test_every_take_begins_and_ends_silent_and_none_clips(tiny: MakeAnAudio, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", [0.0, 0.5, 1.0])
    sound = (RATE, sine_wave(300, 1.5, peak=0.9)[0])
    picture = np.zeros((32, 32, 3), np.uint8)
    for made in (
        text(tiny),
        tiny.image_to_audio(picture, QUICK, seconds=1.0),
        tiny.video_to_audio(clip, QUICK),
        tiny.personalize(sound, "a cat", QUICK),
    ):
        assert np.abs(made.audio[0, :, [0, -1]]).max() < 10 ** (-50 / 20), made.settings["task"]
        assert true_peak(made.audio[0], RATE) < 1
        assert made.settings_of()["loudness"] == "as-made" and "gain_db" in made.settings_of()


def test_a_loud_vocoder_is_turned_down_as_a_whole(tiny: MakeAnAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = text(tiny)
    vocode = tiny.renderer.vocode
    factor = 3 / np.abs(plain.audio).max()
    monkeypatch.setattr(tiny.renderer, "vocode", lambda *given: vocode(*given) * np.float32(factor))
    loud = text(tiny)
    assert true_peak(loud.audio[0], RATE) == pytest.approx(10 ** (-0.1 / 20), abs=0.01)
    scale = np.vdot(loud.audio, plain.audio) / np.vdot(plain.audio, plain.audio)
    assert loud.audio == pytest.approx(scale * plain.audio, abs=1e-5)
    change = loud.settings_of()["gain_db"] - plain.settings_of()["gain_db"]
    assert change == pytest.approx(20 * np.log10(scale / factor), abs=0.05)


@pytest.mark.parametrize("loudness", ["-23", -18, "peak"])
def test_loudness_of_takes_and_their_settings(tiny: MakeAnAudio, tmp_path: Path, loudness: str | int) -> None:
    plain, made = (
        tiny.text_to_audio("a dog", replace(QUICK, count=2), seconds=1.5, loudness=how) for how in ("as-made", loudness)
    )
    assert made.seeds == plain.seeds and made.scores == plain.scores, "loudness must not change the order"
    for take in range(2):
        settings = read_tags(made.save(tmp_path / "a.wav", take))
        assert settings is not None
        assert settings == made.settings_of(take) and settings["loudness"] == str(loudness)
        written = read(tmp_path / "a.wav")
        if loudness == "peak":
            assert 20 * np.log10(true_peak(written.samples, RATE)) == pytest.approx(-1, abs=0.02)
        else:
            assert lufs(written.samples, RATE) == pytest.approx(float(loudness), abs=0.2)
        if "limited_db" not in settings:
            change = 20 * np.log10(np.abs(made.audio[take]).max() / np.abs(plain.audio[take]).max())
            assert settings["gain_db"] - plain.settings_of(take)["gain_db"] == pytest.approx(change, abs=0.02)


def test_personalised_sound_is_as_loud_as_the_part_of_the_upload_that_was_used(tiny: MakeAnAudio) -> None:
    quiet, loud = sine_wave(400, 2.0, 44_100, 2, peak=0.01), sine_wave(400, 2.0, 44_100, 2, peak=0.2)
    upload = Audio(np.concatenate([quiet, loud], axis=1), 44_100)
    given = lufs(loud.mean(axis=0, keepdims=True), 44_100)
    for t0 in (0.0, 0.4):
        made = tiny.personalize(upload, "a cat", QUICK, t0=t0, start=2.0)
        assert loudness_of(made) == pytest.approx(given, abs=0.2)
    free = tiny.personalize(upload, "a cat", QUICK, t0=0.4, start=2.0, level_match=False)
    assert abs(loudness_of(free) - given) > 1
    assert (made.settings["level_match"], free.settings["level_match"]) == (True, False)
    target = tiny.personalize(upload, "a cat", QUICK, t0=0.4, start=2.0, loudness=-23)
    assert loudness_of(target) == pytest.approx(-23, abs=0.2)


@pytest.mark.parametrize(("given", "name"), [(-23, "-23"), (-18.0, "-18"), ("peak", "peak"), ("as-made", "as-made")])
def test_loudness_may_come_as_a_number(given: object, name: str) -> None:
    assert check_loudness(given) == name


@pytest.mark.parametrize("wrong", ["loud", -14, True, None, float("nan"), ["-23"], ""])
def test_other_loudness_is_one_sentence(tiny: MakeAnAudio, wrong: object) -> None:
    with pytest.raises(ValueError, match=r"^loudness must be one of as-made, -23, -18, peak, not .*\.$"):
        text(tiny, loudness=wrong)


def test_inpainting_has_no_loudness_of_its_own(tiny: MakeAnAudio) -> None:
    with pytest.raises(ValueError, match=r"^Inpainting keeps your own samples.*as-made, not -23\.$"):
        tiny.inpaint((RATE, sine_wave()[0]), [(0.2, 0.4)], "", QUICK, loudness=-23)


# ---------------------------------------------------------------- density


def dense_model() -> MakeAnAudio:
    config = replace(TINY, unet=replace(TINY.unet, density=True))
    return MakeAnAudio(checkpoint.random_model(config), torch.device("cpu"), "dense")


@pytest.mark.parametrize("density", [0.0, 0.25, 1.0, None])
def test_density_reaches_the_condition_and_not_the_null(density: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    maa, seen = dense_model(), []
    assert maa.model.unet is not None
    prepare = maa.model.unet.prepare
    monkeypatch.setattr(maa.model.unet, "prepare", lambda context, n: seen.append(context) or prepare(context, n))
    made = maa.text_to_audio("a dog", replace(QUICK, density=density), seconds=12.0)
    assert len(seen) == 2, "condition and null, once for both windows"
    given = [None if context.density is None else context.density.tolist() for context in seen]
    assert given == [None if density is None else [density], None]
    assert made.settings_of().get("density") == density


def test_a_model_without_density_says_so() -> None:
    plain = replace(TINY, unet=replace(TINY.unet, density=False))
    maa = MakeAnAudio(checkpoint.random_model(plain), torch.device("cpu"), "plain")
    sound, dense = (RATE, sine_wave()[0]), replace(QUICK, density=0.5)
    for ask in (
        lambda: maa.text_to_audio("a dog", dense, seconds=1.0),
        lambda: maa.personalize(sound, "a dog", dense),
        lambda: maa.inpaint(sound, [(0.2, 0.4)], "", dense),
        lambda: maa.image_to_audio(np.zeros((8, 8, 3), np.uint8), dense),
    ):
        with pytest.raises(ValueError, match=r"^The model plain was trained without density; leave density out\.$"):
            ask()


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan"), "much", True])
def test_density_outside_its_range_is_one_sentence(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"^density must be a number from 0 to 1, not .*\.$"):
        Sampling(density=wrong)  # type: ignore[arg-type]


# ---------------------------------------------------------------- sounds that go on

GOES_ON = ("rain", "wind blowing", "ocean waves", "car engine", "machine humming", "water running", "applause")
KNOWN = (*GOES_ON, "wind chimes", "machine gun", "car horn", "water dripping", "dog barking")


@pytest.mark.parametrize(
    "prompt",
    ["rain", "It is raining.", "A rainy night", "wind in the trees", "waves crash on a beach", "engines idle",
     "a machine hums", "running water", "Applause!", "a dog barks while rain falls"],
)  # fmt: skip
def test_a_prompt_names_a_sound_that_goes_on(prompt: str) -> None:
    assert sustained.names_sustained(prompt, GOES_ON, KNOWN)


@pytest.mark.parametrize(
    "prompt",
    ["a dog barks", "a wind chime", "wind chimes ring", "a machine gun", "a car horn", "water dripping", "a train", ""],
)
def test_a_prompt_names_none(prompt: str) -> None:
    assert not sustained.names_sustained(prompt, GOES_ON, KNOWN)
    assert not sustained.names_sustained("rain", (), KNOWN)


def test_takes_with_holes_go_behind_those_without() -> None:
    scores, silent = (0.5, 0.4, 0.3, 0.2), (0.02, 0.0, 0.35, 0.0)
    assert ranked(4, scores, silent) == [1, 3, 0, 2]
    assert ranked(4, scores) == [0, 1, 2, 3]
    assert ranked(4, None, silent) == [1, 3, 0, 2] and ranked(2, None) == [0, 1]


def test_one_quick_take_waits_for_no_judge(tiny: MakeAnAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []
    scores = Renderer.scores

    def counted(self: Renderer, waves: Any, prompt: str) -> Any:
        judged.append(len(waves))
        return scores(self, waves, prompt)

    monkeypatch.setattr(Renderer, "scores", counted)
    quick = replace(QUICK, quality="instant")
    alone, two = (tiny.text_to_audio("a dog", replace(quick, count=count), seconds=1.0) for count in (1, 2))
    assert judged == [2] and alone.scores is None and "clap_score" not in alone.settings_of()
    assert np.array_equal(alone.audio[0], two.audio[two.seeds.index(alone.seeds[0])])
    own = tiny.personalize((RATE, alone.audio[0, 0]), "rain", quick, t0=0.5)
    assert judged == [2, 1] and own.scores is not None, "how near it came to the prompt is what t0 is chosen by"


def test_the_guard_orders_takes_of_a_sound_that_goes_on_only(
    tiny: MakeAnAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = replace(QUICK, count=3)
    monkeypatch.setattr(tiny.model, "sustained", ("rain",))
    listed = [0.3, 0.0, 0.12]
    monkeypatch.setattr(finishing, "silence_share", lambda wave, rate: listed.pop(0))
    rain = tiny.text_to_audio("rain falls", three, seconds=1.0)
    assert rain.seeds == (8, 9, 7) and rain.scores is not None
    assert [rain.settings_of(k)["silence"] for k in range(3)] == [0.0, 0.12, 0.3]
    listed[:] = [0.12]
    alone = tiny.text_to_audio("rain falls", replace(QUICK, seed=9), seconds=1.0)
    assert np.array_equal(alone.audio[0], rain.audio[1]) and alone.settings_of() == {**rain.settings_of(1), "takes": 1}
    dog = tiny.text_to_audio("a dog", three, seconds=1.0)
    assert list(dog.scores or ()) == sorted(dog.scores or (), reverse=True) and "silence" not in dog.settings_of()


def test_names_of_sounds_that_go_on_travel_with_a_model(tiny: MakeAnAudio, tmp_path: Path) -> None:
    model = replace(tiny.model, sustained=("rain", "wind blowing"))
    checkpoint.save(model, tmp_path / "with")
    assert checkpoint.load(tmp_path / "with").sustained == ("rain", "wind blowing")
    (tmp_path / "with" / "sustained.json").unlink()
    assert checkpoint.load(tmp_path / "with").sustained == ()


def test_the_shipped_model_knows_rain_and_its_concepts() -> None:
    names = checkpoint.names(checkpoint.root() / "small" / "sustained.json")
    known = checkpoint.names(checkpoint.root() / "small" / "concepts.json")
    assert names and list(names) == sorted(set(names))
    for prompt in ("rain", "wind blowing", "ocean waves", "applause", "a stream of water", "a car engine"):
        assert sustained.names_sustained(prompt, names, known), prompt
    for prompt in ("a dog barks", "door", "church bell", "footsteps on gravel", "a car horn", "glass breaking"):
        assert not sustained.names_sustained(prompt, names, known), prompt


def test_a_sound_that_goes_on_is_asked_for_without_holes(tiny: MakeAnAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where nothing else is said; the settings keep the choice open."""
    monkeypatch.setattr(tiny.model, "sustained", ("rain",))

    def made(prompt: str, density: float | None) -> Generation:
        return tiny.text_to_audio(prompt, replace(QUICK, density=density), seconds=1.0)

    free = made("heavy rain", None)
    assert np.array_equal(free.audio, made("heavy rain", 1.0).audio)
    assert not np.array_equal(free.audio, made("heavy rain", 0.2).audio)
    assert not np.array_equal(made("a dog barks", None).audio, made("a dog barks", 1.0).audio)
    assert "density" not in free.settings
