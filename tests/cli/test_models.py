"""All five tasks from the command line, on the random model and on the shipped one."""

from __future__ import annotations

from pathlib import Path

import pytest

import maa
from maa.cli import main


@pytest.mark.parametrize("model", ["tiny", "small"])
def test_every_task(folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    opened = request.getfixturevalue(model)
    monkeypatch.setattr(maa.MakeAnAudio, "from_pretrained", lambda name, **more: opened)
    tasks = {
        "text.wav": ["text", "rain", "--seconds", "1"],
        "image.flac": ["image", "picture.png", "--seconds", "1"],
        "video.mp4": ["video", "clip.mp4"],
        "personalize.wav": ["personalize", "stereo48.wav", "a dog", "--t0", "0.4"],
        "inpaint.wav": ["inpaint", "stereo48.wav", "--box", "0.5", "1.0", "0", "8000", "--prompt", "rain"],
    }
    for name, words in tasks.items():
        assert main([*words, "-o", name, "--steps", "2", "--seed", "7", "--model", model, "--quiet"]) == 0
        assert Path(name).stat().st_size > 1000
