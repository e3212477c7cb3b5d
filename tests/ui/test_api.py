"""The endpoints, as a program meets them."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.ui.fakes import FakePipeline


@pytest.fixture(scope="module")
def client(server: tuple[str, FakePipeline], tmp_path_factory: pytest.TempPathFactory) -> Any:
    from gradio_client import Client

    return Client(server[0], verbose=False, download_files=tmp_path_factory.mktemp("downloads"))


def file(path: Path) -> Any:
    from gradio_client import handle_file

    return handle_file(str(path))


def test_names_arguments_and_defaults(client: Any) -> None:
    """What programs rely on; a change here breaks them."""
    shared = {"steps": None, "guidance": 3.0, "sampler": "dpm++", "seed": -1, "takes": 1}
    written = {"file_format": "wav16", "rate": 0}
    said = {"loudness": "as-made", "density": None}
    literal, heard, quality = {"literal": False}, {"heard": []}, {"quality": "fine"}
    expected: dict[str, dict[str, Any]] = {
        "/text_to_audio": {"prompt": None, "negative": "", "seconds": 9.984, **shared, **written, **said, **literal,
                           "events": [], **heard, "loop": False, **quality},
        "/image_to_audio": {
            "image": None, "prompt": "", "negative": "", "seconds": 9.984, **shared, **written, **said, **literal,
            **heard, "loop": False, **quality,
        },
        "/video_to_audio": {
            "video": None, "prompt": "", "negative": "", **shared, "original": "replace", "original_db": -6.0,
            **said, **literal, "events": [], **heard, **quality,
        },
        "/personalize": {
            "audio": None, "prompt": None, "t0": 0.4, "negative": "", "start": 0.0, **shared, **written, **said,
            "level_match": True, **literal, **heard, **quality,
        },
        "/inpaint": {
            "audio": None, "boxes": [], "prompt": "", "frames": [], "mask": None, "negative": "", "strength": 1.0,
            "resampling": 0, "blend": 0.0, "level_match": True, "before": 0.0, "after": 0.0, **shared, **written,
            "file_format": "source", **said, **literal, **heard, **quality,
        },
    }  # fmt: skip
    published = client.view_api(return_format="dict")["named_endpoints"]
    found = {
        name: {item["parameter_name"]: item["parameter_default"] for item in endpoint["parameters"]}
        for name, endpoint in published.items()
    }
    assert found == expected
    assert {name: list(found[name]) for name in found} == {name: list(expected[name]) for name in found}, "their order"
    assert "lowest Hz" in published["/inpaint"]["description"]


def test_text(client: Any) -> None:
    path, settings = client.predict(
        "a dog", seconds=2.0, steps=2, seed=5, file_format="wav24", api_name="/text_to_audio"
    )
    assert soundfile.info(path).subtype == "PCM_24"
    assert soundfile.info(path).duration == 2.0
    assert soundfile.read(path)[0].std() > 0.1
    assert (settings["seed"], settings["prompt"]) == (5, "a dog")
    assert "dog" not in Path(path).name


@pytest.mark.parametrize(
    ("name", "given", "more"),
    [
        ("/image_to_audio", "picture", {"seconds": 1.0, "file_format": "flac"}),
        ("/video_to_audio", "clip", {"takes": 2}),
        ("/personalize", "sound", {"prompt": "a cat", "t0": 0.3}),
        ("/inpaint", "sound", {"boxes": [[0.5, 1.0, 300, 4000], [1.2, 1.4, 0, 8000]]}),
    ],
)
def test_tasks_with_an_upload(
    client: Any, inputs: dict[str, Path], name: str, given: str, more: dict[str, Any]
) -> None:
    path, settings = client.predict(file(inputs[given]), steps=2, api_name=name, **more)
    assert Path(path).stat().st_size > 1000
    assert settings["task"] in name


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("/text_to_audio", {"prompt": ""}, "The prompt is empty"),
    ("/text_to_audio", {"prompt": "a" * 10_000}, "10,000 characters"),
    ("/text_to_audio", {"prompt": ["a"]}, "The prompt must be text"),
    ("/text_to_audio", {"prompt": "a", "steps": 0}, "steps"),
    ("/text_to_audio", {"prompt": "a", "steps": "many"}, "steps"),
    ("/text_to_audio", {"prompt": "a", "takes": 9}, "takes"),
    ("/text_to_audio", {"prompt": "a", "seconds": 3600}, "seconds"),
    ("/text_to_audio", {"prompt": "a", "guidance": 99}, "guidance"),
    ("/text_to_audio", {"prompt": "a", "sampler": "magic"}, "sampler"),
    ("/text_to_audio", {"prompt": "a", "seed": -7}, "seed"),
    ("/text_to_audio", {"prompt": "a", "file_format": "exe"}, "file format"),
    ("/text_to_audio", {"prompt": "a", "loudness": "-12"}, "loudness must be one of as-made, -23, -18, peak"),
    ("/text_to_audio", {"prompt": "a", "density": 2.0}, "density must be a number from 0 to 1"),
    ("/inpaint", {"audio": "sound", "frames": [[0.5, 1.0]], "loudness": "-23"}, "can only be as-made"),
    ("/personalize", {"audio": "sound", "prompt": "a", "t0": 2}, "t0 must lie between 0"),
    (
        "/personalize",
        {"audio": "sound", "prompt": "a", "start": "noon"},
        "start must be a number from 0 to 600, not 'noon'",
    ),
    ("/personalize", {"audio": "picture", "prompt": "a"}, "not a sound"),
    ("/inpaint", {"audio": "sound", "boxes": [[2.0, 1.0, 300, 4000]]}, "holds nothing"),
    ("/inpaint", {"audio": "sound", "boxes": [[1.0, 2.0]]}, "Each region"),
    ("/inpaint", {"audio": "sound", "boxes": []}, "Say what to make anew"),
    ("/inpaint", {"audio": "sound", "frames": [[0.5, 1.0]], "blend": 2}, "blend must be a number from 0 to 1"),
    ("/inpaint", {"audio": "sound", "boxes": [[50.0, 51.0, 0, 100]]}, "behind the end"),
    ("/image_to_audio", {"image": "sound"}, "not a picture"),
]


@pytest.mark.parametrize(("name", "arguments", "sentence"), MISTAKES)
def test_mistakes(client: Any, inputs: dict[str, Path], name: str, arguments: dict[str, Any], sentence: str) -> None:
    from gradio_client.exceptions import AppError

    given = {key: file(inputs[value]) if key in ("audio", "image") else value for key, value in arguments.items()}
    with pytest.raises(AppError, match=re.escape(sentence)) as caught:
        client.predict(api_name=name, **given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
def test_files_of_the_server_cannot_be_read(base_url: str, meta: dict[str, Any]) -> None:
    """A path that was not uploaded is refused, whatever it claims to be."""
    import httpx

    body = {"data": [{"path": __file__, **meta}, "a cat", 0.4, "", 0, 2, 3, "dpm++", 1, 1, "wav16", 0]}
    body["data"] += ["as-made", None, True, False]
    asked = httpx.post(f"{base_url}/gradio_api/call/personalize", json=body).json()
    answer = httpx.get(f"{base_url}/gradio_api/call/personalize/{asked['event_id']}", timeout=20).text
    assert "event: error" in answer and "input values" not in answer
    assert "complete" not in answer


def test_cancel_stops_the_work(client: Any, fake: FakePipeline) -> None:
    fake.step_seconds = 0.2
    job = client.submit("rain", api_name="/text_to_audio")
    while not job.outputs():
        time.sleep(0.05)
    before = fake.steps_done
    job.cancel()
    time.sleep(1.0)
    assert fake.steps_done <= before + 3, "two steps, and one that may end while the request travels"
    assert fake.running == 0
