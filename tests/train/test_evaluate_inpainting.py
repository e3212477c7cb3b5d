"""Edges of what was filled in, and what leaks of a sound that was painted over."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from maa import Box
from maa.config import TINY
from tests.sounds import sine_wave
from train.data import Library, Recording
from train.evaluation.card import score_table
from train.evaluation.inpainting import REMOVED, Case, edge_flux, leak, leak_cases, spectral_flux

SPEC = TINY.audio


def test_flux_is_what_rises_in_db() -> None:
    mel = np.zeros((4, 20), np.float32)
    mel[:, 10:15] = 0.5
    flux = spectral_flux(mel)
    assert flux[9] == pytest.approx(10) and flux.sum() == pytest.approx(10), "what falls makes no flux"
    mel[:, 10:15] = 8
    assert spectral_flux(mel)[9] == pytest.approx(80), "80 dB below the loudest is silence"


def test_edges_that_jump_are_told_from_those_that_do_not() -> None:
    """A judge whose mel is the waveform itself, one band, a frame for each sample."""
    rng = np.random.default_rng(0)
    true = (0.05 * rng.standard_normal(400)).astype(np.float32)
    box = Box(250 * SPEC.frame_seconds, 300 * SPEC.frame_seconds)
    case, jumping = Case(true, box, "right", "wrong", 0), true.copy()
    jumping[250:300] += 1.0
    judge = SimpleNamespace(maa=SimpleNamespace(config=TINY), mel=lambda wave: wave[None])
    smooth, broken = (edge_flux(judge, [case] * 2, [wave] * 2) for wave in (true, jumping))
    assert smooth["within"] == smooth["uncut_within"] == broken["uncut_within"] == 1.0
    assert broken["within"] == 0.5 and broken["joints_p95"] > 5 * broken["uncut_p95"]  # it rises once, and falls


@pytest.fixture
def library() -> Library:
    """Two barks and two sounds that last, the second of them held out; and one that is too short."""
    rng = np.random.default_rng(1)
    made = [(REMOVED, sine_wave(3000, 0.5 + k)[0], "train", False) for k in range(2)]
    for split in ("train", "test"):
        made.append(("rain", 0.1 * rng.standard_normal(9 * SPEC.sample_rate).astype(np.float32), split, True))
    made.append(("wind", 0.1 * rng.standard_normal(SPEC.sample_rate).astype(np.float32), "test", True))
    rows = [
        Recording(str(k), name, "all", (name,), split, Path(f"{k}.wav"), sustained=lasting)
        for k, (name, _, split, lasting) in enumerate(made)
    ]
    waves = [(np.clip(wave, -1, 1) * 32767).astype(np.int16) for _, wave, _, _ in made]
    return Library(rows, np.concatenate(waves), np.cumsum([0, *map(len, waves)], dtype=np.int64))


def bands(waves: Iterable[np.ndarray], whole: bool) -> np.ndarray:
    """Ears that hear how much lies in each of eight bands."""
    assert whole
    spectra = [np.abs(np.fft.rfft(wave))[: len(wave) // 16 * 8].reshape(8, -1).mean(1) for wave in waves]
    return np.stack([spectrum - spectrum.mean() for spectrum in spectra])


def reference_of(library: Library, answer: str) -> SimpleNamespace:
    """What `leak` asks, of a model that answers with one of the sounds of a case."""
    judge = SimpleNamespace(maa=SimpleNamespace(config=TINY), embed=bands)
    judge.share = lambda function, cases, what: [getattr(case, answer) for case in cases]
    return SimpleNamespace(library=library, judge=judge)


def test_a_bark_lies_inside_its_box(library: Library) -> None:
    made = leak_cases(reference_of(library, "mix"), 4)
    assert len(made) == 4 and len({case.seed for case in made}) == 4
    for case in made:
        first, last = (round(edge * SPEC.sample_rate) for edge in (case.box.start, case.box.end))
        assert case.bark[first:last].any() and not case.bark[:first].any() and not case.bark[last:].any()
        assert len(case.mix) == 8 * SPEC.sample_rate // SPEC.hop * SPEC.hop and np.abs(case.mix).max() <= 0.951
        assert first % SPEC.hop == 0 and first > 0 and last < len(case.mix)
    held_out = library.wave(3)
    assert any(np.array_equal(made[0].background, held_out[k : k + len(made[0].mix)]) for k in range(len(held_out)))


def test_what_comes_back_is_told_from_what_is_gone(library: Library) -> None:
    gone, back = (leak(reference_of(library, answer), 4) for answer in ("background", "mix"))
    assert gone["filled"] == gone["true_background"] and back["filled"] == back["bark_left_in"]
    assert gone["filled"]["to_bark"] < back["filled"]["to_bark"]
    assert back["filled"]["nearer_to_background_than_to_bark"] == 0
    rows = score_table({"inpainting": {"leak": back}})
    assert "a bark painted over" in rows and "of 4" in rows


def test_a_library_without_barks_has_no_case(library: Library) -> None:
    calm = Library(library.rows[2:], library.samples[library.offsets[2] :], library.offsets[2:] - library.offsets[2])
    assert leak(reference_of(calm, "mix"), 4) == {"cases": 0}
