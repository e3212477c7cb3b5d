"""The disk and the memory of the server: limits, shares, what goes first, and what is said."""

from __future__ import annotations

import errno
import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from maa.ui import faults, files, records, shares, storage
from maa.ui.intake import MOST_BODY, MOST_UPLOAD
from maa.ui.storage import NO_ROOM, NO_SHARE, Storage
from tests.ui.fakes import FakePipeline
from tests.ui.test_limits import ask, text, uploaded
from tests.ui.test_shares import crowd as crowd
from tests.ui.test_shares import made, post


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of uploads and results."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "kept"))
    (tmp_path / "kept" / "takes").mkdir(parents=True)
    return tmp_path / "kept"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk with much room, whatever this machine's has."""
    usage = type(shutil.disk_usage("/"))(2**44, 0, 2**44)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)


def kept(root: Path, size: int, age: float, *, take: bool = True) -> Path:
    """A take, or an upload, of `size` bytes that is `age` seconds old."""
    folder = (root / "takes" if take else root) / secrets.token_hex(16 if take else 32)
    folder.mkdir()
    (folder / "sound.wav").write_bytes(bytes(size))
    os.utime(folder, (time.time() - age,) * 2)
    return folder


def test_the_oldest_go_first_and_fresh_ones_never(root: Path, disk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAA_DISK_GB", "0.001")  # a million bytes
    store = Storage()
    oldest, old = kept(root, 400_000, 9000, take=False), kept(root, 400_000, 7000)
    assert store.room_for(100_000) and oldest.is_dir()
    fresh = kept(root, 300_000, 60)
    assert not Storage().room_for(700_001) or not fresh.is_dir()
    oldest, old = kept(root, 300_000, 9000, take=False), kept(root, 300_000, 7000)
    assert Storage().room_for(200_000)
    assert not oldest.is_dir() and old.is_dir() and fresh.is_dir()
    assert not Storage().room_for(900_000), "what is fresh stays, and the new thing is refused"
    assert fresh.is_dir()
    assert Storage().refusal("8.8.8.8", 900_000) == NO_ROOM


def test_a_visitor_has_a_share_of_an_hour(root: Path, disk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAA_DISK_GB", "0.001")
    store = Storage()
    store.add("8.8.8.8", 250_000)
    assert store.refusal("8.8.8.8", 1) == NO_SHARE
    assert store.refusal("9.9.9.9", 1) is None
    store.add("127.0.0.1", 900_000)
    assert store.refusal("127.0.0.1", 1) is None, "the person at this computer shares it with nobody"
    later = time.monotonic() + storage.HOUR + 1
    monkeypatch.setattr(storage.time, "monotonic", lambda: later)
    assert store.refusal("8.8.8.8", 1) is None
    for number in range(storage.VISITORS + 10):
        store.add(f"visitor {number}", 1)
    assert len(store._shares) == storage.VISITORS


def test_what_is_old_or_broke_off_is_deleted_and_nothing_else(root: Path) -> None:
    gone = [kept(root, 10, 90_000), kept(root, 10, 90_000, take=False)]
    stays = [kept(root, 10, 80_000), kept(root, 10, 10, take=False)]
    partial, recent, foreign = root / "tmpab12_cd9", root / "tmpab12_cd8", root / "diary.txt"
    for path, age in ((partial, 7200), (recent, 60), (foreign, 900_000)):
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age,) * 2)
    Storage().sweep()
    assert not any(path.exists() for path in (*gone, partial))
    assert all(path.exists() for path in (*stays, recent, foreign))


def test_a_file_in_two_places_counts_once(root: Path) -> None:
    upload, take = kept(root, 1000, 0, take=False), kept(root, 500, 0)
    os.link(upload / "sound.wav", take / "input.wav")
    assert sum(entry.size for entry in storage.entries(root)) < 1500 + 20_000  # and what folders themselves take
    before = sum(entry.size for entry in storage.entries(root))
    (take / "input.wav").unlink()
    assert sum(entry.size for entry in storage.entries(root)) == before


@pytest.mark.parametrize("value", ["-1", "0", "many", "nan", "1e400"])
def test_a_limit_that_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MAA_DISK_GB", value)
    with pytest.raises(ValueError, match="MAA_DISK_GB must be a positive number"):
        storage.limit()


