"""(d) What is heard inside a mask: wide and narrow ones, with the right prompt, a wrong one and none, and beside
interpolation; whether its edges are heard (flux), and whether what was painted over comes back (leak)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maa import Box
from maa.config import AudioSpec
from train.data.prompts.composer import Composer, Event
from train.evaluation.metrics import unit
from train.evaluation.reference import Reference
from train.evaluation.sounds import Judge, Wave

CASES = 30
MASKS = {"wide": 3.0, "narrow": 0.7}  # seconds, over the whole height
WAYS = ("right", "wrong", "none", "interpolation")
REACH = 8  # frames on either side of an edge within which its flux is looked for: 128 ms
TOLERATED = 1.5  # times the 95th percentile of the flux within uncut sound
REMOVED = "dog barking"  # what is laid over a sound that lasts, and painted over
BARK, SHORTEST, LONGEST = 0.9, 4.0, 8.0  # seconds of it at most, and of what it is laid over
ROOM, MARGIN = 3, 40  # frames painted beside it, and kept at least at the ends of the clip
EMBEDDED = 0.5  # seconds that aiSFX needs


@dataclass(frozen=True)
class Case:
    """A clip of two sounds, a box inside one of them, and the prompts to fill it with."""

    wave: Wave
    box: Box
    right: str
    wrong: str
    seed: int


def cases(reference: Reference, seconds: float, count: int = CASES) -> list[Case]:
    """Clips of held-out recordings where there are enough of them, else of train recordings."""
    library, spec = reference.library, reference.judge.maa.config.audio
    held_out = reference.rows_of("test")
    rows = held_out if len({library.rows[i].concept for i in held_out}) >= 10 else reference.rows
    families = {library.rows[i].concept: library.rows[i].family for i in rows}
    composer = Composer(library, rows, spec.samples, spec.sample_rate)
    rng = np.random.default_rng(3)
    made = []
    for number in range(count):
        first, second = composer.pick(rng), composer.pick(rng)
        cut = spec.samples // 2
        events = tuple(
            Event(a, b, library.rows[i].concept, i) for a, b, i in ((0, cut, first), (cut, spec.samples, second))
        )
        wave = composer.render([composer.lay(events, "", rng)])[0].numpy()
        start = spec.seconds * 0.75 - seconds / 2
        right = events[1].caption
        others = sorted(c for c, f in families.items() if f != families[right] and c != events[0].caption)
        wrong = others[int(rng.integers(len(others)))] if others else events[0].caption
        made.append(Case(wave, Box(start, start + seconds), right, wrong, 900_000 + number))
    return made


def interpolate(mel: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
    """log10 mel [mels, T] with columns first..last on straight lines between their neighbours."""
    out = mel.copy()
    left, right = mel[:, max(0, first - 1)], mel[:, min(mel.shape[1] - 1, last)]
    share = (np.arange(first, last) - first + 1) / (last - first + 1)
    out[:, first:last] = left[:, None] * (1 - share) + right[:, None] * share
    return out


def inpainted(judge: Judge, wave: Wave, box: Box, prompt: str, seed: int) -> Wave:
    """A clip with a box made anew, kept for these weights and settings."""
    chosen = replace(judge.sampling, seed=seed, count=1)
    sound = hashlib.sha256(wave.tobytes()).hexdigest()
    made_of = f"inpaint|{judge.made_by}|{judge.maa.dtype}|{chosen}|{prompt}|{box}|{sound}"
    return judge.kept(made_of, lambda: judge.maa.inpaint((judge.rate, wave), [box], prompt, chosen).audio[0, 0])


def fill(judge: Judge, given: tuple[Case, str]) -> Wave:
    """The clip with its box filled in one of the ways."""
    case, way = given
    spec, front = judge.maa.config.audio, judge.maa.model.front
    if way == "interpolation":
        first, last = _edges(case.box, spec)
        log = torch.from_numpy(interpolate(judge.mel(case.wave), first, last))[None, None]
        made = judge.maa.renderer.vocode(front.from_log10(log.to(judge.maa.device)))[0]
        out = case.wave.copy()
        inside = slice(first * spec.hop, last * spec.hop)
        out[inside] = made[inside]
        return out
    prompt = {"right": case.right, "wrong": case.wrong, "none": ""}[way]
    return inpainted(judge, case.wave, case.box, prompt, case.seed)


def _edges(box: Box, spec: AudioSpec) -> tuple[int, int]:
    """A box's first frame, and the one behind its last."""
    first, last = (round(seconds * spec.sample_rate / spec.hop) for seconds in (box.start, box.end))
    return first, last


