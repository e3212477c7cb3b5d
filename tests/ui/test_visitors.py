"""Several visitors at once: nobody sees, hears or stops what is another's, and nothing breaks under random presses."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import soundfile

from maa.audio.tags import read_tags
from tests.ui.fakes import FakePipeline

SECONDS = float(os.environ.get("MAA_LOAD_SECONDS", "6"))  # of random pressing; 60 for the full measurement


@pytest.fixture
def clients(server: tuple[str, FakePipeline], tmp_path: Path) -> list[Any]:
    """Two programs with sessions of their own."""
    from gradio_client import Client

    return [Client(server[0], verbose=False, download_files=tmp_path / str(k)) for k in range(2)]


def test_twenty_jobs_of_two_visitors_do_not_cross(clients: list[Any], fake: FakePipeline) -> None:
    """Ten each: every answer is the asker's own, every second job of the first visitor is cancelled, no other is."""
    fake.step_seconds = 0.01

    def work(visitor: int) -> list[str]:
        ended = []
        for k in range(10):
            prompt = f"visitor {visitor} job {k}"
            job = clients[visitor].submit(prompt, seconds=1.0, steps=20, seed=k, api_name="/text_to_audio")
            if visitor == 0 and k % 2:
                while not job.outputs():
                    time.sleep(0.01)
                job.cancel()
                ended.append("cancelled")
                continue
            path, settings = job.result(timeout=60)
            steps = [progress["step"] for file, progress in job.outputs() if file is None]
            assert steps == sorted(steps) and max(steps) <= 20, "progress is of one job"
            assert (settings["prompt"], settings["seed"]) == (prompt, k)
            inside = read_tags(path)
            assert inside is not None and inside["prompt"] == prompt
            assert soundfile.info(path).duration == 1.0
            ended.append("done")
        return ended

    fake.most_running = 0
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(work, range(2)))
    assert ends[0] == ["done", "cancelled"] * 5
    assert ends[1] == ["done"] * 10
    assert fake.most_running == 1


def test_a_full_queue_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, inputs: dict[str, Path]) -> None:
    from gradio_client import Client

    from maa.ui import build, launch, serve, shares

    monkeypatch.setattr(serve, "QUEUE", 2)
    fake: Any = FakePipeline(step_seconds=0.2)
    page = build(fake, tmp_path)
    monkeypatch.setattr(shares, "visitor_of", lambda request: str(id(request)))  # each job is somebody else's
    client = Client(launch(page), verbose=False)
    jobs = [client.submit("rain", seconds=1.0, steps=10, api_name="/text_to_audio") for _ in range(6)]
    until = time.monotonic() + 20
    refused: list[str] = []
    while not refused and time.monotonic() < until:
        time.sleep(0.2)
        refused = [repr(job.exception()) for job in jobs if job.done() and job.exception()]
    for job in jobs:
        job.cancel()
    assert refused and all("queue is full" in text.lower() for text in refused), refused
    page.close()


@pytest.mark.slow
def test_eight_visitors_press_at_random(
    server: tuple[str, FakePipeline], fake: FakePipeline, inputs: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """Every job ends in a result, a cancel or a clear refusal, and the log holds no exception."""
    from gradio_client import Client, handle_file

    fake.step_seconds = 0.01
    until, counts, wrong, lock = time.monotonic() + SECONDS, {}, [], threading.Lock()  # type: ignore[var-annotated]
    sound, picture, clip = (handle_file(str(inputs[name])) for name in ("sound", "picture", "clip"))
    asks: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("/text_to_audio", ("rain",), {"seconds": 1.0, "takes": 2}),
        ("/text_to_audio", ("",), {}),
        ("/text_to_audio", ("rain",), {"steps": 5000}),
        ("/image_to_audio", (picture,), {"seconds": 1.0}),
        ("/video_to_audio", (clip,), {}),
        ("/personalize", (sound, "a cat"), {"t0": 0.3}),
        ("/personalize", (picture, "a cat"), {}),
        ("/inpaint", (sound, [[0.5, 1.0, 300, 4000]]), {}),
    ]

    def visit(number: int) -> None:
        chance = random.Random(number)
        client = Client(server[0], verbose=False, download_files=False)
        while time.monotonic() < until:
            name, given, more = chance.choice(asks)
            job = client.submit(*given, api_name=name, **{"steps": chance.choice([2, 10, 30]), **more})
            if chance.random() < 0.3:
                time.sleep(chance.random() * 0.3)
                job.cancel()
                end = "cancelled"
            else:
                error = job.exception(timeout=90)
                text = "" if error is None else str(error)
                end = "done" if error is None else "refused"
                if error is not None and ("wrong on the server" in text or len(text) < 15):
                    wrong.append(text)
            with lock:
                counts[end] = counts.get(end, 0) + 1

    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(8) as pool:
        list(pool.map(visit, range(8)))
    print(counts)
    assert wrong == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert all(counts.get(end, 0) > 0 for end in ("done", "cancelled", "refused")), counts
    time.sleep(0.5)
    assert fake.running == 0
    assert fake.most_running == 1
