"""How a take is cut and shaped when it is written: in the file, in its settings, in its command."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maa import Box, Generation, MakeAnAudio, Sampling, Shaping
from maa.audio.io import read
from maa.audio.loudness import lufs
from maa.audio.tags import read_tags
from maa.cli.arguments import parser
from maa.pipeline.replay import Files, command
from maa.pipeline.setting import read_options, settings_of
from tests.sounds import sine_wave

QUICK = Sampling(steps=2, guidance=2.0, seed=7)
RATE = 16_000


@pytest.fixture(scope="module")
def two(tiny: MakeAnAudio) -> Generation:
    return tiny.text_to_audio("a dog", replace(QUICK, count=2), seconds=1.5)


def test_a_file_is_shaped_and_the_take_is_not(two: Generation, tmp_path: Path) -> None:
    before = two.audio.copy()
    asked = Shaping(trim=(0.25, 1.0), reverse=True, fade_out=0.1, gain=-6.0)
    made = two.shaped(asked)
    sound = read(made.save(tmp_path / "a.wav", subtype="FLOAT"))
    assert np.array_equal(two.audio, before) and sound.seconds == 0.75 == made.seconds
    plain = two.audio[0][:, 4_000:16_000][:, ::-1]
    inner = slice(32, -1_600)  # behind the ramp of the cut, before the fade
    assert np.abs(sound.samples[:, inner] / 10 ** (-6 / 20) - plain[:, inner]).max() < 1e-6
    assert sound.samples[0, 0] == sound.samples[0, -1] == 0
    assert np.array_equal(made.sound(), sound.samples)
    whole = read(two.shaped(Shaping(reverse=True)).save(tmp_path / "b.wav", subtype="FLOAT"))
    assert np.array_equal(whole.samples[0], two.audio[0][0, ::-1]), "reversal alone changes no value"


@pytest.mark.parametrize("rate", [None, 44_100, 48_000])
def test_edges_are_silent_at_the_rate_of_the_file(two: Generation, tmp_path: Path, rate: int | None) -> None:
    made = two.shaped(Shaping(trim=(0.3, 0.9), fade_in=0.05, fade_out=0.05))
    sound = read(made.save(tmp_path / "a.wav", subtype="FLOAT", rate=rate))
    assert sound.samples.shape[1] == round(0.6 * (rate or RATE))
    assert (sound.samples[:, [0, -1]] == 0).all() and np.abs(sound.samples).max() > 0


def test_settings_say_the_shape_and_nothing_usual(two: Generation, tmp_path: Path) -> None:
    asked = Shaping(trim=(0.25, 1.0), reverse=True, fade_in=0.1, target="-23", gain=-2.5)
    said = read_tags(two.shaped(asked).save(tmp_path / "a.wav"))
    assert said is not None
    assert said == {**two.settings_of(), "trim": [0.25, 1.0], "reverse": True, "fade_in": 0.1, "target": "-23",
                    "gain": -2.5}  # fmt: skip
    assert read_options(Shaping, said) == asked
    assert two.shaped(Shaping()).settings_of() == two.settings_of()
    assert lufs(read(tmp_path / "a.wav").samples, RATE) == pytest.approx(-23, abs=0.2)


def test_the_command_says_the_shape(two: Generation) -> None:
    asked = Shaping(width=0.5, trim=(0.25, 1.0), reverse=True, fade_in=0.1, fade_out=0.2, gain=-2.5, target="-23")
    settings = two.settings_of() | asked.to_settings()
    args = parser().parse_args(shlex.split(command(settings, Files("a.wav")))[3:])
    given = {name: value for name, value in vars(args).items() if value is not None}
    assert read_options(Shaping, given) == asked
    plain = command(two.settings_of(), Files("a.wav"))
    assert not any(one.option in plain.split() for one in settings_of(Shaping))


def test_stereo_of_two_seeds(tiny: MakeAnAudio, two: Generation, tmp_path: Path) -> None:
    asked = Shaping(width=0.5)
    assert asked.asked(QUICK) == replace(QUICK, count=2) and Shaping().asked(QUICK) is QUICK
    made = two.shaped(asked)
    assert made.seeds == (7,) and made.settings_of()["seed"] == 7 and made.settings_of()["width"] == 0.5
    sound = read(made.save(tmp_path / "a.wav", subtype="FLOAT"))
    assert sound.channels == 2
    first, second = (two.audio[two.seeds.index(seed)] for seed in (7, 8))
    middle = sound.samples.mean(axis=0)
    assert np.corrcoef(middle, first[0])[0, 1] > 0.999 and abs(np.corrcoef(middle, second[0])[0, 1]) < 0.999
    again = tiny.text_to_audio("a dog", asked.asked(QUICK), seconds=1.5).shaped(asked)
    assert again.save(tmp_path / "b.wav").read_bytes() == made.save(tmp_path / "a.wav").read_bytes()
    three = tiny.text_to_audio("a dog", asked.asked(replace(QUICK, count=2)), seconds=1.5).shaped(asked)
    take = three.seeds.index(7)
    assert set(three.seeds) == {7, 8} and np.array_equal(three.sound(take), made.sound())


def test_mistakes_are_one_sentence(tiny: MakeAnAudio, two: Generation, tmp_path: Path) -> None:
    alone = tiny.text_to_audio("a dog", QUICK, seconds=0.5)
    source = (48_000, sine_wave(rate=48_000, seconds=1.0, channels=2).T)
    inpainted = tiny.inpaint(source, [Box(0.2, 0.4)], "", replace(QUICK, count=2))
    for one in (alone, inpainted):
        with pytest.raises(ValueError, match=r"^A width needs mono takes of seeds in a row"):
            one.shaped(Shaping(width=0.5))
    with pytest.raises(ValueError, match=r"^With a width one more take is made; ask for at most 7\.$"):
        Shaping(width=0.5).asked(replace(QUICK, count=8))
    for wrong in ((1.0, 0.5), (0.5,), (-1.0, 2.0), "half", (0.0, float("nan")), (0.0, 601.0)):
        with pytest.raises(ValueError, match=r"trim must"):
            Shaping(trim=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^gain must be a number from -60 to 24, not 30\.$"):
        Shaping(gain=30)
    with pytest.raises(ValueError, match=r"there is less than 0\.01 s of it between 2 s and 3 s"):
        two.shaped(Shaping(trim=(2.0, 3.0))).save(tmp_path / "a.wav")
    assert not (tmp_path / "a.wav").exists()


def test_an_edit_is_shaped_as_the_file_holds_it(tiny: MakeAnAudio, tmp_path: Path) -> None:
    """So that what was saved can be shaped later, and gives the same."""
    source = (48_000, (sine_wave(rate=48_000, seconds=1.0, channels=2).T * 32767).astype(np.int16))
    made = tiny.inpaint(source, [Box(0.2, 0.4)], "", QUICK)
    asked = Shaping(trim=(0.1, 0.6), gain=-3.0)
    kept = read(made.save(tmp_path / "whole.wav"))
    later = asked.applied(kept.samples, 48_000).samples
    assert np.array_equal(later, read(made.shaped(asked).save(tmp_path / "a.wav", subtype="FLOAT")).samples)


def test_a_loop_stays_one_unless_it_is_cut(tiny: MakeAnAudio, tmp_path: Path) -> None:
    loop = tiny.text_to_audio("rain", QUICK, seconds=1.0, loop=True)
    for shaping, marked in ((Shaping(reverse=True), True), (Shaping(gain=-3), True), (Shaping(trim=(0, 0.5)), False)):
        data = loop.shaped(shaping).save(tmp_path / "a.wav").read_bytes()
        assert (b"smpl" in data) is marked