def inpainting(reference: Reference, count: int = CASES) -> dict[str, Any]:
    """Inside the box: cosine to the hidden concept's centroid, log10-mel L1 to the truth, and how often the right
    prompt is nearer than the wrong one; flux at its edges; and what leaks of a sound that was painted over."""
    report = {kind: _scores(reference, cases(reference, seconds, count)) for kind, seconds in MASKS.items()}
    return report | {"leak": leak(reference, count)}


def _scores(reference: Reference, made: list[Case]) -> dict[str, Any]:
    judge, rate = reference.judge, reference.judge.rate
    results = judge.share(fill, [(case, way) for way in WAYS for case in made], "inpainting")
    whole = {way: results[k * len(made) : (k + 1) * len(made)] for k, way in enumerate(WAYS)}
    whole["truth"] = [case.wave for case in made]
    spans = [slice(round(c.box.start * rate), round(c.box.end * rate)) for c in made]
    inside = {
        way: [np.ascontiguousarray(wave[span]) for wave, span in zip(waves, spans, strict=True)]
        for way, waves in whole.items()
    }
    report: dict[str, Any] = {"cases": len(made), "seconds": made[0].box.end - made[0].box.start}
    report |= _cosines(reference, made, inside) | {"flux": edge_flux(judge, made, whole["right"])}
    for way in WAYS:
        pairs = zip(inside[way], inside["truth"], strict=True)
        report[way]["mel_l1"] = float(np.mean([np.abs(judge.mel(a) - judge.mel(b)).mean() for a, b in pairs]))
    return report | {one.by: _cosines(one, made, inside) for one in reference.others}


def _cosines(reference: Reference, made: list[Case], inside: dict[str, list[Wave]]) -> dict[str, Any]:
    target = unit(reference.centres)[reference.labels_of([case.right for case in made])]
    cosine = {
        way: (reference.directions(reference.embedded(f"hole-{way}", waves, real=way == "truth")) * target).sum(axis=1)
        for way, waves in inside.items()
    }
    report: dict[str, Any] = {way: {"cosine": float(values.mean())} for way, values in cosine.items()}
    for other in ("wrong", "none", "interpolation"):
        report[f"right_beats_{other}"] = float(np.mean(cosine["right"] > cosine[other]))
    return report


