"""Whatever lies in a dropped file, a history or an event: it becomes a checked value, or nothing.

No file of the server is copied or served, nothing is fetched, and nobody is told more than a sentence.
"""

from __future__ import annotations

import json
import secrets
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maa.pipeline.checks import SHOWN
from maa.pipeline.edits import Edit
from maa.pipeline.setting import TextLine
from maa.pipeline.tasks import TASKS
from maa.ui import files, image, inpaint, keeping, personalize, restore, text, video
from maa.ui.chain.endpoint import edits_of, known
from tests.ui.conftest import DENSE
from tests.ui.fakes import FakePipeline
from tests.ui.test_parts import desk_of

TABS = {"text": text, "image": image, "video": video, "personalize": personalize, "inpaint": inpaint}
HUGE = 10**400
LONGEST = 20_000  # characters of an answer
GRADIO_SAYS = "is not in the cache folder and cannot be accessed"


class Listener:
    """Counts who comes to a port of this machine."""

    def __init__(self) -> None:
        self.hits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/secret.wav"
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.hits += 1

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def secret() -> Iterator[Path]:
    """A file that the server could read and that nobody has uploaded: in its working folder."""
    path = Path.cwd() / f"secret-{secrets.token_hex(4)}.txt"
    path.write_text(f"the key is {path.name}", encoding="utf-8")
    yield path
    path.unlink()


def junk(secret: Path, url: str) -> dict[str, Any]:
    """One of every kind of value that no setting has."""
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    return {
        "file": {"path": str(secret), "meta": {"_type": "gradio.FileData"}},
        "url": {"path": url, "url": url, "meta": {"_type": "gradio.FileData"}},
        "mark": {"path": str(secret)},
        "update": {"__type__": "update", "value": str(secret), "choices": [["a", "b"]], "visible": False},
        "list of files": [{"path": str(secret), "meta": {"_type": "gradio.FileData"}}],
        "pairs of files": [[{"path": str(secret), "meta": {"_type": "gradio.FileData"}}, 1.0]],
        "nested": deep,
        "huge": HUGE,
        "minus huge": -HUGE,
        "NaN": float("nan"),
        "infinite": float("inf"),
        "true": True,
        "long": "long " * 1000,
        "half a character": "\ud800",
    }


def names() -> list[str]:
    """Every setting of every task, and what else settings may hold."""
    settings = {setting.name for tab in TABS.values() for setting in tab.TASK.settings}
    return sorted({*settings, "batch", "heard_as", "windows", "spans", "mask", "input", "choice", "resampled", "id"})


def plain(value: Any) -> bool:
    """Whether a component may be given this: short text, finite numbers, and lists or named values of those."""
    if isinstance(value, dict):
        marks = {"path", "url", "meta", "__type__", "_type"} & set(value)
        return not marks and all(plain(one) for one in value.values())
    if isinstance(value, list | tuple):
        return len(value) <= 20 and all(plain(one) for one in value)
    if isinstance(value, float | int):
        return abs(value) < 1e9
    return value is None or (isinstance(value, str) and len(value) <= 1000 and bool(value.encode() or True))


@pytest.mark.parametrize("task", list(TASKS))
def test_nothing_but_checked_values_reaches_a_component(tmp_path: Path, task: str, secret: Path) -> None:
    desk = desk_of(FakePipeline(config=DENSE), TABS[task], tmp_path)
    words = {setting.name for setting in desk.task.settings if isinstance(setting, TextLine)}
    for name in names():
        for kind, value in junk(secret, "http://127.0.0.1:9/").items():
            settings = {"task": task, name: value}
            results = [
                restore.use(desk, settings, value),
                restore.send_take(desk, settings, None) if task == "text" else {},
                keeping.recalled(desk, settings),
            ]
            for updates in results:
                assert all(plain(one) for one in updates.values()), f"{name}: {kind}"
                assert str(secret) not in repr(list(updates.values())), f"{name}: {kind}"
                changed = desk.parts.get(name)
                if name not in words and kind not in ("true",) and changed in updates:
                    usual = next(one.default for one in desk.task.settings if one.name == name)
                    assert updates[changed] in (usual, desk.task.shown(name, usual), False, True), (
                        f"{name}: {kind} was kept"
                    )


