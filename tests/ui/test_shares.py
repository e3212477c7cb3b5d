"""Fair shares: of the queue, of the disk, and of what the server remembers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from safetensors.torch import save_file
from starlette.requests import Request

from maa.checkpoint.shards import read_weights
from maa.ui import files, records, serve, shares
from maa.ui.memory import HEAP
from maa.ui.storage import NO_ROOM
from tests.ui.fakes import FakePipeline
from tests.ui.test_limits import ask, text, uploaded


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[str, FakePipeline, Any]]:
    """A server of its own with four places in each line and two sessions: address, pipeline, page."""
    from maa.ui import build, launch

    monkeypatch.setattr(serve, "QUEUE", 4)
    monkeypatch.setattr(serve, "SESSIONS", 2)
    fake = FakePipeline()
    page = build(fake, tmp_path)  # type: ignore[arg-type]
    yield launch(page), fake, page
    page.close()


def post(url: str, visitor: str, **more: Any) -> httpx.Response:
    """Ask for a job as somebody behind a proxy, without listening."""
    headers = {"x-forwarded-for": f"6.6.6.6, {visitor}"}
    return httpx.post(f"{url}/gradio_api/call/text_to_audio", json={"data": text(**more)}, headers=headers, timeout=30)


def test_one_visitor_cannot_fill_the_queue(crowd: tuple[str, FakePipeline, Any]) -> None:
    url, fake, _ = crowd
    fake.step_seconds = 0.5
    mine = [post(url, "1.1.1.1", steps=10) for _ in range(8)]
    refused = [answer for answer in mine if answer.status_code != 200]
    assert len(refused) >= 5, "one runs, two wait"
    assert all(answer.status_code == 503 and "your share of the queue" in answer.text for answer in refused)
    assert post(url, "2.2.2.2", steps=10).status_code == 200
    assert post(url, "3.3.3.3", steps=10).status_code == 200
    full = post(url, "4.4.4.4", steps=10)
    assert full.status_code == 503 and "The queue is full: 4 jobs are waiting" in full.text
    assert "Max size" not in full.text


def test_large_requests_that_wait_have_a_limit_together(
    crowd: tuple[str, FakePipeline, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs wait with all that came with them; what one visitor may keep waiting so is half of it."""
    url, fake, _ = crowd
    monkeypatch.setattr(shares, "MOST_WAITING", 400_000)
    fake.step_seconds = 0.5
    assert [post(url, "1.1.1.1", steps=10).status_code for _ in range(2)] == [200, 200], "one runs, one waits"
    large = "x" * 150_000
    answers = [post(url, "1.1.1.1", negative=large) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 503] and "your share" in answers[1].text
    others = [post(url, f"2.2.2.{number}", negative=large) for number in range(2)]
    assert [answer.status_code for answer in others] == [200, 503] and "The queue is full" in others[1].text
    assert post(url, "3.3.3.3").status_code == 200, "small ones still find a place"


