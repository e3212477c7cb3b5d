"""Inpainting: what the model may see, windows, progress, strength, extension, reports; on fake and tiny models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maa import Audio, Box, Filling, MakeAnAudio, Sampling
from maa.audio.mask import frame_spans, from_boxes, to_latent
from maa.audio.maskfile import write_mask
from maa.config import TINY
from maa.diffusion.denoiser import keep_known
from maa.diffusion.schedule import Schedule
from maa.pipeline.report import Report, report
from maa.pipeline.stretches import plan_windows
from tests.pipeline.fake_model import FakeRenderer, fill
from tests.sounds import sine_wave

SPEC = TINY.audio
QUICK = Sampling(steps=3, guidance=1.0, seed=7)


def noise(seconds: float, rate: int = 16_000, channels: int = 1, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((channels, round(seconds * rate)))).astype(np.float32)


def six_masks(frames: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One of every kind that people paint: time band, frequency band, box, brush, lasso, and a single cell."""
    rows, columns = np.arange(80)[:, None], np.arange(frames)[None]
    masks = {name: np.zeros((80, frames), bool) for name in ("time", "frequency", "box", "brush", "lasso", "cell")}
    first, low = int(rng.integers(0, frames - 30)), int(rng.integers(0, 60))
    masks["time"][:, first : first + int(rng.integers(1, 30))] = True
    masks["frequency"][low : low + int(rng.integers(1, 20))] = True
    masks["box"][low : low + 9, first : first + 21] = True
    masks["brush"] |= np.abs(rows - 40 - 30 * np.sin(columns / 17.0)) < 1
    masks["lasso"] |= (rows - low) + (columns - first) ** 2 / 40 < 12
    masks["cell"][low, first] = True
    return masks


