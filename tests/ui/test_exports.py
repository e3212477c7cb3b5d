"""What the page writes of a take is what the command line writes: the same bytes, whatever the take's own file was."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from maa import Box, Generation, MakeAnAudio, Sampling, Shaping
from maa.cli import main
from maa.ui import exports, files, records
from maa.ui.limits import FORMATS, SOURCE
from maa.ui.results import sound_takes, subtype
from maa.ui.tab import Made, following
from tests.sounds import sine_wave

QUICK = Sampling(steps=2, guidance=2.0, seed=7, count=2)
SHAPED = {"trim": [0.25, 0.9], "reverse": True, "fade_in": 0.1, "gain": -3.0, "width": 0.5}


def shown(maa: MakeAnAudio, made: Generation, form: str, rate: int | None = None) -> list[dict[str, Any]]:
    """The takes of a job as the page has them."""
    file_format, spec = (FORMATS | SOURCE)[form], maa.config.audio
    takes = sound_takes(made, file_format, spec, rate)
    views = []
    for take in takes:
        view = {**take.view, "subtype": subtype(made, file_format), "next": following(Made(made, takes), take)}
        views.append(records.keep(files.shelf() / view["id"], view, {}, "tiny", spec))
    return views


def written(answer: dict[str, Any]) -> Path:
    assert "url" in answer, answer
    return Path(unquote(answer["url"].partition("file=")[2]))


@pytest.mark.parametrize(("form", "rate"), [("wav16", None), ("wav32f", None), ("mp3", None), ("flac", 44_100)])
def test_page_library_and_command_write_the_same_bytes(
    tiny: MakeAnAudio, in_folder: Path, monkeypatch: pytest.MonkeyPatch, form: str, rate: int | None
) -> None:
    made = tiny.text_to_audio("rain", QUICK, seconds=1.0)
    view = next(one for one in shown(tiny, made, form, rate) if one["seed"] == 7)
    held = (files.shelf() / view["id"] / exports.MASTER).is_file()
    assert held is (form != "wav32f"), "a file that holds all of the sound needs no other beside it"
    answer = exports.export({"id": view["id"], "shaping": SHAPED, "file_format": "wav24", "rate": 48_000})
    page = written(answer).read_bytes()
    asked = Shaping(**{**SHAPED, "trim": (0.25, 0.9)})  # type: ignore[arg-type]
    assert made.shaped(asked).save("a.wav", subtype="PCM_24", rate=48_000).read_bytes() == page
    if form == "mp3":
        monkeypatch.setattr(MakeAnAudio, "from_pretrained", lambda *given, **more: tiny)
        assert main(shlex.split(answer["command"])[3:]) == 0
        assert Path(answer["file"]).read_bytes() == page


def test_an_edit_of_a_users_own_sound(tiny: MakeAnAudio, in_folder: Path) -> None:
    """Its own file holds it, or one beside an MP3 does; and no width is made of it."""
    source = (48_000, sine_wave(rate=48_000, seconds=1.0, channels=2).T)
    made = tiny.inpaint(source, [Box(0.2, 0.4)], "", replace(QUICK, count=1))
    how = {"trim": [0.1, 0.8], "gain": -1.5}
    later = made.shaped(Shaping(trim=(0.1, 0.8), gain=-1.5)).save("a.wav").read_bytes()
    for form, held in (("source", False), ("mp3", True)):
        view = shown(tiny, made, form)[0]
        assert (files.shelf() / view["id"] / exports.MASTER).is_file() is held and view["next"] is None
        answer = exports.export({"id": view["id"], "shaping": how, "file_format": "source"})
        assert written(answer).read_bytes() == later
        refused = exports.export({"id": view["id"], "shaping": {"width": 1.0}})
        assert "no take of the next seed" in refused["error"]


def test_a_take_from_before_has_no_other_file_beside_it(tiny: MakeAnAudio, in_folder: Path) -> None:
    made = tiny.text_to_audio("rain", replace(QUICK, count=1), seconds=1.0)
    view = shown(tiny, made, "wav16")[0]
    (files.shelf() / view["id"] / exports.MASTER).unlink()
    answer = exports.export({"id": view["id"], "shaping": {"reverse": True}})
    assert written(answer).read_bytes() == made.shaped(Shaping(reverse=True)).save("a.wav").read_bytes()
    (files.shelf() / view["id"] / view["file"]).unlink()
    assert "does not keep" in exports.export({"id": view["id"], "shaping": {"gain": 1}})["error"]


def test_the_server_checks_what_it_is_asked(tiny: MakeAnAudio) -> None:
    views = shown(tiny, tiny.text_to_audio("rain", QUICK, seconds=1.0), "wav16")
    one, two = (view["id"] for view in sorted(views, key=lambda view: view["seed"]))
    for asked, said in (
        ({"id": one, "shaping": {"trim": [3, 1]}}, "begin before it ends"),
        ({"id": one, "shaping": {"trim": [20, 30]}}, "less than 0.01 s"),
        ({"id": one, "shaping": {"gain": 1e9}}, "from -60 to 24"),
        ({"id": one, "shaping": {"gain": "loud"}}, "must be a number"),
        ({"id": one, "shaping": {"fade_in": 20}}, "longer than the sound"),
        ({"id": one, "shaping": {"target": "loud"}}, "target must be one of"),
        ({"id": one, "file_format": "exe"}, "file format must be one of"),
        ({"id": one, "file_format": "source"}, "file format must be one of"),
        ({"id": one, "rate": 12_345}, "sample rate must be one of"),
        ({"id": two, "shaping": {"width": 1.0}}, "no take of the next seed"),
        ({"id": "../../etc"}, "does not keep this sound"),
        ({"id": None}, "does not keep this sound"),
        ([], "does not keep this sound"),
    ):
        answer = exports.export(asked)
        assert list(answer) == ["error"] and said in answer["error"], (asked, answer)
    folder = files.folder_of(one)
    assert folder is not None
    for gain in range(exports.MOST + 3):
        assert "url" in exports.export({"id": one, "shaping": {"trim": [0, 0.02], "gain": -gain}})
    assert len(list(folder.glob(f"{exports.MADE}*"))) == exports.MOST