def spectral_flux(mel: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rise of a log10 mel [mels, T] from frame to frame in dB, mean over bands, [T - 1]; what is 80 dB below the
    loudest counts as that."""
    level = 20 * np.maximum(mel, mel.max() - 4.0)
    return np.asarray(np.maximum(np.diff(level, axis=1), 0).mean(axis=0), dtype=np.float64)


def edge_flux(judge: Judge, made: list[Case], waves: list[Wave]) -> dict[str, Any]:
    """Spectral flux at the edges of filled boxes, the largest within 128 ms, beside that of the same clips uncut."""
    spec = judge.maa.config.audio

    def near(flux: NDArray[np.float64], edges: Iterable[int]) -> list[float]:
        return [float(flux[max(0, edge - REACH) : edge + REACH].max()) for edge in edges]

    uncut, true, found = [], [], []
    for case, wave in zip(made, waves, strict=True):
        flux, edges = spectral_flux(judge.mel(case.wave)), _edges(case.box, spec)
        half = len(flux) // 2  # the clip's second sound alone: where two meet it has a joint of its own
        uncut += near(flux, range(half + REACH, len(flux) - REACH, REACH))
        true += near(flux, edges)
        found += near(spectral_flux(judge.mel(wave)), edges)
    limit = float(np.percentile(uncut, 95))
    return {
        "uncut_p95": limit,
        "joints_p95": float(np.percentile(found, 95)),
        "within": float(np.mean(np.array(found) <= TOLERATED * limit)),
        "uncut_within": float(np.mean(np.array(true) <= TOLERATED * limit)),
    }


@dataclass(frozen=True)
class LeakCase:
    """A sound that lasts, a bark over it, both together, and the box around the bark."""

    background: Wave
    bark: Wave  # silent elsewhere
    mix: Wave
    box: Box
    seed: int


def leak_cases(reference: Reference, count: int) -> list[LeakCase]:
    """Barks over backgrounds, held-out ones first; none where the library has not both."""
    library, spec, rng = reference.library, reference.judge.maa.config.audio, np.random.default_rng(2)
    barks = [i for i, row in enumerate(library.rows) if row.concept == REMOVED]
    lasting = [int(i) for i in np.flatnonzero(library.sustained) if library.seconds(int(i)) >= SHORTEST]
    beds = sorted(lasting, key=lambda i: library.rows[i].split != "test")
    made = []
    for number in range(count if barks and beds else 0):
        wave = library.wave(beds[number % len(beds)])
        frames = min(len(wave), round(LONGEST * spec.sample_rate)) // spec.hop
        first = int(rng.integers(0, len(wave) - frames * spec.hop + 1))
        bed = wave[first : first + frames * spec.hop]
        own = library.wave(barks[number % len(barks)])[: round(BARK * spec.sample_rate)]
        span = -(-len(own) // spec.hop) + 2 * ROOM
        start = int(rng.integers(MARGIN, frames - span - MARGIN))
        bark = np.zeros_like(bed)
        bark[(start + ROOM) * spec.hop :][: len(own)] = own
        gain = min(1.0, 0.95 / float(np.abs(bed + bark).max()))
        box = Box(start * spec.frame_seconds, (start + span) * spec.frame_seconds)
        made.append(LeakCase(bed, bark, (bed + bark) * np.float32(gain), box, 950_000 + number))
    return made


def remove(judge: Judge, case: LeakCase) -> Wave:
    """The clip without its bark, filled without a prompt."""
    return inpainted(judge, case.mix, case.box, "", case.seed)


def leak(reference: Reference, count: int) -> dict[str, Any]:
    """Is what was filled in less like what was removed than like other moments of the same background? aiSFX cosines
    of what was made, of the true background, and of the bark left in."""
    judge, spec = reference.judge, reference.judge.maa.config.audio
    made = leak_cases(reference, count)
    rows = []
    for case, wave in zip(made, judge.share(remove, made, "leak"), strict=True):
        first, last = (edge * spec.hop for edge in _edges(case.box, spec))
        size = max(last - first, round(EMBEDDED * spec.sample_rate))
        inside = slice(first, first + size)
        starts = range(0, len(wave) - size, size // 2)
        others = [case.mix[p : p + size] for p in starts if p + size <= inside.start or p >= inside.stop]
        parts = [x[inside] for x in (wave, case.background, case.mix, case.bark)]
        sounds = unit(judge.embed([*parts, *others], whole=True))
        for sound in sounds[:3]:
            rows.append((sound @ sounds[3], sound @ sounds[2], (sounds[4:] @ sound).mean()))
    report: dict[str, Any] = {"cases": len(made)}
    for k, name in enumerate(("filled", "true_background", "bark_left_in") if made else ()):
        bark, both, bed = np.array(rows[k::3]).T
        report[name] = {
            "to_bark": float(bark.mean()),
            "to_bark_and_background": float(both.mean()),
            "to_background_elsewhere": float(bed.mean()),
            "nearer_to_background_than_to_bark": float(np.mean(bark <= bed)),
            "nearer_to_background_than_to_both": float(np.mean(both <= bed)),
        }
    return report
