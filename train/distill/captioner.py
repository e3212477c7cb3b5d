"""The paper's kind of captioner: a convolutional encoder, and a GRU that attends to its frames (App. E.2; Xu et al.).

The encoder is Cnn10's form (Kong et al., arXiv 1912.10211: eight convolutions, a linear layer) over aiSFX's front end,
so that aiSFX's weights can be its start. At each word a single-layer GRU attends to all frames in time (Bahdanau).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from maa.aside import write_text
from maa.checkpoint import read_weights
from maa.config.plain import from_plain
from maa.dsp import resample_on_device
from maa.foreign import foreign
from maa.models.aisfx import BLOCK, SAMPLE_RATE, AisfxEncoder
from maa.models.text import load_tokenizer
from train.distill.sounds import SoundFile

PART = "captioner"
DESCRIPTION, TOKENIZER = f"{PART}.json", "tokenizer.json"
BEGIN, END, PAD = 0, 1, 2  # its own numbers of the pieces that are no text; those of the table follow
SPECIAL = 3
FORBIDDEN = -1e9  # log-probability of a word that may not come


@dataclass(frozen=True)
class CaptionerConfig:
    """Sizes of a captioner."""

    width: int = 512  # channels of the encoder's frames, a multiple of 8; aiSFX's and Cnn10's
    hidden: int = 256  # of the GRU, its words and its attention
    words: int = 30  # pieces of a caption at most
    dropout: float = 0.3
    pieces: tuple[int, ...] = (0,)  # numbers in the tokenizer of the pieces that captions are made of


class Frames(nn.Module):
    """Sound to frames in time; apart, as its weights may be others' and stay as they are."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.network = AisfxEncoder(config.width)
        self.frozen = False

    def freeze(self) -> None:
        """Stay as it is while the rest is trained, the statistics of its norms included."""
        self.frozen = True
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Frames:
        """Training mode, unless frozen."""
        super().train(mode and not self.frozen)
        return self

    def forward(self, wave: Tensor, rate: int) -> Tensor:
        """wave [B, n] float32 ±1 at `rate` -> frames [B, T, width], about 5.4 of them a second."""
        mel = self.network.mel(resample_on_device(wave, rate, SAMPLE_RATE))
        x = F.pad(mel, (0, 0, 0, max(0, BLOCK - mel.shape[1])))[:, None]
        for block in self.network.blocks:
            x = block(x)
        return x.mean(dim=3).transpose(1, 2)


