"""The disk and the memory of the server: limits, shares, what goes first, and what is said."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from maa.ui import files, records, storage
from maa.ui.intake import MOST_BODY, MOST_UPLOAD, MOST_VALUES
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
    later = time.monotonic() + storage.HOUR + 1  # for this module alone: a server that runs beside lives by the clock
    monkeypatch.setattr(storage, "time", SimpleNamespace(monotonic=lambda: later, time=time.time))
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
    assert answer.status_code == 413 and "too large" in answer.text, answer.text


@pytest.mark.parametrize("way", ["component_server", "queue/join", "call/text_to_audio", "run/text_to_audio"])
@pytest.mark.parametrize("value", ["[]", "{}", "1.5", '[["a"]]', '{"a":{"b":1}}'])
def test_other_requests_hold_few_values(base_url: str, way: str, value: str) -> None:
    """Lists of lists take a hundred times the bytes of their text, once for everything that Gradio does with them."""
    body = f'{{"data": [[{",".join([value] * MOST_VALUES)}]]}}'.encode()
    began = time.monotonic()
    for sent in (body, iter([body[:2000], body[2000:]])):
        url, headers = f"{base_url}/gradio_api/{way}", {"content-type": "application/json"}
        answer = httpx.post(url, content=sent, headers=headers, timeout=60)
        told = way != "component_server"  # where Gradio makes a 400 of whatever ends a body
        assert answer.status_code == (413 if told else 400) and ("100,000 values" in answer.text) is told, answer.text
    assert time.monotonic() - began < 20


def test_long_recordings_painted_on_pass(base_url: str) -> None:
    """The value of the painter for ten minutes is one long text; it is answered, though not with a sound."""
    mask = {"mels": 80, "frames": 37_500, "levels": "A" * 4_000_000, "mask": "A" * 500_000}
    answer = httpx.post(f"{base_url}/gradio_api/call/text_to_audio", json={"data": [mask]}, timeout=60)
    assert answer.status_code == 200, answer.text


def test_a_large_upload_is_refused_before_it_is_kept(base_url: str) -> None:
    before = set(storage.upload_root().iterdir())
    headers = {**FORM, "content-length": str(MOST_UPLOAD + 1)}
    answer = httpx.post(f"{base_url}/gradio_api/upload", content=bytes(MOST_UPLOAD + 1), headers=headers, timeout=60)
    assert answer.status_code == 413
    assert set(storage.upload_root().iterdir()) == before


def test_uploads_have_a_share(base_url: str, disk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maa.ui.intake.STORAGE", store := Storage())
    held = sum(entry.size for entry in storage.entries(storage.upload_root()))
    monkeypatch.setenv("MAA_DISK_GB", str((2 * held + 4e7) / 1e9))
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


def test_uploaded_names_that_no_file_has() -> None:
    for path in ("a\0b", str(storage.upload_root() / ("x" * 100_000)), "", ["a"], 5, "http://127.0.0.1/x"):
        with pytest.raises(ValueError, match="a sound"):
            files.uploaded({"path": path}, "a sound")


def test_upload_is_still_found(base_url: str, inputs: dict[str, Path]) -> None:
    given = uploaded(base_url, inputs["sound"])
    assert files.uploaded(given, "a sound").is_file()