def test_a_value_in_a_message_is_cut(tmp_path: Path) -> None:
    fields = {"steps": 2, "takes": 1, "guidance": 3.0, "sampler": "dpm++"}
    for name in (*fields, "density", "seconds", "seed", "loudness", "file_format", "rate"):
        for value in ("9" * 100_000, HUGE, [["x" * 1000]] * 1000, {"a": [1] * 10_000}, float("nan")):
            with pytest.raises(ValueError, match=r"\w") as caught:
                text.TASK.ask({**fields, name: value})
            assert len(str(caught.value)) < 150 + SHOWN, name


def test_nothing_but_edits_comes_of_a_list_of_edits(secret: Path) -> None:
    good = {"frames": [[0.0, 1.0]], "gain": -6.0}
    assert edits_of([good]) == [Edit(frames=((0.0, 1.0),), gain=-6.0)]
    for kind, value in junk(secret, "http://127.0.0.1:9/").items():
        asked = [value, [value], [good, value], [{str(value): 1, **good}]]
        for given in [*asked, *([{**good, name: value}] for name in known())]:
            said = ""
            try:
                made = edits_of(given)
            except ValueError as error:
                made, said = [], str(error)
            assert len(said) < 400, f"{kind}: {given!r}"[:200]
            assert all(isinstance(one, Edit) and abs(one.gain or 0.0) <= 80 for one in made), kind


# ---------------------------------------------------------------- from outside, over the network


class Hostile:
    """Raw calls of the app's queue, as anybody can send them."""

    def __init__(self, base_url: str) -> None:
        self.api = f"{base_url}/gradio_api"
        self.client = httpx.Client(timeout=60)
        self.config = self.client.get(f"{base_url}/config").json()

    def handlers(self, event: str) -> list[dict[str, Any]]:
        """The handlers of an event."""
        return [one for one in self.config["dependencies"] if any(target[1] == event for target in one["targets"])]

    def upload(self, data: bytes, name: str) -> str:
        return self.client.post(f"{self.api}/upload", files=[("files", (name, data))]).json()[0]

    def call(self, handler: dict[str, Any], data: list[Any], event: Any = None) -> str:
        """Everything that a call is answered with."""
        session = secrets.token_hex(6)
        body = {"data": data, "event_data": event, "fn_index": handler["id"], "session_hash": session}
        sent = json.dumps({**body, "trigger_id": None}).encode()
        joined = self.client.post(f"{self.api}/queue/join", content=sent, headers={"content-type": "application/json"})
        if joined.status_code != 200:
            return joined.text
        said = []
        with self.client.stream("GET", f"{self.api}/queue/data", params={"session_hash": session}) as stream:
            for line in stream.iter_lines():
                said.append(line)
                if any(end in line for end in ("process_completed", "close_stream", "unexpected_error")):
                    break
        return "\n".join(said)


@pytest.fixture(scope="module")
def hostile(server: tuple[str, FakePipeline]) -> Hostile:
    return Hostile(server[0])


def copies(secret: Path) -> list[Path]:
    """Where the secret has been copied to, in what the server hands out."""
    folder, said = Path(files.get_upload_folder()), secret.read_bytes()
    found = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size == len(said)]
    return [path for path in found if path.read_bytes() == said]


