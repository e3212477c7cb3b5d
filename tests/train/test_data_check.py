"""Bad recordings of every kind are named, counted and left out; good ones stay."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.sounds import sine_wave
from train.data.check import KINDS, Findings, clipped, examine
from train.data.library import Library
from train.data.manifest import Recording

RATE = 16_000


def put(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    soundfile.write(path, samples, rate)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording for each kind of problem, named after it, and two good ones."""
    tone = sine_wave(440, 0.5)[0]
    put(tmp_path / "good.wav", tone)
    put(tmp_path / "loud but good.wav", np.clip(1.05 * tone / np.abs(tone).max(), -1, 1))
    (tmp_path / "zero length.wav").touch()
    put(tmp_path / "wrong hash.wav", tone * 0.9)
    (tmp_path / "broken header.wav").write_bytes(b"RIFF????WAVEfmt nonsense")
    put(tmp_path / "wrong rate.wav", tone * 0.8, 11_025)
    put(tmp_path / "silent.wav", np.full(8_000, 0.1))
    put(tmp_path / "clipped.wav", np.clip(50 * tone, -1, 1))
    put(tmp_path / "duplicate.wav", tone)
    return tmp_path


def look(folder: Path) -> Findings:
    findings = Findings()
    for name in ("good", "loud but good", *KINDS):
        path = folder / f"{name}.wav"
        sha256 = hashlib.sha256(b"another").hexdigest() if name == "wrong hash" else None
        examine(name, path, findings, sha256, RATE if name == "wrong rate" else None)
    return findings


def test_each_kind_is_named_and_counted(folder: Path) -> None:
    findings = look(folder)
    assert [(problem.row, problem.kind) for problem in findings.problems] == [(kind, kind) for kind in KINDS]
    assert findings.count() == dict.fromkeys(KINDS, 1)
    assert findings.summary(10).startswith("8 of 10 recordings are left out: 1 missing, 1 zero length")
    assert all("\n" not in str(problem) and str(problem).startswith(problem.row) for problem in findings.problems)


def test_a_header_without_sound_is_zero_length(tmp_path: Path) -> None:
    put(tmp_path / "a.wav", np.zeros(0))
    findings = Findings()
    assert examine("a", tmp_path / "a.wav", findings) is None and findings.count() == {"zero length": 1}


def test_not_a_number_is_broken(tmp_path: Path) -> None:
    samples = sine_wave(440, 0.5)[0].copy()
    samples[100] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    findings = Findings()
    assert examine("a", tmp_path / "a.wav", findings) is None and findings.count() == {"broken header": 1}


def test_clipping_is_measured() -> None:
    tone = sine_wave(100, 1.0, peak=1.0)[0][:, None]
    assert clipped(tone) < 0.05 and clipped(np.clip(20 * tone, -1, 1)) > 0.9


def test_the_library_leaves_bad_recordings_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Recording(p.stem, "tone", "tones", ("a tone",), "train", Path(p.name)) for p in sorted(folder.iterdir())]
    findings = Findings()
    library = Library.build(rows, folder, findings)
    assert {row.id for row in library.rows} >= {"loud but good", "wrong hash", "wrong rate"}
    assert set(findings.count()) == {"zero length", "broken header", "silent", "clipped", "duplicate"}
    assert library.left_out == {f"{problem.row}" for problem in findings.problems}
    with pytest.raises(ValueError, match="1 zero length"):
        Library.build([row for row in rows if row.id == "zero length"], folder)


def test_bad_rows_are_reported_once_and_not_decoded_again(folder: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    root = tmp_path / "root"
    (root / "recordings").mkdir(parents=True)
    for name in ("good", "silent"):
        path = root / "recordings/p/usr/share" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((folder / f"{name}.wav").read_bytes())
    head = "package,version,path,sha256,seconds,concept,family,caption,licence,author,split\n"
    lines = "".join(f"p,1,usr/share/{name}.wav,0,1,tone,tones,a tone,CC0,me,train\n" for name in ("good", "silent"))
    (root / "manifest.csv").write_text(head + lines)
    assert len(Library.open(root, root / "manifest.csv").rows) == 1
    assert "1 of 2 recordings are left out: 1 silent." in capsys.readouterr().err
    monkeypatch.setattr(sys.modules["train.data.library"], "examine", None)
    assert len(Library.open(root, root / "manifest.csv").rows) == 1
    assert capsys.readouterr().err == ""
