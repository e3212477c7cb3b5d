"""Training the captioner on any captioned library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from maa.checkpoint import read_weights, weight_files
from maa.foreign import foreign
from train.data import Library
from train.distill.captioner import PAD, PART, Captioner, CaptionerConfig, Lexicon, caption_of
from train.trainer.draw import Draw
from train.trainer.loop import Trainer
from train.trainer.options import RunOptions
from train.trainer.precision import make_accelerator

KEPT = 20.0  # hours of sound whose frames a frozen encoder makes once; of more, they are made again at each step
NOISE = 0.1  # relative, on frames: a small data set is learnt by heart without


@dataclass(frozen=True)
class CaptionerOptions:
    """What a person chooses about a captioner."""

    batch: int = field(default=32, metadata={"help": "clips in a step, of each process"})
    hidden: int = field(default=256, metadata={"help": "width of the GRU and its attention"})
    width: int = field(default=512, metadata={"help": "channels of the encoder's frames; aiSFX has 512"})
    words: int = field(default=30, metadata={"help": "pieces of a caption at most"})
    smoothing: float = field(default=0.1, metadata={"help": "of the labels"})
    encoder: Path | None = field(
        default=None, metadata={"help": "folder with clap_audio.safetensors to hear with; none = random weights"}
    )
    train_encoder: bool = field(
        default=False, metadata={"help": "train the encoder too; always so where its weights are random"}
    )


FrameSource = Callable[[int], Tensor]


def train_captioner(
    library: Library, tokenizer: Tokenizer, options: RunOptions, chosen: CaptionerOptions,
    split: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None, known: dict[int, Tensor] | None = None,
) -> Path:  # fmt: skip
    """Train on the library's captions and return the path of the weights; `options.out` is then a captioner's folder.

    Args:
        tokenizer: its pieces make up the captions.
        split: indices to train on and to watch; None = "train" and "valid" of the library.
        known: frames of recordings by index, where a frozen encoder made them before.

    Raises:
        ValueError: there is nothing to train on, or the encoder's weights do not fit.
    """
    train, watched = split or (library.indices("train"), library.indices("valid"))
    if not len(train):
        raise ValueError("The library has no recording to train on.")
    torch.manual_seed(options.seed)
    words = Lexicon.of(tokenizer, [text for i in train for text in library.rows[int(i)].captions])
    config = CaptionerConfig(chosen.width, chosen.hidden, chosen.words, pieces=words.pieces)
    model = Captioner(config)
    if chosen.encoder is not None:
        _start_encoder(model, chosen.encoder)
        if not chosen.train_encoder:
            model.frames.freeze()
    accelerator = make_accelerator()
    model.to(accelerator.device)
    frames_of = _frames_of(model, library, known)

    def batch_of(rows: list[int], rng: np.random.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        frames, mask = padded([frames_of(i) for i in rows])
        if rng is not None:
            frames = frames * (1 + NOISE * torch.randn_like(frames))
        said = [library.rows[i].captions for i in rows]
        texts = [one[0] if rng is None else str(rng.choice(one)) for one in said]
        return frames, mask, caption_texts([words.encode(text, config.words) for text in texts]).to(frames.device)

    def step(draw: Draw) -> dict[str, Tensor]:
        model.train()
        rows = draw.rng().choice(train, chosen.batch * draw.processes, replace=len(train) < chosen.batch)
        mine = [int(rows[i]) for i in draw.samples(chosen.batch)]
        with accelerator.autocast():
            values = {"loss": model(*batch_of(mine, draw.rng(1, draw.rank)), chosen.smoothing)}
        if (draw.step + 1) % options.log_every == 0 and len(watched):
            model.eval()
            with torch.no_grad(), accelerator.autocast():
                values["held_out"] = model(*batch_of([int(i) for i in watched[:64]], None))
        return values

    caption_of(config, words.tokenizer, options.out)
    return Trainer(model, options, PART, accelerator).run(step)


def _start_encoder(model: Captioner, folder: Path) -> None:
    files = weight_files(folder, "clap_audio")
    if not files:
        raise ValueError(f"There is no clap_audio.safetensors in {folder}; get it with `python -m train.parts`.")
    weights = read_weights(files)
    with foreign(f"The sound encoder in {folder} is of another width; give its own with --width."):
        model.frames.network.load_state_dict(weights)


def _frames_of(model: Captioner, library: Library, known: dict[int, Tensor] | None) -> FrameSource:
    """Frames [T, width] of a recording, kept in memory where they stay the same and are not too many."""
    kept = {} if known is None else known
    device = next(model.parameters()).device
    keep = model.frames.frozen and len(library.samples) / library.rate / 3600 <= KEPT

    def frames(i: int) -> Tensor:
        if i in kept:
            return kept[i].to(device).float()
        with torch.set_grad_enabled(not model.frames.frozen and torch.is_grad_enabled()):
            found = model.frames(torch.from_numpy(library.wave(i)).to(device)[None], library.rate)[0]
        if keep:
            kept[i] = found.half().cpu()
            return kept[i].to(device).float()  # rounded now as later: a resumed run is the same run
        return found

    return frames


def padded(frames: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Frames [T_i, width] of several sounds as [B, T, width], and the mask [B, T] of those that are there."""
    lengths = torch.tensor([len(one) for one in frames], device=frames[0].device)
    mask = torch.arange(int(lengths.max()), device=lengths.device)[None] < lengths[:, None]
    return torch.nn.utils.rnn.pad_sequence(frames, batch_first=True), mask


def caption_texts(rows: list[list[int]]) -> Tensor:
    """Captions as numbers of pieces [B, L], with PAD after their ends."""
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])


def for_table(options: CaptionerOptions, parts: Path) -> CaptionerOptions:
    """The same, hearing with the frozen encoder in a folder."""
    return replace(options, encoder=parts, train_encoder=False)