def form(count: int, size: int) -> Iterator[bytes]:
    """A request's body with several files, piece by piece, so that it does not say how long it is."""
    for number in range(count):
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="%d.wav"\r\n\r\n' % number
        for _ in range(size // 2**20):
            yield bytes(2**20)
        yield b"\r\n"
    yield b"--b--\r\n"


FORM = {"content-type": "multipart/form-data; boundary=b"}


def test_many_files_in_one_request_count_together(base_url: str) -> None:
    url = f"{base_url}/gradio_api/upload"
    assert httpx.post(url, content=form(3, 2**21), headers=FORM, timeout=60).status_code == 200
    answer = httpx.post(url, content=form(4, 40 * 2**20), headers=FORM, timeout=60)
    assert answer.status_code == 413 and "100 MB" in answer.text


@pytest.mark.parametrize("way", ["component_server", "queue/join", "call/text_to_audio", "run/text_to_audio"])
def test_other_requests_are_small(base_url: str, way: str) -> None:
    answer = httpx.post(f"{base_url}/gradio_api/{way}", content=form(1, MOST_BODY + 2**21), headers=FORM, timeout=60)
    assert answer.status_code in (400, 413), answer.text  # FastAPI makes a 400 of whatever ends a body


def test_a_large_upload_is_refused_before_it_is_kept(base_url: str) -> None:
    before = set(storage.root().iterdir())
    headers = {**FORM, "content-length": str(MOST_UPLOAD + 1)}
    answer = httpx.post(f"{base_url}/gradio_api/upload", content=bytes(MOST_UPLOAD + 1), headers=headers, timeout=60)
    assert answer.status_code == 413
    assert set(storage.root().iterdir()) == before


def test_uploads_have_a_share(base_url: str, disk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maa.ui.intake.STORAGE", store := Storage())
    held = sum(entry.size for entry in storage.entries(storage.root()))
    monkeypatch.setenv("MAA_DISK_GB", str((held + 4e7) / 1e9))
    codes = []
    for number in range(200):
        headers = {**FORM, "x-forwarded-for": "8.8.8.8"}
        body = b"".join(form(1, 2**21)).replace(b"0.wav", b"%d.wav" % number)
        answer = httpx.post(f"{base_url}/gradio_api/upload", content=body, headers=headers, timeout=60)
        codes.append(answer.status_code)
        if answer.status_code != 200:
            assert answer.text == NO_SHARE
            break
    assert codes[-1] == 507 and codes[0] == 200
    assert store.held_by("8.8.8.8") <= storage.limit() // 4
    assert store.refusal("9.9.9.9", 0) is None


def test_results_count_for_whoever_asked(
    base_url: str, fake: FakePipeline, disk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maa.ui.tab.STORAGE", store := Storage())
    answers = [post(base_url, "8.8.8.8", seed=number) for number in range(2)]
    for answer in answers:
        event = answer.json()["event_id"]
        httpx.get(f"{base_url}/gradio_api/call/text_to_audio/{event}", timeout=60)
    assert 60_000 < store.held_by("8.8.8.8") < 300_000, "two takes of 32,000 bytes with what belongs to them"
    monkeypatch.setattr(store, "held_by", lambda visitor: 10**12)
    assert NO_SHARE in ask(base_url, "text_to_audio", text())


def test_a_set_of_stars_has_no_order(base_url: str, fake: FakePipeline) -> None:
    one, other = made(base_url), made(base_url)
    assert records.stars([one, other])["url"] == records.stars([other, one])["url"]


def test_two_ask_for_a_zip_at_once(base_url: str, fake: FakePipeline) -> None:
    """Nobody ever gets half of one, and it is made once."""
    take = made(base_url)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(records.bundle, [take] * 8)) + list(pool.map(records.stars, [[take]] * 8))
    assert len({answer["url"] for answer in answers}) == 2
    for answer in answers[::8]:
        path = files.shelf() / answer["url"].split("/takes/")[1]
        assert shutil.which("unzip") is None or path.stat().st_size > 100
        assert not list(path.parent.glob("*.tmp"))
    stamp = path.stat().st_mtime_ns
    records.stars([take])
    assert path.stat().st_mtime_ns == stamp


# ---------------------------------------------------------------- faults of the server


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


# ---------------------------------------------------------------- the queue


def test_a_job_that_runs_is_given_up_where_nobody_listens(
    crowd: tuple[str, FakePipeline, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It began at once, as the queue was empty, before its time to listen was over."""
    monkeypatch.setattr(shares, "GRACE", 0.5)
    url, fake, _ = crowd
    fake.step_seconds = 0.05
    left = post(url, "1.1.1.1", steps=400).json()["event_id"]
    begun = time.monotonic()
    assert "event: complete" in ask(url, "text_to_audio", text(steps=2))
    assert time.monotonic() - begun < 10, "all of its 400 steps take 20 s"
    assert fake.steps_done < 200
    assert "event: error" in httpx.get(f"{url}/gradio_api/call/text_to_audio/{left}", timeout=30).text


def test_a_job_with_a_listener_is_not_given_up(
    crowd: tuple[str, FakePipeline, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "GRACE", 1.0)
    url, fake, _ = crowd
    fake.step_seconds = 0.1
    assert "event: complete" in ask(url, "text_to_audio", text(steps=25))


def test_many_short_visits_do_not_stop_the_queue(
    crowd: tuple[str, FakePipeline, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job waits while more sessions come and go than mailboxes are kept; it is served all the same."""
    url, fake, page = crowd
    queue = page.app.get_blocks()._queue
    queue.pending_messages_per_session.max_size = 5
    fake.step_seconds = 0.1
    (look,) = [
        one["id"] for one in httpx.get(f"{url}/config", timeout=30).json()["dependencies"]
        if any(event == "dropped" for _, event in one["targets"])
    ]  # fmt: skip
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, url, "text_to_audio", text(steps=40))
        time.sleep(0.3)
        second = pool.submit(ask, url, "text_to_audio", text(steps=2))
        time.sleep(0.3)
        for number in range(20):
            body = {"data": [], "event_data": {}, "fn_index": look, "session_hash": f"visit {number}"}
            httpx.post(f"{url}/gradio_api/queue/join", json=body, timeout=30)
            time.sleep(0.05)
        assert "event: complete" in first.result() and "event: complete" in second.result()
    assert len(queue.pending_messages_per_session) <= 5
    assert len(queue.pending_event_ids_session) <= 5
    assert not queue.stopped


def test_statistics_stay_short(crowd: tuple[str, FakePipeline, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    url, _, page = crowd
    queue = page.app.get_blocks()._queue
    assert queue.ANALYTICS_MAX_EVENTS == shares.COUNTED_EVENTS
    queue.ANALYTICS_MAX_EVENTS = 3
    for number in range(5):
        ask(url, "text_to_audio", text(seed=number))
    assert len(queue.event_analytics) <= 3


def test_uploaded_names_that_no_file_has() -> None:
    for path in ("a\0b", str(storage.root() / ("x" * 100_000)), "", ["a"], 5, "http://127.0.0.1/x"):
        with pytest.raises(ValueError, match="a sound"):
            files.uploaded({"path": path}, "a sound")


def test_upload_is_still_found(base_url: str, inputs: dict[str, Path]) -> None:
    given = uploaded(base_url, inputs["sound"])
    assert files.uploaded(given, "a sound").is_file()


def test_a_visit_costs_little(crowd: tuple[str, FakePipeline, Any]) -> None:
    """A session holds no copy of the page: 0.4 MB each, as many as the server remembers."""
    import tracemalloc

    url, _, page = crowd
    ask(url, "text_to_audio", text())
    page.app.state_holder.capacity = 1000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    sessions = [page.app.state_holder[f"visit {number}"] for number in range(20)]
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown / len(sessions) < 60_000, f"{grown / len(sessions):.0f} bytes a visit"
    assert all(list(session.components) == [] for session in sessions)
    assert len(page.app.state_holder.session_data) > 20


def test_a_link_to_a_page_keeps_nothing(crowd: tuple[str, FakePipeline, Any]) -> None:
    url, _, _ = crowd
    answer = ask(url, "text_to_audio", text())
    assert "complete" in answer
    before = set(storage.root().glob("deep_links/*"))
    for number in range(3):
        httpx.get(f"{url}/gradio_api/deep_link", params={"session_hash": f"visit {number}"}, timeout=30)
    assert set(storage.root().glob("deep_links/*")) == before


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
