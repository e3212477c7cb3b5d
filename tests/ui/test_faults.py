"""What is not the visitor's fault is logged and told as ours; what nobody can read is refused, without a trace."""

from __future__ import annotations

import errno
import json
import logging
import os
import secrets
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from maa import checkpoint
from maa.audio.io import write
from maa.config import TINY
from maa.models.vocabulary import VECTORS, KnownSound, Vocabulary
from maa.ui import faults, files, records, restore, storage
from maa.ui.storage import NO_ROOM
from tests.ui.fakes import FakePipeline
from tests.ui.test_limits import ask, text
from tests.ui.test_shares import crowd as crowd
from tests.ui.test_shares import made

FORM = {"content-type": "multipart/form-data; boundary=b"}


def failing(code: int) -> Any:
    def replace(*given: Any, **_: Any) -> None:
        raise OSError(code, os.strerror(code), *map(str, given[:1]))

    return replace


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_full_or_read_only_disk_is_ours(
    base_url: str, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("maa.audio.files.os.replace", failing(code))
        answer = ask(base_url, "text_to_audio", text())
    assert "event: error" in answer and faults.SORRY in answer, answer
    assert str(storage.upload_root()) not in answer and os.strerror(code) not in answer
    logged = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert len(logged) == 1 and logged[0].exc_info and os.strerror(code) in caplog.text
    assert "event: complete" in ask(base_url, "text_to_audio", text()), "afterwards it goes on"


def test_an_upload_onto_a_full_disk(
    base_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("gradio.route_utils.NamedTemporaryFile", failing(errno.ENOSPC))
        answer = httpx.post(f"{base_url}/gradio_api/upload", files=[("files", ("a.wav", b"x" * 1000))], timeout=60)
    assert answer.status_code == 507 and answer.text == NO_ROOM
    assert "No space left" in caplog.text


def test_zips_on_a_full_disk(
    base_url: str, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take = made(base_url)
    monkeypatch.setattr("maa.ui.records.zipfile.ZipFile", failing(errno.ENOSPC))
    assert records.stars([take]) == records.bundle(take) == {"error": faults.SORRY}
    assert caplog.text.count("No space left") >= 2


def test_whose_fault_it_is() -> None:
    def caused(cause: BaseException) -> ValueError:
        try:
            try:
                raise cause
            except type(cause) as error:
                raise ValueError("'x' cannot be written") from error
        except ValueError as error:
            return error

    import av

    assert faults.is_own(caused(OSError(errno.ENOSPC, "full"))) and faults.is_own(PermissionError(errno.EACCES, "no"))
    assert faults.is_own(caused(av.error.OSError(errno.ENOSPC, "full")))
    assert not faults.is_own(caused(av.error.PermissionError(errno.EPERM, "not permitted")))
    assert not faults.is_own(caused(FileNotFoundError(errno.ENOENT, "gone")))
    assert not faults.is_own(ValueError("steps must be"))


def test_files_of_the_server_are_called_by_their_names() -> None:
    root = storage.upload_root()
    assert faults.without_paths(f"'{root}/abc/dog.wav' and {root}/takes/1/x.wav") == "'dog.wav' and x.wav"
    assert faults.without_paths("0.5 to 30/31") == "0.5 to 30/31"


# ---------------------------------------------------------------- what Gradio cannot read


def test_requests_that_nobody_can_read_are_refused(base_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Raw junk to Gradio's own routes: no trace in the log, and a sentence or nothing for who sent it."""
    api = f"{base_url}/gradio_api"
    server = {"session_hash": "x", "component_id": 10**6, "fn_name": "stars", "data": None}
    empty = b'--b\r\nContent-Disposition: form-data; name="files"; filename=""\r\n\r\nx\r\n--b--\r\n'
    answers = [
        httpx.post(f"{api}/component_server", json=server, timeout=30),
        httpx.post(f"{api}/component_server", json={**server, "session_hash": ["x"]}, timeout=30),
        httpx.post(f"{api}/component_server", json={**server, "component_id": {"a": 1}}, timeout=30),
        httpx.post(f"{api}/upload", content=empty, headers=FORM, timeout=30),
        httpx.post(f"{api}/queue/join", content=b"\xff\xfe", timeout=30),
        httpx.get(f"{api}/proxy=private%00x", timeout=30),
    ]
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    assert all("Internal Server Error" not in answer.text for answer in answers)
    assert httpx.get(f"{api}/queue/data", params={"session_hash": "nobody's"}, timeout=30).status_code == 200
    assert "Traceback" not in caplog.text


def test_a_function_of_the_browser_alone(base_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    config = httpx.get(f"{base_url}/config", timeout=30).json()
    (first, *_) = [one["id"] for one in config["dependencies"] if not one["backend_fn"]]
    body = {"data": [], "fn_index": first, "session_hash": "x"}
    answer = httpx.post(f"{base_url}/gradio_api/run/predict", json=body, timeout=30)
    assert answer.json() != {"error": None} and "IndexError" not in capfd.readouterr().err


@pytest.mark.parametrize("value", [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, {"path": "a\0b"}, 5])
def test_files_that_nobody_uploaded(base_url: str, capfd: pytest.CaptureFixture[str], value: Any) -> None:
    """Gradio refuses them itself; the visitor reads a sentence, and no trace of it stands in the log."""
    given = {"path": value} if value == 5 else value
    answer = httpx.post(f"{base_url}/gradio_api/call/personalize", json={"data": [given, "a dog"]}, timeout=30)
    said = answer.text
    if answer.status_code == 200:
        event = answer.json()["event_id"]
        said = httpx.get(f"{base_url}/gradio_api/call/personalize/{event}", timeout=30).text
    config = httpx.get(f"{base_url}/config", timeout=30).json()
    handler = next(
        one["id"] for one in config["dependencies"] if any(event == "dropped" for _, event in one["targets"])
    )
    body = {"data": [], "event_data": value, "fn_index": handler, "session_hash": secrets.token_hex(4)}
    httpx.post(f"{base_url}/gradio_api/queue/join", json=body, timeout=30)
    time.sleep(1)
    assert "null" not in said and ("upload" in said or "must be" in said), said
    assert "Traceback" not in capfd.readouterr().err


# ---------------------------------------------------------------- files of the server's own that are damaged


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "{}", '{"view": 1}', '{"view": {"file": "../../x", "command": "x"}}', "[" * 5000,
             '{"view": {"file": "a.wav"}}',
             '{"view": {"file": "a.wav", "command": "x"}, "input": "../x", "mask": null}']
)  # fmt: skip
def test_a_damaged_record_is_a_take_that_is_gone(base_url: str, fake: FakePipeline, text: str) -> None:
    take = made(base_url)
    folder = files.shelf() / take
    assert records.record_of(take) is not None
    (folder / records.RECORD).write_text(text, encoding="utf-8")
    assert records.record_of(take) is None
    assert "not keep this sound" in records.bundle(take)["error"]
    assert "keeps none of these sounds" in records.stars([take])["error"]


def test_a_sound_that_is_gone_is_left_out_of_a_zip(base_url: str, fake: FakePipeline) -> None:
    take = made(base_url)
    for path in (files.shelf() / take).glob("*.wav"):
        path.unlink()
    assert "keeps none of these sounds" in records.stars([take])["error"]


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_damaged_mask_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / records.MASK).write_bytes(data)
    assert records.kept_mask(tmp_path, TINY.audio) is None


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_dropped_sound_with_settings_and_a_damaged_head(tmp_path: Path, name: str) -> None:
    """Its settings can be read and its sound cannot: libsndfile's own error was no sentence."""
    good = write(tmp_path / name, np.zeros(800, np.float32), 16_000, tags={"task": "text", "prompt": "a dog"})
    assert restore.from_file(good, "'a'")[0]["prompt"] == "a dog"
    data = bytearray(good.read_bytes())
    at = 8 if name == "a.flac" else data.index(b"fmt ") + 8
    data[at : at + 4] = bytes(4)
    if name == "a.flac":
        data[8:26] = bytes(18)
    good.write_bytes(data)
    with pytest.raises(ValueError, match="'a' is damaged"):
        restore.from_file(good, "'a'")


@pytest.mark.parametrize("name", ["concepts.json", "sustained.json"])
@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a": 1}', "[1]", "\udcff\udcfe", "null"])
def test_damaged_lists_of_a_model(tmp_path: Path, name: str, text: str) -> None:
    checkpoint.save(checkpoint.random_model(TINY, parts=("text",)), tmp_path)
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=f"{name} is not a list of names; restore it"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [("text", "width", 10**12), ("text", "width", -1), ("text", "width", 0), ("audio", "hop", 0),
     ("unet", "channels", []), ("text", "layers", 2**70),
     ("audio", "mels", 10**400), (None, "guidance", float("nan")), (None, "guidance", 1e400),
     (None, "files", [1]), (None, "files", {"a": 1}), (None, "name", {})],
)  # fmt: skip
def test_a_damaged_description_of_a_model(tmp_path: Path, part: str | None, name: str, value: Any) -> None:
    checkpoint.save(checkpoint.random_model(TINY, parts=("text",)), tmp_path)
    document = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    where = document if name == "files" else document["model"][part] if part else document["model"]
    where[name] = value
    (tmp_path / "config.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ValueError, match=r"config\.json (is not a model description|describes no network)") as caught:
        checkpoint.load(tmp_path)
    assert len(str(caught.value)) < 600


def test_a_vocabulary_does_not_follow_its_file(tmp_path: Path) -> None:
    known = [KnownSound("dog", "animals", False, ("dog", "a dog"))]
    Vocabulary(known, torch.eye(2, 64)).save(tmp_path)
    save_file({"vectors": torch.eye(2, 64)}, tmp_path / VECTORS)  # float32, which is not copied by conversion
    found = Vocabulary.load(tmp_path)
    with (tmp_path / VECTORS).open("r+b") as stream:
        stream.seek(-512, os.SEEK_END)
        stream.write(b"\x10" * 512)
    assert found is not None and found.vectors.sum() == 2