def sound(settings: dict[str, Any]) -> bytes:
    """A WAV with settings as any program can write them."""
    text = json.dumps({"make-an-audio": settings}).encode() + b"\0"
    comment = b"INFOICMT" + struct.pack("<I", len(text)) + text + b"\0" * (len(text) % 2)
    form = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)
    chunks = ((b"fmt ", form), (b"data", bytes(8000)), (b"LIST", comment))
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(part)) + part for name, part in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_a_dropped_sound_reads_nothing(
    hostile: Hostile, secret: Path, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    (handler,) = hostile.handlers("dropped")
    answers = {}
    for task in TASKS:
        for kind, value in junk(secret, listener.url).items():
            settings = {**dict.fromkeys(names(), value), "task": task}
            path = hostile.upload(sound(settings), "dropped.wav")
            answers[f"{task}: {kind}"] = hostile.call(handler, [], {"path": path, "name": "dropped.wav"})
    for kind, answer in answers.items():
        assert '"success": true' in answer or '"success":true' in answer, f"{kind}: {answer[:500]}"
        assert "are back" in answer, f"{kind} was not read: {answer[:500]}"
        assert str(secret) not in answer and "gradio.FileData" not in answer, kind
        assert "Something went wrong" not in answer, kind
        assert len(answer) < LONGEST, f"{kind}: {len(answer)} characters"
    assert copies(secret) == [] and listener.hits == 0
    assert "A request failed" not in caplog.text


def events(value: Any, path: str, task: str) -> Iterator[Any]:
    """Events whose parts are junk: as a whole, all settings, and all that stands beside good ones."""
    yield value
    yield {"settings": {"task": task, **dict.fromkeys(names(), value)}, "to": task, "path": path, "name": value}
    good = {"settings": {"task": "text", "prompt": "a"}, "to": "text", "path": path}
    yield {**good, "id": value, "go": value, "name": value}
    yield {"settings": {"task": value}, "to": value, "path": value}
    yield {"task": task, "settings": dict.fromkeys(names(), value), "job": value}
    yield {"tasks": {task: dict.fromkeys(names(), value)}, "tab": value, "task": value}


TAKES = ("take_use", "take_again", "take_refine", "take_send", "take_more")
EVENTS = (*TAKES, "dropped", "given", "linked", "recall", "resume")


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_reads_nothing(
    hostile: Hostile,
    secret: Path,
    listener: Listener,
    caplog: pytest.LogCaptureFixture,
    event: str,
) -> None:
    handler = hostile.handlers(event)[0]
    path = hostile.upload(sound({"task": "text", "prompt": "dog"}), "a.wav")
    for number, (kind, value) in enumerate(junk(secret, listener.url).items()):
        for data in events(value, path, list(TASKS)[number % len(TASKS)]):
            answer = hostile.call(handler, [], data)
            if GRADIO_SAYS in answer:  # to a request with a file that nobody uploaded, before any of ours is asked
                continue
            assert "unexpected_error" not in answer and "Something went wrong" not in answer, f"{kind}: {answer[:300]}"
            assert str(secret) not in answer, kind
            assert event == "given" or "gradio.FileData" not in answer, kind  # where the upload itself is answered
            assert len(answer) < LONGEST, f"{kind}: {len(answer)} characters"
    assert copies(secret) == [] and listener.hits == 0
    assert "A request failed" not in caplog.text


def test_an_example_that_is_not_there(hostile: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    examples = [one["id"] for one in hostile.config["components"] if one["type"] == "dataset"]
    handlers = [one for one in hostile.config["dependencies"] if one["targets"] and one["targets"][0][0] in examples]
    assert len(handlers) == 2
    for handler in handlers:
        for index in (-1, 99, 1e308, "x", [1], None, True, HUGE):
            answer = hostile.call(handler, [index])
            assert "number of an example must be a whole number" in answer, answer[:300]
    assert "Traceback" not in caplog.text


def test_what_lies_beside_the_app_is_out_of_reach(base_url: str, secret: Path) -> None:
    """Asked for by its path. (What an answer may name is tested with the serving.)"""
    assert httpx.get(f"{base_url}/gradio_api/file={secret}").status_code in (403, 404)
