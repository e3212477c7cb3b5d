"""BERT's encoder (arXiv 1810.04805), bit for bit what transformers computes.

Importing transformers takes longer than reading all weights, and the shipped model needs nothing else of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.config import TextConfig

KINDS_OF_TOKEN = 2  # first and second sentence; ours are all first
EPSILON = 1e-12
DROPOUT = 0.1  # in training alone
SPREAD = 0.02  # standard deviation of fresh weights

Activation = Callable[[Tensor], Tensor]


class States(NamedTuple):
    """What a tower gives, under transformers' name."""

    last_hidden_state: Tensor  # [B, K, width]


class Bert(nn.Module):
    """Token ids to states. Its weights have transformers' names, so either reads what the other has written."""

    def __init__(self, config: TextConfig, activation: Activation) -> None:
        """Fresh weights, drawn in the order in which transformers draws them.

        Raises:
            ValueError: the heads do not share the width evenly.
        """
        super().__init__()
        if config.width < 1 or config.width % config.heads:
            raise ValueError(f"{config.heads} heads cannot share a width of {config.width} evenly.")
        self.embeddings = Embeddings(config)
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(Layer(config, activation) for _ in range(config.layers))
        self.pooler = Dense(config.width, config.width) if config.pooler else None  # unused, but part of some files
        with torch.no_grad():
            self.apply(_draw)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> States:
        """input_ids and attention_mask [B, K], 0 = a token that no other attends to."""
        x = self.embeddings(input_ids)
        length = x.shape[1]
        # Without a mask where nothing is hidden: the attention then takes its quickest way.
        seen = None if attention_mask.all() else attention_mask.bool()[:, None, None, :].expand(-1, 1, length, -1)
        for layer in self.encoder.get_submodule("layer").children():
            x = layer(x, seen)
        return States(x)


class Dense(nn.Module):
    """A linear layer under the name that files have for it."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, out)


class Embeddings(nn.Module):
    """Words, positions and kinds of token, added and normalised."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocabulary, config.width, padding_idx=0)
        self.position_embeddings = nn.Embedding(config.positions, config.width)
        self.token_type_embeddings = nn.Embedding(KINDS_OF_TOKEN, config.width)
        self.LayerNorm = nn.LayerNorm(config.width, eps=EPSILON)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.word_embeddings(ids) + self.token_type_embeddings.weight[0]
        x = x + self.position_embeddings.weight[: ids.shape[1]]
        return self.dropout(self.LayerNorm(x))


class Residual(Dense):
    """A linear layer, added to what went into its branch, and normalised."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__(width, out)
        self.LayerNorm = nn.LayerNorm(out, eps=EPSILON)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(x)) + before)


class SelfAttention(nn.Module):
    """Every token to every other that may be seen."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        query, key, value = (
            layer(x).view(*x.shape[:2], self.heads, -1).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        dropout = DROPOUT if self.training else 0.0
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=seen, dropout_p=dropout)
        return y.transpose(1, 2).reshape(x.shape)


class Layer(nn.Module):
    """Attention and two linear layers."""

    def __init__(self, config: TextConfig, activation: Activation) -> None:
        super().__init__()
        self.activation = activation
        self.attention = nn.ModuleDict(
            {"self": SelfAttention(config.width, config.heads), "output": Residual(config.width, config.width)}
        )
        self.intermediate = Dense(config.width, config.intermediate)
        self.output = Residual(config.intermediate, config.width)

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        x = self.attention["output"](self.attention["self"](x, seen), x)
        return self.output(self.activation(self.intermediate.dense(x)), x)


def _draw(module: nn.Module) -> None:
    """Fresh weights of one layer."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=SPREAD)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding) and module.padding_idx is not None:
        nn.init.zeros_(module.weight[module.padding_idx])
