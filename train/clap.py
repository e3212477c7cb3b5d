"""Train the CLAP projections (paper Sec. 3.3) between a frozen text tower and a frozen sound encoder.

python -m train.parts --to data/parts
python -m train.clap --config small --parts data/parts --out runs/clap --steps 1500   seconds on a CPU
accelerate launch -m train.clap --config paper --parts towers --out runs/clap --batch 1024   big towers of your own
python -m train.clap --config tiny --parts parts-of-tiny --out /tmp/clap --steps 20   to see it run
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maa.checkpoint import build
from maa.config import PRESETS, ModelConfig
from maa.models.aisfx import AisfxEncoder
from maa.models.clap import ClapHeads
from maa.models.text import TextEncoder
from train.data import Library
from train.data.features import (
    Texts,
    said_of,
    sound_features,
    streamed_sound_features,
    streamed_text_features,
    text_features,
)
from train.data.order import Order
from train.data.vectors import Vectors
from train.package import load_frozen
from train.trainer.draw import Draw
from train.trainer.keeping import one_line
from train.trainer.loop import Trainer
from train.trainer.options import RunOptions, add_fields, from_args
from train.trainer.precision import make_accelerator

SHUFFLE = 8  # of the order in which a streamed library's recordings are contrasted
HELD_OUT = 2048  # recordings of a streamed library that accuracy is measured on, at most


@dataclass(frozen=True)
class Features:
    """What the frozen towers give for the library: sounds [N, audio_width], texts [M, text width]."""

    sounds: Tensor | Vectors
    texts: Tensor | Vectors
    text_of: Mapping[str, int]


def library_features(library: Library, config: ModelConfig, parts: Path, first: float = 0.0) -> Features:
    """Both towers over everything in the library; computed once, they never change.

    Args:
        first: where to begin with a streamed library, as a share of all: processes share out the work.
    """
    text = load_frozen(config, "text", parts)
    sound = load_frozen(config, "clap_audio", parts)
    assert isinstance(text, TextEncoder)
    assert isinstance(sound, AisfxEncoder)
    if library.streamed:
        said = Texts(library)
        heard = streamed_sound_features(library, sound, config.audio.sample_rate, parts, first)
        return Features(heard, streamed_text_features(said, text, parts, first), said)
    texts = sorted({caption for row in library.rows for caption in said_of(row)})
    sounds = sound_features(library, sound, config.audio.sample_rate, parts)
    return Features(sounds, text_features(text, texts), {text: i for i, text in enumerate(texts)})


def contrast(heads: ClapHeads, sounds: Tensor, texts: Tensor, same: Tensor) -> Tensor:
    """Symmetric InfoNCE over [B, ...] pairs; `same` [B, B] marks pairs of one concept, which share the target."""
    a = heads.embed_audio(sounds)
    t = F.normalize(heads.text(texts), dim=-1)
    logits = heads.logit_scale.exp().clamp_max(100.0) * a @ t.T
    target = same.float() / same.sum(1, keepdim=True)
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target.T))


def accuracy(heads: ClapHeads, known: Features, library: Library, indices: NDArray[np.int64]) -> float:
    """Share of the recordings whose own concept is nearest among all concepts; of a streamed library, among theirs."""
    concepts = library.concepts
    if library.streamed:
        concepts = tuple(sorted({library.rows[int(i)].concept for i in indices}))
    heads.eval()
    with torch.inference_mode():
        texts = F.normalize(heads.text(known.texts[[known.text_of[c] for c in concepts]]), dim=-1)
        nearest = (heads.embed_audio(known.sounds[indices]) @ texts.T).argmax(1)
    heads.train()
    hits = [concepts[int(n)] == library.rows[int(i)].concept for n, i in zip(nearest, indices, strict=True)]
    return float(np.mean(hits)) if hits else float("nan")


def train_clap(config: ModelConfig, library: Library, parts: Path, options: RunOptions, batch: int) -> Path:
    """Train the heads and return the path of the weights.

    The towers' answers are small and stay in memory, and every process takes the whole batch: contrast needs all pairs.
    """
    accelerator = make_accelerator()
    torch.manual_seed(options.seed)
    known = library_features(library, config, parts, accelerator.process_index / accelerator.num_processes)
    heads = build(config, "clap")
    assert isinstance(heads, ClapHeads)
    train, valid = library.indices("train"), library.indices("valid")
    if library.streamed:
        valid = valid[:: -(-len(valid) // HELD_OUT) or 1]
    batch, order = min(batch, len(train)), Order(len(train), options.seed, SHUFFLE)

    def step(draw: Draw) -> dict[str, Tensor]:
        rng = draw.rng()
        if library.streamed:
            rows = train[order.at(draw.step * batch + np.arange(batch))]
        else:
            rows = rng.choice(train, batch, replace=False)
        drawn = [library.rows[int(i)] for i in rows]
        chosen = [known.text_of[str(rng.choice([*row.captions, row.concept]))] for row in drawn]
        shaken = rng.normal(1.0, 0.1, (len(rows), 1)).astype(np.float32)
        concepts = library.concept_of[rows]
        same = torch.from_numpy(concepts[:, None] == concepts[None])
        values = {"loss": contrast(heads, known.sounds[rows] * torch.from_numpy(shaken), known.texts[chosen], same)}
        if (draw.step + 1) % options.log_every == 0 and len(valid):
            values["held_out"] = torch.tensor(accuracy(heads, known, library, valid))
        return values

    return Trainer(heads, options, "clap", accelerator).run(step)


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=sorted(PRESETS), default="small")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--parts", type=Path, default=Path("data/parts"))
    parser.add_argument("--batch", type=int, default=192)
    add_fields(parser, RunOptions, lr=1e-3, steps=1500)
    args = parser.parse_args()
    config = PRESETS[args.config]
    with one_line(parser):
        library = Library.open(args.library, rate=config.audio.sample_rate)
        train_clap(config, library, args.parts, from_args(RunOptions, args), args.batch)


if __name__ == "__main__":
    main()
