"""(c) Does a take sound like its prompt, like real sound as a whole, and not like a copy?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from train.evaluation.copying import COPY, best_correlations
from train.evaluation.metrics import Labels, Score, Vectors, frechet, kid, rank, unit
from train.evaluation.reference import Reference
from train.evaluation.sounds import Wave, loudest
from train.evaluation.words import PARAPHRASES

ENOUGH_FOR_FRECHET = 500


def vocabulary(reference: Reference, takes: int) -> dict[str, Any]:
    """Takes of every concept's name, of paraphrases, and of shuffled prompts, against real clips."""
    judge, names = reference.judge, reference.names
    labels = np.repeat(np.arange(len(names)), takes)
    jobs = [(names[k], 1000 * k + n) for k in range(len(names)) for n in range(takes)]
    waves = [judge.take(name, seed) for name, seed in judge.watch(jobs, "takes")]
    raw = judge.remembered("takes", waves)
    report = scores_of(reference, waves, raw, labels)
    report["concepts"], report["takes_each"] = len(names), takes
    report["paraphrases"] = paraphrases(reference, unit(raw), labels, takes)
    return report


def scores_of(reference: Reference, waves: Sequence[Wave], raw: Vectors, labels: Labels) -> dict[str, Any]:
    """Everything that can be said of labelled sounds, whoever made them."""
    vectors = unit(raw)
    generated = rank(vectors, labels, reference.centres)
    rng = np.random.default_rng(0)
    shuffled = rank(vectors, rng.permutation(labels), reference.centres)
    real = reference.real()
    fresh, fresh_real = reference.new_sources(vectors, labels), reference.new_sources_real()
    report: dict[str, Any] = {"generated": asdict(generated), "shuffled": asdict(shuffled)}
    report |= {name: asdict(score) for name, score in real.items()}
    report["chance_top5"] = 5 / len(reference.names)
    report["share_of_real"] = {
        "top1": ratio(generated, real["real"], "top1"),
        "top5": ratio(generated, real["real"], "top5"),
        "top1_passed": ratio(generated, real["real_passed"], "top1"),
        "top5_passed": ratio(generated, real["real_passed"], "top5"),
    }
    report["new_sources"] = {
        "generated": asdict(fresh),
        "real": asdict(fresh_real),
        "share_of_real": {"top1": ratio(fresh, fresh_real, "top1"), "top5": ratio(fresh, fresh_real, "top5")},
    }
    report["distance"] = distances(reference, raw, labels)
    report["copying"] = copying(reference, waves)
    return report


def ratio(score: Score, other: Score, name: str) -> float:
    """One score as a share of another."""
    below = getattr(other, name)
    return float(getattr(score, name) / below) if below else float("nan")


def paraphrases(reference: Reference, vectors: Vectors, labels: Labels, takes: int) -> dict[str, Any]:
    """Captions in other words, and the literal score of the same concepts."""
    judge = reference.judge
    known = [(concept, said) for concept, said in PARAPHRASES.items() if concept in reference.names]
    if not known:
        return {"prompts": 0}
    jobs = [(said, 500_000 + 100 * k + n) for k, (_, said) in enumerate(known) for n in range(takes)]
    waves = [judge.take(said, seed) for said, seed in judge.watch(jobs, "paraphrases")]
    wanted = np.repeat(reference.labels_of([concept for concept, _ in known]), takes)
    said = rank(unit(judge.remembered("paraphrases", waves)), wanted, reference.centres)
    own = np.isin(labels, wanted)
    literal = rank(vectors[own], labels[own], reference.centres)
    return {
        "prompts": len(known),
        "generated": asdict(said),
        "literal": asdict(literal),
        "share_of_literal": {"top1": ratio(said, literal, "top1"), "top5": ratio(said, literal, "top5")},
    }


def distances(reference: Reference, raw: Vectors, labels: Labels) -> dict[str, Any]:
    """Fréchet distance on 64 components and unbiased KID against as many real clips of the same concepts, each beside
    what two samples of real clips give."""
    rng = np.random.default_rng(1)
    pool = np.flatnonzero(np.isin(reference.labels, labels))
    count = min(len(raw), len(pool))
    takes = rng.permutation(len(raw))[:count]
    half = min(count, len(pool) // 2)
    order = rng.permutation(pool)
    low = reference.components.of
    real = reference.raw[rng.permutation(pool)[:count]]
    first, second = reference.raw[order[:half]], reference.raw[order[half : 2 * half]]
    report: dict[str, Any] = {
        "frechet": frechet(low(raw[takes]), low(real)),
        "frechet_n": count,
        "frechet_n_is_enough": count >= ENOUGH_FOR_FRECHET,
        "frechet_floor": frechet(low(first), low(second)),
        "frechet_floor_n": half,
        "kid": kid(unit(raw), unit(reference.raw[pool]), rng),
        "kid_floor": kid(unit(first), unit(second), rng),
    }
    passed = reference.passed
    both = min(len(passed), count)
    report["frechet_real_passed"] = frechet(low(passed[:both]), low(real[:both]))
    report["kid_real_passed"] = kid(unit(passed), unit(reference.raw[pool]), rng)
    return report


def copying(reference: Reference, waves: Sequence[Wave]) -> dict[str, Any]:
    """Share of takes whose mel correlates above 0.95 with a train clip, beside held-out recordings."""
    judge, library = reference.judge, reference.library
    train = [judge.mel(loudest(library.wave(int(i)), judge.rate)) for i in library.indices("train")]
    held_out = [judge.mel(loudest(library.wave(int(i)), judge.rate)) for i in library.indices("test")]
    made = [judge.mel(loudest(wave, judge.rate)) for wave in waves]
    device = judge.maa.device
    best = best_correlations(made, train, device).max(axis=1, initial=-1.0)
    real = best_correlations(held_out, train, device).max(axis=1, initial=-1.0) if held_out else np.zeros(0)
    return {
        "share": float((best > COPY).mean()),
        "median": float(np.median(best)),
        "largest": float(best.max()),
        "held_out_share": float((real > COPY).mean()) if len(real) else float("nan"),
    }
