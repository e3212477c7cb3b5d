"""A part of a sound made from its neighbours in time, without a model: clicks, drop-outs, short noises.

Magnitudes go from those before the part to those behind it. What is tonal on a side goes on from there in phase; the
rest gets phases by chance. A few rounds between the spectrum and the samples (Griffin and Lim, 1984) then make the
spectra fit each other and the samples around.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maa.audio.bands import gate
from maa.audio.region import Region
from maa.audio.sound import Audio

WINDOW = 0.064  # seconds of a spectrum
LONGEST = 5.0  # seconds that can be healed at once
SIDE = 8  # spectra on each side that tell what it is like
ROUNDS = 10
TONAL = 0.9  # how constant a frequency has to be to go on, 0 to 1
EDGE = 0.003  # seconds of the fade at each end
_LEAST = 1e-9  # magnitude
_SMALL = 256  # samples of a window at least

Spectra = NDArray[np.complex64]  # [frequencies, frames]
Part = NDArray[np.float32]  # [frequencies, frames], 0 to 1


def healed(source: Audio, region: Region, seed: int = 0) -> Audio:
    """The region as its neighbours in time say.

    Args:
        source: the sound.
        region: what is damaged.
        seed: of the phases that are by chance; the same one gives the same samples.

    Raises:
        ValueError: nothing is marked, a marked part is longer than 5 s, or has no neighbours.
    """
    rate, count = source.sample_rate, source.samples.shape[1]
    pieces = region.pieces(source)
    mixed = source.samples.copy()
    before = 0
    for number, (first, stop) in enumerate(pieces):
        if stop - first > LONGEST * rate:
            raise ValueError(f"Healing goes over at most {LONGEST:g} s at once; mark a shorter part.")
        behind = pieces[number + 1][0] if number + 1 < len(pieces) else count
        gap = Gap.between(before, (first, stop), behind, rate)
        weights = region.weights(gap.hertz(rate), gap.seconds(rate), (first / rate, stop / rate))
        for channel in range(source.channels):
            random = np.random.default_rng((seed, number, channel))
            made = gap.fill(mixed[channel, gap.begin : gap.end].astype(np.float32), weights, random)
            shape = gate(stop - first, min(round(EDGE * rate), (stop - first) // 8), (first > 0, stop < count))
            old = mixed[channel, first:stop]
            mixed[channel, first:stop] = old + ((made - old) * shape).astype(old.dtype)
        before = stop
    return replace(source, samples=mixed)


@dataclass(frozen=True)
class Gap:
    """A damaged span `first` to `stop`, and the sound around it, `begin` to `end`, all in samples of the source."""

    begin: int
    first: int
    stop: int
    end: int
    size: int  # samples of a spectrum

    @classmethod
    def between(cls, before: int, span: tuple[int, int], behind: int, rate: int) -> Gap:
        """A span with as much beside it as is of use and undamaged: from `before` on and up to `behind`.

        Raises:
            ValueError: there is not enough on either side.
        """
        room = max(span[0] - before, behind - span[1])
        size = min(round(WINDOW * rate / 8) * 8, room // 8 * 8)
        if size < min(_SMALL, round(WINDOW * rate / 8) * 8):
            raise ValueError("There is too little sound before and behind what is marked to heal it from.")
        reach = 3 * size
        return cls(max(before, span[0] - reach), *span, min(behind, span[1] + reach), size)

    @property
    def hop(self) -> int:
        return self.size // 4

    @property
    def middles(self) -> NDArray[np.int64]:
        """The samples in the middle of every spectrum, counted from `begin`."""
        return np.arange(1 + (self.end - self.begin) // self.hop) * self.hop

    def hertz(self, rate: int) -> NDArray[np.float64]:
        return np.asarray(np.fft.rfftfreq(self.size, 1 / rate), dtype=np.float64)

    def seconds(self, rate: int) -> NDArray[np.float64]:
        return np.asarray((self.begin + self.middles) / rate)

    def fill(self, wave: NDArray[np.float32], weights: Part, random: np.random.Generator) -> NDArray[np.float32]:
        """The span [stop - first] of a channel, healed.

        Args:
            wave: the channel from `begin` to `end`.
            weights: how far each frequency is to be healed in each spectrum.
            random: draws phases, and which of its neighbours a moment is like.
        """
        old = self._spectra(wave)
        reach, middles = self.size // 2, self.middles
        first, stop = self.first - self.begin, self.stop - self.begin
        left = np.flatnonzero((middles >= reach) & (middles + reach <= first))[-SIDE:]
        right = np.flatnonzero((middles - reach >= stop) & (middles + reach <= len(wave)))[:SIDE]
        touched = np.flatnonzero((middles + reach > first) & (middles - reach < stop))
        share = np.clip((middles[touched] - first) / (stop - first), 0.0, 1.0)
        magnitudes, phases = _continued(old, left, right, touched, share, random)
        part = weights[:, touched]
        made, new = wave.copy(), old.copy()
        for number in range(ROUNDS):
            if number:
                phases = np.angle(self._spectra(made)[:, touched])
            new[:, touched] = (1 - part) * old[:, touched] + part * magnitudes * np.exp(1j * phases)
            made[first:stop] = self._wave(new, len(wave))[first:stop]
        return made[first:stop]

    def _spectra(self, wave: NDArray[np.float32]) -> Spectra:
        import torch

        window, given = torch.hann_window(self.size), torch.from_numpy(wave)
        made = torch.stft(given, self.size, self.hop, window=window, pad_mode="constant", return_complex=True)
        return np.asarray(made.numpy())

    def _wave(self, spectra: Spectra, count: int) -> NDArray[np.float32]:
        import torch

        window, given = torch.hann_window(self.size), torch.from_numpy(spectra)
        made = torch.istft(given, self.size, self.hop, window=window, length=count)
        return np.asarray(made.numpy())


def _continued(
    old: Spectra,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    touched: NDArray[np.int64],
    share: NDArray[np.float64],
    random: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Magnitudes and phases [frequencies, touched] to begin with.

    Args:
        old: all spectra.
        left: numbers of undamaged ones before the span; may be none.
        right: and behind it.
        touched: those that meet the span.
        share: how far each of these is from the left to the right, 0 to 1.
        random: draws.
    """
    if not len(left) or not len(right):
        share = np.full_like(share, 0.0 if len(left) else 1.0)
    sides = [(_Side.of(old[:, at], touched - at[edge]) if len(at) else None) for at, edge in ((left, -1), (right, 0))]
    known = [side for side in sides if side is not None]
    first, last = sides[0] or known[0], sides[1] or known[0]
    from_right = share > 0.5
    tonal = np.where(from_right, last.tonal[:, None], first.tonal[:, None])
    by_chance = random.uniform(-np.pi, np.pi, tonal.shape)
    phases = np.where(tonal, np.where(from_right, last.phases, first.phases), by_chance)
    level = np.exp((1 - share) * np.log(first.level[:, None]) + share * np.log(last.level[:, None]))
    like_right = random.random(len(share)) < share
    swing = np.where(like_right, last.drawn(random, len(share)), first.drawn(random, len(share)))
    return (level * np.where(tonal, 1.0, swing)).astype(np.float32), phases.astype(np.float32)


