"""Does it sound like anything? Nearest centroid of real recordings, in untouched aiSFX embeddings.

    python -m train.evaluate --model small --takes 2 --out data/evaluation

Every concept's name is the prompt, settings are the defaults, no take is selected. The same measure over real
recordings (each left out of its own centroid) is what could be reached, over shuffled prompts what chance gives.
Sibling recordings are on both sides for the real ones; see the model card.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from maa import MakeAnAudio, Sampling
from maa.models.aisfx import AisfxEncoder
from train.clap import sound_features
from train.data import Library

ENOUGH = 5  # recordings that make a centroid


@dataclass(frozen=True)
class Score:
    """Share of sounds whose concept's centroid is the nearest, or among the five nearest."""

    top1: float
    top5: float
    sounds: int


def centroids(vectors: NDArray[np.float32], labels: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Mean unit vector of each concept, [count, width]."""
    return np.stack([vectors[labels == k].mean(0) for k in range(count)])


def rank(vectors: NDArray[np.float32], labels: NDArray[np.int64], centres: NDArray[np.float32]) -> Score:
    """Top-1 and top-5 by cosine."""
    norms = np.linalg.norm(centres, axis=1, keepdims=True)
    order = np.argsort(-(vectors @ (centres / norms).T), axis=1)
    hits = order == labels[:, None]
    return Score(float(hits[:, :1].any(1).mean()), float(hits[:, :5].any(1).mean()), len(labels))


def rank_real(vectors: NDArray[np.float32], labels: NDArray[np.int64], count: int) -> Score:
    """The same for real recordings, each left out of its own concept's centroid."""
    centres = centroids(vectors, labels, count)
    sizes = np.bincount(labels, minlength=count)
    scores = []
    for vector, label in zip(vectors, labels, strict=True):
        own = centres.copy()
        own[label] = (centres[label] * sizes[label] - vector) / (sizes[label] - 1)
        scores.append(rank(vector[None], np.array([label]), own))
    return Score(float(np.mean([s.top1 for s in scores])), float(np.mean([s.top5 for s in scores])), len(scores))


def unit(features: torch.Tensor) -> NDArray[np.float32]:
    """Vectors [N, width] scaled to length one."""
    return F.normalize(features, dim=-1).numpy()


def evaluate(
    maa: MakeAnAudio, library: Library, takes: int, sampling: Sampling, cache: Path, out: Path
) -> dict[str, object]:
    """Scores of the model, of real recordings and of shuffled prompts; sounds go to `out`."""
    encoder = maa.model.clap_audio
    if not isinstance(encoder, AisfxEncoder):
        raise ValueError(f"The judge is aiSFX, and the model {maa.name} brings another sound encoder or none.")
    rate = maa.config.audio.sample_rate
    names = [c for c in library.concepts if sum(row.concept == c for row in library.rows) >= ENOUGH]
    rows = [i for i, row in enumerate(library.rows) if row.concept in names]
    labels = np.array([names.index(library.rows[i].concept) for i in rows])
    real = unit(sound_features(library, encoder, rate, cache)[rows])
    made, wanted = [], []
    for k, name in enumerate(names):
        for take in range(takes):
            seeded = Sampling(sampling.steps, sampling.guidance, 1000 * k + take, 1, sampling.sampler)
            result = maa.text_to_audio(name, seeded)
            made.append(encoder.embed(torch.from_numpy(result.audio[0]), rate))
            wanted.append(k)
            result.save(out / f"{k:03d}-{take}.flac")
        print(f"{k + 1}/{len(names)} {name}", flush=True)
    sounds, targets = unit(torch.cat(made)), np.array(wanted)
    centres = centroids(real, labels, len(names))
    shuffled = np.random.default_rng(0).permutation(targets)
    scores = {
        "generated": rank(sounds, targets, centres),
        "real": rank_real(real, labels, len(names)),
        "shuffled": rank(sounds, shuffled, centres),
    }
    return {
        "weights": maa.model.weights_hash,
        "concepts": len(names),
        "takes": takes,
        "steps": sampling.steps,
        "guidance": maa.config.guidance if sampling.guidance is None else sampling.guidance,
        **{name: vars(score) for name, score in scores.items()},
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--takes", type=int, default=2)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance", type=float, default=None)
    parser.add_argument("--out", type=Path, default=Path("data/evaluation"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sampling = Sampling(steps=args.steps, guidance=args.guidance)
    maa = MakeAnAudio.from_pretrained(args.model)
    report = evaluate(maa, Library.open(args.library), args.takes, sampling, args.library, args.out)
    (args.out / "scores.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
