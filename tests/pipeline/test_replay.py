"""Settings as a command line."""

from __future__ import annotations

import shlex

import pytest

from maa import device
from maa.audio.finish import AS_MADE, LOUDNESS
from maa.cli.arguments import parser
from maa.pipeline import options, tasks
from maa.pipeline.replay import Files, command
from maa.pipeline.setting import settings_of
from maa.vision.mux import ORIGINALS

SETTINGS = {"task": "text", "prompt": "a dog", "seed": 7, "steps": 9, "guidance": 2.5, "sampler": "ddim", "eta": 0.5}


def test_takes_that_were_made_together_are_asked_for_together() -> None:
    line = command({**SETTINGS, "seed": 8, "batch": [7, 3, 2]}, Files("a.wav"), subtype="PCM_24", rate=48_000)
    args = parser().parse_args(shlex.split(line)[3:])
    assert (args.seed, args.takes, args.pick, args.bits, args.rate, args.eta) == (7, 3, 2, 24, 48_000, 0.5)
    alone = parser().parse_args(shlex.split(command(SETTINGS, Files("a.wav")))[3:])
    assert (alone.seed, alone.takes, alone.pick, alone.bits) == (7, None, 1, None)


def test_loudness_level_and_density_are_said_where_they_are_unusual() -> None:
    usual = {**SETTINGS, "task": "personalize", "t0": 0.4, "level_match": True, "loudness": "as-made"}
    plain = command(usual, Files("a.wav", "in.wav"))
    assert not any(option in plain for option in ("--loudness", "--density", "level-match"))
    for loudness in ("-23", "peak"):
        line = command({**usual, "level_match": False, "loudness": loudness, "density": 0.25}, Files("a.wav", "in.wav"))
        args = parser().parse_args(shlex.split(line)[3:])
        assert (args.loudness, args.density, args.level_match) == (loudness, 0.25, False)


def test_the_choices_that_are_offered_are_those_that_there_are() -> None:
    args = parser().parse_args(["text", "rain", "-o", "a.wav"])
    assert args.loudness is None and AS_MADE == tasks.AS_MADE and tuple(tasks.LOUDNESS) == LOUDNESS
    assert tuple(options.ORIGINALS) == ORIGINALS
    setting = next(one for one in settings_of(tasks.Text) if one.name == "loudness")
    assert all(name in setting.help for name in LOUDNESS)


def test_how_a_hole_was_filled_is_said_only_where_it_is_unusual() -> None:
    usual = {"task": "inpaint", "prompt": "", "strength": 1.0, "resampling": 0, "before": 0.0, "level_match": True}
    usual |= {"dtype": "float32"}
    plain = command(usual, Files("a.wav", "in.wav", boxes=[[0.5, 1, 0, 300]]))
    assert plain == "python -m maa inpaint in.wav --box 0.5 1.0 0.0 300.0 --dtype float32 -o a.wav"
    unusual = {"strength": 0.5, "blend": 0.4, "before": 1.5, "level_match": False}
    other = command({**usual, **unusual}, Files("a.wav", "in.wav", "mask.png"))
    assert other == (
        "python -m maa inpaint in.wav --mask mask.png --strength 0.5 --blend 0.4 --no-level-match --before 1.5"
        " --dtype float32 -o a.wav"
    )


def test_a_sound_that_does_not_say_its_precision_had_a_cpus_at_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    old = {name: value for name, value in SETTINGS.items() if name != "dtype"}
    for found, said in ((["cpu"], "float32"), (["cuda", "cpu"], None)):
        monkeypatch.setattr(device, "available", lambda found=found: found)
        assert parser().parse_args(shlex.split(command(old, Files("a.wav")))[3:]).dtype == said
        line = command({**old, "dtype": "bfloat16"}, Files("a.wav"))
        assert parser().parse_args(shlex.split(line)[3:]).dtype == "bfloat16"


def test_nothing_in_a_prompt_reaches_the_shell() -> None:
    line = command({**SETTINGS, "prompt": "$(rm -rf /) `x` 'y' \"z\"; --seed 1"}, Files("a.wav"))
    assert shlex.split(line)[4] == "$(rm -rf /) `x` 'y' \"z\"; --seed 1"
