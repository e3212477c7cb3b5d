"""The queue when jobs are left alone, when many visits are short, and what a visit costs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from maa.ui import shares, storage
from tests.ui.fakes import FakePipeline
from tests.ui.test_limits import ask, text
from tests.ui.test_shares import crowd as crowd
from tests.ui.test_shares import post


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
    before = set(storage.upload_root().glob("deep_links/*"))
    for number in range(3):
        httpx.get(f"{url}/gradio_api/deep_link", params={"session_hash": f"visit {number}"}, timeout=30)
    assert set(storage.upload_root().glob("deep_links/*")) == before
