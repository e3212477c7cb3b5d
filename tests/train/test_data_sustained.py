"""Sounds that last are found by measuring, marked in the manifest and known to the library."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.train.library import write_manifest
from train.data import Library, Row, load_manifest
from train.data import fetch as fetching
from train.data.__main__ import main
from train.data.library import CACHE, RATE
from train.data.sustained import lasts, mark, sustained_concepts


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return load_manifest()


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


def test_what_goes_on_evenly_lasts():
    steady = noise(3.0)
    assert lasts(steady, RATE) is True and lasts(steady[: RATE // 2], RATE) is None
    assert lasts(steady * np.linspace(1, 0, len(steady), dtype=np.float32) ** 4, RATE) is False  # dies away
    gaps = steady.reshape(-1, RATE // 4).copy()
    gaps[1::2] *= 0.001
    assert lasts(gaps.reshape(-1), RATE) is False


def test_concepts_that_last_are_found_and_marked(tmp_path, packages):
    _, made = packages
    kinds = [("humming box", "machines", True), ("humming box", "machines", True), ("clapper", "machines", False)]
    kinds += [("rain", "weather and water", False), ("flute", "instruments and drums", True)]
    rows, waves = [], []
    for i, (concept, family, steady) in enumerate(kinds):
        wave = noise(2.0, i)
        waves.append(wave if steady else wave * np.linspace(1, 0, len(wave), dtype=np.float32) ** 4)
        rows.append(replace(made[0], concept=concept, family=family, path=Path(f"farm/{i}.wav")))
    samples = np.concatenate([(wave * 32767).clip(-32768, 32767).astype(np.int16) for wave in waves])
    library = Library([row.recording() for row in rows], samples, np.cumsum([0, *map(len, waves)]))
    assert sustained_concepts(library) == {"humming box", "rain"}  # rain always lasts, a flute is played
    manifest = write_manifest(tmp_path / "manifest.csv", rows)
    assert mark(library, manifest) == mark(library, manifest)
    assert [row.sustained for row in load_manifest(manifest)] == [True, True, False, True, False]


def test_the_command_marks_a_manifest(packages, tmp_path, capsys):
    source, made = packages
    rain = [replace(row, concept="rain", family="weather and water") for row in made[:2]]
    manifest = write_manifest(tmp_path / "manifest.csv", [*rain, made[2]])
    fetching.fetch(made, tmp_path / "data/recordings", source)
    assert main(["--manifest", str(manifest), "sustained", str(tmp_path / "data")]) == 0
    assert "rain" in capsys.readouterr().out
    assert [row.sustained for row in load_manifest(manifest)][:2] == [True, True]
    assert [row.id for row in load_manifest(manifest)] == [row.id for row in made]


def test_sounds_that_last_are_marked_by_concept(rows):
    marked = {row.concept for row in rows if row.sustained}
    assert not marked & {row.concept for row in rows if not row.sustained}
    assert marked >= {"rain", "wind blowing", "ocean waves", "applause", "water running", "crickets chirping"}
    assert not marked & {"dog barking", "switch clicking", "explosion", "gunshot", "door", "footsteps", "piano"}


def test_a_library_keeps_what_lasts_and_reads_caches_without_it(packages, tmp_path):
    _, made = packages
    waves = np.zeros(30, np.int16)
    library = Library([replace(made[0], sustained=True).recording(), made[1].recording()], waves, np.array([0, 10, 30]))
    assert library.sustained.tolist() == [True, False] and library.sustained_concepts == {"dog barking"}
    library.save(tmp_path / CACHE)
    assert Library.load(tmp_path / CACHE).sustained.tolist() == [True, False]
    with np.load(tmp_path / CACHE) as file:
        parts = dict(file)
    lines = [{k: v for k, v in line.items() if k != "sustained"} for line in json.loads(str(parts["rows"]))]
    np.savez_compressed(tmp_path / CACHE, **{**parts, "rows": np.array(json.dumps(lines))})
    assert Library.load(tmp_path / CACHE).sustained.tolist() == [False, False]
