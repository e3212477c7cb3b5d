"""The splice: outside the spans nothing changes by a bit, at any rate, with any channels, in any number type."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maa.audio.io import Audio, read, write
from maa.audio.splice import splice
from maa.config import AudioSpec
from tests.sounds import sine_wave

RATES = [8_000, 11_025, 12_345, 16_000, 22_050, 44_100, 48_000, 96_000, 191_999, 192_000]


def noise(seconds: float, rate: int, channels: int = 1, rms: float = 0.1, seed: int = 0) -> np.ndarray:
    count = round(seconds * rate)
    return (rms * np.random.default_rng(seed).standard_normal((channels, count))).clip(-1, 1).astype(np.float32)


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


spans_in_frames = st.lists(st.tuples(st.integers(0, 70), st.integers(1, 60)), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(RATES), st.integers(1, 8), st.sampled_from(["PCM_16", "PCM_24", "FLOAT"]), spans_in_frames,
       st.booleans(), st.integers(0, 99))  # fmt: skip
def test_outside_the_spans_every_sample_stays(
    tmp_path: Path, rate: int, channels: int, subtype: str, spans: list[tuple[int, int]], match: bool, seed: int
) -> None:
    """Through files: the integers (or floats) of the written result are those of the source, sample for sample."""
    source = read(write(tmp_path / "in.wav", noise(1.21, rate, channels, seed=seed), rate, subtype))
    seconds = [(0.016 * first, 0.016 * (first + width)) for first, width in spans]
    generated = noise(1.3, 16_000, seed=seed + 1)[0]
    made = splice(source, generated, seconds, level_match=match)
    assert (made.samples.shape, made.samples.dtype) == (source.samples.shape, source.samples.dtype)
    assert (made.sample_rate, made.subtype) == (rate, subtype)
    back = read(write(tmp_path / "out.wav", made.samples, rate, made.subtype))

    times = np.arange(source.samples.shape[1]) / rate
    inside = np.zeros(len(times), bool)
    for start, end in seconds:
        inside |= (times >= start - 1e-9) & (times < end)
    for result in (made, back):
        assert np.array_equal(result.samples[:, ~inside], source.samples[:, ~inside])
    assert np.isfinite(made.samples).all()
    if inside.sum() > 200:
        assert (made.samples[:, inside] != source.samples[:, inside]).mean() > 0.9


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 192_000])
def test_generated_sound_lands_in_its_place(rate: int) -> None:
    source = Audio(np.zeros((2, 4 * rate), np.float32), rate)
    made = splice(source, sine_wave(440, 4.0)[0], [(1.0, 3.0)])
    inner = slice(round(1.03 * rate), round(2.97 * rate))
    wanted = sine_wave(440, 4.0, rate)[0]
    for channel in made.samples:
        assert np.abs(channel[inner] - wanted[inner]).max() < 1e-3


@pytest.mark.parametrize("span", [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (0.0, 3.0), (1.0, 1.02)])
def test_fades_are_short_equal_in_power_and_inside(span: tuple[float, float]) -> None:
    rate = 16_000
    turns = np.resize(np.array([1, -1], np.float32), 3 * rate)  # not a constant, which is no sound
    source = Audio(0.1 * turns[None], rate)
    made = splice(source, np.zeros(3 * rate, np.float32), [span], level_match=False).samples[0] / (0.1 * turns)
    start, stop = round(span[0] * rate), round(span[1] * rate)
    fade = min(480, (stop - start) // 4)
    old = np.flatnonzero(made)
    changed = made[start:stop]
    if span[0] > 0:  # the old sound goes down as a cosine; at the file's own ends nothing is faded
        assert np.allclose(changed[:fade], np.cos(np.pi / 2 * (np.arange(fade) + 0.5) / fade), atol=1e-6)
        assert np.abs(np.diff(made[start - 1 : start + fade])).max() < 2.0 / fade
    if span[1] < 3.0:
        assert np.allclose(changed[-fade:], np.cos(np.pi / 2 * (np.arange(fade) + 0.5) / fade)[::-1], atol=1e-6)
    middle = changed[fade if span[0] > 0 else 0 : len(changed) - (fade if span[1] < 3.0 else 0)]
    assert not middle.any()
    assert old.size == 0 or span != (0.0, 3.0)


def test_level_follows_the_neighbours_when_asked() -> None:
    """The vocoder came out 6 dB too loud: both its reconstruction of the neighbours and the new sound."""
    rate = 48_000
    room = sine_wave(300, 3.0, rate, peak=0.2)
    source = Audio(room, rate)
    generated = 2 * sine_wave(300, 3.0, 16_000, peak=0.2)[0]
    inner = slice(round(1.1 * rate), round(1.9 * rate))
    assert rms(splice(source, generated, [(1.0, 2.0)]).samples[:, inner]) == pytest.approx(rms(room), rel=0.02)
    plain = splice(source, generated, [(1.0, 2.0)], level_match=False)
    assert rms(plain.samples[:, inner]) == pytest.approx(2 * rms(room), rel=0.02)


def test_a_loud_event_stays_loud() -> None:
    """Level is compared where both hold the same sound, so an event is not pressed down to the room's level."""
    generated = noise(3.0, 16_000, rms=0.01)[0]
    source = Audio(generated[None].copy(), 16_000)
    generated[16_000:32_000] += sine_wave(500, 1.0, peak=0.8)[0]
    made = splice(source, generated, [(1.0, 2.0)])
    assert rms(made.samples[:, 18_000:30_000]) == pytest.approx(0.8 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("silence", [0.0, 1e-5])
def test_silent_neighbours_leave_the_level(silence: float) -> None:
    source = Audio(noise(3.0, 16_000, 2, silence), 16_000)
    generated = noise(3.0, 16_000, rms=0.3, seed=3)[0]
    made = splice(source, generated, [(1.0, 2.0)])
    assert rms(made.samples[:, 17_000:31_000]) == pytest.approx(0.3, rel=0.05)


def test_channels_keep_their_balance() -> None:
    rate = 44_100
    mono = noise(3.0, rate)[0]
    balance = np.array([1.0, 0.25, 0.0], np.float32)
    source = Audio(balance[:, None] * mono, rate)
    made = splice(source, noise(3.0, 16_000, seed=1)[0], [(1.0, 2.0)])
    inner = made.samples[:, round(1.1 * rate) : round(1.9 * rate)]
    levels = np.array([rms(channel) for channel in inner])
    assert np.allclose(levels / levels[0], balance, atol=0.02)


def test_opposite_phases_do_not_explode() -> None:
    left = sine_wave(300, 3.0)
    source = Audio(np.concatenate([left, -left]), 16_000)
    generated = noise(3.0, 16_000, rms=0.1)[0]
    made = splice(source, generated, [(1.0, 2.0)])
    assert rms(made.samples[:, 17_000:31_000]) < rms(left) * 1.05


def test_nothing_to_splice_gives_the_source() -> None:
    source = Audio(sine_wave(channels=2), 16_000)
    assert splice(source, np.zeros(16_000, np.float32), []) is source
    assert splice(source, np.zeros(16_000, np.float32), [(1.0, 2.0)]) is source  # behind the end


def test_impossible_requests() -> None:
    source = Audio(sine_wave(), 16_000)
    for span in [(0.5, 0.5), (0.7, 0.5), (-0.1, 0.5), (np.nan, 0.5)]:
        with pytest.raises(ValueError, match="holds nothing"):
            splice(source, np.zeros(16_000, np.float32), [span])
    with pytest.raises(ValueError, match="ends before the last span"):
        splice(source, np.zeros(8_000, np.float32), [(0.2, 0.9)])


def test_a_long_file_is_quick() -> None:
    source = Audio(np.zeros((2, 600 * 48_000), np.float32), 48_000)
    generated = np.zeros(600 * 16_000, np.float32)
    assert splice(source, generated, [(300.0, 301.0)]).samples.shape == source.samples.shape


@pytest.mark.parametrize("cells", [None, "band"])
def test_what_is_too_loud_for_a_file_is_turned_down(cells: str | None) -> None:
    """Beyond full scale a file would clip it; the neighbours' level may ask for that."""
    from maa.config import AudioSpec

    source = Audio(noise(3.0, 16_000, rms=0.1), 16_000, "PCM_16")
    mask = np.zeros((80, 188), bool)
    mask[10:70, 62:125] = True
    loud = 3.0 * sine_wave(1000, 3.0)[0]
    spans = [(62 * 0.016, 125 * 0.016)]
    made = splice(source, loud, spans, False, None if cells is None else mask, AudioSpec()).samples
    assert 0.6 < np.abs(made).max() <= 1.0


@pytest.mark.parametrize("cells", [None, "half"])
def test_new_sound_at_the_ends_of_the_file_is_faded_there_only(cells: str | None) -> None:
    """A span that is the file's own end leaves no click; elsewhere the old sound goes on to the edge."""
    rate = 16_000
    source = Audio(np.zeros((1, 4 * rate), np.float32), rate)
    loud = (0.5 * np.random.default_rng(0).standard_normal(4 * rate)).astype(np.float32)
    spec = AudioSpec()
    mask = np.zeros((spec.mels, 250), bool)
    mask[:40] = True
    made = splice(source, loud, [(0.0, 1.0), (2.5, 4.0)], False, None if cells is None else mask, spec).samples[0]
    assert abs(made[0]) < 10 ** (-50 / 20) and abs(made[-1]) < 10 ** (-50 / 20)
    assert not made[rate : round(2.5 * rate)].any()
    if cells is None:
        assert np.abs(made[100:300]).max() > 0.3 and np.abs(made[-700:-400]).max() > 0.3


def test_new_sound_beyond_full_scale_is_scaled_and_the_old_stays() -> None:
    rate = 16_000
    source = Audio(sine_wave(300, 4.0, peak=0.9), rate, "PCM_16")
    loud = (3 * np.sin(0.7 * np.arange(4 * rate))).astype(np.float32)
    made = splice(source, loud, [(1.0, 2.0)], False, spec=AudioSpec(sample_rate=rate)).samples
    inside = slice(rate, 2 * rate)
    assert np.abs(made).max() <= 1
    outside = np.r_[0:rate, 2 * rate : 4 * rate]
    assert np.array_equal(made[:, outside], source.samples[:, outside])
    middle = slice(rate + 600, 2 * rate - 600)
    assert np.ptp(made[0, middle][np.abs(loud[middle]) > 1] / loud[middle][np.abs(loud[middle]) > 1]) < 1e-5, "one gain"
    assert np.abs(made[0, inside]).max() > 0.8
