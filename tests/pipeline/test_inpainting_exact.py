"""Inpainting leaves the rest alone: over hundreds of random sounds and masks, through files, to the last bit."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from maa.audio.io import Audio, read, write
from maa.audio.splice import EDGE, FADE, intervals, splice
from maa.config import TINY
from tests.pipeline.fake_model import FakeRenderer, fill

SPEC = TINY.audio
CASES = 200
RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000]
KINDS = ["frames", "thin", "band", "box", "strokes", "several", "border", "whole", "cell"]


def random_sound(rng: np.random.Generator, folder: Path) -> tuple[Audio, Path]:
    """Tones, noise and clicks, in any format the program keeps; at most 5 million samples."""
    rate, channels = int(rng.choice(RATES)), int(rng.integers(1, 9))
    longest = min(5_000_000 / rate / channels, 12.0 if rng.random() < 0.03 else 0.5)
    count = max(1, round(rng.uniform(0.03, longest) * rate))
    times = np.arange(count) / rate
    wave = rng.uniform(0.01, 0.3, (channels, 1)) * np.sin(2 * np.pi * rng.uniform(50, 3000, (channels, 1)) * times)
    wave += 10 ** rng.uniform(-4, -1) * rng.standard_normal((channels, count))
    wave[:, rng.integers(0, count, 3)] += rng.uniform(-0.4, 0.4)
    subtype = str(rng.choice(["PCM_16", "PCM_24", "FLOAT"]))
    path = write(folder / "in.wav", wave.clip(-1, 0.999).astype(np.float32), rate, subtype)
    return read(path), path


def random_mask(rng: np.random.Generator, kind: str, frames: int) -> np.ndarray:
    mask = np.zeros((80, frames), bool)

    def span(least: int, most: int, size: int) -> slice:
        width = int(rng.integers(least, max(least, min(most, size)) + 1))
        first = int(rng.integers(0, max(0, size - width) + 1))
        return slice(first, first + width)

    if kind == "frames":
        mask[:, span(1, 60, frames)] = True
    elif kind == "thin":
        mask[:, span(1, 1, frames)] = True
    elif kind == "band":
        mask[span(1, 20, 80)] = True
    elif kind == "box":
        mask[span(1, 60, 80), span(1, 60, frames)] = True
    elif kind == "strokes":
        at = np.linspace(0, frames - 1, 40).astype(int)
        mask[(40 + 30 * np.sin(at / 5)).astype(int), at] = rng.random(40) < 0.7
    elif kind == "several":
        for _ in range(3):
            mask[:, span(1, 20, frames)] = True
        mask[span(1, 30, 80), span(1, 20, frames)] = True
    elif kind == "border":
        mask[:, : int(rng.integers(1, 9))] = mask[:, -int(rng.integers(1, 9)) :] = True
    elif kind == "whole":
        mask[:] = True
    else:
        mask[rng.integers(80), rng.integers(frames)] = True
    return mask


def steps(x: np.ndarray, around: int, reach: int) -> np.ndarray:
    """Sample steps [channels, n] within `reach` samples of a joint: between samples around - 1 and around."""
    return np.abs(np.diff(x[:, max(0, around - reach) : around + reach].astype(np.float64), axis=1))


def rough(before: np.ndarray, after: np.ndarray, joint: int, rate: int) -> float:
    """Largest step at a joint over what is allowed: 1.5 x the largest around it plus a hundredth of the peak.

    The joint's own +-5 ms do not excuse themselves: around it, the result counts only beyond them. The source counts
    everywhere, as a click of its own that lies at the joint is no seam.
    """
    near, far = round(0.005 * rate), round(0.2 * rate)
    at_joint = steps(after, joint, near).max(initial=0.0)
    apart = [after[:, max(0, joint - far) : max(0, joint - near)], after[:, joint + near : joint + far]]
    around = max(float(np.abs(np.diff(x.astype(np.float64), axis=1)).max(initial=0.0)) for x in apart)
    allowed = 1.5 * max(around, steps(before, joint, far).max(initial=0.0)) + 0.01 * np.abs(after).max()
    return float(at_joint / allowed)


def test_random_sounds_and_masks(tmp_path: Path) -> None:
    rng = np.random.default_rng(2026)
    changed, roughest, done = 0, 0.0, 0
    for case in range(CASES):
        source, path = random_sound(rng, tmp_path)
        frames = -(-round(source.samples.shape[1] * SPEC.sample_rate / source.sample_rate) // SPEC.hop)
        mask = random_mask(rng, KINDS[case % len(KINDS)], max(1, frames))
        renderer = FakeRenderer(loudness=float(rng.choice([0.01, 0.1, 0.5])))
        take = fill(source, mask, renderer, level_match=bool(rng.random() < 0.7))
        out = take.save(tmp_path / "out.wav")

        header, header_before = soundfile.info(out), soundfile.info(path)
        assert (header.samplerate, header.channels, header.subtype, header.frames) == (
            header_before.samplerate, header_before.channels, header_before.subtype, header_before.frames,
        )  # fmt: skip
        before, after = source.samples, read(out).samples
        inside = np.zeros(before.shape[1], bool)
        spans = take.settings["spans"]
        for start, end in spans:
            times = np.arange(before.shape[1]) / source.sample_rate
            inside |= (times > start - 1e-9) & (times < end - 1e-9)
        assert np.array_equal(before[:, ~inside], after[:, ~inside]), f"case {case}: a sample outside has changed"
        assert take.reports[0]["outside"] == 0
        kept = 100 * np.mean(take.audio[0] == before)
        assert take.reports[0]["unchanged"] == pytest.approx(kept, abs=1e-6)
        changed += bool((after != before).any())
        for start, stop in intervals(spans, source):
            for joint in (start, stop):
                if 0 < joint < before.shape[1]:
                    roughest = max(roughest, rough(before, after, joint, source.sample_rate))
                    done += 1
        assert roughest <= 1, f"case {case}: a joint clicks"
    print(f"{CASES} cases, {changed} changed, {done} joints, the roughest {roughest:.2f} of what is allowed")
    assert changed > 0.95 * CASES and done > CASES


def test_an_empty_mask_is_the_input(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    for _ in range(12):
        source, path = random_sound(rng, tmp_path)
        out = fill(source, []).save(tmp_path / "out.wav")
        assert np.array_equal(read(out).samples, source.samples)
        assert soundfile.info(out).subtype == soundfile.info(path).subtype


def test_three_minutes_cost_two_windows_and_little_memory() -> None:
    """3 minutes of 48 kHz stereo, two masked regions: two runs of the network, bounded memory, nothing else moves."""
    rng = np.random.default_rng(0)
    samples = (0.1 * rng.standard_normal((2, 180 * 48_000), dtype=np.float32)).clip(-1, 1)
    source, renderer = Audio(samples, 48_000, "PCM_16"), FakeRenderer()
    peak, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    take = fill(source, [(30.0, 31.0), (140.0, 142.0, 500, 4000)], renderer)
    seconds = time.monotonic() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
    print(f"two regions in 3 minutes: {len(renderer.seen)} windows, {seconds:.1f} s, {grown:.0f} MiB more at the peak")
    assert len(renderer.seen) == 2 and all(seen.shape[-1] == 78 for seen in renderer.seen)
    outside = np.ones(samples.shape[1], bool)
    for start, end in take.settings["spans"]:
        outside[int(start * 48_000) : int(np.ceil(end * 48_000))] = False
    assert np.array_equal(take.audio[0][:, outside], samples[:, outside])
    assert len(fill(source, [(30.0, 31.0)], one := FakeRenderer()).seeds) == 1 and len(one.seen) == 1
    assert grown < 900


def test_bands_beside_the_painted_ones_stay() -> None:
    """A painted band changes; a tone in another band, and everything above the model's range, come through."""
    rate = 48_000
    times = np.arange(2 * rate) / rate
    low, high = 0.2 * np.sin(2 * np.pi * 300 * times), 0.2 * np.sin(2 * np.pi * 15_000 * times)
    source = Audio((low + high)[None].astype(np.float32), rate)
    generated = 0.2 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    cells = np.zeros((80, 125), bool)
    cells[40:70, 30:90] = True
    made = splice(source, generated, [(0.48, 1.44)], False, cells=cells, spec=SPEC).samples[0]
    middle = slice(round(0.6 * rate), round(1.3 * rate))
    spectrum = np.abs(np.fft.rfft(made[middle] * np.hanning(middle.stop - middle.start)))
    hertz = np.fft.rfftfreq(middle.stop - middle.start, 1 / rate)
    before = np.abs(np.fft.rfft(source.samples[0][middle] * np.hanning(middle.stop - middle.start)))
    for tone in (300, 15_000):
        at = np.abs(hertz - tone) < 20
        assert spectrum[at].max() == pytest.approx(before[at].max(), rel=0.01)
    from maa.audio.grid import centres

    inside = (hertz > centres(SPEC)[42]) & (hertz < centres(SPEC)[67])
    beside = (hertz > centres(SPEC)[75]) & (hertz < 14_000)
    assert spectrum[inside].mean() > 100 * spectrum[beside].mean()


