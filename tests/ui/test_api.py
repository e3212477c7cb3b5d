"""The endpoints, as a program meets them."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from maa.audio.io import read
from maa.audio.tags import read_tags
from maa.pipeline.editing import edited
from maa.pipeline.edits import Edit
from maa.pipeline.setting import read_options
from maa.ui.chain import endpoint
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
        "/edit": {"audio": None, "edits": None, "file_format": "source"},
    }  # fmt: skip
    published = client.view_api(return_format="dict")["named_endpoints"]
    found = {
        name: {item["parameter_name"]: item["parameter_default"] for item in endpoint["parameters"]}
        for name, endpoint in published.items()
    }
    assert found == expected
    assert {name: list(found[name]) for name in found} == {name: list(expected[name]) for name in found}, "their order"
    assert "lowest Hz" in published["/inpaint"]["description"] and "lowest Hz" in published["/edit"]["description"]


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


def test_edits(client: Any, inputs: dict[str, Path]) -> None:
    """As the command line does them, one after the other; a chain goes on where the file's ends."""
    wanted = [{"boxes": [[0.5, 1.0, 500, 2000]], "gain": -12}, {"frames": [[1.2, 1.4]], "silence": True}]
    path, settings = client.predict(file(inputs["sound"]), wanted, api_name="/edit")
    sound = read(inputs["sound"])
    for edit in wanted:
        sound = edited(sound, read_options(Edit, edit)).audio
    given, made = read(inputs["sound"]), read(path)
    assert (made.sample_rate, made.channels, made.subtype) == (48_000, 2, "PCM_16")
    assert np.abs(made.samples - sound.samples).max() < 2**-14 and (made.samples[:, 61_000:64_000] == 0).all()
    assert (made.samples[:, :20_000] == given.samples[:, :20_000]).all()
    assert [step["operation"] for step in settings["chain"]] == ["boost", "silence"]
    assert settings["report"]["outside"] == 0
    further = client.submit(file(Path(path)), [{"frames": [[0.1, 0.2]], "copy_to": 1.5}], "flac", api_name="/edit")
    path, settings = further.result()
    assert Path(path).suffix == ".flac" and read_tags(path) == settings
    assert [step["operation"] for step in settings["chain"]] == ["boost", "silence", "copy"]
    assert (None, {"step": 1, "of": 1}) in further.outputs()


def test_edits_that_are_too_much(client: Any, inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from gradio_client.exceptions import AppError

    monkeypatch.setattr(endpoint, "MOST_SECONDS", 3.0)
    silence = {"frames": [[0.1, 0.2]], "silence": True}
    with pytest.raises(AppError, match="2 edits of 2 s are too much at once"):
        client.predict(file(inputs["sound"]), [silence, silence], api_name="/edit")


BOXED = {"boxes": [[0.5, 1.0, 300, 4000]]}
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
    ("/edit", {"audio": "picture", "edits": [{**BOXED, "gain": -6}]}, "not a sound"),
    ("/edit", {"audio": "sound", "edits": []}, "Give a list of 1 to 32 edits"),
    ("/edit", {"audio": "sound", "edits": [{**BOXED, "gain": -6}] * 33}, "Give a list of 1 to 32 edits"),
    ("/edit", {"audio": "sound", "edits": [[1, 2]]}, "Edit 1 must be named values"),
    ("/edit", {"audio": "sound", "edits": [BOXED]}, "Edit 1: Say one thing to do"),
    ("/edit", {"audio": "sound", "edits": [{"gain": -6}]}, "Say what to work on"),
    ("/edit", {"audio": "sound", "edits": [{**BOXED, "gain": 99}]}, "Edit 1: gain must be a number from -80 to 36"),
    ("/edit", {"audio": "sound", "edits": [{**BOXED, "gain": 6, "colour": "red"}]}, "'colour' is nothing that an edit"),
    ("/edit", {"audio": "sound", "edits": [{"mask": "x.png", "gain": 6}]}, "'mask' is nothing that an edit"),
    ("/edit", {"audio": "sound", "edits": [{**BOXED, "gain": 6}], "file_format": "exe"}, "file format"),
]


@pytest.mark.parametrize(("name", "arguments", "sentence"), MISTAKES)
def test_mistakes(client: Any, inputs: dict[str, Path], name: str, arguments: dict[str, Any], sentence: str) -> None:
    from gradio_client.exceptions import AppError

    given = {key: file(inputs[value]) if key in ("audio", "image") else value for key, value in arguments.items()}
    with pytest.raises(AppError, match=re.escape(sentence)) as caught:
        client.predict(api_name=name, **given)
    assert "\n" not in str(caught.value)


def test_no_file_of_the_server_is_edited(base_url: str) -> None:
    import httpx

    body = {"data": [{"path": __file__}, [{"frames": [[0, 1]], "silence": True}], "source"]}
    asked = httpx.post(f"{base_url}/gradio_api/call/edit", json=body).json()
    answer = httpx.get(f"{base_url}/gradio_api/call/edit/{asked['event_id']}", timeout=20).text
    assert "event: error" in answer and "only uploaded files" in answer


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
