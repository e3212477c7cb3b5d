"""All recordings in memory at one rate: decoded, trimmed and levelled once, then kept in one compressed file."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maa.aside import aside
from maa.config import PAPER
from maa.dsp import loudest_stretch, window_energy
from maa.foreign import foreign
from train.data.blocks import decode_blocks, forget_blocks
from train.data.check import Findings, examine
from train.data.manifest import MANIFEST, Recording, load_manifest

RATE = PAPER.audio.sample_rate  # Hz, unless a model of another rate is trained
LONGEST = 12.0  # seconds kept of one recording
SILENCE = 10 ** (-50 / 20)  # of the peak; quieter edges are cut
LEVEL = 10 ** (-20 / 20)  # RMS of the loudest 0.4 s
PEAK = 0.95
EDGE = 10 ** (-8 / 20)  # of the RMS of a whole recording: edges above it do not end a sound


def cache_name(rate: int = RATE) -> str:
    """The file that keeps a library of one rate in Hz."""
    return f"library-{rate // 1000}k.npz"


CACHE = cache_name()
BLOCKS = ".blocks"  # beside it, while it is built


class Library:
    """Recordings and their waveforms.

    Args:
        rows: the recordings.
        samples: int16 [total], the waveforms one after another.
        offsets: int64 [rows + 1], where each begins.
        left_out: paths of recordings that were found to be bad.
        rate: Hz of the waveforms.
    """

    def __init__(
        self,
        rows: Sequence[Recording],
        samples: NDArray[np.int16],
        offsets: NDArray[np.int64],
        left_out: Sequence[str] = (),
        rate: int = RATE,
    ) -> None:
        if len(offsets) != len(rows) + 1 or offsets[-1] != len(samples):
            raise ValueError("The library's waveforms do not fit its rows; delete the cache file and open it again.")
        self.rows = tuple(rows)
        self.samples = samples
        self.offsets = offsets
        self.left_out = frozenset(left_out)
        self.rate = rate

    @classmethod
    def open(cls, root: Path = Path("data"), manifest: Path = MANIFEST, rate: int = RATE) -> Library:
        """Load `root`/library-16k.npz (or that of another rate), or build it from `root`/recordings and save it.

        A cache that was built from another manifest is built again when the recordings are there, or gets new labels
        where only those differ; without them it serves as it is, so a machine that trains needs nothing but this file.
        """
        cached, recordings = root / cache_name(rate), root / "recordings"
        stored = cls.load(cached) if cached.is_file() else None
        if stored is not None and not recordings.is_dir():
            return stored
        present = [row.recording() for row in load_manifest(manifest) if (recordings / row.path).is_file()]
        if stored is not None:
            wanted = [row for row in present if not stored.rejects(recordings / row.path, row.path.as_posix(), cached)]
            if not present or list(stored.rows) == wanted:
                return stored
            if [row.path for row in stored.rows] == [row.path for row in wanted]:  # the same sounds, other words
                stored = cls(wanted, stored.samples, stored.offsets, sorted(stored.left_out), rate)
                stored.save(cached)
                return stored
        if not present:
            raise ValueError(f"There are no recordings in {recordings}; fetch them with `python -m train.data fetch`.")
        findings = Findings()
        kept = root / BLOCKS
        built = cls.build(present, recordings, findings, rate=rate, kept=kept)
        if findings.problems:
            print("\n".join(map(str, findings.problems)), findings.summary(len(present)), sep="\n", file=sys.stderr)
        built.save(cached)
        forget_blocks(kept)
        return built

    @classmethod
    def build(
        cls,
        rows: Sequence[Recording],
        recordings: Path,
        findings: Findings | None = None,
        rates: Sequence[int | None] | None = None,
        rate: int = RATE,
        kept: Path | None = None,
    ) -> Library:
        """Decode every recording below `recordings`; bad ones are left out and noted in `findings`.

        Args:
            rates: Hz that each file must have, where its data set promises one.
            rate: Hz of the library.
            kept: folder for what is decoded already, so that a run that is killed goes on; see `decode_blocks`.

        Raises:
            ValueError: not one recording is good.
        """
        findings = Findings() if findings is None else findings
        promised = rates or [None] * len(rows)

        def decode(k: int, found: Findings) -> NDArray[np.int16] | None:
            sound = examine(rows[k].path.as_posix(), recordings / rows[k].path, found, rate=promised[k])
            return None if sound is None else _int16(trim_and_level(at_rate(sound.samples, sound.rate, rate), rate))

        folder = None if kept is None else kept / f"{rate}"
        decoded = dict(decode_blocks(rows, recordings, decode, findings, folder))
        good, waves = [rows[k] for k in decoded], list(decoded.values())
        if not good:
            raise ValueError(f"No recording in {recordings} can be used: {findings.summary(len(rows))}")
        offsets = np.cumsum([0, *(len(wave) for wave in waves)], dtype=np.int64)
        return cls(good, np.concatenate(waves), offsets, [problem.row for problem in findings.problems], rate)

    @classmethod
    def load(cls, path: Path) -> Library:
        """Read a cache file; needs nothing but NumPy. ValueError where it is damaged."""
        damaged = f"{path} is damaged; delete it, and build it again."
        with path.open("rb") as stream, foreign(damaged), np.load(stream, allow_pickle=False) as file:
            lines = json.loads(str(file["rows"]))
            rows = [Recording(**{**x, "captions": tuple(x["captions"]), "path": Path(x["path"])}) for x in lines]
            left_out = json.loads(str(file["left_out"])) if "left_out" in file.files else []
            rate = int(file["rate"]) if "rate" in file.files else RATE
            return cls(rows, file["samples"], file["offsets"], left_out, rate)

    def save(self, path: Path) -> None:
        """Write the cache file, whole or not at all."""
        lines = [{**asdict(row), "path": row.path.as_posix()} for row in self.rows]
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside(path, f"{path.name}.part") as neighbour, neighbour.open("wb") as file:
            rows, left_out = (np.array(json.dumps(x)) for x in (lines, sorted(self.left_out)))
            rate = np.array(self.rate)
            np.savez_compressed(
                file, samples=self.samples, offsets=self.offsets, rows=rows, left_out=left_out, rate=rate
            )

    @classmethod
    def join(cls, parts: Sequence[tuple[str, Library]]) -> Library:
        """Several libraries of one rate as one; each one's paths and ids get its name in front."""
        rows = [
            replace(row, id=f"{name}/{row.id}", path=Path(name) / row.path) for name, part in parts for row in part.rows
        ]
        lengths = np.concatenate([np.diff(part.offsets) for _, part in parts])
        left_out = [f"{name}/{path}" for name, part in parts for path in sorted(part.left_out)]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return cls(rows, np.concatenate([part.samples for _, part in parts]), offsets, left_out, parts[0][1].rate)

    def rejects(self, path: Path, name: str, cached: Path) -> bool:
        """Whether the file was found to be bad when `cached` was made, and has not changed since."""
        return name in self.left_out and path.stat().st_mtime <= cached.stat().st_mtime

    def wave(self, i: int) -> NDArray[np.float32]:
        """Waveform [samples] of recording `i`, within ±1."""
        return self.samples[self.offsets[i] : self.offsets[i + 1]].astype(np.float32) / np.float32(32768)

    def seconds(self, i: int) -> float:
        """Length of recording `i` after trimming."""
        return float(self.offsets[i + 1] - self.offsets[i]) / self.rate

    @property
    def concepts(self) -> tuple[str, ...]:
        """All concepts, sorted."""
        return tuple(sorted({row.concept for row in self.rows}))

    def indices(self, split: str | None = None) -> NDArray[np.int64]:
        """Indices of the recordings of one split ("train", "valid", "test"), or of all."""
        return np.array([i for i, row in enumerate(self.rows) if split in (None, row.split)], dtype=np.int64)

    def by_concept(self, split: str | None = None) -> dict[str, NDArray[np.int64]]:
        """Indices of the recordings of each concept, sorted by concept."""
        groups: dict[str, list[int]] = {}
        for i in self.indices(split).tolist():
            groups.setdefault(self.rows[i].concept, []).append(i)
        return {concept: np.array(groups[concept], dtype=np.int64) for concept in sorted(groups)}

    @cached_property
    def levels(self) -> NDArray[np.float32]:
        """RMS of the loudest 0.4 s of each recording, within 1."""
        return np.array([loudest_level(self.wave(i), self.rate) for i in range(len(self.rows))], np.float32)

    @cached_property
    def sustained(self) -> NDArray[np.bool_]:
        """Recordings of sounds that last, [N]: rain, an engine, a crowd; not a bark."""
        return np.array([row.sustained for row in self.rows], bool)

    @cached_property
    def sustained_concepts(self) -> frozenset[str]:
        """Names of the sounds that last: what a clip of one of them must never fall silent in."""
        return frozenset(row.concept for row in self.rows if row.sustained)

    @cached_property
    def steady(self) -> NDArray[np.bool_]:
        """Recordings that neither begin nor end in quiet, as rain does and a bark does not: they can be looped."""
        return np.array([_is_steady(self.wave(i), self.rate) for i in range(len(self.rows))], bool)

    @cache  # noqa: B019 - a library lives as long as the program
    def groups(self, indices: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
        """The same indices, grouped by concept."""
        groups: dict[str, list[int]] = {}
        for i in indices:
            groups.setdefault(self.rows[i].concept, []).append(i)
        return tuple(np.array(groups[concept], dtype=np.int64) for concept in sorted(groups))


def decode_file(path: Path, rate: int) -> NDArray[np.float32]:
    """A file as mono [samples] at a rate in Hz."""
    import soundfile

    samples, found = soundfile.read(path, dtype="float32", always_2d=True)
    return at_rate(samples, found, rate)


def at_rate(samples: NDArray[np.float32], source: int, target: int) -> NDArray[np.float32]:
    """Sound [frames, channels] of a rate as mono [samples] at another, in Hz."""
    import soxr

    return np.asarray(soxr.resample(samples.mean(axis=1), source, target, quality="VHQ"), dtype=np.float32)


def trim_and_level(wave: NDArray[np.float32], rate: int = RATE) -> NDArray[np.float32]:
    """Cut silent edges, keep the loudest 12 s, and bring the loudest 0.4 s to -20 dBFS with a peak of at most 0.95.

    Args:
        wave: [samples], not silent. rate: its Hz.

    Returns:
        [samples], at most 12 s.
    """
    wave = wave - wave.mean(dtype=np.float64).astype(np.float32)
    peak = float(np.abs(wave).max(initial=0.0))
    heard = np.flatnonzero(np.abs(wave) > peak * SILENCE)
    wave = wave[heard[0] : heard[-1] + 1]
    wave = loudest_stretch(wave, int(LONGEST * rate))
    gain = min(LEVEL / max(loudest_level(wave, rate), 1e-9), PEAK / float(np.abs(wave).max()))
    return (wave * np.float32(gain)).astype(np.float32)


def loudest_level(wave: NDArray[np.float32], rate: int) -> float:
    """RMS of the loudest 0.4 s of a waveform [samples], not empty."""
    window = min(len(wave), int(0.4 * rate))
    return float(np.sqrt(window_energy(wave, window).max() / window))


def _is_steady(wave: NDArray[np.float32], rate: int) -> bool:
    """True when the first and the last tenth of a second are about as loud as the whole."""
    level = np.sqrt(np.mean(np.square(wave))) * EDGE
    return all(np.sqrt(np.mean(np.square(edge))) > level for edge in (wave[: rate // 10], wave[-(rate // 10) :]))


def _int16(wave: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.round(wave * 32767).astype(np.int16)
