"""Generated sound into the user's own: new only inside the spans, every other sample the very same value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maa.audio import bands
from maa.audio.finish import fades
from maa.audio.level import SHORTEST as SHORTEST_COLOURED
from maa.audio.level import coloured, gain_of, goes_on, level, offsets
from maa.audio.loudness import peak
from maa.audio.pcm import Samples
from maa.audio.sound import Audio, mono, resample
from maa.config import AudioSpec

FADE = 0.030  # seconds; never more than a quarter of the span
SHORTEST = 0.010  # seconds; what the sound's end leaves of a frame is too short to fade into and stays as it is
EDGE = 0.005  # seconds; the one fade of a short span at the sound's own beginning or end is at least this long
BESIDE = 0.5  # seconds of sound on each side that levels are measured on
MAX_GAIN = 4.0  # 12 dB either way: a neighbour says how loud the room is, not how loud the new sound should be
TRIES = 8  # times that a new sound beyond full scale is turned down
_QUIET = 1e-4  # RMS below which a neighbourhood tells no level

Fresh = NDArray[np.float32] | None

MODEL = AudioSpec()


def splice(
    source: Audio,
    generated: NDArray[np.float32],
    spans: Sequence[tuple[float, float]],
    level_match: bool = True,
    cells: NDArray[np.bool_] | None = None,
    spec: AudioSpec = MODEL,
    continues: bool = False,
) -> Audio:
    """Replace spans of a sound, in their whole height or in some bands.

    Every change lies inside the spans, its fades included. Where a span is painted in its whole height the generated
    sound takes the source's place between equal-power fades; at the sound's own beginning or end it is faded in over
    5 ms, or out over 20 ms, as every new sound is.
    Elsewhere gate * istft(M * stft(generated - source)) is added, at the source's rate: M is the mask with feathered
    band edges, and above the model's highest band it is what the top band is. Every channel gets the generated sound
    at the share of loudness it has beside the span.

    Args:
        source: the user's sound.
        generated: mono [n], aligned with the source's beginning and reaching the end of the last span.
        spans: (start, end) in seconds; they may touch or overlap, and what lies beyond the sound is ignored.
        level_match: also scale by what the source's level beside the span is to the generated sound's there. That is 1
            when `generated` holds the source itself outside the spans, and undoes the gain of the autoencoder and the
            vocoder when it holds their reconstruction.
        cells: [mels, frames] of the whole sound, True = make new; None = whole height everywhere.
        spec: the rate of the generated sound, and what rows and columns of `cells` are.
        continues: the generated sound goes on with what is there. Where that is a sound that neither comes nor goes,
            such as noise, rain or a hum, the span gets its level in every band.

    Returns:
        Same rate, channels, length, number type and subtype as the source.
    """
    pieces = intervals(spans, source)
    if not pieces:
        return source
    rate, last = source.sample_rate, pieces[-1][1]
    if len(generated) + 1 < last * spec.sample_rate / rate:  # a length in samples is rounded
        raise ValueError(
            f"The generated sound of {len(generated) / spec.sample_rate:.3f} s ends before the last span does, "
            f"at {last / rate:.3f} s."
        )
    mixed = source.samples.copy()
    for start, stop in pieces:
        beside = _beside(source, pieces, (start, stop))
        new = Generated(generated, spec, level_match, continues)
        part, gains = _piece(source, new, (start, stop), beside, cells)
        mixed[:, start:stop] = _unclipped(part, source, gains)
    return replace(source, samples=mixed)


@dataclass(frozen=True)
class Generated:
    """A generated sound: mono [n] at the spec's rate, whether its level is matched, and whether it goes on."""

    wave: NDArray[np.float32]
    spec: AudioSpec
    level_match: bool
    continues: bool


