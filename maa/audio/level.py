"""How loud a sound is in the band that a model can make, and the colour of one sound given to another.

Below that band recordings hold what nobody hears as sound, a constant offset and rumble, and a vocoder's lowest and
highest bins run free. Neither may say how loud new sound should be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from maa.audio.pcm import Samples

LOW, HIGH = 40.0, 0.95  # Hz, and share of half the model's rate: the band that levels are measured in
RUMBLE = 20.0  # Hz; what lies below is not sound
WINDOW = 0.128  # seconds of a spectrum
MOST = 60.0  # dB either way by which a band of a steady sound may be moved
LOOSE = 2.0  # dB by which a moment of it may differ from the others, as moments of noise do
STEADY = 4.5  # dB by which the bands of a sound that goes on differ between moments: noise 2.5, rain 3, birds 6
SHORTEST = 0.064  # seconds of a span whose bands can be told apart
_MOMENT = 0.064  # seconds, of which bands are compared
_LEAST = 0.2  # seconds that tell whether a sound goes on
_OFFSET = 0.1  # share of a sound's RMS from which on a constant in it counts

Power = NDArray[np.float64]


def level_spectrum(pieces: Sequence[Samples], rate: int, window: float = WINDOW) -> tuple[Power, NDArray[np.float64]]:
    """Mean power of every bin over pieces [n], and the bins' frequencies in Hz; the powers add up to the mean square.

    Pieces shorter than the window are looked at whole, with silence behind them.
    """
    size = max(16, 2 * round(window * rate / 2))
    total, weight = np.zeros(size // 2 + 1), 0.0
    for piece in pieces:
        count = len(piece)
        if count == 0:
            continue
        length = min(size, count)
        shape = np.hanning(length + 2)[1:-1]
        for at in range(0, max(1, count - size // 2), max(1, size // 2)):
            part = piece[at : at + length]
            if len(part) < length:
                part = piece[count - length :]
            total += np.abs(np.fft.rfft(part * shape, size)) ** 2 * (2.0 / size)
            weight += float(np.sum(shape**2))
    return total / max(weight, 1e-30), np.asarray(np.fft.rfftfreq(size, 1 / rate), np.float64)


def level(pieces: Sequence[Samples], rate: int, top: float) -> float:
    """RMS of pieces [n] together, in the band from 40 Hz to 95 % of `top` Hz (half of what the model's rate is)."""
    power, hertz = level_spectrum(pieces, rate)
    return float(np.sqrt(power[(hertz >= LOW) & (hertz <= HIGH * min(top, rate / 2))].sum()))


def steadied(mono: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """A sound [n] without a constant and rumble below 20 Hz, where they are strong; any other as it is."""
    if not len(mono):
        return mono
    offset = float(mono.mean(dtype=np.float64))
    if abs(offset) > _OFFSET * float(mono.std(dtype=np.float64)):
        mono = (mono - np.float32(offset)).astype(np.float32)
    power, hertz = level_spectrum([mono], rate)
    if power[hertz < RUMBLE].sum() <= power[hertz >= RUMBLE].sum():
        return mono
    bins = np.fft.rfft(np.pad(mono, (0, min(len(mono), rate))))
    at = np.arange(len(bins)) * rate / (len(mono) + min(len(mono), rate))
    bins *= 0.5 - 0.5 * np.cos(np.pi * np.clip(at / RUMBLE - 0.5, 0, 1))
    return np.fft.irfft(bins)[: len(mono)].astype(np.float32)


def offsets(samples: Samples, beside: Sequence[NDArray[np.int64]], span: tuple[int, int]) -> Power | None:
    """The constant of each channel [channels, n] in front of a span and behind it, [channels, 2]; None where none is.

    Args:
        samples: the sound.
        beside: indices of the samples near the span, in stretches.
        span: (first, stop) in samples.
    """
    if not beside:
        return None
    sides = [[x for x in beside if x[0] < span[0]] or beside, [x for x in beside if x[0] >= span[1]] or beside]
    near = [samples[:, np.concatenate(side)] for side in sides]
    found = np.stack([side.mean(axis=1, dtype=np.float64) for side in near], axis=1)
    spread = max(float(side.std(axis=1).max()) for side in near)
    return found if float(np.abs(found).max()) > max(1e-4, _OFFSET * spread) else None


def goes_on(pieces: Sequence[Samples], rate: int, top: float) -> bool:
    """True when the pieces [n] are moments of one sound that neither comes nor goes, such as noise, rain or a hum."""
    if sum(map(len, pieces)) < _LEAST * rate:
        return False
    size = 2 * round(_MOMENT * rate / 2)
    moments = [level_spectrum([piece[at : at + size]], rate, _MOMENT)[0]
               for piece in pieces for at in range(0, len(piece) - size + 1, size)]  # fmt: skip
    if len(moments) < 3:
        return False
    hertz = np.asarray(np.fft.rfftfreq(size, 1 / rate), np.float64)
    bands = np.stack([_in_bands(power, hertz, top) for power in moments])
    loud = bands.mean(axis=0) > 1e-6 * bands.mean(axis=0).max()
    decibels = 10 * np.log10(np.maximum(bands[:, loud], 1e-20))
    return bool(loud.any()) and float(decibels.std(axis=0).mean()) < STEADY


def coloured(
    sound: NDArray[np.float32], span: tuple[int, int], like: Sequence[Samples], rate: int, top: float
) -> NDArray[np.float32]:
    """A sound [n] that has within a span, band by band, the level of the pieces `like` [n]; no phase is changed.

    First it is made as even in time as they are, then its bands are matched over the whole span.

    Args:
        sound: at `rate` Hz.
        span: (first, stop) in samples.
        like: what the span should sound like, all the time.
        rate: Hz.
        top: half of the model's rate, Hz; nothing above it is changed.
    """
    first, stop = max(0, span[0]), min(len(sound), span[1])
    window = min(WINDOW, (stop - first) / rate / 2)
    aim, hertz = level_spectrum([piece - piece.mean() for piece in like], rate, window)
    centres = np.log(_in_bands(hertz, hertz, top, whole=True, mean=True))
    wanted = 10 * np.log10(np.maximum(_in_bands(aim, hertz, top, whole=True), 1e-20))
    at = np.log(np.maximum(hertz, 1.0))

    def curve(decibels: Power) -> Power:
        """Gains of the bands, dB, as factors of every bin; a constant is never the model's."""
        return np.asarray(10 ** (np.interp(at, centres, np.clip(decibels, -MOST, MOST)) / 20) * (hertz > 0))

    def bands(power: Power) -> Power:
        return np.asarray(10 * np.log10(np.maximum(_in_bands(power, hertz, top, whole=True), 1e-20)))

    made, size = sound, 2 * (len(hertz) - 1)
    for _ in range(3):  # a window sees the moments beside its own; what it leaves is seen the next time
        frames = _Frames(made, first, stop, size)
        moments = np.stack([bands(frames.power(index)) for index in range(frames.count)])
        within = np.clip(np.arange(frames.count), 2, frames.count - 3)  # at least half of it is the span's own
        far = wanted - _smoothed(moments)[within]
        made = frames.filtered([curve(decibels) for decibels in np.sign(far) * np.maximum(np.abs(far) - LOOSE, 0.0)])
    have, _ = level_spectrum([made[first:stop] - made[first:stop].mean()], rate, window)
    return _Frames(made, first, stop, size).filtered([curve(wanted - bands(have))] * frames.count)


def _smoothed(moments: Power) -> Power:
    """Levels in dB [moments, bands] as means of the powers of three moments in a row."""
    power = np.pad(10 ** (moments / 10), ((1, 1), (0, 0)), mode="edge")
    return np.asarray(10 * np.log10(sum(power[k : k + len(moments)] for k in range(3)) / 3))


def _in_bands(power: Power, hertz: NDArray[np.float64], top: float, whole: bool = False, mean: bool = False) -> Power:
    """Sums (or means) of bins over bands of a third of an octave, each of at least one bin.

    They go from 20 Hz to 95 % of `top` Hz, or with `whole` over everything up to `top`.
    """
    wide, high = hertz[1], 1.0 if whole else HIGH
    edges = [max(0.0 if whole else RUMBLE, 0.5 * wide)]
    while edges[-1] <= high * top:
        edges.append(max(edges[-1] * 2 ** (1 / 3), edges[-1] + wide))
    parts = [power[(hertz >= first) & (hertz < high)] for first, high in pairwise(edges)]
    return np.array([part.mean() if mean else part.sum() for part in parts if part.size])


@dataclass(frozen=True)
class _Frames:
    """A stretch of a sound as windows that overlap by three quarters and add up to it."""

    sound: NDArray[np.float32]
    first: int  # sample of the sound at which the stretch begins
    stop: int
    size: int  # samples of a window

    @property
    def hop(self) -> int:
        return max(1, self.size // 4)

    @property
    def count(self) -> int:
        return 1 + (self.stop - self.first + self.size) // self.hop

    @property
    def shape(self) -> NDArray[np.float64]:
        return np.asarray(np.sin(np.pi * (np.arange(self.size) + 0.5) / self.size))

    def _part(self, index: int) -> NDArray[np.float64]:
        begin = self.first - self.size + index * self.hop
        part = np.zeros(self.size)
        inside = self.sound[max(0, begin) : max(0, begin + self.size)]
        part[max(0, -begin) : max(0, -begin) + len(inside)] = inside
        return part * self.shape

    def power(self, index: int) -> Power:
        """Power of every bin of a window."""
        part = self._part(index)
        return np.asarray(np.abs(np.fft.rfft(part)) ** 2 * (2.0 / (self.size * np.sum(self.shape**2))))

    def filtered(self, curves: Sequence[Power]) -> NDArray[np.float32]:
        """The sound with the bins of each window times its curve; outside the stretch it stays."""
        count = self.stop - self.first
        added, weight = np.zeros(count + 3 * self.size), np.zeros(count + 3 * self.size)
        for index, curve in enumerate(curves):
            part = slice(index * self.hop, index * self.hop + self.size)
            added[part] += self.shape * np.fft.irfft(curve * np.fft.rfft(self._part(index)), self.size)
            weight[part] += self.shape**2
        inside = slice(self.size, self.size + count)
        new = self.sound.copy()
        new[self.first : self.stop] = added[inside] / np.maximum(weight[inside], 1e-12)
        return new


def gain_of(have: float, want: float, most: float) -> float:
    """The factor from one level to another, within `most` either way; 1 where either is none."""
    if not (have > 0 and want > 0 and math.isfinite(have) and math.isfinite(want)):
        return 1.0
    return min(max(want / have, 1 / most), most)
