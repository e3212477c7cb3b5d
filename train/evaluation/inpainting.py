"""(d) What is heard inside a mask: wide and narrow holes, with the right prompt, a wrong one and none, and beside
interpolation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maa import Box, Sampling
from train.evaluation.metrics import unit
from train.evaluation.reference import Reference
from train.evaluation.sounds import Judge, Wave
from train.prompts.reprogram import Composer, Event

CASES = 30
HOLES = {"wide": 3.0, "narrow": 0.7}  # seconds, over the whole height
WAYS = ("right", "wrong", "none", "interpolation")


@dataclass(frozen=True)
class Case:
    """A clip of two sounds, a hole inside one of them, and the prompts to fill it with."""

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


def fill(judge: Judge, given: tuple[Case, str]) -> Wave:
    """The clip with its hole filled in one of the ways."""
    case, way = given
    spec, front = judge.maa.config.audio, judge.maa.model.front
    if way == "interpolation":
        first, last = (round(t * spec.sample_rate / spec.hop) for t in (case.box.start, case.box.end))
        log = torch.from_numpy(interpolate(judge.mel(case.wave), first, last))[None, None]
        made = judge.maa.renderer.vocode(front.from_log10(log.to(judge.maa.device)))[0]
        out = case.wave.copy()
        inside = slice(first * spec.hop, last * spec.hop)
        out[inside] = made[inside]
        return out
    prompt = {"right": case.right, "wrong": case.wrong, "none": ""}[way]
    chosen = Sampling(judge.sampling.steps, judge.sampling.guidance, case.seed, 1, judge.sampling.sampler)
    sound = hashlib.sha256(case.wave.tobytes()).hexdigest()
    made_of = f"inpaint|{judge.made_by}|{judge.maa.dtype}|{chosen}|{prompt}|{case.box}|{sound}"
    return judge.kept(
        made_of, lambda: judge.maa.inpaint((spec.sample_rate, case.wave), [case.box], prompt, chosen).audio[0, 0]
    )


def inpainting(reference: Reference, count: int = CASES) -> dict[str, Any]:
    """Inside the hole: cosine to the hidden concept's centroid, log10-mel L1 to the truth, and how often the right
    prompt is nearer than the wrong one."""
    return {kind: _scores(reference, cases(reference, seconds, count)) for kind, seconds in HOLES.items()}


def _scores(reference: Reference, made: list[Case]) -> dict[str, Any]:
    judge, rate = reference.judge, reference.judge.rate
    filled = judge.share(fill, [(case, way) for way in WAYS for case in made], "inpainting")
    whole = {way: filled[k * len(made) : (k + 1) * len(made)] for k, way in enumerate(WAYS)}
    whole["truth"] = [case.wave for case in made]
    spans = [slice(round(c.box.start * rate), round(c.box.end * rate)) for c in made]
    inside = {
        way: [np.ascontiguousarray(wave[span]) for wave, span in zip(waves, spans, strict=True)]
        for way, waves in whole.items()
    }
    report: dict[str, Any] = {"cases": len(made), "seconds": made[0].box.end - made[0].box.start}
    report |= _cosines(reference, made, inside)
    for way in WAYS:
        pairs = zip(inside[way], inside["truth"], strict=True)
        report[way]["mel_l1"] = float(np.mean([np.abs(judge.mel(a) - judge.mel(b)).mean() for a, b in pairs]))
    return report | {one.by: _cosines(one, made, inside) for one in reference.others}


def _cosines(reference: Reference, made: list[Case], inside: dict[str, list[Wave]]) -> dict[str, Any]:
    target = unit(reference.centres)[reference.labels_of([case.right for case in made])]
    cosine = {
        way: (reference.directions(reference.heard(f"hole-{way}", waves, real=way == "truth")) * target).sum(axis=1)
        for way, waves in inside.items()
    }
    report: dict[str, Any] = {way: {"cosine": float(values.mean())} for way, values in cosine.items()}
    for other in ("wrong", "none", "interpolation"):
        report[f"right_beats_{other}"] = float(np.mean(cosine["right"] > cosine[other]))
    return report