HOLES = """
from pathlib import Path
from maa.ui.memory import Heap

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 // 1024

heap, before = Heap(), resident()
parts = [bytes(1000) for _ in range(60_000)]
last = bytes(1000)  # behind them, so that the heap cannot shrink by itself
del parts
kept = resident()
heap.give_back()
print(kept - before, resident() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's heap")
def test_memory_goes_back(crowd: tuple[str, FakePipeline, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    kept, after = map(int, done.stdout.split())
    assert kept > 40 and after < 20, f"{kept} MB lie about, {after} MB afterwards"
    given = []
    monkeypatch.setattr(HEAP, "give_back", lambda: given.append(1))
    assert ask(crowd[0], "text_to_audio", text(steps=1))
    until = time.monotonic() + 20
    while not given and time.monotonic() < until:
        time.sleep(0.05)
    assert given, "after every job"


def test_jobs_that_nobody_listens_to_are_dropped(
    crowd: tuple[str, FakePipeline, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "GRACE", 0.3)
    url, fake, _ = crowd
    fake.step_seconds = 0.1
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, url, "text_to_audio", text(steps=10))
        time.sleep(0.3)
        left = post(url, "1.1.1.1", steps=100).json()["event_id"]
        assert "event: complete" in first.result()
    begun = time.monotonic()
    assert "event: complete" in ask(url, "text_to_audio", text(steps=5)), "one with a listener goes on"
    assert time.monotonic() - begun < 5 and fake.steps_done == 15
    late = httpx.get(f"{url}/gradio_api/call/text_to_audio/{left}", timeout=30).text
    assert "event: error" in late


def test_looking_does_not_wait_for_generating(crowd: tuple[str, FakePipeline, Any], inputs: dict[str, Path]) -> None:
    """The painter's picture, the words of a picture and the window are there while jobs fill the whole queue."""
    url, fake, _ = crowd
    fake.step_seconds = 0.5
    for visitor in "123456":
        post(url, f"1.1.1.{visitor}", steps=40)
    assert post(url, "1.1.1.9").status_code == 503
    config = httpx.get(f"{url}/config", timeout=30).json()
    named = {one["id"]: one["props"].get("elem_id") for one in config["components"]}
    looks = (("inpaint-input", "sound"), ("image-input", "picture"), ("personalize-input", "sound"))
    begun = time.monotonic()
    for where, kind in looks:
        event = next(
            one for one in config["dependencies"]
            if any(named.get(part) == where and act in ("change", "upload") for part, act in one["targets"])
            and one["backend_fn"]
        )  # fmt: skip
        others = [None] * (len(event["inputs"]) - 1)
        body = {"data": [uploaded(url, inputs[kind]), *others], "fn_index": event["id"], "session_hash": where}
        joined = httpx.post(f"{url}/gradio_api/queue/join", json=body, timeout=30)
        assert joined.status_code == 200, joined.text
        with httpx.stream("GET", f"{url}/gradio_api/queue/data", params={"session_hash": where}, timeout=30) as news:
            ends = (json.loads(line[5:]) for line in news.iter_lines() if line.startswith("data:"))
            end = next(one for one in ends if one["msg"] == "process_completed")
        assert end["success"] and end["output"]["data"][0], where
    assert time.monotonic() - begun < 10, "the first job alone takes 20 s"


def test_the_address_that_counts() -> None:
    def request(host: str, *headers: tuple[bytes, bytes]) -> Any:
        return Request({"type": "http", "client": (host, 1), "headers": list(headers)})

    through = (b"x-forwarded-for", b"6.6.6.6, 8.8.8.8")
    assert shares.visitor_of(request("127.0.0.1")) == "127.0.0.1"
    assert shares.visitor_of(request("10.0.0.7", through)) == "8.8.8.8", "the proxy's own entry is the last one"
    assert shares.visitor_of(request("9.9.9.9", through)) == "9.9.9.9", "a visitor's own header is not believed"


def test_sessions_are_forgotten(crowd: tuple[str, FakePipeline, Any]) -> None:
    url, _, page = crowd
    for _ in range(5):
        ask(url, "text_to_audio", text())
    assert len(page.app.state_holder.session_data) <= 2


def made(base_url: str) -> str:
    """The id of a new take."""
    answer = ask(base_url, "text_to_audio", text())
    data = answer.split("event: complete\ndata: ")[1].splitlines()[0]
    return Path(json.loads(data)[0]["path"]).parent.name


def test_one_zip_for_one_set_of_stars(base_url: str, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    take, other = made(base_url), made(base_url)
    before = set(files.shelf().iterdir())
    one = records.stars([take] * 200)
    assert one["gone"] == 0 and records.stars([take])["url"] == one["url"]
    assert len(set(files.shelf().iterdir()) - before) == 1
    assert len(httpx.get(f"{base_url}/{one['url']}", timeout=30).content) < 100_000, "the take is inside once"
    assert records.stars([take, other])["url"] != one["url"]
    assert "200 sounds" in records.stars([f"{k:032x}" for k in range(201)])["error"]
    assert "gone" in records.stars([take, [1], None, {"a": 1}])
    monkeypatch.setattr(records, "MOST_BYTES", 1000)
    assert "one zip takes" in records.stars([take])["error"]


def test_a_full_disk_refuses_jobs_and_zips(base_url: str, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    take = made(base_url)
    usage = type(shutil.disk_usage("/"))(2**40, 2**40, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    assert "disk is nearly full" in ask(base_url, "text_to_audio", text())
    assert records.stars([take])["error"] == NO_ROOM


def test_weights_in_memory_do_not_follow_their_file(tmp_path: Path) -> None:
    """A mapped file that is changed in place changes the model, and one that is cut ends the process."""
    path = tmp_path / "unet.safetensors"
    save_file({"a": torch.ones(100_000)}, path)
    weights = read_weights([path])
    with path.open("r+b") as stream:  # in place, as cp does
        stream.seek(1000)
        stream.write(b"\x10" * 300_000)
    assert torch.equal(weights["a"], torch.ones(100_000))
