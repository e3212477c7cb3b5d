"""What is not the visitor's fault is logged and told as ours; what nobody can read is refused, without a trace."""

from __future__ import annotations

import errno
import logging
import os
import secrets
import time
from typing import Any

import httpx
import pytest

from maa.ui import faults, records, storage
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
    assert str(storage.root()) not in answer and os.strerror(code) not in answer
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
    root = storage.root()
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
