"""Many at once, on the server: what may be asked for, what is kept, and going on with what is missing."""

from __future__ import annotations

import csv
import io
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from maa.audio.tags import read_tags
from maa.ui import files, text
from maa.ui.batch import asked, folder, work
from maa.ui.batch.tab import TASK
from maa.ui.batch.work import BatchWires, Makers
from maa.ui.model import LoadingModel
from maa.ui.storage import NO_ROOM, STORAGE
from maa.ui.tab import Workplace, perform
from tests.ui.conftest import DENSE
from tests.ui.fakes import FakePipeline
from tests.ui.test_replay import uploaded

LIST = {
    "kind": "list", "prompts": "rain\nwind, strong\nsnow\n", "seed": 7, "fresh": False, "steps": 3, "seconds": 0.5,
    "file_format": "wav16",
}  # fmt: skip
GRID = {
    **LIST, "kind": "grid", "prompt": "rain", "rows_of": "guidance", "rows": "2, 4", "columns_of": "seed",
    "columns": "1, 2, 3",
}  # fmt: skip


@pytest.fixture
def fake() -> FakePipeline:
    return FakePipeline(config=DENSE, step_seconds=0.0)


@pytest.fixture
def wires(fake: FakePipeline) -> BatchWires:
    place = Workplace(LoadingModel.of(fake), Path("nowhere"))  # type: ignore[arg-type]
    return BatchWires(place, "line", "board", "seed")  # type: ignore[arg-type]


def made(wires: BatchWires, fields: dict[str, Any], stop_after: int | None = None) -> folder.Batch:
    """Make a batch, or break it off after some sounds."""
    one = wires._anew(fields)
    finish(wires, one, stop_after)
    return one


def finish(wires: BatchWires, one: folder.Batch, stop_after: int | None = None) -> list[dict[Any, Any]]:
    news: list[dict[Any, Any]] = []
    steps = wires._news(lambda: folder.batch_called(one.folder.name), "key")
    for piece in steps:
        news.append(piece)
        if stop_after is not None and len(piece.get("board", {}).get("made", {})) >= stop_after:
            steps.close()
            break
    return news


def test_a_list(wires: BatchWires, fake: FakePipeline) -> None:
    one = made(wires, LIST)
    assert [path.name for path in sorted(one.folder.glob("*.wav"))] == ["001.wav", "002.wav", "003.wav"]
    tags = [read_tags(one.sound(number)) or {} for number in range(3)]
    assert [tag["prompt"] for tag in tags] == ["rain", "wind, strong", "snow"]
    assert [tag["seed"] for tag in tags] == [7, 8, 9] and {tag["seconds"] for tag in tags} == {0.5}
    view = folder.found(one.folder.name)
    assert view["rows"] == ["rain", "wind, strong", "snow"] and view["columns"] == [""] and not view["failed"]
    assert [cell["name"] for cell in view["made"].values()] == [
        "001_rain_s7.wav", "002_wind-strong_s8.wav", "003_snow_s9.wav",
    ]  # fmt: skip
    assert folder.settings_at({"id": view["id"], "number": 1})["settings"]["prompt"] == "wind, strong"


