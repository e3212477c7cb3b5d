"""The manifest is sound, a fetch is honest, and the library keeps what it is given."""

import re
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.train.library import write_manifest
from train.data import Library, Recording, Row, load_manifest
from train.data import fetch as fetching
from train.data.__main__ import main, statistics_table
from train.data.library import CACHE, RATE, trim_and_level
from train.data.manifest import SPLITS, siblings, sources

LICENCES = {"CC0", "MIT", "GPL-1+", "GPL-2", "GPL-2+", "GPL-3", "GPL-3+", "Artistic-1.0"}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return load_manifest()


def test_manifest_is_large_enough(rows):
    real = [row for row in rows if not row.synthetic]
    counts = Counter(row.concept for row in real)
    assert len(rows) >= 3_100 and len({row.concept for row in rows}) >= 320
    assert len(real) >= 3_000 and len(counts) >= 270
    assert len({row.family for row in real}) >= 14
    assert sum(count >= 5 for count in counts.values()) >= 150
    assert sum(len(packages) > 1 for packages in sources(real).values()) >= 140


def test_manifest_is_filled_in(rows):
    for row in rows:
        assert re.fullmatch(r"[0-9a-f]{64}", row.sha256), row.id
        assert row.path.as_posix().startswith(f"{row.package}/usr/share/"), row.id
        assert row.seconds > 0 and row.version and row.author and row.family, row.id
        assert row.licence in LICENCES or row.licence.startswith(("CC-BY-3", "CC-BY-4", "CC-BY-SA-")), row.id
        assert row.split in SPLITS, row.id
        assert re.fullmatch(r"[a-z0-9][a-z0-9' -]+", row.concept), row.concept
        assert 1 <= len(row.captions) <= 3 and all(caption.strip() for caption in row.captions), row.id


def test_no_recording_twice(rows):
    assert len({row.sha256 for row in rows}) == len({row.path for row in rows}) == len(rows)


def test_one_family_for_a_concept(rows):
    assert len({(row.concept, row.family) for row in rows}) == len({row.concept for row in rows})


def test_siblings_share_a_split(rows):
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(siblings(row), set()).add(row.split)
    assert [group for group, found in splits.items() if len(found) > 1] == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("scratch/Xylo1.mp3", "scratch/xylo4.mp3", True),
        ("megaglest/forest/day.ogg", "megaglest/forest/night.ogg", True),
        ("ufoai/civfemscream01a.ogg", "ufoai/civfemscream02a.ogg", True),
        ("mesecons/noteblock_c2.ogg", "mesecons/noteblock_gsharp.ogg", True),
        ("lmms/tom_hi01.ogg", "lmms/tom03.ogg", True),
        ("scorched3d/shoot/large.wav", "scorched3d/explosions/small.wav", False),
        ("wesnoth/dwarf-laugh.wav", "wesnoth/dwarf-hit.wav", False),
        ("scratch/xylo1.mp3", "lmms/xylo2.mp3", False),
    ],
)
def test_siblings_are_told_by_their_names(one, other, same):
    groups = [siblings(Recording(path, "x", "x", ("x",), "train", Path(path))) for path in (one, other)]
    assert (groups[0] == groups[1]) is same


def test_the_notes_of_a_sampled_instrument_are_siblings():
    notes = [Path(f"gm/fluid.sf2/{n}.wav") for n in ("0001-Cello_C3", "0002-Violoncello_F_3")]
    assert len({siblings(Recording(str(path), "cello", "x", ("x",), "train", path)) for path in notes}) == 1


def test_what_is_held_out_is_divided(rows):
    counts = Counter(row.split for row in rows)
    assert 0.35 <= counts["valid"] / (counts["valid"] + counts["test"]) <= 0.45
    assert 0.09 <= (counts["valid"] + counts["test"]) / len(rows) <= 0.2 and counts["test"] / len(rows) >= 0.05
    for split in ("valid", "test"):
        assert len({row.family for row in rows if row.split == split}) >= 12, split


def test_a_concept_under_test_is_trained_too(rows):
    trained = {row.concept for row in rows if row.split == "train"}
    assert {row.concept for row in rows if row.split != "train"} <= trained


