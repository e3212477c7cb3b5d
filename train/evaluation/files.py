"""(f) The file that a user gets, measured: lines at the frame rate, levels, edges, clipping and holes.

Nothing here knows what a sound should be; the other questions ask that.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from maa.audio import finish
from maa.audio.finish import AS_MADE
from maa.audio.loudness import lufs
from maa.config import PAPER
from maa.dsp import decibels
from train.evaluation.sounds import Judge, Wave

FRAME_RATE = PAPER.audio.sample_rate / PAPER.audio.hop  # Hz: 62.5
BAND = (300.0, 7700.0)  # Hz, where lines are looked for
NEAR, AWAY = 1.5, 8.0  # Hz from a multiple of the frame rate: a line, and what lies between the lines
LOW, HIGH = 20.0, 7850.0  # Hz: what lies outside is heard by nobody, or is all that a vocoder's last bin can make
BLOCK, DROP = 0.05, 30.0  # seconds, and dB below a sound's median block, of a hole
EDGE = -50.0  # dBFS; a file that begins or ends above it clicks
FULL = 32767 / 32768  # the largest sample of a 16-bit file
NOISE_BANDS, NOISE = 50, 0.85  # Hz; flatness within such bands above which a sound counts as noise
SHORTEST = 2.0  # seconds of a sound whose lines can be told

KINDS = (
    "a dog barks", "church bell", "piano", "UI click", "rain", "wind", "car engine", "thunder", "door slam",
    "footsteps", "glass breaking", "gunshot", "crowd applause", "a cat meows", "birds", "hammering",
)  # fmt: skip
CONTINUOUS = ("rain", "wind", "ocean waves", "crowd applause", "a stream flows", "car engine")
SECONDS, SEED = 5.0, 7  # of one take of each kind
LONG_SEED, LONG_TAKES = 100, 3  # of each continuous kind, as long as the model was trained on (9.984 s)


def spectrum(wave: Wave, rate: int) -> NDArray[np.float64]:
    """Mean power over Hann windows of a second, every half second, [rate / 2 + 1]: bins of 1 Hz.

    A sound below a second is followed by silence.
    """
    padded = np.pad(wave.astype(np.float64), (0, max(0, rate - len(wave))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, rate)[:: rate // 2]
    return np.asarray(np.square(np.abs(np.fft.rfft(windows * np.hanning(rate)))).mean(axis=0))


def line_contrast(wave: Wave, rate: int, frame_rate: float = FRAME_RATE) -> float:
    """How far lines at multiples of the frame rate stand above what lies between them, in dB; NaN below two seconds.

    The median power of the bins within 1.5 Hz of a multiple, over that of the bins more than 8 Hz away, from 300 to
    7,700 Hz. Real recordings give -2 to 2 dB, whatever they are of.
    """
    if len(wave) < SHORTEST * rate or not wave.any():
        return math.nan
    power = spectrum(wave, rate)
    hz = np.arange(len(power))
    inside = (hz > BAND[0]) & (hz < BAND[1])
    away = np.abs((hz + frame_rate / 2) % frame_rate - frame_rate / 2)
    on, off = (float(np.median(power[inside & chosen])) for chosen in (away <= NEAR, away > AWAY))
    return 10 * math.log10((on + 1e-20) / (off + 1e-20))


def outside(wave: Wave, rate: int) -> tuple[float, float]:
    """Shares of the energy below 20 Hz and above 7,850 Hz; 0 and 0 for silence."""
    power = np.square(np.abs(np.fft.rfft(wave.astype(np.float64))))
    hz = np.fft.rfftfreq(len(wave), 1 / rate)
    total = float(power.sum()) or 1.0
    return float(power[hz < LOW].sum() / total), float(power[hz > HIGH].sum() / total)


def noise_like(wave: Wave, rate: int) -> bool:
    """Whether a sound of two seconds or more has no partials: its mean spectrum is flat within bands of 50 Hz."""
    if len(wave) < SHORTEST * rate or not wave.any():
        return False
    first, last = (round(hz) for hz in BAND)
    bands = spectrum(wave, rate)[first:last].reshape(-1, NOISE_BANDS) + 1e-20
    return bool(np.mean(np.exp(np.log(bands).mean(axis=1)) / bands.mean(axis=1)) > NOISE)


def holes(wave: Wave, rate: int) -> tuple[float, float]:
    """Seconds of the longest run of blocks more than 30 dB below the median block, and of all such blocks."""
    size = round(BLOCK * rate)
    blocks = wave[: len(wave) // size * size].reshape(-1, size).astype(np.float64)
    level = np.sqrt(np.square(blocks).mean(axis=1))
    quiet = level < np.median(level) * 10 ** (-DROP / 20) if len(level) else np.zeros(0, bool)
    longest = run = 0
    for is_quiet in quiet:
        run = run + 1 if is_quiet else 0
        longest = max(longest, run)
    return longest * BLOCK, float(quiet.sum() * BLOCK)


def true_peak_db(wave: Wave, rate: int) -> float:
    """Largest magnitude between samples too, at four times the rate, in dB; -inf for silence (BS.1770-4, Annex 2)."""
    return decibels(finish.true_peak(np.pad(wave, 256)[None], rate))  # an edge rings on both of its sides


def measure_wave(wave: Wave, rate: int) -> dict[str, float]:
    """Everything that is measured of one sound [samples], within ±1: dB of full scale, shares, seconds and counts."""
    low, high = outside(wave, rate)
    longest, total = holes(wave, rate)
    return {
        "seconds": len(wave) / rate,
        "lines_db": line_contrast(wave, rate),
        "below_20_hz": low,
        "above_7850_hz": high,
        "first_db": decibels(abs(float(wave[0]))),
        "last_db": decibels(abs(float(wave[-1]))),
        "full_scale": int((np.abs(wave) >= FULL).sum()),
        "true_peak_db": true_peak_db(wave, rate),
        "lufs": lufs(wave[None], rate),
        "longest_hole": longest,
        "holes": total,
        "mean": float(abs(np.mean(wave, dtype=np.float64))),
    }


@dataclass(frozen=True)
class TakeRequest:
    """One call of the public door."""

    prompt: str
    seconds: float | None
    seed: int
    takes: int = 1
    continuous: bool = False
    loudness: str = AS_MADE


def requests(loudness: str = AS_MADE) -> list[TakeRequest]:
    """16 kinds of five seconds and three takes of each continuous kind; 34 takes."""
    short = [TakeRequest(kind, SECONDS, SEED, loudness=loudness) for kind in KINDS]
    return short + [TakeRequest(kind, None, LONG_SEED, LONG_TAKES, True, loudness) for kind in CONTINUOUS]


def made(judge: Judge, request: TakeRequest) -> list[dict[str, Any]]:
    """The takes of a request as their files hold them, measured: nothing is remembered.

    Raises:
        ValueError: there is no such loudness.
    """
    sampling = replace(judge.sampling, seed=request.seed, count=request.takes)
    result = judge.maa.text_to_audio(request.prompt, sampling, seconds=request.seconds, loudness=request.loudness)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for take in range(request.takes):
            wave, rate = read_channel(result.save(Path(folder) / f"{take}.wav", take))
            named = {"prompt": request.prompt, "seed": result.seeds[take], "continuous": request.continuous}
            rows.append(named | measure_wave(wave, rate))
    return rows


def read_channel(path: Path) -> tuple[Wave, int]:
    """The first channel of a file [samples], and its rate.

    Raises:
        ValueError: the file cannot be read or is empty.
    """
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path} cannot be read as sound.") from error
    if not len(samples):
        raise ValueError(f"{path} holds no sound.")
    return np.ascontiguousarray(samples[:, 0]), int(rate)


def files(judge: Judge, loudness: str = AS_MADE, quick: bool = False) -> dict[str, Any]:
    """The 34 takes, one after the other, and their summary; `quick`: every fourth request."""
    asked = requests(loudness)[:: 4 if quick else 1]
    rows = [row for some in judge.share(made, asked, "files") for row in some]
    return {"summary": summary(rows), "takes": rows}


def files_of(paths: Iterable[Path]) -> dict[str, Any]:
    """The same of any sound files; a file or folder whose name holds the words of a continuous kind is such a sound.

    Raises:
        ValueError: a file cannot be read, or there is none.
    """
    rows = []
    for path in sorted(paths):
        said = f"{path.parent.name} {path.stem}".replace("_", " ").replace("-", " ").split()
        continuous = any(set(kind.split()) <= set(said) for kind in CONTINUOUS)
        rows.append({"file": path.name, "continuous": continuous} | measure_wave(*read_channel(path)))
    if not rows:
        raise ValueError("There is no sound to measure; name a folder with .wav, .flac, .ogg or .mp3 files.")
    return {"summary": summary(rows), "takes": rows}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of measured takes: medians, worst values and counts."""
    long = [row for row in rows if row["continuous"]]
    lines = [row["lines_db"] for row in long if not math.isnan(row["lines_db"])]
    loud = [row["lufs"] for row in rows if math.isfinite(row["lufs"])]
    worst = max(rows, key=lambda row: row["below_20_hz"] + row["above_7850_hz"])
    return {
        "takes": len(rows),
        "continuous": len(long),
        "lines_db_median": float(np.median(lines)) if lines else math.nan,
        "lines_db_worst": max(lines, default=math.nan),
        "below_20_hz_worst": max(row["below_20_hz"] for row in rows),
        "above_7850_hz_worst": max(row["above_7850_hz"] for row in rows),
        "outside_worst": worst["below_20_hz"] + worst["above_7850_hz"],
        "clicks_at_start": sum(row["first_db"] > EDGE for row in rows),
        "clicks_at_end": sum(row["last_db"] > EDGE for row in rows),
        "clipped": sum(row["full_scale"] >= 2 for row in rows),
        "true_peak_db_worst": max(row["true_peak_db"] for row in rows),
        "lufs_lowest": min(loud, default=math.nan),
        "lufs_highest": max(loud, default=math.nan),
        "mean_worst": max(row["mean"] for row in rows),
        "continuous_with_holes": sum(row["longest_hole"] > 0 for row in long),
        "longest_hole": max((row["longest_hole"] for row in long), default=math.nan),
    }