def test_a_grid_and_its_zip(wires: BatchWires, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    one = made(wires, GRID)
    sampled = [(call["sampling"].guidance, call["sampling"].seed) for call in fake.asked]
    assert sampled == [(2.0, 1), (2.0, 2), (2.0, 3), (4.0, 1), (4.0, 2), (4.0, 3)]
    view = one.view()
    assert (view["rows"], view["columns"]) == (["guidance 2", "guidance 4"], ["seed 1", "seed 2", "seed 3"])
    monkeypatch.setenv("MAA_DISK_GB", "0.0000001")
    STORAGE._counts.clear()
    assert folder.zipped(one.folder.name) == {"error": NO_ROOM}
    monkeypatch.delenv("MAA_DISK_GB")
    told = folder.zipped(one.folder.name)
    assert told["file"] == "make-an-audio_batch_6.zip"
    with zipfile.ZipFile(one.folder / told["file"]) as archive:
        names = archive.namelist()
        assert names[:3] == ["sounds.csv", "001_rain_s1_guidance2.wav", "002_rain_s2_guidance2.wav"]
        table = list(csv.DictReader(io.StringIO(archive.read("sounds.csv").decode())))
        assert archive.read(names[4]) == one.sound(3).read_bytes()
    assert [(row["file"], row["guidance"], row["seed"]) for row in table][3] == (names[4], "4.0", "1")
    assert {path.name for path in one.folder.iterdir()} == {
        *(f"{number:03d}{end}" for number in range(1, 7) for end in (".wav", ".json")),
        "batch.json", "take.json", "sounds.csv", told["file"],
    }  # fmt: skip


def test_prompts_and_t0_as_axes(wires: BatchWires, fake: FakePipeline, inputs: dict[str, Path]) -> None:
    fields = {
        **GRID, "rows_of": "prompt", "rows": "a cat, meowing\na dog", "columns_of": "t0", "columns": "0.2; 0.5",
        "audio": uploaded(inputs["sound"]), "seconds": 5.0,
    }  # fmt: skip
    one = made(wires, fields)
    assert [(call["prompt"], call["t0"]) for call in fake.asked] == [
        ("a cat, meowing", 0.2), ("a cat, meowing", 0.5), ("a dog", 0.2), ("a dog", 0.5),
    ]  # fmt: skip
    assert [request.name for request in one.wanted][1] == "002_a-cat-meowing_s7_t00.5"
    assert one.upload is not None and one.upload.read_bytes() == inputs["sound"].read_bytes()
    from maa.ui import records

    found = records.record_of(one.folder.name)
    assert found is not None and found[1]["input"] == "input.wav", "its settings bring the sound along"


def test_what_was_broken_off_goes_on_with_what_is_missing(wires: BatchWires, fake: FakePipeline) -> None:
    one = made(wires, {**LIST, "prompts": "".join(f"rain {k}\n" for k in range(12)), "seed": None, "fresh": True}, 5)
    assert one.missing == list(range(5, 12))
    kept = {path: path.stat().st_mtime_ns for path in one.folder.glob("*.wav")}
    one.sound(2).unlink()
    (one.folder / ".0123456789abcdef.wav").write_bytes(b"half")
    assert folder.batch_called(one.folder.name).missing == [2, *range(5, 12)]
    before = len(fake.asked)
    news = finish(wires, one)
    assert len(fake.asked) == before + 8 and folder.batch_called(one.folder.name).missing == []
    assert {path: path.stat().st_mtime_ns for path in kept if path.name != "003.wav"} == {
        path: moment for path, moment in kept.items() if path.name != "003.wav"
    }
    first = one.wanted[0].sampling.seed or 0
    assert [call["sampling"].seed for call in fake.asked[before:]] == [first + 2, *range(first + 5, first + 12)]
    lines = [piece["line"] for piece in news if "line" in piece]
    assert lines[0]["part"] == 0 or lines[0]["job"] == "key"
    assert any(line["text"].startswith("Sound 7 of 12") and line["part"] >= 6 / 12 for line in lines)
    assert lines[-1]["state"] == "done" and "All 12 sounds" in lines[-1]["text"]


def test_one_that_cannot_be_made_is_named_and_the_others_are(wires: BatchWires, fake: FakePipeline) -> None:
    usual = fake.text_to_audio

    def picky(prompt: Any, *given: Any, **named: Any) -> Any:
        if prompt == "snow":
            raise ValueError("Snow is silent.")
        return usual(prompt, *given, **named)

    fake.text_to_audio = picky  # type: ignore[method-assign]
    one = wires._anew(LIST)
    news = finish(wires, one)
    assert news[-1]["line"]["state"] == "failed" and "1 of 3" in news[-1]["line"]["text"]
    assert "Snow is silent." in news[-1]["line"]["text"]
    assert news[-2]["board"]["failed"] == {"2": "Snow is silent."} and one.missing == [2]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompts": " \n"}, "The list has no prompts"),
        ({"prompts": "rain\n" * 101}, "101 sounds; a list here has at most 100"),
        ({"prompts": "rain\n" + "x" * 1001}, "Line 2: "),
        ({"prompts": "prompt,steps\nrain,many"}, "Line 2: steps must be a whole number"),
        ({"prompts": "prompt,input\nrain,/etc/passwd"}, "a column input"),
        ({"prompts": "prompt,t0\nrain,0.5"}, "t0 says how far"),
        ({"prompts": "x" * 200_001}, "200,000 letters"),
        ({"prompts": ["rain"]}, "must be text"),
        ({"prompts": "rain\n" * 100, "steps": 101}, "10,100 steps"),
        ({"prompts": "rain\n" * 100, "seconds": 30.0, "rate": 96_000, "file_format": "wav32f"}, "1,098 MB"),
        ({"kind": "more"}, "What to make must be one of"),
        ({"seed": "x"}, "seed must be a whole number"),
        ({"seconds": 99}, "seconds must"),
        ({"audio": {"path": "/etc/passwd"}}, "Please upload a sound"),
        ({**GRID, "columns_of": "guidance"}, "two different settings"),
        ({**GRID, "rows": "two, 4"}, "guidance must be a number"),
        ({**GRID, "rows": " , "}, "Type the values of Guidance"),
        ({**GRID, "rows_of": "", "columns_of": ""}, "Choose what the rows"),
        ({**GRID, "columns": ",".join(map(str, range(33)))}, "66 sounds; a grid here has at most 64"),
        ({**GRID, "rows_of": "t0", "rows": "0.1"}, "t0 says how far"),
        ({**GRID, "prompt": " "}, "there is no prompt"),
        ({**GRID, "rows_of": "sampler"}, "What the rows are must be one of"),
    ],
)
def test_mistakes_are_said_before_anything_is_made(
    wires: BatchWires, fake: FakePipeline, fields: dict[str, Any], sentence: str
) -> None:
    shelf = files.shelf()
    before = set(shelf.iterdir()) if shelf.is_dir() else set()
    with pytest.raises(gr.Error) as refused:
        list(wires._news(lambda: wires._anew({**LIST, **fields}), ""))
    assert sentence.lower() in refused.value.message.lower()
    assert (set(shelf.iterdir()) if shelf.is_dir() else set()) == before and fake.asked == []


