"""Edits without a model: what they change by how much, and that everything else stays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from maa.audio.heal import healed
from maa.audio.io import Audio
from maa.audio.mask import Box, from_boxes
from maa.audio.region import Region, rectangles
from maa.audio.spectral import boosted, harmonics, region_copied, silenced
from maa.config import TINY

RATE = 48_000
SPEC = TINY.audio
SPAN = slice(round(1.05 * RATE), round(1.95 * RATE))  # of a box from 1 to 2 s, without its fades
BAND = Region((Box(1.0, 2.0, 1000, 2000),))


@pytest.fixture(scope="module")
def noise() -> Audio:
    """Three seconds of white noise, two channels."""
    wave = 0.05 * np.random.default_rng(0).standard_normal((2, 3 * RATE))
    return Audio(wave.astype(np.float32), RATE, "PCM_24")


def tones(*hertz: float, seconds: float = 3.0) -> Audio:
    """Sines of 0.2 at these frequencies, two channels a quarter turn apart."""
    turns = np.arange(round(seconds * RATE)) / RATE
    wave = sum(0.2 * np.sin(2 * np.pi * (one * turns + np.array([[0], [0.25]]))) for one in hertz)
    return Audio(np.asarray(wave, np.float32), RATE, "PCM_24")


def level(samples: np.ndarray, low: float = 0.0, high: float = RATE / 2) -> float:
    """Power of a band [channels, n], dB."""
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.shape[-1]), axis=-1)) ** 2
    hertz = np.fft.rfftfreq(samples.shape[-1], 1 / RATE)
    return float(10 * np.log10(power[..., (hertz >= low) & (hertz < high)].sum() + 1e-30))


def change(before: Audio, after: Audio, low: float, high: float, where: slice = SPAN) -> float:
    return level(after.samples[:, where], low, high) - level(before.samples[:, where], low, high)


@pytest.mark.parametrize("decibels", [6.0, -12.0])
def test_a_gain_changes_its_band_and_leaves_the_neighbours(noise: Audio, decibels: float) -> None:
    made = boosted(noise, BAND, decibels)
    assert change(noise, made, 1000, 2000) == pytest.approx(decibels, abs=0.5)
    for low, high in ((800, 1000), (2000, 2200), (100, 800), (2200, 20_000)):
        assert abs(change(noise, made, low, high)) < 0.5


def test_a_painted_gain_does_the_same(noise: Audio) -> None:
    """Cells of the model's grid, on a sound of three times its rate; the top band takes what lies above along."""
    frames = -(-3 * SPEC.sample_rate // SPEC.hop)
    mask = from_boxes([Box(1.0, 2.0, 1000, 2000)], SPEC, frames)
    (_, _, low, high), *more = rectangles(mask, SPEC)
    made = boosted(noise, Region(cells=mask, spec=SPEC), 6.0)
    assert not more
    assert change(noise, made, low, high) == pytest.approx(6.0, abs=0.5)
    assert abs(change(noise, made, low - 200, low)) < 0.5
    assert abs(change(noise, made, high, high + 200)) < 0.5
    top = boosted(noise, Region(cells=from_boxes([Box(1.0, 2.0, 7900)], SPEC, frames), spec=SPEC), 6.0)
    assert change(noise, top, 8200, 23_000) == pytest.approx(6.0, abs=0.1)


def test_silence_is_silent(noise: Audio) -> None:
    inside = (1050.0, 1950.0)
    assert change(noise, silenced(noise, BAND), *inside) < -60
    assert change(noise, silenced(noise, Region((Box(1.0, 2.0),))), 0, RATE / 2) < -100
    sine = tones(1500)
    assert change(sine, silenced(sine, BAND), 0, RATE / 2) < -60


EDITS: dict[str, tuple[Callable[[Audio, Region], Audio], list[tuple[float, float]]]] = {
    "boost": (partial(boosted, decibels=6.0), [(1.0, 2.0)]),
    "silence": (silenced, [(1.0, 2.0)]),
    "heal": (partial(healed, seed=2), [(1.0, 2.0)]),
    "copy": (partial(region_copied, to=1.6), [(1.6, 2.6)]),
    "move": (partial(region_copied, to=0.3, move=True), [(0.3, 2.0)]),
    "copy over the end": (partial(region_copied, to=2.5), [(2.5, 3.0)]),
}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outside_its_spans_no_sample_changes(noise: Audio, name: str, dtype: type) -> None:
    edit, spans = EDITS[name]
    source = Audio(noise.samples.astype(dtype), RATE, "PCM_32" if dtype is np.float64 else "PCM_24")
    made = edit(source, BAND)
    outside = np.ones(made.samples.shape[1], bool)
    for start, end in spans:
        outside[round(start * RATE) : round(end * RATE)] = False
    assert (made.samples.shape, made.samples.dtype, made.subtype) == (source.samples.shape, dtype, source.subtype)
    assert np.array_equal(made.samples[:, outside], source.samples[:, outside])
    assert not np.array_equal(made.samples[:, ~outside], source.samples[:, ~outside])


def test_a_copy_keeps_its_frequencies_and_leaves_the_others(noise: Audio) -> None:
    """A tone in a band of one second comes a second later, to the sample; the noise at other pitches stays there."""
    sine = tones(1500).samples.copy()
    sine[:, : round(0.5 * RATE)] = sine[:, round(1.5 * RATE) :] = 0
    source = Audio(noise.samples + sine, RATE, "PCM_24")
    made = region_copied(source, Region((Box(0.5, 1.5, 1400, 1600),)), 1.7)
    there = slice(round(1.8 * RATE), round(2.6 * RATE))
    was = slice(round(0.6 * RATE), round(1.4 * RATE))
    both = [level(sound.samples[:, part], 1450, 1550) for sound, part in ((made, there), (source, was))]
    assert both[0] == pytest.approx(both[1], abs=0.1)
    apart = Audio(made.samples[:, there] - source.samples[:, was], RATE, "PCM_24")
    assert level(apart.samples, 1450, 1550) < level(source.samples[:, was], 1450, 1550) - 40
    assert change(source, made, 2000, 20_000, there) == pytest.approx(0, abs=0.01)
    moved = region_copied(source, Region((Box(0.5, 1.5, 1400, 1600),)), 1.7, move=True)
    assert level(moved.samples[:, was], 1450, 1550) < both[1] - 60


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.4])
def test_a_click_in_a_tone_is_healed(seconds: float) -> None:
    sine = tones(440, 1230)
    hurt = sine.samples.copy()
    middle = round((1.0 + seconds / 2) * RATE)
    hurt[:, middle - 100 : middle + 100] += np.random.default_rng(1).uniform(-0.5, 0.5, (2, 200)).astype(np.float32)
    made = healed(Audio(hurt, RATE, "PCM_24"), Region((Box(1.0, 1.0 + seconds),)))
    part = slice(RATE, round((1.0 + seconds) * RATE))
    for hertz in (440, 1230):
        near = slice(part.start - RATE // 10, part.stop + RATE // 10)
        assert change(sine, made, hertz - 30, hertz + 30, near) == pytest.approx(0, abs=1.0)
    error = level(made.samples[:, part] - sine.samples[:, part]) - level(sine.samples[:, part])
    assert error < -30, "the tones go on in phase"


@pytest.mark.parametrize(("seconds", "low", "high"), [(0.3, 0, RATE), (0.5, 2000, 6000)])
def test_a_hole_in_noise_is_as_loud_as_its_neighbours(noise: Audio, seconds: float, low: float, high: float) -> None:
    region = Region((Box(1.0, 1.0 + seconds, low, high),))
    part = slice(round(1.03 * RATE), round((0.97 + seconds) * RATE))
    made = healed(silenced(noise, region), region)
    for band in ((max(low, 300), min(high, 3000)), (max(low, 3000), min(high, 20_000))):
        assert abs(change(noise, made, *band, part)) < 1.5


def test_harmonics_cover_the_partials_of_a_saw() -> None:
    numbers = np.arange(1, 55)
    turns = np.arange(2 * RATE) / RATE
    saw = 0.2 * (np.sin(2 * np.pi * 440 * numbers[:, None] * turns) / numbers[:, None]).sum(axis=0)
    source = Audio(saw[None].astype(np.float32), RATE, "PCM_24")
    boxes = harmonics(source, Box(0.5, 1.5, 400, 500))  # not in its middle
    assert len(boxes) == len(numbers)
    assert all(box.low < 440 * number < box.high for number, box in zip(numbers, boxes, strict=True))
    assert all(abs((box.low + box.high) / 2 - 440 * n) < 3 for n, box in zip(numbers[1:], boxes[1:], strict=True))
    part = slice(round(0.6 * RATE), round(1.4 * RATE))
    assert change(source, silenced(source, Region(boxes)), 0, RATE / 2, part) < -50


def test_what_is_painted_is_the_same_as_boxes() -> None:
    random = np.random.default_rng(2)
    for share in (0.02, 0.3, 0.9):
        mask = random.random((SPEC.mels, 40)) < share
        assert np.array_equal(from_boxes([Box(*row) for row in rectangles(mask, SPEC)], SPEC, 40), mask)
    assert len(rectangles(from_boxes([Box(0.1, 0.3, 500, 900)], SPEC, 40), SPEC)) == 1
    assert rectangles(np.zeros((SPEC.mels, 40), bool), SPEC) == []


MISTAKES: dict[str, tuple[Callable[[Audio], object], str]] = {
    "nothing": (lambda sound: silenced(sound, Region()), "Nothing is marked"),
    "behind the end": (lambda sound: silenced(sound, Region((Box(3.5, 4.0),))), "behind the end"),
    "above": (lambda sound: silenced(sound, Region((Box(1, 2, 30_000, 31_000),))), "24000 Hz"),
    "too loud": (lambda sound: boosted(sound, BAND, 36.0), r"at most \d+(\.\d)? dB fit"),
    "to nowhere": (lambda sound: region_copied(sound, BAND, 3.0), "3 s does not lie in the sound"),
    "long heal": (lambda sound: healed(Audio(np.tile(sound.samples, 4), RATE), Region((Box(0.5, 11),))), "5 s"),
    "nothing beside": (lambda sound: healed(sound, Region((Box(0.0, 3.0),))), "too little sound"),
    "wide fundamental": (lambda sound: harmonics(sound, Box(1, 2, 200, 500)), "octave"),
    "low fundamental": (lambda sound: harmonics(sound, Box(1, 2, 0, 30)), "20 Hz"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told(noise: Audio, name: str) -> None:
    act, said = MISTAKES[name]
    with pytest.raises(ValueError, match=said):
        act(noise)


def test_as_much_as_fits_is_allowed(noise: Audio) -> None:
    """The gain that a refusal names is one that the file can hold; a file of floats holds any."""
    with pytest.raises(ValueError, match="at most") as refusal:
        boosted(noise, BAND, 36.0)
    most = float(str(refusal.value).split("at most ")[1].split(" dB")[0])
    assert np.abs(boosted(noise, BAND, most).samples).max() <= 1.0
    assert np.abs(boosted(Audio(noise.samples, RATE, "FLOAT"), BAND, 36.0).samples).max() > 1.0


def test_heal_of_a_beginning_and_an_end(noise: Audio) -> None:
    """One side is enough; the same seed gives the same samples."""
    for box in (Box(0.0, 0.2), Box(2.8, 3.0)):
        made = healed(silenced(noise, Region((box,))), Region((box,)))
        part = slice(round(box.start * RATE), round(box.end * RATE))
        assert abs(change(noise, made, 300, 20_000, part)) < 1.5
    hole, region = Audio(noise.samples[:, :RATE], RATE), Region((Box(0.4, 0.5),))
    first, same, other = (healed(hole, region, seed).samples for seed in (0, 0, 1))
    assert np.array_equal(first, same) and not np.array_equal(first, other)