@dataclass(frozen=True)
class _Side:
    """What a span's neighbours on one side are like."""

    level: NDArray[np.float64]  # [frequencies]
    swings: NDArray[np.float64]  # [frequencies, frames], of magnitudes around their level
    tonal: NDArray[np.bool_]  # [frequencies]
    phases: NDArray[np.float64]  # [frequencies, touched], as they go on

    @classmethod
    def of(cls, spectra: Spectra, away: NDArray[np.int64]) -> _Side:
        """From undamaged spectra; the touched ones are `away` frames from the nearest of them."""
        magnitudes = np.abs(spectra).astype(np.float64)
        level = np.sqrt(np.mean(magnitudes**2, axis=1)) + _LEAST
        steps = spectra[:, 1:] * spectra[:, :-1].conj()
        step = steps.sum(axis=1)
        changes = steps[:, 1:] * steps[:, :-1].conj()
        tonal = np.zeros(len(level), bool)
        if changes.shape[1] > 1:
            tonal = np.abs(changes.sum(axis=1)) >= TONAL * np.maximum(np.abs(changes).sum(axis=1), _LEAST**4)
            tonal &= np.real(changes.sum(axis=1)) > 0
        nearest = spectra[:, -1 if away.size and away[-1] > 0 else 0]
        phases = np.angle(nearest)[:, None] + np.angle(step)[:, None] * away
        return cls(level, magnitudes / level[:, None], tonal, phases)

    def drawn(self, random: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Swings of as many moments, each that of some moment there."""
        return self.swings[:, random.integers(0, self.swings.shape[1], count)]
