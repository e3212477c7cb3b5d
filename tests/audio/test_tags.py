"""Settings inside sound files: they read back whole, the samples stay, and equal settings give equal bytes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.wave import WAVE

from maa.audio.io import write
from maa.audio.tags import SOFTWARE, read_tags, write_tags
from tests.sounds import sine_wave

SETTINGS: dict[str, Any] = {
    "task": "inpaint", "prompt": "Ein Hündchen bellt 🐕 — «zweimal»; 犬が吠える", "negative": "", "seed": 2**32 - 1,
    "steps": 25, "guidance": 3.0, "t0": None, "spans": [[0.5, 1.25]], "weights": {"unet": "9f86d081"}, "ok": True,
}  # fmt: skip
KINDS = [(".wav", "PCM_16"), (".wav", "PCM_24"), (".wav", "FLOAT"), (".flac", "PCM_16"), (".flac", "PCM_24")]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def riff_chunks(path: Path) -> list[tuple[bytes, int]]:
    """A strict walk: every chunk inside the RIFF, padded to even lengths, and nothing behind the last."""
    data = path.read_bytes()
    name, size, kind = struct.unpack("<4sI4s", data[:12])
    assert (name, size, kind) == (b"RIFF", len(data) - 8, b"WAVE")
    assert len(data) % 2 == 0
    found, at = [], 12
    while at < len(data):
        name, size = struct.unpack("<4sI", data[at : at + 8])
        found.append((name, size))
        if size % 2:
            assert data[at + 8 + size] == 0
        at += 8 + size + size % 2
    assert at == len(data)
    return found


@pytest.mark.parametrize(("suffix", "subtype"), KINDS)
@pytest.mark.parametrize("count", [999, 1000])
def test_settings_read_back(tmp_path: Path, suffix: str, subtype: str, count: int) -> None:
    plain, tagged = tmp_path / f"plain{suffix}", tmp_path / f"tagged{suffix}"
    sound = sine_wave(channels=3)[:, :count]
    write(plain, sound, 16_000, subtype)
    write(tagged, sound, 16_000, subtype, SETTINGS)
    assert read_tags(plain) is None
    assert read_tags(tagged) == SETTINGS
    for dtype in ("int32", "float64"):
        assert np.array_equal(soundfile.read(plain, dtype=dtype)[0], soundfile.read(tagged, dtype=dtype)[0])
    write_tags(plain, SETTINGS)
    assert plain.read_bytes() == tagged.read_bytes()
    write_tags(plain, {"seed": 1})
    assert read_tags(plain) == {"seed": 1}


def test_other_programs_find_them_in_wav(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", sine_wave(), 16_000, "PCM_16", SETTINGS)
    assert [name for name, _ in riff_chunks(path)] == [b"fmt ", b"data", b"LIST", b"id3 "]
    with soundfile.SoundFile(path) as file:
        assert file.title == SETTINGS["prompt"]
        assert file.software == SOFTWARE
        assert '"seed":4294967295' in file.comment
    tags = WAVE(path).tags
    assert str(tags["TIT2"]) == SETTINGS["prompt"]
    assert str(tags["TXXX:guidance"]) == "3.0"


def test_other_programs_find_them_in_flac(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", sine_wave(), 16_000, "PCM_16", SETTINGS)
    tags = FLAC(path).tags
    assert tags["title"] == tags["prompt"] == [SETTINGS["prompt"]]
    assert tags["seed"] == ["4294967295"]
    assert tags["encoder"] == [SOFTWARE]
    assert "negative" not in tags


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_long_and_odd_prompts(tmp_path: Path, suffix: str) -> None:
    for prompt in ("ä" * 100_001, "nul\0inside", "lone \ud800 surrogate", "\r\n\t", '"quotes" = {json}', "x"):
        path = write(tmp_path / f"a{suffix}", sine_wave(), 16_000, "PCM_16", {"prompt": prompt})
        assert read_tags(path) == {"prompt": prompt}
        if suffix == ".wav":
            riff_chunks(path)
    with pytest.raises(ValueError, match="too long"):
        write(tmp_path / f"b{suffix}", sine_wave(), 16_000, "PCM_16", {"prompt": "x" * 5_000_000})
    assert not (tmp_path / f"b{suffix}").exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(min_size=1), JSON, min_size=1, max_size=5), st.sampled_from([".wav", ".flac"]))
def test_any_settings_read_back(tmp_path: Path, given_settings: dict[str, Any], suffix: str) -> None:
    sound = sine_wave(seconds=0.01)
    path = write(tmp_path / f"a{suffix}", sound, 16_000, "PCM_24", given_settings)
    assert read_tags(path) == given_settings
    assert soundfile.read(path)[0].shape == (160,)


def test_other_chunks_stay(tmp_path: Path) -> None:
    """Cue points, broadcast data and label lists of a user's file survive; the order of chunks too."""
    path = write(tmp_path / "a.wav", sine_wave()[:, :999], 16_000, "PCM_U8")
    extra = b"bext" + struct.pack("<I", 5) + b"hello\0" + b"LIST" + struct.pack("<I", 4) + b"adtl"
    data = path.read_bytes() + extra
    path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    before = soundfile.read(path, dtype="int16")[0]
    for _ in range(2):
        write_tags(path, SETTINGS)
        assert [name for name, _ in riff_chunks(path)] == [b"fmt ", b"data", b"bext", b"LIST", b"LIST", b"id3 "]
    assert np.array_equal(soundfile.read(path, dtype="int16")[0], before)
    assert read_tags(path) == SETTINGS


def test_id3_is_read_where_the_list_is_gone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", sine_wave(), 16_000, "PCM_16", SETTINGS)
    path.write_bytes(path.read_bytes().replace(b"LIST", b"junk"))
    assert read_tags(path) == SETTINGS
    WAVE(path).delete()
    assert read_tags(path) is None


def test_files_with_other_peoples_tags(tmp_path: Path) -> None:
    for name, content in [("a.txt", b"hello"), ("b.wav", b"RIFF"), ("c.flac", b"fLaC garbage"), ("d.wav", b"")]:
        (tmp_path / name).write_bytes(content)
        assert read_tags(tmp_path / name) is None
    for comment in ("my comment", '{"a": 1}', '{"make-an-audio": 3}', "[" * 100_000):
        with soundfile.SoundFile(tmp_path / "e.wav", "w", 16_000, 1) as file:
            file.comment = comment
            file.write(sine_wave()[0])
        assert read_tags(tmp_path / "e.wav") is None
    tag = ID3()
    tag.save(tmp_path / "f.mp3")
    assert read_tags(tmp_path / "f.mp3") is None


def test_a_missing_file_and_another_kind(tmp_path: Path) -> None:
    (tmp_path / "a.aiff").write_bytes(b"FORM something")
    with pytest.raises(ValueError, match="no WAV, FLAC, Ogg or MP3 file"):
        write_tags(tmp_path / "a.aiff", SETTINGS)
    with pytest.raises(ValueError, match="cannot be written"):
        write_tags(tmp_path / "none.wav", SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.aiff"]