@pytest.mark.parametrize("kind", ["time", "frequency", "box", "brush", "lasso", "cell"])
@pytest.mark.parametrize("seconds", [1.3, 9.984, 23.0])
def test_the_model_sees_every_painted_cell(kind: str, seconds: float) -> None:
    """Over all windows the cells that the network makes cover the painted ones and nothing that a window could hear."""
    rng = np.random.default_rng(round(seconds * 10))
    wave = noise(seconds)
    frames = -(-wave.shape[1] // SPEC.hop)
    mask = six_masks(frames, rng)[kind]
    renderer = FakeRenderer()
    fill(Audio(wave, 16_000), mask, renderer)
    windows = plan_windows(frame_spans(mask), frames, SPEC.frames)
    assert len(renderer.seen) == len(windows)
    covered = np.zeros((10, -(-frames // 16) * 2 + 78), bool)
    wanted = np.zeros_like(covered)
    padded = np.pad(mask, ((0, 0), (0, -frames % 8)))
    wanted[:, : padded.shape[1] // 8] = to_latent(padded)
    hole = mask.copy()
    for window, seen in zip(windows, renderer.seen, strict=True):
        assert window.first % 8 == 0, "latent cells lie on one grid"
        cells = seen[0, 0].numpy() > 0
        still = np.pad(hole[:, window.first : window.last], ((0, 0), (0, -(window.last - window.first) % 8)))
        inside = cells[:, : still.shape[1] // 8]
        assert (inside >= to_latent(still)).all(), "everything that is still to be made is a hole"
        covered[:, window.first // 8 : window.first // 8 + inside.shape[1]] |= inside
        for start, end in window.spans:
            hole[:, start:end] = False
    assert not hole.any()
    real = -(-frames // 8)
    assert (covered >= wanted)[:, :real].all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 1500)), min_size=1, max_size=6), st.integers(1, 5200))
def test_windows_cover_all_spans(spans: list[tuple[int, int]], frames: int) -> None:
    busy = np.zeros((1, frames), bool)
    for start, width in spans:
        busy[0, start : start + width] = True
    found = frame_spans(busy)
    windows = plan_windows(found, frames, 624)
    made = np.zeros(frames, int)
    for window in windows:
        assert 0 <= window.first < window.last <= frames and window.last - window.first <= 624
        for start, end in window.spans:
            assert window.first <= start < end <= window.last
            made[start:end] += 1
    assert np.array_equal(made, busy[0].astype(int)), "every frame once"


@pytest.mark.parametrize("cells", ["span", "box"])
def test_nothing_of_the_hole_is_heard(tiny: MakeAnAudio, cells: str) -> None:
    """Whatever lies under the mask: the same neighbours give the same bytes."""
    bed = noise(4.0)
    box = Box(1.6, 2.4) if cells == "span" else Box(1.6, 2.4, 0, 8000)
    bark = bed.copy()
    bark[:, 26_500:37_000] += 0.7 * sine_wave(900, 10_500 / 16_000)  # two frames within the hole: frames overlap
    results = [tiny.inpaint(Audio(wave, 16_000), [box], "", QUICK).audio[0] for wave in (bed, bark)]
    hole = slice(round(1.6 * 16_000), round(2.4 * 16_000))
    fade = 480
    inner = slice(hole.start + fade, hole.stop - fade)
    assert np.array_equal(results[0][:, inner], results[1][:, inner])
    assert not np.array_equal(bed[:, inner], results[0][:, inner])


def test_a_cut_hole_does_not_leak_into_its_windows() -> None:
    """A hole longer than a window is made in several: none of them may hear what the others will replace."""
    quiet = noise(30.0)
    loud = quiet.copy()
    loud[:, 8 * 16_000 : 24 * 16_000] = 0.8 * sine_wave(700, 16.0)
    seen = []
    for wave in (quiet, loud):
        renderer = FakeRenderer()
        fill(Audio(wave, 16_000), [(7.9, 24.1)], renderer)
        seen.append(renderer.encoded)
    assert len(seen[0]) == len(seen[1]) > 2
    for quiet_mel, loud_mel in zip(*seen, strict=True):
        assert torch.allclose(quiet_mel, loud_mel)


def test_a_long_hole_has_no_seam_inside() -> None:
    """Where two windows meet, their sounds cross over; steps stay as small as within one."""
    renderer = FakeRenderer(loudness=0.3)
    source = Audio(noise(40.0), 16_000)
    take = fill(source, [(5.0, 35.0)], renderer, level_match=False).audio[0, 0]
    steps = np.abs(np.diff(take[6 * 16_000 : 34 * 16_000]))
    alone = np.abs(np.diff(renderer.vocode(torch.zeros(1, 1, 80, 624))[0]))
    assert len(renderer.seen) > 3 and steps.max() < 1.5 * alone.max()


def test_progress_counts_every_pass(tiny: MakeAnAudio) -> None:
    steps: list[tuple[int, int]] = []
    filling = Filling(resampling=1)
    tiny.inpaint(
        Audio(noise(2.0), 16_000), [Box(0.5, 1.0)], "", Sampling(steps=4, seed=1, count=2), filling=filling,
        on_step=lambda k, n, _: steps.append((k, n)),
    )  # fmt: skip
    assert steps == [(k, 12) for k in range(1, 13)]  # twice four steps and two of the way back


def test_strength_is_how_far(tiny: MakeAnAudio) -> None:
    source = Audio(noise(2.0), 16_000)
    takes = [tiny.inpaint(source, [Box(0.5, 1.5)], "", QUICK, filling=Filling(strength=x)).mel[0] for x in (0, 0.5, 1)]
    again = tiny.inpaint(source, [Box(0.5, 1.5)], "", QUICK, filling=Filling(strength=1.0)).mel[0]
    assert np.array_equal(takes[2], again)
    assert not np.array_equal(takes[0], takes[1]) and not np.array_equal(takes[1], takes[2])


def test_resampling_and_blend_change_the_hole_only(tiny: MakeAnAudio) -> None:
    source = Audio(noise(2.0), 16_000)
    plain, again, blended = (
        tiny.inpaint(source, [Box(0.5, 1.5)], "", QUICK, filling=filling).audio[0]
        for filling in (Filling(), Filling(resampling=2), Filling(blend=0.5))
    )
    for other in (again, blended):
        assert not np.array_equal(plain, other)
        outside = np.r_[0:7_936, 24_064:32_000]  # whole frames around the box
        assert np.array_equal(plain[:, outside], other[:, outside])


def test_several_takes_from_one_mask(tiny: MakeAnAudio) -> None:
    source = Audio(noise(2.0), 16_000)
    takes = tiny.inpaint(source, [(0.5, 1.0)], "rain", replace(QUICK, count=3))
    assert len(takes.audio) == 3 and len(takes.reports) == 3
    alone = tiny.inpaint(source, [(0.5, 1.0)], "rain", replace(QUICK, seed=takes.seeds[1]))
    assert np.array_equal(alone.audio[0], takes.audio[1])


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
@pytest.mark.parametrize(("before", "after"), [(0.5, 0.0), (0.0, 0.75), (1.0, 12.0)])
def test_a_sound_grows_at_its_ends(rate: int, before: float, after: float) -> None:
    source = Audio(noise(1.5, rate, 2), rate, "PCM_16")
    renderer = FakeRenderer()
    take = fill(source, None, renderer, before=before, after=after)
    made = take.audio[0]
    added = made.shape[1] - source.samples.shape[1]
    assert added / rate == pytest.approx(before + after, abs=0.02)
    first = round(round(before / 0.016) * 0.016 * rate)
    overlap = round(0.04 * rate)  # two frames and less than one more
    kept = slice(overlap if before else 0, source.samples.shape[1] - (overlap if after else 0))
    assert np.array_equal(made[:, first + kept.start : first + kept.stop], source.samples[:, kept])
    for part, there in ((made[:, : max(1, first - overlap)], before), (made[:, -round(0.5 * rate) :], after)):
        assert not there or np.abs(part).max() > 0.01, "something is heard there"
    assert take.reports[0]["outside"] == 0


def test_an_extension_takes_a_mask_along() -> None:
    """The mask is of the sound as it was given; on the longer one it lies where the same sound lies."""
    source = Audio(noise(3.0), 16_000)
    take = fill(source, [Box(1.0, 1.5)], before=0.8)
    spans = take.settings["spans"]
    assert spans[0] == pytest.approx((0.0, 0.832)) and spans[1] == pytest.approx((1.792, 2.304), abs=0.017)


def test_masks_of_every_kind_mean_the_same(tiny: MakeAnAudio, tmp_path: Path) -> None:
    source = Audio(noise(2.0), 16_000)
    array = from_boxes([Box(0.32, 0.64)], SPEC, 125)
    np.save(tmp_path / "m.npy", array)
    picture = write_mask(tmp_path / "m.png", array, SPEC)
    kinds: list[Any] = [array, [Box(0.32, 0.64)], [(0.32, 0.64)], [[0.32, 0.64, 0, 8000]], picture, str(picture)]
    kinds.append(tmp_path / "m.npy")
    made = [tiny.inpaint(source, kind, "", QUICK).audio for kind in kinds]
    assert all(np.array_equal(made[0], other) for other in made[1:])


@pytest.mark.parametrize(
    "options",
    [{"strength": 1.5}, {"strength": float("nan")}, {"resampling": 9}, {"resampling": 0.5}, {"before": -1.0},
     {"after": 31.0}, {"blend": 2}],
)  # fmt: skip
def test_impossible_fillings(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Filling(**options)


# ---------------------------------------------------------------- the known region, and the report


def test_the_known_region_is_held_and_the_edge_blends() -> None:
    schedule = Schedule(TINY.schedule)
    known, z, eps = (torch.randn(2, 4, 10, 8, generator=torch.Generator().manual_seed(k)) for k in range(3))
    follow = torch.zeros(1, 1, 10, 8)
    follow[..., 4:] = 1.0
    follow[..., 3] = 0.5
    t = torch.tensor([700, 700])
    out = keep_known(lambda z, t: eps, schedule, known, follow)(z, t)
    alpha, sigma = schedule.rates(700)
    held = (z - alpha * known) / sigma
    assert torch.equal(out[..., 4:], eps[..., 4:])
    assert torch.allclose(out[..., :3], held[..., :3], atol=1e-5)
    assert torch.allclose(out[..., 3], 0.5 * (held + eps)[..., 3], atol=1e-5)


def test_the_report_counts_samples() -> None:
    rate = 16_000
    source = Audio(sine_wave(500, 2.0, rate, 2), rate)
    result = source.samples.copy()
    result[:, 8_000:12_000] *= 0.5
    found = report(source, result, [(0.5, 0.75)])
    still = np.count_nonzero(result == source.samples)
    assert found.unchanged == pytest.approx(100 * still / result.size) and found.outside == 0.0
    assert found.loudness_before is not None and found.loudness_after is not None
    assert found.loudness_before - found.loudness_after == pytest.approx(6.02, abs=0.05)
    result[1, 20_000] += 0.25
    assert report(source, result, [(0.5, 0.75)]).outside == pytest.approx(0.25)
    assert "unchanged" in found.sentence() and "LUFS" in found.sentence()


def test_the_report_of_silence_and_of_nothing() -> None:
    silent = Audio(np.zeros((1, 16_000), np.float32), 16_000)
    assert report(silent, silent.samples, [(0.2, 0.4)]) == Report(100.0, 0.0, None, None)
    assert report(silent, silent.samples, []).sentence().startswith("100 %")