def test_what_is_no_batch(wires: BatchWires) -> None:
    for key in (None, "f" * 32, "../../etc", 7):
        assert folder.found(key) == folder.zipped(key) == {"error": folder.GONE}
    one = made(wires, LIST)
    assert folder.settings_at({"id": one.folder.name, "number": 9}) == {"error": "There is no such sound."}
    assert folder.settings_at([]) == {"error": folder.GONE}
    (one.folder / "batch.json").write_text("[[[")
    assert folder.found(one.folder.name) == {"error": folder.GONE}


def test_nobody_makes_the_same_batch_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "PATIENCE", 0.1)
    makers = Makers()
    with makers.alone("a"), makers.alone("b"):
        began = time.monotonic()
        with pytest.raises(ValueError, match="being made already"), makers.alone("a"):
            pass
        assert time.monotonic() - began < 5
    with makers.alone("a"):
        pass


def test_others_come_in_between(wires: BatchWires, fake: FakePipeline) -> None:
    """A batch takes the device sound by sound: somebody else's single sound does not wait for the whole of it."""
    one = wires._anew({**LIST, "prompts": "rain\n" * 40})
    thread = threading.Thread(target=finish, args=(wires, one))
    fake.step_seconds = 0.02
    thread.start()
    while len(one.missing) == 40:
        time.sleep(0.01)
    fields = {"prompt": "wind", "seed": 1, "steps": 3}
    list(perform(wires.place, text.TASK, fields, text.TASK.ask(fields)))
    assert len(one.missing) > 20, "the batch was still going on"
    fake.step_seconds = 0.0
    thread.join(30)
    assert one.missing == [] and fake.most_running == 1


def test_a_visitors_share_counts(wires: BatchWires, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAA_DISK_GB", "0.0001")
    with pytest.raises(ValueError, match="disk"):
        wires._anew(LIST)


def test_every_setting_of_the_tab_is_known() -> None:
    known = {setting.name for setting in TASK.settings}
    assert {"kind", "prompts", "rows", "columns", "t0", "steps", "guidance", "file_format"} <= known
    assert asked.list_of("prompt\nrain") == [(2, {"prompt": "rain"})] and asked.list_of("a prompt, please")[0][0] == 1
