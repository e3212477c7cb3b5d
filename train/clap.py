"""Train the CLAP projections (paper Sec. 3.3) between a frozen text tower and a frozen sound encoder.

python -m train.parts --to data/parts
python -m train.clap --config small --parts data/parts --out runs/clap --steps 1500   seconds on a CPU
accelerate launch -m train.clap --config paper --parts towers --out runs/clap --batch 1024   MS-CLAP on big towers
python -m train.clap --config tiny --parts parts-of-tiny --out /tmp/clap --steps 20   to see it run

For the paper's MS-CLAP the towers are a BERT (text.safetensors, tokenizer.json) and Cnn14 (clap_audio.safetensors);
`python -m maa convert` brings both from published files. Besides clap.safetensors it writes text.safetensors, the tower
with its new projection: what the diffusion stage conditions on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maa.checkpoint import TOKENIZER, build, read_weights, weight_files
from maa.config import ModelConfig, MsClapConfig
from maa.foreign import foreign
from maa.models.aisfx import AisfxEncoder
from maa.models.clap import ClapHeads
from maa.models.msclap import Cnn14, MsClapHeads
from maa.models.text import TextEncoder, load_tokenizer
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
from train.trainer.keeping import one_line, save_weights
from train.trainer.loop import Trainer
from train.trainer.options import RunOptions, add_config, add_fields, config_from, from_args, scaled
from train.trainer.precision import make_accelerator

BATCH = 64  # captions that are read together
SHUFFLE = 8  # of the order in which a streamed library's recordings are contrasted
HELD_OUT = 2048  # recordings of a streamed library that accuracy is measured on, at most


@dataclass(frozen=True)
class Features:
    """What the frozen towers give for the library: sounds [N, audio_width], texts [M, text width]."""

    sounds: Tensor | Vectors
    texts: Tensor | Vectors
    text_of: Mapping[str, int]

    def to(self, device: torch.device) -> Features:
        """The same on a device; what is in files stays there."""
        sounds, texts = (held.to(device) if isinstance(held, Tensor) else held for held in (self.sounds, self.texts))
        return replace(self, sounds=sounds, texts=texts)


def caption_reader(config: ModelConfig, parts: Path) -> MsClapHeads:
    """MS-CLAP's heads with fresh projections; the caption tower, which stays as it is, has the text tower's weights.

    Raises:
        ValueError: the text tower is missing, or none that MS-CLAP reads with.
    """
    assert isinstance(config.clap, MsClapConfig)
    files = weight_files(parts, "text")
    if not files:
        raise ValueError(f"There is no text.safetensors in {parts}; put the tower there that captions are read with.")
    heads = MsClapHeads(config.clap, load_tokenizer(parts / TOKENIZER))
    given, kind = read_weights(files), heads.caption.config.kind
    tower = {name: value for name, value in given.items() if name.startswith(f"{kind}.")}
    with foreign(f"{files[0]} does not fit MS-CLAP's caption tower, which is a {kind}; give that."):
        unused = {name: value for name, value in heads.caption.tower.state_dict().items() if "pooler" in name}
        found = {name.removeprefix(f"{kind}."): value for name, value in tower.items()}
        heads.caption.tower.load_state_dict({**unused, **found})
    heads.caption.tower.requires_grad_(False)
    return heads


def library_features(
    library: Library, config: ModelConfig, parts: Path, reader: MsClapHeads | None, first: float = 0.0
) -> Features:
    """Both towers over everything in the library; computed once, they never change.

    Args:
        first: where to begin with a streamed library, as a share of all: processes share out the work.
    """
    sound = load_frozen(config, "clap_audio", parts)
    assert isinstance(sound, AisfxEncoder | Cnn14)
    read, rate = _reading(config, parts, reader), config.audio.sample_rate
    if library.streamed:
        said = Texts(library)
        heard = streamed_sound_features(library, sound, rate, parts, first)
        kind = "texts" if reader is None else "states"
        return Features(heard, streamed_text_features(said, read, parts / f"{kind}-{said.digest()}", first), said)
    texts = sorted({caption for row in library.rows for caption in said_of(row)})
    sounds = sound_features(library, sound, rate, parts)
    return Features(sounds, read(texts), {text: i for i, text in enumerate(texts)})


def _reading(config: ModelConfig, parts: Path, reader: MsClapHeads | None) -> Callable[[list[str]], Tensor]:
    """What takes texts to what their projections begin with, [M, width]."""
    if reader is None:
        text = load_frozen(config, "text", parts)
        assert isinstance(text, TextEncoder)
        return partial(text_features, text)
    own = reader

    @torch.inference_mode()
    def read(texts: list[str]) -> Tensor:
        own.eval()
        batches = [texts[first : first + BATCH] for first in range(0, len(texts), BATCH)]
        return torch.cat([own.first_states(batch) for batch in batches])

    return read


def embed_texts(heads: ClapHeads | MsClapHeads, texts: Tensor) -> Tensor:
    """What `Features.texts` holds to unit vectors [M, joint]."""
    return F.normalize(heads.project(texts) if isinstance(heads, MsClapHeads) else heads.text(texts), dim=-1)


def contrast(heads: ClapHeads | MsClapHeads, sounds: Tensor, texts: Tensor, same: Tensor) -> Tensor:
    """Symmetric InfoNCE over [B, ...] pairs; `same` [B, B] marks pairs of one concept, which share the target."""
    a, t = heads.embed_audio(sounds), embed_texts(heads, texts)
    logits = heads.logit_scale.exp().clamp_max(100.0) * a @ t.T
    target = same.float() / same.sum(1, keepdim=True)
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target.T))


def accuracy(heads: ClapHeads | MsClapHeads, known: Features, library: Library, indices: NDArray[np.int64]) -> float:
    """Share of the recordings whose own concept is nearest among all concepts; of a streamed library, among theirs."""
    concepts = library.concepts
    if library.streamed:
        concepts = tuple(sorted({library.rows[int(i)].concept for i in indices}))
    heads.eval()
    with torch.inference_mode():
        device = next(heads.parameters()).device
        texts = embed_texts(heads, known.texts[[known.text_of[c] for c in concepts]].to(device))
        nearest = (heads.embed_audio(known.sounds[indices].to(device)) @ texts.T).argmax(1)
    heads.train()
    hits = [concepts[int(n)] == library.rows[int(i)].concept for n, i in zip(nearest, indices, strict=True)]
    return float(np.mean(hits)) if hits else float("nan")


def train_clap(config: ModelConfig, library: Library, parts: Path, options: RunOptions, batch: int) -> Path:
    """Train the heads and return the path of the weights.

    The towers' answers are small and stay in memory, and every process takes the whole batch: contrast needs all pairs.
    """
    accelerator = make_accelerator()
    device = accelerator.device
    torch.manual_seed(options.seed)
    options = scaled(options, batch, 1)
    reader = caption_reader(config, parts) if isinstance(config.clap, MsClapConfig) else None
    share = accelerator.process_index / accelerator.num_processes
    known = library_features(library, config, parts, reader, share).to(device)
    heads = build(config, "clap") if reader is None else reader.train()
    assert isinstance(heads, ClapHeads | MsClapHeads)
    heads.to(device)
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
        same = torch.from_numpy(concepts[:, None] == concepts[None]).to(device)
        sounds = known.sounds[rows].to(device) * torch.from_numpy(shaken).to(device)
        values = {"loss": contrast(heads, sounds, known.texts[chosen].to(device), same)}
        if (draw.step + 1) % options.log_every == 0 and len(valid):
            values["held_out"] = torch.tensor(accuracy(heads, known, library, valid))
        return values

    path = Trainer(heads, options, "clap", accelerator).run(step)
    if isinstance(heads, MsClapHeads) and accelerator.is_main_process:
        write_text_tower(config, heads, path)
    return path


def write_text_tower(config: ModelConfig, heads: MsClapHeads, path: Path) -> None:
    """Beside trained heads: their tokenizer, and the text tower behind the trained projection, which every token goes
    through (Sec. 3.3), where the diffusion network's tower is of the caption tower's kind and size."""
    heads.caption.tokenizer.save(str(path.parent / TOKENIZER))
    trained = read_weights([path])
    wanted = build(config, "text", heads.caption.tokenizer).state_dict()
    found = {name.removeprefix("caption."): value for name, value in trained.items() if name.startswith("caption.")}
    if {name: value.shape for name, value in wanted.items()} == {name: value.shape for name, value in found.items()}:
        save_weights(found, path.parent / "text.safetensors")


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_config(parser, "small")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--parts", type=Path, default=Path("data/parts"))
    parser.add_argument("--batch", type=int, default=192)
    add_fields(parser, RunOptions, lr=1e-3, steps=1500)
    args = parser.parse_args()
    with one_line(parser):
        config = config_from(args)
        library = Library.open(args.library, rate=config.audio.sample_rate)
        train_clap(config, library, args.parts, from_args(RunOptions, args), args.batch)


if __name__ == "__main__":
    main()