def test_manifest_refuses_what_it_cannot_read(tmp_path):
    with pytest.raises(ValueError, match="no manifest"):
        load_manifest(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="not a manifest"):
        load_manifest(tmp_path / "other.csv")
    (tmp_path / "out.csv").write_text("package,path\nfarm,usr/../../../etc/passwd\n")
    with pytest.raises(ValueError, match="leads out"):
        load_manifest(tmp_path / "out.csv")


def test_fetch_from_a_folder(packages, tmp_path, capsys):
    source, made = packages
    manifest = write_manifest(tmp_path / "manifest.csv", made)
    to = tmp_path / "recordings"
    arguments = ["--manifest", str(manifest), "fetch", "--to", str(to), "--from", str(source)]
    assert main(arguments) == 0
    assert (to / made[0].path).read_bytes() == (source / made[0].path).read_bytes()
    assert "3 of 3 recordings" in capsys.readouterr().out
    for row in made:
        (source / row.path).unlink()  # a second run needs nothing more
    assert main(arguments) == 0


def test_fetch_reports_missing_and_different(packages, tmp_path):
    source, made = packages
    (source / made[0].path).unlink()
    changed = replace(made[1], sha256="0" * 64)
    report = fetching.fetch([made[0], changed, made[2]], tmp_path / "to", source)
    assert report.present == 1
    assert [sentence.split(": ", 1)[0] for sentence in report.problems] == [str(made[0].path), str(made[1].path)]
    assert report.findings.count() == {"missing": 1, "wrong hash": 1}
    assert "missing" in report.problems[0] and "version 1.0-1" in report.problems[1]
    assert not (tmp_path / "to" / changed.path).exists()


def test_fetch_names_a_package_that_is_not_there(packages, tmp_path):
    _, made = packages
    (tmp_path / "empty").mkdir()
    report = fetching.fetch([made[2]], tmp_path / "to", tmp_path / "empty")
    assert report.present == 0
    assert report.problems[0].startswith("Package town is missing")


