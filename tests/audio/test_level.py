"""How loud a fill is: measured where a model makes sound, and as loud and even as the steady sound it goes on with."""

from __future__ import annotations

import numpy as np
import pytest

from maa import MakeAnAudio, Sampling
from maa.audio.level import goes_on, level, steadied
from maa.audio.sound import Audio
from maa.audio.splice import splice
from tests.sounds import sine_wave

SLOPES = {"white": 0, "pink": 1, "brown": 2}  # power falls by 3 dB an octave for each


def noise(colour: str, seconds: float, rate: int, decibels: float, seed: int = 0) -> np.ndarray:
    count = round(seconds * rate)
    bins = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    bins /= np.maximum(np.fft.rfftfreq(count, 1 / rate), 20) ** (SLOPES[colour] / 2)
    bins[0] = 0
    wave = np.fft.irfft(bins, count)
    return (10 ** (decibels / 20) * wave / wave.std()).astype(np.float32)


def heard(wave: np.ndarray, rate: int) -> float:
    """dB between 100 Hz and 7.5 kHz."""
    bins, hertz = np.fft.rfft(wave.astype(np.float64)), np.fft.rfftfreq(len(wave), 1 / rate)
    bins[(hertz < 100) | (hertz > 7500)] = 0
    return float(10 * np.log10(np.mean(np.fft.irfft(bins, len(wave)) ** 2)))


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("decibels", [-20, -42, -66])
@pytest.mark.parametrize("colour", SLOPES)
@pytest.mark.parametrize(("fill", "louder"), [("white", -35.0), ("pink", 12.0)])
def test_steady_noise_goes_on(colour: str, decibels: float, rate: int, fill: str, louder: float) -> None:
    """Whatever level and colour the network makes, and however it dies away in the middle of the hole."""
    source = noise(colour, 5.0, rate, decibels)
    generated = noise(fill, 5.0, 16_000, decibels + louder, seed=1)
    generated *= (10 ** (-1.5 * np.abs(np.linspace(-5, 5, len(generated))))).astype(np.float32) + np.float32(1e-3)
    made = splice(Audio(source[None], rate), generated, [(2.0, 3.0)], continues=True).samples[0]
    beside = heard(source[: 2 * rate], rate)
    assert heard(made[round(2.05 * rate) : round(2.95 * rate)], rate) == pytest.approx(beside, abs=2.0)
    for at in np.arange(2.05, 2.9, 0.2):
        part = made[round(at * rate) : round((at + 0.2) * rate)]
        assert heard(part, rate) == pytest.approx(beside, abs=4.0), f"at {at:.2f} s"


@pytest.mark.parametrize("continues", [True, False])
@pytest.mark.parametrize("offset", [0.05, 0.2, -0.2])
def test_a_constant_does_not_count(offset: float, continues: bool) -> None:
    rate, room = 48_000, noise("white", 6.0, 48_000, -34)
    generated = noise("pink", 6.0, 16_000, -34, seed=1) + np.float32(0.02)  # vocoders make a constant, too
    plain, lifted = (
        splice(Audio(room[None] + np.float32(x), rate), generated, [(2.0, 4.0)], continues=continues).samples[0]
        for x in (0.0, offset)
    )
    inside = slice(round(2.1 * rate), round(3.9 * rate))
    assert heard(lifted[inside], rate) == pytest.approx(heard(plain[inside], rate), abs=0.2)
    assert lifted[inside].mean() - plain[inside].mean() == pytest.approx(offset, abs=0.003)
    steps = np.abs(np.diff(lifted))[round(1.99 * rate) : round(4.01 * rate)]
    assert steps.max() < 1.5 * np.abs(np.diff(room)).max(), "a thump at a joint"


def test_rumble_does_not_count() -> None:
    rate, room = 16_000, noise("white", 6.0, 16_000, -40)
    rumble = 0.2 * np.sin(2 * np.pi * 8 * np.arange(6 * rate) / rate).astype(np.float32)
    generated = noise("white", 6.0, rate, -40, seed=1)
    inside = slice(round(2.1 * rate), round(3.9 * rate))
    levels = [heard(splice(Audio((room + x)[None], rate), generated, [(2.0, 4.0)]).samples[0][inside], rate)
              for x in (0 * rumble, rumble)]  # fmt: skip
    assert levels[1] == pytest.approx(levels[0], abs=1.0)
    both = [steadied(room + x, rate) for x in (0 * rumble, rumble, rumble + np.float32(0.3))]
    assert np.array_equal(both[0], room)
    for wave in both[1:]:
        assert np.corrcoef(wave[rate:-rate], room[rate:-rate])[0, 1] > 0.99


def test_what_is_no_steady_sound_is_left_alone() -> None:
    """A knock in silence must not be pressed into what is beside it, nor a bark into the level of the last one."""
    rate = 16_000
    times = np.arange(5 * rate) / rate
    barks = (np.sin(2 * np.pi * 400 * times) * (np.sin(2 * np.pi * 3 * times) > 0.7)).astype(np.float32) * 0.3
    source = Audio((barks + noise("white", 5.0, rate, -70))[None], rate)
    generated = source.samples[0] + noise("white", 5.0, rate, -30, seed=3)
    assert not goes_on([source.samples[0, :8000], source.samples[0, 20_000:28_000]], rate, 8000)
    with_, without = (splice(source, generated, [(2.0, 3.0)], continues=x).samples for x in (True, False))
    assert np.array_equal(with_, without)
    steady = noise("pink", 5.0, rate, -30)
    assert goes_on([steady[:8000], steady[20_000:28_000]], rate, 8000)
    assert goes_on([sine_wave(300, 1.0)[0]], rate, 8000)
    assert not goes_on([steady[:1000]], rate, 8000)
    assert not goes_on([np.zeros(16_000, np.float32)], rate, 8000)


def test_level_of_a_band() -> None:
    tone = sine_wave(1000, 2.0, 48_000, peak=0.5)[0]
    assert level([tone], 48_000, 8000) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    assert level([tone[:500], tone[700:9000]], 48_000, 8000) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert level([tone + 0.3], 48_000, 8000) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    assert level([sine_wave(12_000, 2.0, 48_000)[0]], 48_000, 8000) < 1e-3
    assert level([], 48_000, 8000) == 0


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_a_network_goes_on_with_noise(subtype: str) -> None:
    maa = MakeAnAudio.from_pretrained("tiny", device="cpu")
    for colour, decibels in (("white", -20), ("pink", -66), ("brown", -42), ("white", -105)):
        wave = noise(colour, 4.0, 16_000, decibels)
        made = maa.inpaint(Audio(wave[None], 16_000, subtype), [(1.5, 2.5)], "", Sampling(steps=1, seed=1)).audio[0][0]
        inside, beside = made[24_800:39_200], wave[:23_000]
        assert 20 * np.log10(inside.std() / beside.std()) == pytest.approx(0, abs=3), (colour, decibels)
        assert np.array_equal(made[:23_800], wave[:23_800])