def test_the_painted_top_takes_the_highs_along() -> None:
    rate = 48_000
    high = 0.2 * np.sin(2 * np.pi * 15_000 * np.arange(2 * rate) / rate)
    source = Audio(high[None].astype(np.float32), rate)
    cells = np.zeros((80, 125), bool)
    cells[60:, 30:90] = True
    made = splice(source, np.zeros(32_000, np.float32), [(0.48, 1.44)], False, cells=cells, spec=SPEC).samples[0]
    assert np.abs(made[round(0.7 * rate) : round(1.2 * rate)]).max() < 1e-3


def test_long_and_short_partial_masks_are_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sound that is transformed in pieces comes out as if it were done at once."""
    from maa.audio import bands

    rng = np.random.default_rng(1)
    old, new = (rng.standard_normal((1, 60_000)).astype(np.float32) for _ in range(2))
    cells = rng.random((80, 240)) < 0.5
    whole = bands.blended(old, new, 16_000, cells, SPEC, 0.0)
    monkeypatch.setattr(bands, "_CHUNK", 7_000)
    assert np.abs(bands.blended(old, new, 16_000, cells, SPEC, 0.0) - whole).max() < 1e-4


def test_fades_lie_inside() -> None:
    assert (FADE, EDGE) == (0.030, 0.005)
