"""The standing attack for a minute, with the same damage and the same calls each time, and its own judgement."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.attack import __main__ as attack
from tests.attack import bombs, damage, forge, fuzz, good, readers, soak
from tests.attack.server import Server
from tests.attack.table import HEADS, Row, drawn


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good files."""
    place = tmp_path_factory.mktemp("attack")
    good.make(place / "good")
    return place


def found(rows: list[Row]) -> str:
    return "\n".join(f"{row.kind}: {line}" for row in rows for line in row.findings)


@pytest.mark.slow
def test_damaged_files(folder: Path) -> None:
    (folder / "work").mkdir()
    rows = fuzz.run(folder / "good", folder / "work", time.monotonic() + 150, 250, seed=1, workers=1)
    assert all(row.sound for row in rows), found(rows)
    assert sum(row.tries for row in rows) >= 50, drawn(rows)  # all of them, save on a very busy machine


@pytest.mark.slow
def test_jobs_and_forged_calls(folder: Path) -> None:
    with Server(folder / "server", "fake") as server:
        jobs = soak.run(server, folder / "good", time.monotonic() + 60, 60, seed=1)
        calls = forge.run(server, folder / "good", time.monotonic() + 60, 120, seed=1)
    assert jobs.sound and calls.sound, found([jobs, calls])
    assert jobs.tries >= 10 and calls.tries >= 20, drawn([jobs, calls])


@pytest.mark.slow
def test_bombs_that_are_made_at_once(folder: Path) -> None:
    rows = bombs.run(folder / "bombs", time.monotonic() + 150, bombs.QUICK[:2])
    assert all(row.sound for row in rows), found(rows)


def test_the_same_number_is_the_same_damage(folder: Path) -> None:
    files = readers.good_files(folder / "good")
    first = [readers.chosen(number, 3, files) for number in range(200)]
    assert first == [readers.chosen(number, 3, files) for number in range(200)]
    assert first != [readers.chosen(number, 4, files) for number in range(200)]
    assert {kind for kind, _, _ in first} == set(readers.KINDS)
    held = dict(files["sound"])["a.wav"]
    changed = [damage.damaged(held, random.Random(number), [b"x"]) for number in range(50)]
    assert sum(one != held for one in changed) > 40


def said(**more: Any) -> dict[str, Any]:
    return {"number": 1, "kind": "sound", "name": "a.wav", "reader": "read", "seconds": 0.1, "peak": 100, "said": "No.",
            "long": 3, "where": "", "end": "refused", **more}  # fmt: skip


def test_what_counts_as_found(tmp_path: Path) -> None:
    """The attack must be able to fail: each kind of fault is counted."""
    hunt = fuzz.Hunt(tmp_path, tmp_path, 0, 0.0, 0)
    row = hunt.rows["sound"]
    for told in (said(), said(end="ok", said="", long=0)):
        hunt.note(told)
    assert row.sound and row.tries == 1
    for told, name in (
        (said(end="IndexError"), "tracebacks"), (said(end="slow"), "crashes"), (said(said="a\nb"), "leaks"),
        (said(long=5000), "leaks"), (said(said=""), "leaks"), (said(said="File site-packages/x"), "leaks"),
    ):  # fmt: skip
        before = getattr(row, name)
        hunt.note(told)
        assert getattr(row, name) == before + 1, told
    bomb = Row("bomb")
    fine = {"end": "ValueError", "said": "", "size": 1, "seconds": 90.0, "busy": 1.0, "peak": 100}
    bombs.judge(bomb, fine)
    assert bomb.sound
    for more in ({"end": "MemoryError"}, {"peak": 2000}, {"busy": 31.0}):
        row = Row("bomb")
        bombs.judge(row, {**fine, **more})
        assert not row.sound


def test_a_reader_that_dies_is_a_crash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed in the middle of a file loses that file alone."""
    (folder / "die").mkdir()
    script = folder / "python"
    script.write_text(
        '#!/bin/sh\nprintf \'{"number": %d, "kind": "mask", "name": "m.png", "begun": "mask"}\\n\' "$5"\nkill -9 $$\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    monkeypatch.setattr(fuzz.sys, "executable", str(script))
    rows = {row.kind: row for row in fuzz.run(folder, folder / "die", time.monotonic() + 30, 3, 0, workers=1)}
    assert rows["damaged: mask"].crashes == 3 and not rows["damaged: mask"].sound


def test_answers_that_tell_too_much_are_found() -> None:
    class Told:
        secret = "the key is 1"

    forger = forge.Forger.__new__(forge.Forger)
    forger.server, forger.row, forger.lock = Told(), Row("calls"), __import__("threading").Lock()  # type: ignore[assignment]
    forger.judge("x", "event: error data: a sentence", 1.0)
    assert forger.row.sound
    for answer, seconds, name in (
        ("the key is 1", 1.0, "leaks"), ("error" + "x" * 9000, 1.0, "leaks"),
        ("Something went wrong", 1.0, "tracebacks"),
        ("http 500 x", 1.0, "tracebacks"), ("no answer: x", 1.0, "crashes"), ("", 100.0, "crashes"),
    ):  # fmt: skip
        before = getattr(forger.row, name)
        forger.judge("x", answer, seconds)
        assert getattr(forger.row, name) == before + 1, answer
    forger.judge("x", "http 503 full", 1.0)
    assert forger.row.tracebacks == 2


def test_jobs_that_come_to_somebody_else_are_found() -> None:
    class Answers:
        def get(self, url: str) -> Any:
            return type("Answer", (), {"content": b"RIFF....client 1 job 5"})

    one = soak.Soak.__new__(soak.Soak)
    one.row, one.lock = Row("soak", crossed=0), __import__("threading").Lock()
    one.tally, one.server = __import__("collections").Counter(), type("Server", (), {"api": ""})()  # type: ignore[assignment]
    mine = ("client 1 job 5", 5)
    right = [{"path": "/x/make-an-audio_text_5.wav"}, {"prompt": mine[0], "seed": 5}]
    one.compare(Answers(), right, mine)  # type: ignore[arg-type]
    assert one.row.sound and one.tally["right"] == 1
    for wrong in ([right[0], {"prompt": "other", "seed": 5}], [{"path": "/x/a_6.wav"}, right[1]]):
        one.compare(Answers(), wrong, mine)  # type: ignore[arg-type]
    one.compare(Answers(), right, ("client 2 job 5", 5))  # type: ignore[arg-type]
    assert one.row.crossed == 3


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Row("damaged: sound", tries=1234, peak=900.4, worst=1.26), Row("soak", tries=3, crossed=0, memory=(1, 2))]
    monkeypatch.setattr(attack, "attack", lambda options, folder: rows)
    assert attack.main(["--minutes", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == list(HEADS)
    assert "1,234" in lines[2] and "900" in lines[2] and "1 / 2" in lines[3]
    rows[0].found("something")
    assert attack.main([]) == 1 and "damaged: sound: something" in capsys.readouterr().err
    assert json.dumps(vars(attack.arguments(["--only", "files"])))
