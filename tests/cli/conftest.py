"""A working folder for the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import maa
from tests.files import write_clip
from tests.sounds import sine_wave


@pytest.fixture
def folder(in_folder: Path, tiny: maa.MakeAnAudio, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one good input of each kind; the tiny model is opened only once."""
    opened = maa.MakeAnAudio.from_pretrained

    def from_pretrained(name: str, device: str | None = None, dtype: str | None = None) -> maa.MakeAnAudio:
        plain = name == "tiny" and device in (None, "cpu") and dtype is None
        return tiny if plain else opened(name, device, dtype)

    monkeypatch.setattr(maa.MakeAnAudio, "from_pretrained", from_pretrained)
    monkeypatch.setenv("MAA_MODEL", "tiny")
    soundfile.write("stereo48.wav", sine_wave(rate=48_000, seconds=2.0, channels=2).T, 48_000, subtype="PCM_24")
    pixels = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("picture.png")
    write_clip(Path("clip.mp4"))
    return in_folder