def _piece(
    source: Audio,
    generated: Generated,
    span: tuple[int, int],
    beside: list[NDArray[np.int64]],
    cells: NDArray[np.bool_] | None,
) -> tuple[Piece, NDArray[np.float64]]:
    """One span's new sound, and the gain of every channel; `beside` are the source's samples that tell its level."""
    (start, stop), rate, spec = span, source.sample_rate, generated.spec
    top = spec.sample_rate / 2
    near = [mono(source.samples[:, index]) for index in beside]
    at, fresh = _resampled(generated.wave, spec.sample_rate, rate, span)
    long = stop - start >= SHORTEST_COLOURED * rate
    steady = generated.level_match and generated.continues and long and goes_on(near, rate, top)
    if steady:
        fresh = coloured(fresh, (start - at, stop - at), near, rate, top)
    gains = _gains(source, beside, top, at, fresh if generated.level_match and not steady else None)
    whole = cells is None or _whole(cells, spec, start / rate, stop / rate)
    constant = offsets(source.samples, beside, span)
    return Piece(start, stop, at, fresh, None if whole else cells, spec, constant), gains


def _unclipped(part: Piece, source: Audio, gains: NDArray[np.float64]) -> Samples:
    """The span [channels, n] with its new sound, turned down where a file could not hold it: clipped it would be heard
    at every pitch."""
    ceiling = max(1.0, peak(source.samples))
    made = part.into(source, gains)
    for _ in range(TRIES):
        top = peak(made)
        if top <= ceiling:
            break
        gains = gains * (0.95 * ceiling / top)  # what stays of the source is not turned down, so this may repeat
        made = part.into(source, gains)
    return made


@dataclass(frozen=True)
class Piece:
    """One span, in samples, and the sound that goes there: `fresh` [n] is the source's sample `at` and what follows."""

    start: int
    stop: int
    at: int
    fresh: NDArray[np.float32]
    cells: NDArray[np.bool_] | None  # None = whole height
    spec: AudioSpec
    offset: NDArray[np.float64] | None = None  # the constant in the source, [channels, (before, behind)]

    def into(self, source: Audio, gains: NDArray[np.float64]) -> Samples:
        """The samples [channels, stop - start] of the result; the new sound times a gain for each channel."""
        start, stop, at, rate = self.start, self.stop, self.at, source.sample_rate
        count, old = source.samples.shape[1], source.samples[:, start:stop]
        joins = (start > 0, stop < count)
        ends = fades(stop - start, rate, (not joins[0], not joins[1]))
        if self.cells is None:
            constant = self._constant(start, stop)  # it is no sound, so it does not fade
            new = self.fresh[start - at : stop - at] * gains[:, None] * ends
            return _faded(old - constant, new, rate, joins) + constant
        beside = 4 * self.spec.hop * rate // self.spec.sample_rate
        first, end = max(at, start - beside), min(at + len(self.fresh), count, stop + beside)
        ours = np.asarray(
            self.fresh[first - at : end - at] * gains[:, None] + self._constant(first, end), dtype=np.float32
        )
        added = bands.blended(source.samples[:, first:end], ours, rate, self.cells, self.spec, first / rate)
        shape = bands.gate(stop - start, _fade_length(stop - start, rate, joins), joins) * ends
        return old + added[:, start - first : stop - first] * shape

    def _constant(self, first: int, stop: int) -> NDArray[np.float64] | float:
        """What the source's samples lie around, from what is before the span to what is behind it: [channels, n]."""
        if self.offset is None:
            return 0.0
        share = np.clip((np.arange(first, stop) + 0.5 - self.start) / (self.stop - self.start), 0.0, 1.0)
        return np.asarray(self.offset[:, :1] * (1 - share) + self.offset[:, 1:] * share)


def _whole(cells: NDArray[np.bool_], spec: AudioSpec, start: float, end: float) -> bool:
    """True when every band is painted in every frame of a span."""
    first, last = round(start / spec.frame_seconds), math.ceil(end / spec.frame_seconds - 1e-3)
    return bool(cells[:, first : max(last, first + 1)].all())


def intervals(spans: Sequence[tuple[float, float]], source: Audio) -> list[tuple[int, int]]:
    """Spans in seconds as (first, stop) in samples of the source, in order, merged where they touch.

    Only samples that lie inside a span count, and a piece of less than 10 ms is left out.
    """
    rate, count = source.sample_rate, source.samples.shape[1]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if not 0 <= start < end:
            raise ValueError(f"A span from {start:g} s to {end:g} s holds nothing; give a start and a later end.")
        # Seconds come from frames by multiplication, so a whole sample may miss its number by a rounding error.
        first, stop = math.ceil(start * rate - 1e-6), min(count, math.floor(min(end * rate, count) + 1e-6))
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        elif first < stop:
            merged.append((first, stop))
    least = max(4, math.floor(SHORTEST * rate))
    return [(first, stop) for first, stop in merged if stop - first >= least]


