"""`python -m maa edit`: one edit after the other, each in the settings of the file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maa.audio.io import read
from maa.audio.tags import read_tags
from maa.cli import main
from maa.pipeline.edits import step_sentence, steps_in


def test_edits_of_edits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file keeps its format; what lies outside stays; the chain is inside, and `whatis` tells it."""
    assert main(["edit", "stereo48.wav", "--box", "0.5", "1", "300", "900", "--gain", "-12", "-o", "a.wav"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("a.wav: Attenuate −12 dB, 0.50–1.00 s; 75 % of the samples unchanged")
    assert main(["edit", "a.wav", "--frames", "1.2", "1.3", "--heal", "--seed", "3", "-o", "b.wav", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [step["operation"] for step in told["chain"]] == ["boost", "heal"] and told["chain"][1]["seed"] == 3
    before, after = read("stereo48.wav"), read("b.wav")
    assert (after.sample_rate, after.subtype) == (48_000, "PCM_24")
    outside = np.ones(96_000, bool)
    outside[24_000:48_000] = outside[57_600:62_400] = False
    assert np.array_equal(before.samples[:, outside], after.samples[:, outside])
    assert steps_in(read_tags("b.wav")) == told["chain"]
    assert main(["whatis", "b.wav"]) == 0
    assert "edit 1: Attenuate −12 dB, 0.50–1.00 s\n  edit 2: Heal, 1.20–1.30 s" in capsys.readouterr().out


def test_info_tells_what_a_file_says_of_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", "stereo48.wav", "--frames", "1", "1.5", "--silence", "-o", "a.wav", "--quiet"]) == 0
    assert main(["edit", "a.wav", "--frames", "0.2", "0.3", "--copy-to", "1.1", "-o", "b.wav", "--quiet"]) == 0
    assert main(["info", "b.wav"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("b.wav\n\n") and "task          'edit'\n" in told and "'outside': 0.0" in told
    assert told.endswith("edits\n1   Silence, 1.00–1.50 s\n2   Copy to 1.10 s, 0.20–0.30 s\n")
    assert main(["info", "b.wav", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["settings"] == read_tags("b.wav") and len(facts["edits"]) == 2
    assert main(["info", "stereo48.wav"]) == 0 and "No settings of this program" in capsys.readouterr().out
    for wrong in (["small"], ["b.wav", "--config", "paper"]):
        assert main(["info", *wrong]) == 2 and capsys.readouterr().err.count("\n") == 1


def test_an_inpainting_of_an_edited_file_has_its_chain(folder: Path) -> None:
    """And one of any other file is what it always was."""
    how = ["--frames", "0.2", "0.4", "--prompt", "rain", "--steps", "1", "--seed", "1", "--quiet"]
    assert main(["edit", "stereo48.wav", "--frames", "1", "1.5", "--silence", "-o", "a.wav", "--quiet"]) == 0
    assert main(["inpaint", "a.wav", *how, "-o", "b.wav"]) == 0
    assert main(["inpaint", "stereo48.wav", *how, "-o", "c.wav"]) == 0
    settings, plain = read_tags("b.wav"), read_tags("c.wav")
    assert [step_sentence(step) for step in steps_in(settings)] == [
        "Silence, 1.00–1.50 s",
        "Replace: rain, 0.19–0.40 s",
    ]
    assert settings is not None and plain is not None and set(settings) - set(plain) == {"chain", "painted"}


def test_a_painted_mask_and_other_formats(folder: Path) -> None:
    mask = np.zeros((80, 125), bool)
    mask[20:40, 30:60] = True
    np.save("mask.npy", mask)
    assert main(["edit", "stereo48.wav", "--mask", "mask.npy", "--move-to", "1.2", "-o", "out.flac", "--quiet"]) == 0
    (step,) = steps_in(read_tags("out.flac"))
    assert (step["operation"], step["settings"]) == ("move", {"move_to": 1.2})
    assert step["boxes"][0][:2] == [0.48, 0.96]


MISTAKES = {
    "nothing to do": (["--frames", "0", "1"], "one thing to do"),
    "two things": (["--frames", "0", "1", "--heal", "--silence"], "one thing to do"),
    "nowhere": (["--heal"], "what to work on"),
    "gain": (["--frames", "0", "1", "--gain", "99"], "gain"),
    "NaN": (["--frames", "0", "1", "--gain", "nan"], "--gain"),
    "behind": (["--frames", "9", "10", "--silence"], "behind the end"),
    "inverted": (["--frames", "1", "0.5", "--silence"], "holds nothing"),
    "no mask": (["--mask", "nowhere.png", "--silence"], "nowhere.png"),
    "its own input": (["--frames", "0", "1", "--silence", "-o", "stereo48.wav"], "also an input"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    words, said = MISTAKES[name]
    assert main(["edit", "stereo48.wav", "-o", "out.wav", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and error.startswith("maa: ")
    assert not Path("out.wav").exists()
