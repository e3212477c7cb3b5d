"""The text tower: sentences to token states (paper Sec. 3.3)."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn

from maa.config import TextConfig
from maa.device import send
from maa.models import towers
from maa.models.context import Context


class TextEncoder(nn.Module):
    """A frozen tower (BERT, T5's encoder or CLIP's text side) with a fixed number of token positions.

    `projection` widths other than None send every token through the CLAP projection, as the authors do; then the
    context is that many channels wide, else it is the tower's own width.
    """

    def __init__(self, config: TextConfig, tokenizer: Tokenizer) -> None:
        """tokenizer: copied, because cutting and padding are settings of the object and others may share it."""
        super().__init__()
        self.config = config
        self.tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self.tokenizer.enable_truncation(config.tokens)
        pad = config.pad or towers.PADS[config.kind]
        number = self.tokenizer.token_to_id(pad)
        if number is None:
            raise ValueError(f"The tokenizer has no {pad!r} to pad with, so it is not one for a {config.kind} tower.")
        self.tokenizer.enable_padding(length=config.tokens, pad_id=number, pad_token=pad)
        self.add_module(config.kind, towers.build_tower(config))
        self.projection = None if config.projection is None else Projection(config.width, config.projection)

    @classmethod
    def from_transformers(cls, name: str | Path, tokens: int = 77) -> TextEncoder:
        """Open a tower in transformers' layout: config.json, model.safetensors and tokenizer.json.

        Args:
            name: a folder, or a hub id such as "google-t5/t5-large" (downloaded once).
            tokens: K, the fixed number of token vectors.

        Raises:
            ValueError: a file is missing or damaged, or the tower is of a kind or has a setting unknown here.
        """
        folder = towers.locate_tower(name)
        config = towers.read_tower_config(folder, tokens)
        encoder = cls(config, load_tokenizer(folder / "tokenizer.json"))
        encoder.tower.load_state_dict(towers.tower_weights(folder, config))
        return encoder.eval().requires_grad_(False)

    @property
    def tower(self) -> nn.Module:
        """The network under the projection; its name among the weights is its kind."""
        return self.get_submodule(self.config.kind)

    def tokenize(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Token ids and mask, both [B, tokens]; longer texts are cut, as the paper's 77 tokens imply."""
        rows = self.tokenizer.encode_batch(texts)
        ids = torch.tensor([row.ids for row in rows])
        return ids, torch.tensor([row.attention_mask for row in rows], dtype=torch.bool)

    def states(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Last hidden states [B, tokens, width]; every position is attended to unless `mask_pads`."""
        seen = mask if self.config.mask_pads else torch.ones_like(mask)
        return self.tower(input_ids=ids, attention_mask=seen.long()).last_hidden_state

    @torch.inference_mode()
    def encode(self, texts: list[str]) -> Context:
        """Sentences to a context with tokens [B, K, C], and a mask where the config hides padding."""
        tokens, mask = self.token_states(texts)
        return Context(tokens, mask, has_tokens=torch.ones(len(texts), dtype=torch.bool, device=tokens.device))

    def token_states(self, texts: list[str]) -> tuple[Tensor, Tensor | None]:
        """Sentences to tokens [B, K, C], and a mask [B, K] where the config hides padding.

        K is the config's `tokens`; where padding is hidden anyway, only as many as the longest sentence has.
        """
        device = next(self.parameters()).device
        ids, mask = self.tokenize(texts)
        if self.config.mask_pads:
            longest = int(
                mask.sum(1).max()
            )  # counted before anything is on a device, which would have to be waited for
            ids, mask = ids[:, :longest], mask[:, :longest]
        ids, mask = send(ids, device), send(mask, device)
        states = self.states(ids, mask).float()
        tokens = states if self.projection is None else self.projection(states)
        return tokens, mask if self.config.mask_pads else None


class Projection(nn.Module):
    """Two linear layers with a residual and a norm, the CLAP head (MS-CLAP 2022)."""

    def __init__(self, width: int, out: int, hidden: int | None = None, dropout: float = 0.5) -> None:
        super().__init__()
        hidden = out if hidden is None else hidden
        self.linear1 = nn.Linear(width, out, bias=False)
        self.linear2 = nn.Linear(out, out, bias=False)
        self.layer_norm = nn.LayerNorm(out)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        first = self.linear1(x)
        return self.layer_norm(first + self.dropout(self.linear2(nn.functional.gelu(first))))


def mean_pool(tokens: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of the real tokens: [B, K, C] with mask [B, K] -> [B, C]."""
    if mask is None:
        return tokens.mean(1)
    weights = mask[..., None].to(tokens.dtype)
    return (tokens * weights).sum(1) / weights.sum(1).clamp_min(1.0)


def load_tokenizer(path: Path) -> Tokenizer:
    """A `tokenizer.json` of the tokenizers library."""
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for a missing or damaged file
        raise ValueError(f"Cannot read the tokenizer {path}: {error}. Restore the file from the checkpoint.") from error


def spelling_tokenizer() -> Tokenizer:
    """A tokenizer that spells words letter by letter: 80 pieces, no file. For the tiny model."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), ",", ".", "-", "'"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=200))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return tokenizer
