"""What frozen towers give for the sounds and texts of a library; computed once, it never changes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from maa.aside import aside
from maa.foreign import foreign
from maa.models.aisfx import AisfxEncoder
from maa.models.msclap import Cnn14
from maa.models.text import TextEncoder, mean_pool
from train.data.library import Library


def features_file(library: Library, cache: Path, kind: str = "sounds") -> Path:
    """Where a folder keeps the vectors of a library's recordings, by its digest and by what has made them."""
    digest = hashlib.sha256(library.samples.tobytes() + library.offsets.tobytes()).hexdigest()[:16]
    return cache / f"{kind}-{digest}.npy"


@torch.inference_mode()
def sound_features(library: Library, encoder: AisfxEncoder | Cnn14, rate: int, cache: Path) -> Tensor:
    """One vector per recording, [N, width]; remembered in the folder `cache` under the library's digest.

    Of Cnn14, which hears at most nine seconds at once, it is the mean over a recording's windows.
    """
    path = features_file(library, cache, "cnn14" if isinstance(encoder, Cnn14) else "sounds")
    if not path.is_file():
        device = next(encoder.parameters()).device
        waves = (torch.from_numpy(library.wave(i)).to(device)[None] for i in range(len(library.rows)))
        found = torch.cat([_vector(encoder, wave, rate) for wave in waves]).cpu().numpy()
        with aside(path) as neighbour:
            np.save(neighbour, found)
    with foreign(f"{path} is damaged; delete it, and it is made anew."):
        return torch.from_numpy(np.load(path, allow_pickle=False))


def _vector(encoder: AisfxEncoder | Cnn14, wave: Tensor, rate: int) -> Tensor:
    """[1, width] of a wave [1, n]."""
    return encoder.embed_windows(wave, rate).mean(1) if isinstance(encoder, Cnn14) else encoder.embed(wave, rate)


def token_states(encoder: TextEncoder, texts: Sequence[str]) -> tuple[Tensor, Tensor | None]:
    """Token states [M, K, D] of texts, and their mask [M, K] (True = a real token) where pads are hidden."""
    return encoder.token_states(list(texts))


@torch.inference_mode()
def text_features(encoder: TextEncoder, texts: Sequence[str], batch: int = 64) -> Tensor:
    """Mean-pooled token states, [M, width]."""
    return torch.cat(
        [mean_pool(*token_states(encoder, texts[start : start + batch])) for start in range(0, len(texts), batch)]
    )
