"""(b) Does CLAP find the sounds of a text?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from maa.models.clap import ClapHeads
from maa.models.text import TextEncoder
from train.data import Library
from train.data.features import text_features
from train.evaluation.metrics import recall, recall_by_chance
from train.evaluation.sounds import Judge

RANKS = (1, 5, 10)


@torch.inference_mode()
def retrieval(judge: Judge, library: Library, split: str = "test") -> dict[str, Any]:
    """Text to sound recall over a split's recordings: a query is a concept's name or one of its captions, a hit is any
    recording of that concept; chance is what shuffled concepts give."""
    heads = judge.part("clap", ClapHeads)
    rows = library.indices(split)
    if not len(rows):
        return {"sounds": 0}
    features = torch.from_numpy(judge.remembered("clap", [library.wave(int(i)) for i in rows], whole=True, real=True))
    sounds = heads.embed_audio(features.to(judge.maa.device)).cpu().numpy()
    names = sorted({library.rows[i].concept for i in rows})
    labels = np.array([names.index(library.rows[i].concept) for i in rows])
    report: dict[str, Any] = {"sounds": len(rows), "concepts": len(names)}
    said = sorted({(names.index(r.concept), text) for i in rows for r in (library.rows[i],) for text in r.captions})
    for kind, texts, queries in (
        ("names", names, np.arange(len(names))),
        ("captions", [text for _, text in said], np.array([label for label, _ in said])),
    ):
        similarity = texts_of(judge, texts) @ sounds.T
        found = recall(similarity, queries, labels, RANKS)
        chance = recall_by_chance(similarity, queries, labels, RANKS, np.random.default_rng(0))
        report[kind] = {
            "queries": len(texts),
            "recall": {str(k): value for k, value in found.items()},
            "chance": {str(k): value for k, value in chance.items()},
            "over_chance_at_10": found[10] / chance[10] if chance[10] else float("nan"),
        }
    return report


def texts_of(judge: Judge, texts: list[str]) -> np.ndarray:
    """Unit vectors [N, joint] of texts in CLAP's space."""
    features = text_features(judge.part("text", TextEncoder), texts)
    return F.normalize(judge.part("clap", ClapHeads).text(features), dim=-1).cpu().numpy()
