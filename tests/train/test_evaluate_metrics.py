"""The measures against what is known in closed form."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from train.data import load_manifest
from train.data.prompts.synonyms import synonym_table
from train.evaluation import metrics
from train.evaluation.copying import best_correlations
from train.evaluation.events import both, change_point
from train.evaluation.inpainting import interpolate
from train.evaluation.prompts import PARAPHRASES, sentence, two_events
from train.evaluation.reference import ENOUGH
from train.evaluation.timed import onset

RNG = np.random.default_rng(0)
PLAIN = {"a", "an", "the", "of", "and", "at", "in", "by", "to", "from", "with", "into", "on", "something", "someone"}


def meaning(text: str) -> set[str]:
    """The words of a text that mean something, in lower case."""
    return set(re.findall(r"[a-z]{2,}", text.lower())) - PLAIN


def stem(word: str) -> str:
    """A word without its commonest endings, so that "roaring" counts as "roars"."""
    for ending in ("ings", "ing", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def test_ranking_counts_what_it_says() -> None:
    centres = np.eye(6, dtype=np.float32)
    score = metrics.rank_sounds(centres[[0, 1, 2]], np.array([0, 1, 3]), centres)
    assert score == metrics.Score(pytest.approx(2 / 3), 1.0, 3)  # the wrong one is among the first five of six


def test_a_concept_without_a_centroid_is_never_near() -> None:
    centres = np.eye(7, dtype=np.float32)
    centres[0] = np.nan
    order = metrics.order_of(np.ones((1, 7), np.float32), centres)
    assert order[0, -1] == 0


def test_leaving_one_out_is_done_by_hand() -> None:
    vectors = metrics.unit(RNG.normal(size=(40, 8)))
    labels = np.arange(40) % 4
    hits = []
    for i in range(40):
        others = np.arange(40) != i
        hits.append(
            metrics.rank_sounds(
                vectors[i : i + 1], labels[i : i + 1], metrics.centroids(vectors[others], labels[others], 4)
            )
        )
    assert metrics.rank_real(vectors, labels, 4) == metrics.mean_score(hits)


def test_kid_is_unbiased_and_its_interval_holds_zero_for_one_distribution() -> None:
    draws = [
        metrics.squared_discrepancy(*(metrics.unit(RNG.normal(size=(30, 16))) for _ in range(2))) for _ in range(200)
    ]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / np.sqrt(200)
    same = metrics.kid(*(metrics.unit(RNG.normal(size=(400, 16))) for _ in range(2)), np.random.default_rng(1))
    assert same["low"] < 0 < same["high"]
    other = metrics.kid(
        metrics.unit(RNG.normal(size=(400, 16))), metrics.unit(RNG.normal(size=(400, 16)) + 1), np.random.default_rng(1)
    )
    assert other["low"] > 10 * same["high"] and other["low"] < other["mean"] < other["high"]


def test_components_hold_the_most_variance() -> None:
    data = RNG.normal(size=(500, 5)) * [9, 1, 4, 0.1, 2] + 7
    components = metrics.Components.fit(data, 2)
    assert abs(components.basis[0, 0]) > 0.99 and abs(components.basis[2, 1]) > 0.98
    assert components.of(data).mean(0) == pytest.approx([0, 0], abs=1e-6)


def test_recall_and_its_chance() -> None:
    sounds, queries = np.arange(100) % 10, np.arange(10)
    perfect = (queries[:, None] == sounds[None]).astype(float)
    assert metrics.recall(perfect, queries, sounds, (1, 5)) == {1: 1.0, 5: 1.0}
    chance = metrics.recall_by_chance(RNG.random((10, 100)), queries, sounds, (1, 10), np.random.default_rng(0))
    assert chance[1] == pytest.approx(0.1, abs=0.03)
    assert chance[10] == pytest.approx(1 - np.prod([(90 - k) / (100 - k) for k in range(10)]), abs=0.05)


def test_a_copy_is_found_at_any_lag_and_level() -> None:
    clip, other = (RNG.normal(size=(80, 60)).astype(np.float32) for _ in range(2))
    take = RNG.normal(size=(80, 200)).astype(np.float32)
    take[:, 77:137] = 0.5 * clip - 3 + 0.02 * RNG.normal(size=(80, 60))
    found = best_correlations([take], [clip, other, clip[:, :20], np.tile(clip, 5)])
    assert found[0, 0] > 0.99 and found[0, 1] < 0.2
    assert found[0, 2] == -1 and found[0, 3] == -1, "too short, and too long to lie inside"
    by_hand = max(np.corrcoef(other.ravel(), take[:, k : k + 60].ravel())[0, 1] for k in range(141))
    assert found[0, 1] == pytest.approx(by_hand, abs=1e-4)


def test_the_change_point_is_where_the_sound_changes() -> None:
    mel = RNG.normal(size=(80, 300)).astype(np.float32)
    mel[:40, :170] += 3
    assert abs(change_point(mel) - 170) <= 2


def test_order_of_two_events() -> None:
    found = np.array([[[1, 2, 3, 4, 5], [6, 7, 8, 9, 0]], [[6, 7, 8, 9, 0], [1, 2, 3, 4, 5]]])
    first, second = np.array([1, 1]), np.array([6, 6])
    assert both(found, first, second) == 0.5 and both(found, second, first) == 0.5
    assert both(found[:1], second, first) == 0


def test_interpolation_is_a_straight_line() -> None:
    mel = np.repeat(np.arange(10, dtype=np.float32)[None], 4, 0)
    broken = mel.copy()
    broken[:, 3:7] = 99
    assert interpolate(broken, 3, 7) == pytest.approx(mel)


def test_pairs_are_balanced() -> None:
    pairs = two_events([str(k) for k in range(20)])
    assert len(set(pairs)) == 40 and all(a != b for a, b in pairs)
    assert {sum(a == str(k) for a, _ in pairs) for k in range(20)} == {2}
    assert sentence("rain", "thunder").index("rain") < sentence("rain", "thunder").index("thunder")


def test_paraphrases_use_words_that_no_caption_does() -> None:
    rows = load_manifest()
    said = [text for row in rows for text in (*row.captions, row.concept)]
    said += [other for entry in synonym_table() for other in (*entry.synonyms, *entry.hypernyms)]
    known = {stem(word) for text in said for word in meaning(text)}
    judged = {c for c, n in Counter(r.concept for r in rows if r.split == "train").items() if n >= ENOUGH}
    assert len(PARAPHRASES) == 40 and set(PARAPHRASES) <= judged
    used = {said: sorted(w for w in meaning(said) if stem(w) in known) for said in PARAPHRASES.values()}
    assert {said: words for said, words in used.items() if words} == {}


def test_an_onset_is_where_a_placed_sound_begins() -> None:
    rate = 16_000
    wave = np.full(3 * rate, 1e-3, np.float32)
    wave[round(1.25 * rate) : 2 * rate] = 0.5
    assert onset(wave, 1.0, rate) == pytest.approx(1.25, abs=0.011)
    assert onset(wave, 1.4, rate) == pytest.approx(1.25, abs=0.011), "early, too"
    assert onset(wave, 2.5, rate) == pytest.approx(2.2, abs=0.011), "what is louder elsewhere does not count"
