"""Limits hold on the server, also for requests straight to the endpoints, and each refusal says the limit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from maa.audio import decode
from maa.ui.api import endpoint_table
from maa.vision import video
from tests.clips import make_clip
from tests.files import write_header
from tests.ui.conftest import DENSE
from tests.ui.fakes import FakePipeline


def ask(base_url: str, name: str, data: list[Any]) -> str:
    """What a raw request to an endpoint ends with: the event stream as text."""
    asked = httpx.post(f"{base_url}/gradio_api/call/{name}", json={"data": data}, timeout=30).json()
    return httpx.get(f"{base_url}/gradio_api/call/{name}/{asked['event_id']}", timeout=60).text


def request(name: str, **said: Any) -> list[Any]:
    """The arguments of an endpoint in their order: what is said, else something small, else their defaults."""
    values = {"prompt": "rain", "seconds": 1.0, "steps": 2, "seed": 1, **said}
    endpoint = next(one for one in endpoint_table(DENSE) if one.name == name)
    return [values.get(one.name, one.default) for one in endpoint.arguments]


def text(**more: Any) -> list[Any]:
    """Those of a sound from text."""
    return request("text_to_audio", **more)


@pytest.mark.parametrize(
    ("more", "limit"),
    [
        ({"prompt": "a" * 1001}, "at most 1,000"),
        ({"negative": "a" * 1001}, "at most 1,000"),
        ({"seconds": 31.0}, "0.5 to 30"),
        ({"takes": 9}, "1 to 8"),
        ({"steps": 1001}, "1 to 1000"),
        ({"steps": 1000, "takes": 5}, "4,000 steps"),
        ({"guidance": 21.0}, "0 to 20"),
        ({"seed": 2**32}, "4294967295"),
        ({"rate": 12345}, "44100"),
        ({"loudness": -14}, "as-made, -23, -18, peak"),
        ({"density": 1.5}, "0 to 1"),
        ({"quality": "best"}, "instant, fine"),
    ],
)
def test_refusals_say_the_limit(base_url: str, more: dict[str, Any], limit: str) -> None:
    answer = ask(base_url, "text_to_audio", text(**more))
    assert "event: error" in answer
    assert limit in answer, answer


def uploaded(base_url: str, path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        answer = httpx.post(f"{base_url}/gradio_api/upload", files={"files": stream}, timeout=60)
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


def test_upload_size(base_url: str, tmp_path: Path) -> None:
    large = tmp_path / "large.wav"
    large.touch()
    os.truncate(large, 101 * 2**20)
    with large.open("rb") as stream:
        answer = httpx.post(f"{base_url}/gradio_api/upload", files={"files": stream}, timeout=60)
    assert answer.status_code == 413
    assert "100" in answer.text or "size" in answer.text.lower()


def test_pixels_and_length_of_uploads(base_url: str, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((5001, 8001), np.uint8)).save(tmp_path / "large.png")
    write_header(tmp_path / "long.wav", 2000, seconds=601.0)
    picture = request("image_to_audio", image=uploaded(base_url, tmp_path / "large.png"))
    assert "at most 40,000,000 pixels" in ask(base_url, "image_to_audio", picture)
    sound = request("personalize", audio=uploaded(base_url, tmp_path / "long.wav"))
    assert "longer than 10 minutes" in ask(base_url, "personalize", sound)
    clip = make_clip(tmp_path / "long.mp4", [20.0 * index for index in range(12)])
    answer = ask(base_url, "video_to_audio", request("video_to_audio", video=uploaded(base_url, clip)))
    assert "at most 180 s" in answer


def test_decode_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from maa.audio.io import read
    from maa.vision.frames import video_frames

    monkeypatch.setattr(video, "DECODE_SECONDS", 0.0)
    monkeypatch.setattr(decode, "DECODE_SECONDS", 0.0)
    clip = make_clip(tmp_path / "a.mp4", sound=2.0)
    with pytest.raises(ValueError, match=r"takes longer than 0 s to decode"):
        video_frames(clip)
    with pytest.raises(ValueError, match=r"takes longer than 0 s to decode"):
        read(clip)


def test_private_handlers_check_too(base_url: str, fake: FakePipeline) -> None:
    """The page's own handlers can be called by anyone; they take no file of the server and no tab that is not there."""
    config = httpx.get(f"{base_url}/config", timeout=30).json()
    names = {one["api_name"] for one in config["dependencies"] if one.get("api_visibility") != "private"}
    assert names == {"text_to_audio", "image_to_audio", "video_to_audio", "personalize", "inpaint", "edit"}
