"""The real recordings that takes are compared with: the concepts, their train clips and the centroids."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from train.data import Library
from train.evaluation.ears import Ears
from train.evaluation.metrics import (
    Components,
    Labels,
    Score,
    Vectors,
    centroids,
    mean_score,
    rank_real,
    rank_sounds,
    unit,
)
from train.evaluation.sounds import Judge, Wave, judged_stretch

ENOUGH = 5  # train recordings that make a centroid
PASSED = 6


@dataclass
class Reference:
    """Concepts with at least five train recordings, and embeddings of all their recordings by one pair of ears."""

    judge: Judge
    library: Library
    by: str = "aisfx"  # name of the ears
    each: int = PASSED  # clips of each concept that go through the autoencoder and the vocoder

    @cached_property
    def ears(self) -> Ears:
        """Those that this is heard by."""
        return self.judge.ears[self.by]

    @cached_property
    def others(self) -> list[Reference]:
        """The same by each other pair of ears that the judge has."""
        return [replace(self, by=name) for name in self.judge.ears if name != self.by]

    @property
    def everyone(self) -> list[Reference]:
        """By each pair of ears."""
        return [self, *self.others]

    def embedded(self, name: str, waves: list[Wave], real: bool = False) -> Vectors:
        """Rows of these ears, kept."""
        return self.judge.remembered(name, waves, real=real, ears=self.ears)

    def directions(self, rows: Vectors) -> Vectors:
        """What is compared by cosine: vectors of length one, where the ears ask for it without the mean of the train
        recordings."""
        vectors = self.ears.vectors(rows)
        return unit(vectors - self.mean) if self.ears.centred else unit(vectors)

    @cached_property
    def mean(self) -> Vectors:
        """Of the train recordings' embeddings, [D]."""
        return self.ears.vectors(self.raw).mean(axis=0)

    @cached_property
    def names(self) -> list[str]:
        """The concepts, sorted."""
        groups = self.library.by_concept("train")
        return [concept for concept, rows in groups.items() if len(rows) >= ENOUGH]

    def rows_of(self, split: str) -> NDArray[np.int64]:
        """Indices of those concepts' recordings in a split."""
        wanted = set(self.names)
        return np.array([i for i in self.library.indices(split) if self.library.rows[i].concept in wanted], np.int64)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The train recordings."""
        return self.rows_of("train")

    @cached_property
    def labels(self) -> Labels:
        """Of the train recordings, as indices into `names`."""
        return self.labels_of([self.library.rows[i].concept for i in self.rows])

    def labels_of(self, concepts: list[str]) -> Labels:
        """Indices into `names`."""
        return np.array([self.names.index(concept) for concept in concepts], np.int64)

    @cached_property
    def raw(self) -> Vectors:
        """Rows of the train recordings as the ears give them."""
        return self.embedded("train", [self.wave(i) for i in self.rows], real=True)

    @cached_property
    def vectors(self) -> Vectors:
        """Their directions."""
        return self.directions(self.raw)

    @cached_property
    def centres(self) -> Vectors:
        """One centroid per concept."""
        return centroids(self.vectors, self.labels, len(self.names))

    @cached_property
    def components(self) -> Components:
        """Principal components of the train recordings."""
        return Components.fit(self.ears.vectors(self.raw))

    def wave(self, i: int) -> Wave:
        """The stretch of a recording that is judged."""
        return np.ascontiguousarray(judged_stretch(self.library.wave(int(i)), self.judge.rate))

    @cached_property
    def passed_rows(self) -> NDArray[np.int64]:
        """Positions in `rows` of up to `each` recordings of each concept, spread evenly."""
        chosen = []
        for label in range(len(self.names)):
            own = np.flatnonzero(self.labels == label)
            chosen.append(own[np.linspace(0, len(own) - 1, min(self.each, len(own))).round().astype(int)])
        return np.concatenate(chosen)

    @cached_property
    def passed(self) -> Vectors:
        """Rows of these recordings after 16 kHz, the autoencoder and the vocoder."""
        waves = [self.wave(int(self.rows[k])) for k in self.passed_rows]
        return self.embedded("passed", self.judge.share(_pass, waves, "real clips, passed through"))

    def real(self) -> dict[str, Score]:
        """Real train clips, each left out of its own centroid: all of them, and those passed through the model."""
        plain = rank_real(self.vectors, self.labels, len(self.names))
        return {"real": plain, "real_passed": self._passed_score()}

    def _passed_score(self) -> Score:
        vectors, scores = self.directions(self.passed), []
        sizes = np.bincount(self.labels, minlength=len(self.names))
        for vector, k in zip(vectors, self.passed_rows, strict=True):
            own, label = self.centres.copy(), self.labels[k]
            own[label] = (self.centres[label] * sizes[label] - self.vectors[k]) / max(1, sizes[label] - 1)
            scores.append(rank_sounds(vector[None], np.array([label]), own))
        return mean_score(scores)

    # -------------------------------------------------------------- sources

    @cached_property
    def packages(self) -> NDArray[np.str_]:
        """The package of each train recording."""
        return np.array([self.library.rows[i].path.parts[0] for i in self.rows])

    @cached_property
    def elsewhere(self) -> dict[str, Vectors]:
        """For each package, the centroids of the train recordings from all the others; NaN where there are none."""
        return {
            package: centroids(self.vectors[other], self.labels[other], len(self.names))
            for package in sorted(set(self.packages.tolist()))
            for other in (self.packages != package,)
        }

    def new_sources_real(self) -> Score:
        """Real clips against centroids from other packages, for concepts that have some."""
        scores = []
        for package, centres in self.elsewhere.items():
            own = (self.packages == package) & ~np.isnan(centres[self.labels]).any(axis=1)
            if own.any():
                scores.append(rank_sounds(self.vectors[own], self.labels[own], centres))
        return mean_score(scores)

    def new_sources(self, vectors: Vectors, labels: Labels) -> Score:
        """Takes against the same centroids: each once for every package of its concept, that package left out, weighted
        as the real clips are."""
        hits = np.zeros(2)
        weight = 0.0
        for package, centres in self.elsewhere.items():
            for label in np.unique(labels):
                count = int(((self.packages == package) & (self.labels == label)).sum())
                if count and not np.isnan(centres[label]).any():
                    own = labels == label
                    score = rank_sounds(vectors[own], labels[own], centres)
                    hits += count * np.array([score.top1, score.top5])
                    weight += count
        if not weight:
            return Score(float("nan"), float("nan"), 0)
        return Score(float(hits[0] / weight), float(hits[1] / weight), len(labels))


def _pass(judge: Judge, wave: Wave) -> Wave:
    """A clip through autoencoder and vocoder, kept for these weights."""
    sound = hashlib.sha256(wave.tobytes()).hexdigest()
    return judge.kept(f"passed|{judge.made_by}|{sound}", lambda: np.clip(judge.vocode(wave, True), -1, 1))
