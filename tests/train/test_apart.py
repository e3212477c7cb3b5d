"""Several data sets in one library: what is held out in one is not trained on through another; long ones in windows."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.train.test_data_sets import (
    audiocaps,
    audioset,
    clotho,
    distilled,
    esc50,
    fsd50k,
    urbansound8k,
    vggsound,
    write,
)
from train.data import Library
from train.data.__main__ import main
from train.data.apart import Known, known_elsewhere
from train.data.check import HELD_OUT, Findings
from train.data.level import FAINT, LONGEST, RATE, trim_and_level, windows
from train.data.records import YOUTUBE, Record
from train.data.sets import build_sets, load_sets


def noise(path: Path, seed: int, rate: int = 44_100, seconds: float = 0.3) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.2 * np.random.default_rng(seed).standard_normal(int(rate * seconds)), rate)


def splits_of(library: Library) -> dict[str, str]:
    return {row.id: row.split for row in library.rows}


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """AudioCaps with a test clip that AudioSet trains on, byte by byte under another id; both hold other clips, too."""
    head = "audiocap_id,youtube_id,start_time,caption\n"
    write(tmp_path / "caps/train.csv", head + "1,abc,30,A dog barks\n")
    write(tmp_path / "caps/test.csv", head + "2,held,10,Rain falls\n")
    noise(tmp_path / "caps/audio/abc_30.wav", 1)
    noise(tmp_path / "caps/audio/held_10.wav", 2)
    audioset(tmp_path / "set")
    mids = "\n".join(f'{name}, {start}, {end}, "/m/0bt9lr"' for name, start, end in (("copy", 0, 10), ("other", 5, 15)))
    write(tmp_path / "set/balanced_train_segments.csv", f"# a\n{mids}\n")
    shutil.copyfile(tmp_path / "caps/audio/held_10.wav", tmp_path / "set/audio/balanced_train/copy.wav")
    noise(tmp_path / "set/audio/balanced_train/other.wav", 3)
    return tmp_path


@pytest.mark.parametrize("first", ["caps", "set"])
def test_a_copy_of_a_test_clip_is_not_trained_on(roots: Path, first: str, capsys: pytest.CaptureFixture[str]) -> None:
    sets = [f"audiocaps={roots}/caps", f"audioset={roots}/set"]
    assert main(["build", "--to", str(roots / "to"), *(sets if first == "caps" else sets[::-1])]) == 0
    out, err = capsys.readouterr()
    found = splits_of(Library.open(roots / "to"))
    assert found == {"audiocaps/abc_30": "train", "audiocaps/held_10": "test", "audioset/other_5": "train"}
    assert "audioset/copy_0: held out elsewhere; audiocaps/held_10, of the split 'test', is the same sound." in err
    assert "1 of 4 recordings are left out: 1 held out elsewhere." in err and "3 recordings" in out
    assert main(["check", *sets]) == 1
    assert "1 of 4 recordings are left out: 1 held out elsewhere." in capsys.readouterr().out


def test_the_same_samples_in_another_file_are_the_same_sound(roots: Path) -> None:
    path = roots / "set/audio/balanced_train/copy.wav"
    samples, rate = soundfile.read(path)
    path.unlink()
    soundfile.write(path.with_suffix(".flac"), samples, rate, subtype="PCM_16")
    findings = Findings()
    made = build_sets([f"audioset={roots}/set", f"audiocaps={roots}/caps"], roots / "to", findings=findings)
    assert findings.count() == {HELD_OUT: 1} and "audioset/copy_0" not in splits_of(made)


def test_the_same_id_is_the_same_clip_however_it_was_encoded(roots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for video, start in (("held", 12), ("held", 200), ("abc", 30)):
        noise(roots / f"set/audio/balanced_train/{video}_{start}.wav", seed=start)
    lines = 'held, 12.000, 22.000, "/m/0bt9lr"\nheld, 200.000, 210.000, "/m/0bt9lr"\nabc, 30.000, 40.000, "/m/0bt9lr"\n'
    write(roots / "set/balanced_train_segments.csv", "# a\n" + lines)
    for name in ("held", "abc"):
        assert not (roots / f"set/audio/balanced_train/{name}.wav").exists()
    sets = [f"audioset={roots}/set", f"audiocaps={roots}/caps"]
    findings = Findings()
    made = build_sets(sets, roots / "to", findings=findings)
    assert findings.count() == {HELD_OUT: 1} and findings.problems[0].row == "audioset/held_12.000"
    assert "audioset/held_200.000" in splits_of(made), "another stretch of the video is another clip"
    assert "audioset/abc_30.000" in splits_of(made), "what nobody holds out may be in two sets"
    assert main(["stats", *sets]) == 0
    out, err = capsys.readouterr()
    assert "1 held out elsewhere" in out and "youtube held" in err


def test_what_was_distilled_is_known_by_where_it_came_from(roots: Path) -> None:
    distilled(roots / "distilled")
    findings = Findings()
    made = build_sets([f"distilled={roots}/distilled", f"audiocaps={roots}/caps"], roots / "to", findings=findings)
    assert findings.count() == {HELD_OUT: 1} and "distilled/a" not in splits_of(made)


def record(name: str, split: str, span: tuple[float, float] | None = None, origin: str = "v") -> tuple[str, Record]:
    return name, Record("set", name, Path(name), (), ("dog",), split, span=span, origin=(YOUTUBE, origin))


def test_test_wins_over_valid_and_valid_over_train() -> None:
    records = [record("a", "train"), record("b", "valid"), record("c", "test"), record("d", "test")]
    assert sorted(known_elsewhere(records)) == [0, 1]
    assert sorted(known_elsewhere(records[:2])) == [0] and not known_elsewhere(records[2:])
    touching = [record("a", "train", (0.0, 10.0)), record("b", "test", (10.0, 20.0))]
    assert not known_elsewhere(touching) and known_elsewhere([record("a", "train", (0.0, 10.1)), touching[1]])
    assert known_elsewhere([record("a", "train"), touching[1]]), "a whole video holds each of its stretches"
    assert not known_elsewhere([record("a", "train"), record("b", "test", origin="w")])
    known = Known()
    known.hold_out("valid one", "valid", [b"1", b"2"])
    known.hold_out("test one", "test", [b"2"])
    verdicts = [known.why_not(name, split, [digest]) for name, split, digest in (
        ("x", "train", b"1"), ("x", "train", b"2"), ("valid one", "valid", b"1"), ("y", "valid", b"2"),
        ("test one", "test", b"2"), ("z", "test", b"2"), ("w", "train", b"3"), ("w again", "train", b"3"),
    )]  # fmt: skip
    kinds = [None if verdict is None else verdict.kind for verdict in verdicts]
    assert kinds == [HELD_OUT, HELD_OUT, None, HELD_OUT, None, "duplicate", None, "duplicate"]


def test_sets_say_where_their_sounds_come_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layouts = {"audiocaps": audiocaps, "audioset": audioset, "vggsound": vggsound, "esc50": esc50, "fsd50k": fsd50k,
               "urbansound8k": urbansound8k, "clotho": clotho}  # fmt: skip
    for name, layout in layouts.items():
        layout(tmp_path / name)
    assert "which recordings of Freesound these are is not known" not in capsys.readouterr().err
    rows = "file_name,keywords,sound_id,sound_link\nDistorted AM Radio.wav,a,64760,b\n"
    write(tmp_path / "clotho/clotho_metadata_development.csv", rows)
    found = {name: own.origin for name, _, own in load_sets([f"{name}={tmp_path / name}" for name in layouts])}
    assert "clotho_metadata_evaluation.csv" in capsys.readouterr().err
    assert found["audiocaps/abc_30"] == ("youtube", "abc") and found["audioset/-dog1_30.000"] == ("youtube", "-dog1")
    assert found["vggsound/--x_1_30"] == ("youtube", "--x_1")
    assert found["fsd50k/64760"] == found["clotho/development/Distorted AM Radio.wav"] == ("freesound", "64760")
    assert found["esc50/1-100032-A-0.wav"] == found["urbansound8k/100032-3-0-0.wav"] == ("freesound", "100032")
    assert found["clotho/evaluation/Distorted AM Radio.wav"] is None
    elsewhere = known_elsewhere([(name, own) for name, _, own in load_sets(
        [f"{name}={tmp_path / name}" for name in ("fsd50k", "clotho", "esc50", "urbansound8k")]
    )])  # fmt: skip
    assert {problem.row for problem in elsewhere.values()} == {
        "clotho/development/Distorted AM Radio.wav",  # FSD50K holds it out as valid
        "esc50/1-100032-A-0.wav",  # fold 10 of UrbanSound8K has a cut of it
    }


def test_a_long_recording_is_heard_to_its_end() -> None:
    seconds = 31
    time = np.arange(seconds * RATE) / RATE
    wave = (0.1 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    wave[14 * RATE : 15 * RATE] *= 4
    cut = windows(wave)
    assert len(cut) == 3 and all(one is not None and len(one) <= LONGEST * RATE for one in cut)
    assert sum(len(one) for one in cut if one is not None) == pytest.approx(len(wave), abs=20)
    levels = [float(np.abs(one).max()) for one in cut if one is not None]
    assert levels[1] / levels[0] == pytest.approx(4, rel=0.01), "one gain for all of it"
    short = wave[: 3 * RATE]
    assert np.array_equal(windows(short)[0], trim_and_level(short))


def test_a_window_in_which_nothing_is_heard_is_left_out() -> None:
    wave = np.zeros(36 * RATE, np.float32)
    rng = np.random.default_rng(0)
    wave[: 12 * RATE] = 0.2 * rng.standard_normal(12 * RATE)
    wave[24 * RATE :] = 0.5 * rng.standard_normal(12 * RATE)
    wave[12 * RATE : 24 * RATE] = 0.1 * FAINT * rng.standard_normal(12 * RATE)
    assert [one is None for one in windows(wave)] == [False, True, False]


def test_windows_keep_their_words_and_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clotho(tmp_path / "clotho")
    noise(tmp_path / "clotho/evaluation/Distorted AM Radio.wav", 1, seconds=26)
    assert main(["build", "--to", str(tmp_path / "to"), f"clotho={tmp_path}/clotho"]) == 0
    assert "2 recordings in 4 windows, 0.01 h" in capsys.readouterr().out
    made = Library.open(tmp_path / "to")
    own = [row for row in made.rows if row.split == "test"]
    assert [row.window for row in own] == [(1, 3), (2, 3), (3, 3)] and len({row.captions for row in own}) == 1
    assert sum(made.seconds(i) for i in range(4)) == pytest.approx(26.25, abs=0.1)


def test_more_workers_make_the_same_library(roots: Path) -> None:
    sets = [f"audioset={roots}/set", f"audiocaps={roots}/caps"]
    one = build_sets(sets, roots / "one")
    two = build_sets(sets, roots / "two", workers=2)
    assert list(one.rows) == list(two.rows) and np.array_equal(one.samples, two.samples)
    assert one.digest() == two.digest()


def test_a_few_hours_may_be_held_in_memory(roots: Path) -> None:
    streamed = build_sets([f"audiocaps={roots}/caps"], roots / "to")
    samples, rows = streamed.samples, list(streamed.rows)
    held = build_sets([f"audiocaps={roots}/caps"], roots / "to", in_memory=True)
    assert not held.streamed and not Library.open(roots / "to").streamed
    assert [path.name for path in (roots / "to").iterdir()] == ["library-16k.npz"]
    assert np.array_equal(held.samples, samples) and list(held.rows) == rows
    assert build_sets([f"audiocaps={roots}/caps"], roots / "to").streamed
    assert [path.name for path in (roots / "to").iterdir()] == ["library-16k"]