def test_fetch_without_the_tools_says_what_to_do(packages, tmp_path, monkeypatch, capsys):
    manifest = write_manifest(tmp_path / "manifest.csv", packages[1])
    monkeypatch.setattr(fetching.shutil, "which", lambda name: None)
    assert main(["--manifest", str(manifest), "fetch", "--to", str(tmp_path / "to")]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("apt-get is missing") and "--from" in error and "\n" not in error


def test_table_counts(packages):
    lines = statistics_table(packages[1]).splitlines()
    assert lines[1].split() == ["made", "2", "0", "3", "0", "0", "0", "0.1"]
    assert lines[-1].split()[:4] == ["all", "2", "0", "3"]


def test_concepts_know_their_sources(rows):
    found = sources(rows)
    assert found["dog barking"] >= {"tuxpaint-stamps-default"} and sum(len(p) > 1 for p in found.values()) >= 60


def test_fetch_brings_pictures_along_and_again_where_they_are_missing(packages, tmp_path, monkeypatch):
    source, made = packages
    picture = (source / made[0].path).with_suffix(".png")
    picture.write_bytes(b"png")
    monkeypatch.setattr(fetching, "ILLUSTRATED", ("farm",))
    fetching.fetch(made, tmp_path / "to", source)
    kept = (tmp_path / "to" / made[0].path).with_suffix(".png")
    assert kept.read_bytes() == b"png"
    kept.unlink()
    assert fetching.fetch(made, tmp_path / "to", source).present == 3 and kept.is_file()


def test_fetch_looks_into_archives(packages, tmp_path):
    source, made = packages
    row = made[0]
    inside = source / row.path
    archive = source / "farm/usr/share/sounds/base.pk3"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(inside, "animals/dog.wav")
    inside.unlink()
    packed = replace(row, path=Path("farm/usr/share/sounds/base.pk3/animals/dog.wav"))
    report = fetching.fetch([packed, *made[1:]], tmp_path / "to", source)
    assert report.present == 3 and (tmp_path / "to" / packed.path).is_file()
    archive.write_bytes(b"nonsense")
    again = fetching.fetch([packed], tmp_path / "to2", source)
    assert again.present == 0 and "broken" in again.problems[0]


def test_a_library_of_another_rate_lies_beside_the_first(packages, tmp_path):
    source, made = packages
    manifest, root = write_manifest(tmp_path / "manifest.csv", made), tmp_path / "data"
    fetching.fetch(made, root / "recordings", source)
    usual, finer = (Library.open(root, manifest, rate) for rate in (RATE, 44_100))
    assert sorted(path.name for path in root.glob("*.npz")) == [CACHE, "library-44k.npz"]
    again = Library.load(root / "library-44k.npz")
    assert (usual.rate, finer.rate, again.rate) == (RATE, 44_100, 44_100)
    for i in range(3):
        assert finer.seconds(i) == pytest.approx(usual.seconds(i), abs=0.01)
        spectrum = np.abs(np.fft.rfft(finer.wave(i)))
        assert spectrum.argmax() * 44_100 / len(finer.wave(i)) == pytest.approx((300, 400, 900)[i], abs=2)


def test_library_round_trip(packages, tmp_path, monkeypatch):
    source, made = packages
    manifest = write_manifest(tmp_path / "manifest.csv", made)
    root = tmp_path / "data"
    fetching.fetch(made, root / "recordings", source)
    built = Library.open(root, manifest)
    monkeypatch.setattr("train.data.library.examine", None)  # the second time nothing is decoded
    for library in (built, Library.open(root, manifest), Library.load(root / CACHE)):
        assert list(library.rows) == [row.recording() for row in made]
        assert library.concepts == ("bell ringing", "dog barking")
        assert library.indices("train").tolist() == [0, 1, 2] and library.indices("test").tolist() == []
        assert [group.tolist() for group in library.by_concept().values()] == [[2], [0, 1]]
        assert [group.tolist() for group in library.groups((1, 2))] == [[2], [1]]
        wave = library.wave(0)
        assert wave.dtype == np.float32 and wave.ndim == 1
        assert library.seconds(0) == pytest.approx(1.0, abs=0.02)  # silent edges are gone
        assert np.sqrt(np.mean(np.square(wave))) == pytest.approx(0.1, rel=0.03)
        assert np.argmax(np.abs(np.fft.rfft(wave))) / library.seconds(0) == pytest.approx(300, abs=3)


def test_library_follows_the_manifest_and_needs_no_recordings(packages, tmp_path, monkeypatch):
    source, made = packages
    root = tmp_path / "data"
    fetching.fetch(made, root / "recordings", source)
    Library.open(root, write_manifest(tmp_path / "manifest.csv", made))
    renamed = [replace(made[0], concept="wolf howling"), *made[1:]]
    monkeypatch.setattr("train.data.library.examine", None)  # new words need no decoding
    assert Library.open(root, write_manifest(tmp_path / "manifest.csv", renamed)).concepts[-1] == "wolf howling"
    (root / "recordings").rename(tmp_path / "elsewhere")
    assert len(Library.open(root).rows) == 3
    with pytest.raises(ValueError, match="fetch"):
        Library.open(tmp_path / "nothing")


def test_a_silent_recording_is_refused(packages, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    source, made = packages
    soundfile.write(source / made[0].path, np.zeros(RATE), RATE)
    with pytest.raises(ValueError, match="silent"):
        Library.build([made[0]], source)


def test_rows_and_waveforms_must_fit(packages):
    with pytest.raises(ValueError, match="do not fit"):
        Library(packages[1], np.zeros(4, np.int16), np.array([0, 4]))


def test_prepare_keeps_the_loudest_twelve_seconds():
    rng = np.random.default_rng(0)
    wave = (0.001 * rng.standard_normal(20 * RATE)).astype(np.float32)
    wave[15 * RATE : 16 * RATE] *= 100
    kept = trim_and_level(wave)
    assert len(kept) <= 12 * RATE
    assert np.abs(kept).max() <= 0.9501
    blocks = kept[: len(kept) // 1600 * 1600].reshape(-1, 1600)
    loud = np.sqrt(np.square(blocks).mean(axis=1).max())
    assert 0.08 < loud <= 0.115


def test_a_click_is_not_raised_above_the_peak():
    wave = np.zeros(RATE, np.float32)
    wave[100] = 0.5
    wave[101:200] = 0.002
    assert np.abs(trim_and_level(wave)).max() <= 0.9501


def test_a_recording_is_plain():
    assert Recording("a/b", "rain", "nature", ("rain falls",), "train", Path("a/b")).captions == ("rain falls",)
