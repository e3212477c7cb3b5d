"""What listens to sounds and gives vectors: aiSFX, on which CLAP is built, and YAMNet, which no model has met."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.dsp import resample_on_device
from maa.models.aisfx import AisfxEncoder
from train.evaluation import yamnet
from train.evaluation.metrics import Vectors

PEAK = 0.9  # what YAMNet hears is brought to: its floor of 0.001 makes quiet sounds another kind of sound
YAMNET = "yamnet.safetensors"


class Ears(Protocol):
    """An encoder of sounds. What it keeps of one is a row; the vector that is compared is a part of it."""

    @property
    def name(self) -> str:
        """In reports, and in the names of what is kept in folders."""

    @property
    def mark(self) -> bytes:
        """Of the weights: what is kept was heard by these."""

    @property
    def width(self) -> int:
        """Numbers in a row."""

    @property
    def centred(self) -> bool:
        """Whether the mean of the train recordings is taken away before directions are compared."""

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Wave [n] float32 within ±1 -> row [width]."""

    def vectors(self, rows: Vectors) -> Vectors:
        """The embeddings [N, D] in rows [N, width]."""


@dataclass(frozen=True)
class AisfxEars:
    """The model's aiSFX encoder as it was published; CLAP's own projections never judge what CLAP may have chosen."""

    encoder: AisfxEncoder
    mark: bytes
    name: str = "aisfx"
    centred: bool = False

    @property
    def width(self) -> int:
        """A row is an embedding."""
        return self.encoder.width

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Mean over blocks of 2.3 s."""
        return self.encoder.embed(wave[None], rate)[0]

    def vectors(self, rows: Vectors) -> Vectors:
        """All of a row."""
        return rows


@dataclass(frozen=True)
class YamnetEars:
    """YAMNet at a peak of 0.9: a row is the embedding, followed by the tags' scores.

    Its embeddings are sums of what is never negative, so all of them point much the same way: directions are compared
    after the mean of the train recordings has been taken away.
    """

    network: yamnet.Yamnet
    names: tuple[str, ...]
    mark: bytes
    name: str = "yamnet"
    width: int = yamnet.WIDTH + yamnet.CLASSES
    centred: bool = True

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Means over patches of 0.96 s."""
        resampled = resample_on_device(wave[None], rate, yamnet.RATE)[0]
        return torch.cat(self.network.embed(resampled * (PEAK / resampled.abs().max().clamp_min(1e-4))))

    def vectors(self, rows: Vectors) -> Vectors:
        """The embeddings [N, 1024]."""
        return rows[:, : yamnet.WIDTH]

    def tags(self, rows: Vectors) -> Vectors:
        """The scores [N, 521], each from 0 to 1."""
        return rows[:, yamnet.WIDTH :]


def second_ears(parts: Path | None, device: torch.device) -> YamnetEars | None:
    """YAMNet from a folder of parts; None where it has not been fetched.

    Raises:
        ValueError: the file is damaged.
    """
    path = parts / YAMNET if parts is not None else None
    if path is None or not path.is_file():
        return None
    network, names = yamnet.load_yamnet(path)
    return YamnetEars(network.to(device), names, hashlib.sha256(path.read_bytes()).hexdigest().encode())


def say_missing(parts: Path) -> None:
    """One line on how to get the second judge."""
    print(
        f"There is no {parts / YAMNET}: aiSFX judges alone. Fetch YAMNet with "
        f"`python -m train.parts --only judge --to {parts}`.",
        file=sys.stderr,
    )


def tag_divergence(real: NDArray[np.floating], made: NDArray[np.floating]) -> NDArray[np.float64]:
    """Kullback-Leibler divergence of tags in nats, [N]: each of the 521 tags is heard or not, on its own.

    Sum over tags of q log(q / p) + (1 - q) log((1 - q) / (1 - p)) for what is expected, q = `real` [N, tags] or [tags],
    and what was made, p = `made` [N, tags], both kept between 1e-6 and 1 - 1e-6.
    """
    q, p = (np.clip(np.asarray(x, np.float64), 1e-6, 1 - 1e-6) for x in (real, made))
    terms = q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))
    return np.asarray(np.atleast_2d(terms).sum(axis=1))


def inception_score(tags: NDArray[np.floating]) -> float:
    """exp of the mean divergence between a sound's tags and all sounds' mean tags (arXiv 1606.03498), tags scaled to a
    sum of one; 1 where all sounds are alike. NaN for no sounds."""
    if not len(tags):
        return float("nan")
    shares = np.clip(np.asarray(tags, np.float64), 1e-12, None)
    shares /= shares.sum(axis=1, keepdims=True)
    return float(np.exp((shares * np.log(shares / shares.mean(axis=0))).sum(axis=1).mean()))
