"""Settings as a command line."""

from __future__ import annotations

import shlex

from maa.cli.arguments import parser
from maa.pipeline.replay import Files, command

SETTINGS = {"task": "text", "prompt": "a dog", "seed": 7, "steps": 9, "guidance": 2.5, "sampler": "ddim", "eta": 0.5}


def test_takes_that_were_made_together_are_asked_for_together() -> None:
    line = command({**SETTINGS, "seed": 8, "batch": [7, 3, 2]}, Files("a.wav"), subtype="PCM_24", rate=48_000)
    args = parser().parse_args(shlex.split(line)[3:])
    assert (args.seed, args.count, args.pick, args.bits, args.rate, args.eta) == (7, 3, 2, 24, 48_000, 0.5)
    alone = parser().parse_args(shlex.split(command(SETTINGS, Files("a.wav")))[3:])
    assert (alone.seed, alone.count, alone.pick, alone.bits) == (7, None, 1, None)


def test_how_a_hole_was_filled_is_said_only_where_it_is_unusual() -> None:
    usual = {"task": "inpaint", "prompt": "", "strength": 1.0, "resampling": 0, "before": 0.0, "level_match": True}
    plain = command(usual, Files("a.wav", "in.wav", boxes=[[0.5, 1, 0, 300]]))
    assert plain == "python -m maa inpaint in.wav --box 0.5 1.0 0.0 300.0 -o a.wav"
    unusual = {"strength": 0.5, "blend": 0.4, "before": 1.5, "level_match": False}
    other = command({**usual, **unusual}, Files("a.wav", "in.wav", "mask.png"))
    assert other == (
        "python -m maa inpaint in.wav --mask mask.png --strength 0.5 --blend 0.4 --before 1.5 --no-level-match -o a.wav"
    )


def test_nothing_in_a_prompt_reaches_the_shell() -> None:
    line = command({**SETTINGS, "prompt": "$(rm -rf /) `x` 'y' \"z\"; --seed 1"}, Files("a.wav"))
    assert shlex.split(line)[4] == "$(rm -rf /) `x` 'y' \"z\"; --seed 1"