def _resampled(
    generated: NDArray[np.float32], generated_rate: int, rate: int, span: tuple[int, int]
) -> tuple[int, NDArray[np.float32]]:
    """The neighbourhood of a span at the source's rate, and its first sample's index there.

    It is cut at whole seconds, where both rates have a sample, so that every piece is aligned to the sample.
    """
    first = max(0, math.floor(span[0] / rate - BESIDE - 1))  # with a second for the filter to settle
    last = math.ceil(span[1] / rate + BESIDE + 1)
    piece = resample(generated[first * generated_rate : last * generated_rate], generated_rate, rate)
    return first * rate, np.pad(piece, (0, max(0, span[1] - first * rate - len(piece))))


def _faded(old: Samples, new: Samples, rate: int, fades: tuple[bool, bool]) -> Samples:
    """new [channels, n] with old faded out of its beginning and into its end, where asked; powers add up to one."""
    count = new.shape[1]
    length = _fade_length(count, rate, fades)
    angle = np.full(count, np.pi / 2)
    ramp = np.pi / 2 * (np.arange(length) + 0.5) / max(1, length)
    if fades[0]:
        angle[:length] = ramp
    if fades[1]:
        angle[count - length :] = ramp[::-1]
    faded = np.sin(angle) * new
    edges = angle < np.pi / 2
    faded[:, edges] += np.cos(angle[edges]) * old[:, edges]
    return faded


def _fade_length(count: int, rate: int, fades: tuple[bool, bool]) -> int:
    """Samples of each fade of a span of `count` samples."""
    length = min(round(FADE * rate), count // 4)
    return length if all(fades) else max(length, min(count, round(EDGE * rate)))


def _gains(source: Audio, beside: list[NDArray[np.int64]], top: float, at: int, fresh: Fresh) -> NDArray[np.float64]:
    """One factor a channel, [channels]: its share of loudness beside the span, times the level there.

    `fresh` is the generated sound from source sample `at` on; None leaves its level as it is. All of it is measured in
    the band that the model can make.
    """
    rate = source.sample_rate
    pieces = [source.samples[:, index] for index in beside]
    channels = np.array([level([piece[k] for piece in pieces], rate, top) for k in range(source.channels)])
    if float(np.sqrt(np.mean(channels**2))) < _QUIET:  # nothing to hear there: the balance of the whole sound
        each = [row - row.mean(keepdims=True) for row in source.samples]
        return _shares(np.array([_rms(row) for row in each]), _rms(mono(np.stack(each))))
    ours = level([mono(piece) for piece in pieces], rate, top)
    shares = _shares(channels, ours)
    if fresh is None:
        return shares
    theirs = level([fresh[index[index < at + len(fresh)] - at] for index in beside], rate, top)
    return shares * (gain_of(theirs, ours, MAX_GAIN) if min(ours, theirs) >= _QUIET else 1.0)


def _beside(source: Audio, pieces: list[tuple[int, int]], span: tuple[int, int]) -> list[NDArray[np.int64]]:
    """Indices of the samples near the span that belong to no span, in stretches."""
    reach = round(BESIDE * source.sample_rate)
    near = np.arange(max(0, span[0] - reach), min(source.samples.shape[1], span[1] + reach))
    kept = np.ones(len(near), dtype=bool)
    for start, stop in pieces:
        kept &= (near < start) | (near >= stop)
    near = near[kept]
    return [part for part in np.split(near, np.flatnonzero(np.diff(near) > 1) + 1) if len(part)]


def _shares(channels: NDArray[np.float64], whole: float) -> NDArray[np.float64]:
    """Levels of every channel over that of all as one, [channels]; 1 for all when they are silent.

    Opposite phases cancel in the mean, so it counts for no less than for channels that have nothing in common.
    """
    least = float(np.sqrt(np.mean(channels**2))) / math.sqrt(len(channels))
    mean = max(whole, least)
    return channels / mean if mean >= _QUIET else np.ones(len(channels))


def _rms(x: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if x.size else 0.0