class Attention(nn.Module):
    """Weights over frames in time, from the decoder's state (Bahdanau et al., 2015)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.of_frames = nn.Linear(hidden, hidden)
        self.of_state = nn.Linear(hidden, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(self, state: Tensor, frames: Tensor, mask: Tensor) -> Tensor:
        """state [B, hidden], frames [B, T, hidden], mask [B, T] (True = sound) -> [B, hidden]."""
        scores = self.score(torch.tanh(self.of_frames(frames) + self.of_state(state)[:, None]))[..., 0]
        return (scores.masked_fill(~mask, FORBIDDEN).softmax(dim=1)[:, None] @ frames)[:, 0]


class CaptionDecoder(nn.Module):
    """Frames to words: one GRU layer that hears, at each word, what it attends to."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        count = SPECIAL + len(config.pieces)
        self.hear = nn.Linear(config.width, config.hidden)  # Cnn10's linear layer
        self.words = nn.Embedding(count, config.hidden)
        self.attention = Attention(config.hidden)
        self.gru = nn.GRUCell(2 * config.hidden, config.hidden)
        self.out = nn.Linear(2 * config.hidden, count)
        self.dropout = nn.Dropout(config.dropout)

    def heard(self, frames: Tensor) -> Tensor:
        """Frames [B, T, width] -> [B, T, hidden]."""
        return F.relu(self.hear(self.dropout(frames)))

    def begin(self, heard: Tensor, mask: Tensor) -> Tensor:
        """The first state [B, hidden]: the mean of what is heard."""
        weights = mask[..., None].float()
        return (heard * weights).sum(1) / weights.sum(1).clamp_min(1.0)

    def step(self, word: Tensor, state: Tensor, heard: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Words [B] -> logits [B, count] of the next ones, and the new state."""
        context = self.attention(state, heard, mask)
        state = self.gru(torch.cat([self.dropout(self.words(word)), context], dim=1), state)
        return self.out(self.dropout(torch.cat([state, context], dim=1))), state


class Captioner(nn.Module):
    """Frames and decoder; `forward` is the loss of training."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.config = config
        self.frames = Frames(config)
        self.decoder = CaptionDecoder(config)

    def forward(self, frames: Tensor, mask: Tensor, texts: Tensor, smoothing: float = 0.0) -> Tensor:
        """Cross-entropy of captions [B, L] (BEGIN … END PAD …) given frames [B, T, width] and their mask [B, T]."""
        heard = self.decoder.heard(frames)
        state, logits = self.decoder.begin(heard, mask), []
        for word in texts[:, :-1].T:
            found, state = self.decoder.step(word, state, heard, mask)
            logits.append(found)
        return F.cross_entropy(
            torch.stack(logits, dim=2).float(), texts[:, 1:], ignore_index=PAD, label_smoothing=smoothing
        )

    @torch.inference_mode()
    def search(self, frames: Tensor, mask: Tensor, beams: int) -> list[list[tuple[int, ...]]]:
        """The `beams` likeliest captions of each sound, as numbers of pieces, by log-probability per piece.

        Args:
            frames: [B, T, width]. mask: [B, T].
        """
        return [self._search(one[None], seen[None], beams) for one, seen in zip(frames, mask, strict=True)]

    def _search(self, frames: Tensor, mask: Tensor, beams: int) -> list[tuple[int, ...]]:
        heard = self.decoder.heard(frames)
        state = self.decoder.begin(heard, mask)
        growing: list[tuple[float, tuple[int, ...]]] = [(0.0, (BEGIN,))]
        ended: list[tuple[float, tuple[int, ...]]] = []  # with log-probability per piece
        for length in range(1, self.config.words + 1):
            words = torch.tensor([pieces[-1] for _, pieces in growing], device=frames.device)
            many = len(words)
            logits, state = self.decoder.step(words, state, heard.expand(many, -1, -1), mask.expand(many, -1))
            logits[:, [BEGIN, PAD, END] if length == 1 else [BEGIN, PAD]] = FORBIDDEN  # a caption says something
            sums = logits.log_softmax(dim=1) + torch.tensor([[score] for score, _ in growing], device=frames.device)
            best, at = sums.flatten().topk(min(2 * beams, sums.numel()))
            kept: list[tuple[float, tuple[int, ...], int]] = []
            for rank, (score, index) in enumerate(zip(best.tolist(), at.tolist(), strict=True)):
                row, word = divmod(index, logits.shape[1])
                if word != END and len(kept) < beams:
                    kept.append((score, (*growing[row][1], word), row))
                elif word == END and rank < beams:  # an end that comes after better words is no good one
                    ended.append((score / length, growing[row][1][1:]))
            state = state[[row for _, _, row in kept]]
            growing = [(score, pieces) for score, pieces, _ in kept]
            ended = sorted(ended, reverse=True)[:beams]
            if len(ended) == beams and ended[-1][0] >= growing[0][0] / length:
                break
        unended = [(score / length, pieces[1:]) for score, pieces in growing]
        return [pieces for _, pieces in (ended + sorted(unended, reverse=True))[:beams]]


class Lexicon:
    """Captions to numbers of a captioner and back, by the project's own tokenizer."""

    def __init__(self, tokenizer: Tokenizer, pieces: Sequence[int]) -> None:
        """tokenizer: copied. pieces: its numbers of what captions are made of."""
        self.tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.pieces = tuple(pieces)
        self.number = {piece: SPECIAL + k for k, piece in enumerate(self.pieces)}

    @classmethod
    def of(cls, tokenizer: Tokenizer, captions: Sequence[str]) -> Lexicon:
        """With the pieces that these captions need."""
        rows = tokenizer.encode_batch(list(captions), add_special_tokens=False)
        used = {number for row in rows for number, kept in zip(row.ids, row.attention_mask, strict=True) if kept}
        return cls(tokenizer, sorted(used))

    def encode(self, caption: str, most: int) -> list[int]:
        """BEGIN, at most `most` pieces, END; pieces without a number are left out."""
        found = self.tokenizer.encode(caption, add_special_tokens=False).ids
        return [BEGIN, *[self.number[one] for one in found if one in self.number][:most], END]

    def decode(self, numbers: Sequence[int]) -> str:
        """Text of numbers of pieces."""
        ids = [self.pieces[number - SPECIAL] for number in numbers if number >= SPECIAL]
        return str(self.tokenizer.decode(ids))


class GruCaptioner:
    """A trained captioner (`Expert`).

    Args:
        count: captions for each sound: that many beams of one search.
    """

    def __init__(self, model: Captioner, words: Lexicon, count: int = 3, device: torch.device | None = None) -> None:
        self.name, self.count, self.words = "captioner", count, words
        self.device = device or torch.device("cpu")
        self.model = model.eval().to(self.device)

    @torch.inference_mode()
    def propose(self, sounds: Sequence[SoundFile]) -> list[list[str]]:
        """`count` captions for each sound, the likeliest first."""
        return [self.of_frames(self.model.frames(self._wave(sound), sound.rate)) for sound in sounds]

    def of_frames(self, frames: Tensor) -> list[str]:
        """The captions of one sound's frames [1, T, width]."""
        mask = torch.ones(frames.shape[:2], dtype=torch.bool, device=self.device)
        return [self.words.decode(one) for one in self.model.search(frames.to(self.device), mask, self.count)[0]]

    def _wave(self, sound: SoundFile) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(sound.wave)).to(self.device)[None]


def caption_of(config: CaptionerConfig, tokenizer: Tokenizer, folder: Path) -> None:
    """What opening a captioner needs beside its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / DESCRIPTION, json.dumps(asdict(config)))
    write_text(folder / TOKENIZER, tokenizer.to_str())


def open_captioner(folder: Path, count: int = 3, device: torch.device | None = None) -> GruCaptioner:
    """The captioner that `python -m train.distill train` left in a folder.

    Raises:
        ValueError: a file is missing or damaged, or the weights do not fit.
    """
    told = f"There is no captioner in {folder}; make one with `python -m train.distill train --out {folder}`."
    if not (folder / f"{PART}.safetensors").is_file() or not (folder / DESCRIPTION).is_file():
        raise ValueError(told)
    with foreign(f"{folder / DESCRIPTION} is damaged; train the captioner again."):
        read = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    config: CaptionerConfig = from_plain(CaptionerConfig, read, DESCRIPTION)
    model = Captioner(config)
    with foreign(f"{folder / PART}.safetensors does not fit its description; train the captioner again."):
        model.load_state_dict(read_weights([folder / f"{PART}.safetensors"]))
    words = Lexicon(load_tokenizer(folder / TOKENIZER), config.pieces)
    return GruCaptioner(model, words, count, device)
