"""(c) Does a take sound like its prompt, like real sound as a whole, and not like a copy?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.evaluation.copying import COPY, best_correlations
from train.evaluation.distances import frechet_distance
from train.evaluation.ears import YamnetEars, inception_score, tag_divergence
from train.evaluation.metrics import Labels, Score, Vectors, centroids, kid, rank_sounds
from train.evaluation.prompts import PARAPHRASES
from train.evaluation.reference import Reference
from train.evaluation.sounds import Wave, judged_stretch

ENOUGH_FOR_FRECHET = 500


def vocabulary(reference: Reference, takes: int) -> dict[str, Any]:
    """Takes of every concept's name and of shuffled prompts, against real clips."""
    labels, waves = named(reference, takes)
    report = scores_of(reference, waves, labels)
    report["concepts"], report["takes_each"] = len(reference.names), takes
    return report


def named(reference: Reference, takes: int, guidance: float | None = None, every: int = 1) -> tuple[Labels, list[Wave]]:
    """Labels and takes of every concept's name, or of each `every`th one's."""
    jobs = [(name, 1000 * k + n) for k, name in enumerate(reference.names) if k % every == 0 for n in range(takes)]
    labels = np.array([seed // 1000 for _, seed in jobs], np.int64)
    return labels, reference.judge.takes(jobs, "takes", guidance=guidance)


def guidance_sweep(reference: Reference, scales: Sequence[float], takes: int, every: int) -> dict[str, Any]:
    """Recognisability and distance to real clips of the same prompts and seeds at several scales of guidance."""
    found: dict[str, Any] = {}
    for scale in scales:
        labels, waves = named(reference, takes, scale, every)
        rows: dict[str, dict[str, Any]] = {}
        for one in reference.everyone:
            vectors = one.directions(one.embedded("sweep", waves))
            near = kid(vectors, one.vectors[np.isin(one.labels, labels)], np.random.default_rng(1))
            rows[one.by] = asdict(rank_sounds(vectors, labels, one.centres)) | {"kid": near}
        found[f"{scale:g}"] = nested(reference, rows)
    return {"scales": found}


def nested(reference: Reference, found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The first ears' entries, with each other's under their name beside them."""
    return found[reference.by] | {name: entries for name, entries in found.items() if name != reference.by}


def scores_of(reference: Reference, waves: Sequence[Wave], labels: Labels) -> dict[str, Any]:
    """Everything that can be said of labelled sounds, whoever made them; other ears' part under their name."""
    found = {}
    for one in reference.everyone:
        raw = one.embedded("takes", list(waves))
        found[one.by] = judged(one, raw, labels)
        if isinstance(one.ears, YamnetEars):
            found[one.by]["tags"] = tags_of(one, one.ears, raw, labels)
    return nested(reference, found) | {"copying": copying(reference, waves)}


def judged(reference: Reference, raw: Vectors, labels: Labels) -> dict[str, Any]:
    """Recognisability and distances of labelled sounds, from their rows by the reference's ears."""
    vectors = reference.directions(raw)
    generated = rank_sounds(vectors, labels, reference.centres)
    rng = np.random.default_rng(0)
    shuffled = rank_sounds(vectors, rng.permutation(labels), reference.centres)
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
    return report


def tags_of(reference: Reference, ears: YamnetEars, raw: Vectors, labels: Labels) -> dict[str, Any]:
    """How far the tags of takes are from what is heard in real clips of their concept, and how varied they are.

    Expected are the mean tags of the train clips of the concept: of all of them for takes, of the others for a train
    clip itself. Variety (IS) depends on how many sounds there are, so real clips are as many as takes.
    """
    real, made, passed = (ears.tags(rows) for rows in (reference.raw, raw, reference.passed))
    of, rng = reference.labels, np.random.default_rng(4)
    expected, sizes = centroids(real, of, len(reference.names)), np.bincount(of, minlength=len(reference.names))
    without = (expected[of] * sizes[of, None] - real) / np.maximum(1, sizes[of, None] - 1)
    chosen = reference.passed_rows
    pool = rng.permutation(np.flatnonzero(np.isin(of, labels)))[: len(made)]
    divergences = {
        "generated": tag_divergence(expected[labels], made),
        "shuffled": tag_divergence(expected[rng.permutation(labels)], made),
        "real": tag_divergence(without, real),
        "real_passed": tag_divergence(without[chosen], passed),
    }
    report: dict[str, Any] = {
        name: {"kl_mean": float(found.mean()), "kl_median": float(np.median(found)), "sounds": len(found)}
        for name, found in divergences.items()
    }
    report["inception"] = {"generated": inception_score(made[rng.permutation(len(made))[: len(pool)]])}
    report["inception"] |= {"real": inception_score(real[pool]), "sounds": len(pool)}
    return report


def ratio(score: Score, other: Score, name: str) -> float:
    """One score as a share of another."""
    below = getattr(other, name)
    return float(getattr(score, name) / below) if below else float("nan")


def paraphrases(reference: Reference, takes: int) -> dict[str, Any]:
    """Captions in other words, beside the literal names of the same concepts."""
    judge = reference.judge
    known = [(concept, said) for concept, said in PARAPHRASES.items() if concept in reference.names]
    if not known:
        return {"prompts": 0}
    wanted = np.repeat(reference.labels_of([concept for concept, _ in known]), takes)
    jobs = [(said, 500_000 + 100 * k + n) for k, (_, said) in enumerate(known) for n in range(takes)]
    made = {
        "generated": judge.takes(jobs, "paraphrases"),
        "as_said": judge.takes(jobs, "paraphrases, as said", literal=True),
        "literal": judge.takes(
            [(c, 1000 * reference.names.index(c) + n) for c, _ in known for n in range(takes)], "paraphrases"
        ),
    }
    found = {}
    for one in reference.everyone:
        scores = {
            name: rank_sounds(one.directions(one.embedded("paraphrases", waves)), wanted, one.centres)
            for name, waves in made.items()
        }
        led, literal = scores["generated"], scores["literal"]
        share = {"top1": ratio(led, literal, "top1"), "top5": ratio(led, literal, "top5")}
        found[one.by] = {name: asdict(score) for name, score in scores.items()} | {"share_of_literal": share}
    return {"prompts": len(known), "takes_each": takes} | nested(reference, found)


def distances(reference: Reference, raw: Vectors, labels: Labels) -> dict[str, Any]:
    """Fréchet distance on 64 components and unbiased KID against as many real clips of the same concepts, each beside
    what two samples of real clips give."""
    rng = np.random.default_rng(1)
    pool = np.flatnonzero(np.isin(reference.labels, labels))
    count = min(len(raw), len(pool))
    takes = rng.permutation(len(raw))[:count]
    half = min(count, len(pool) // 2)
    order = rng.permutation(pool)

    def low(rows: Vectors) -> NDArray[np.float64]:
        return reference.components.of(reference.ears.vectors(rows))

    near = reference.directions
    real = reference.raw[rng.permutation(pool)[:count]]
    first, second = reference.raw[order[:half]], reference.raw[order[half : 2 * half]]
    report: dict[str, Any] = {
        "frechet": frechet_distance(low(raw[takes]), low(real)),
        "frechet_n": count,
        "frechet_n_is_enough": count >= ENOUGH_FOR_FRECHET,
        "frechet_floor": frechet_distance(low(first), low(second)),
        "frechet_floor_n": half,
        "kid": kid(near(raw), near(reference.raw[pool]), rng),
        "kid_floor": kid(near(first), near(second), rng),
    }
    passed = reference.passed
    both = min(len(passed), count)
    some = np.random.default_rng(2).permutation(len(passed))[:both]  # they lie in the order of their concepts
    report["frechet_real_passed"] = frechet_distance(low(passed[some]), low(real[:both]))
    report["kid_real_passed"] = kid(near(passed), near(reference.raw[pool]), rng)
    return report


def copying(reference: Reference, waves: Sequence[Wave]) -> dict[str, Any]:
    """Share of takes whose mel correlates above 0.95 with a train clip, beside held-out recordings."""
    judge, library = reference.judge, reference.library
    train, held_out = (
        [judge.mel(judged_stretch(library.wave(int(i)), judge.rate)) for i in library.indices(split)]
        for split in ("train", "test")
    )
    device = judge.maa.device
    made = [judge.mel(judged_stretch(wave, judge.rate)) for wave in waves]
    best = best_correlations(made, train, device).max(axis=1, initial=-1.0)
    made_of = repr((judge.maa.config.audio, [(row.path, row.split) for row in library.rows])).encode()
    samples = library.digest().encode() if library.streamed else library.samples.tobytes()
    digest = hashlib.sha256(made_of + samples).hexdigest()[:16]
    real = judge.computed(
        f"copies-{digest}", lambda: best_correlations(held_out, train, device).max(axis=1, initial=-1.0), real=True
    )
    return {
        "share": float((best > COPY).mean()),
        "median": float(np.median(best)),
        "largest": float(best.max()),
        "held_out_share": float((real > COPY).mean()) if len(real) else float("nan"),
        "held_out_median": float(np.median(real)) if len(real) else float("nan"),
    }
