"""A network's conditions: text tokens, a global vector, numbers, and the sound that is known around a hole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from maa.config import SCALARS, UNetConfig


@dataclass(frozen=True)
class Context:
    """A batch of conditions.

    tokens [B, K, C] with mask [B, K] (True = a real token), and vector [B, G]. `has_tokens` and `has_vector` [B] say
    per sample which of the two is given; the network puts its null in place of the other. density [B] is the share of
    the clip that sounds, 0..1, and `has_density` [B] says where it is given: everywhere, if there is only the first.
    Each of SCALARS is such a pair.

    when [B, K, W] says which of the latent's columns attend to each token, True = they do: events have their times. A
    column that attends to none gets the network's null; None = all columns attend to all tokens.

    known [B, C, H, W] is the latent of the sound that is given and make [B, 1, H, W] its mask, 1 = make new (Sec. 4.2);
    without them everything is to be made.

    guidance [B] is the scale that a `guided` network leads by itself with (Eq. 2); None = it answers for the condition.
    """

    tokens: Tensor | None = None
    mask: Tensor | None = None
    vector: Tensor | None = None
    has_tokens: Tensor | None = None
    has_vector: Tensor | None = None
    density: Tensor | None = None
    has_density: Tensor | None = None
    when: Tensor | None = None
    known: Tensor | None = None
    make: Tensor | None = None
    guidance: Tensor | None = None

    @property
    def rows(self) -> int:
        """How many conditions these are; a context of nothing is one."""
        return next((len(value) for value in vars(self).values() if value is not None), 1)

    @property
    def device(self) -> torch.device:
        """Where its tensors are; the CPU for a context of nothing."""
        return next((value.device for value in vars(self).values() if value is not None), torch.device("cpu"))

    def then(self, other: Context) -> Context:
        """Both batches behind one another, this one first. Both must carry the same fields; a number is absent from
        the rows of one that has none."""
        one, two = self, other
        for name in SCALARS:
            pairs = zip(one.scalar(name), two.scalar(name), strict=True)
            if any((mine is None) != (theirs is None) for mine, theirs in pairs):
                one, two = one._written_out(name, two), two._written_out(name, one)
        return Context(**{name: _cat(value, getattr(two, name), name) for name, value in one.__dict__.items()})

    def scalar(self, name: str) -> tuple[Tensor | None, Tensor | None]:
        """One of SCALARS, and in which samples it is given."""
        return getattr(self, name), getattr(self, f"has_{name}")

    def _written_out(self, name: str, other: Context) -> Context:
        """The same with a number and where it is given written out, on the device of whichever of two has it."""
        values = [value for value in self.__dict__.values() if value is not None]
        number, has = self.scalar(name)
        like = other.scalar(name)[0] if number is None else number
        if not values or like is None:
            raise ValueError("One of two contexts is empty; they cannot form one batch.")
        batch = len(values[0])
        if number is None or has is None:
            has = torch.full((batch,), number is not None, device=like.device)
        return replace(self, **{name: like.new_zeros(batch) if number is None else number, f"has_{name}": has})

    def repeat(self, count: int) -> Context:
        """The whole batch `count` times."""
        return self._map(lambda x: torch.cat([x] * count))

    def row(self, index: int) -> Context:
        """One sample as a batch of its own."""
        return self._map(lambda x: x[index : index + 1])

    @property
    def empty(self) -> bool:
        """True where nothing is asked for: neither text nor vector is given, in any row."""
        pairs = ((self.tokens, self.has_tokens), (self.vector, self.has_vector))
        return all(value is None or (has is not None and not bool(has.any())) for value, has in pairs)

    def _map(self, change: Any) -> Context:
        return Context(**{name: None if value is None else change(value) for name, value in self.__dict__.items()})


@dataclass(frozen=True)
class Prepared:
    """A batch of conditions as the network's layers see them: all that depends on neither z nor t, computed once.

    vector [B, E] is added to the time embedding; mask [B, K], or [B, K, W] where tokens are for some columns of a
    latent only; keys and values [B, K, C] belong to the cross-attention layers in the order in which the network meets
    them. beside [B, C + 1, H, W] are the extra input channels of a
    network that inpaints: the known latent and its mask (+1 = make new, -1 = keep); None = nothing is known.
    """

    vector: Tensor | None
    mask: Tensor | None
    keys_values: tuple[tuple[Tensor, Tensor], ...]
    beside: Tensor | None = None

    def then(self, other: Prepared) -> Prepared:
        """Both batches behind one another, this one first."""
        pairs = zip(self.keys_values, other.keys_values, strict=True)
        return Prepared(
            vector=_cat(self.vector, other.vector, "vector"),
            mask=_cat(self.mask, other.mask, "mask"),
            keys_values=tuple((torch.cat([k, k2]), torch.cat([v, v2])) for (k, v), (k2, v2) in pairs),
            beside=_cat(self.beside, other.beside, "known sound"),
        )


def batched(contexts: Sequence[Context]) -> Context:
    """One batch of several; where texts have masks, the shorter ones get hidden tokens to be as long as the longest."""
    longest = max((one.mask.shape[1] for one in contexts if one.mask is not None), default=0)
    padded = []
    for one in contexts:
        if one.tokens is not None and one.mask is not None:
            more = longest - one.mask.shape[1]
            one = replace(one, tokens=F.pad(one.tokens, (0, 0, 0, more)), mask=F.pad(one.mask, (0, more)))
        padded.append(one)
    return reduce(Context.then, padded)


def condition_of(
    config: UNetConfig,
    tokens: Tensor | None,
    mask: Tensor | None,
    has_tokens: Tensor,
    vector: Tensor | None = None,
    has_vector: Tensor | None = None,
) -> Context:
    """The conditions that a network with learned nulls takes, each with who has it; none that it does not take.

    Args:
        config: of the network.
        tokens, mask: [B, K, C] and [B, K]; the mask is None where padding is attended to.
        has_tokens: bool [B]; the others get the null.
        vector, has_vector: [B, G] and bool [B]; None = nobody has one.
    """
    if config.global_dim is not None and vector is None:
        vector = torch.zeros(len(has_tokens), config.global_dim, device=has_tokens.device)
        has_vector = torch.zeros_like(has_tokens)
    if config.context_dim is None:
        return Context(vector=vector, has_vector=has_vector)
    if config.global_dim is None:
        return Context(tokens, mask, has_tokens=has_tokens)
    return Context(tokens, mask, vector, has_tokens, has_vector)


def _cat(first: Tensor | None, second: Tensor | None, name: str) -> Tensor | None:
    if first is None and second is None:
        return None
    if first is None or second is None:
        raise ValueError(f"One of two contexts has no {name}; they cannot form one batch.")
    return torch.cat([first, second])
