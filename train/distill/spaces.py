"""CLAPs to rank with: this project's, or any of `transformers`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maa import checkpoint
from maa.dsp import resample_on_device
from maa.foreign import foreign
from maa.models.clap import ClapHeads, JointSpace
from maa.models.msclap import MsClapHeads
from maa.models.text import TextEncoder
from train.package import load_frozen

OTHERS = "transformers"  # NAME in NAME=… for what `transformers` opens
MEMORY = 256  # texts that are encoded at once


class TransformersClap:
    """A `transformers` ClapModel (`JointSpace`), from a folder or by its name on the hub.

    Raises:
        ValueError: it is no ClapModel, or a file is missing.
    """

    def __init__(self, name: str, device: torch.device | None = None) -> None:
        from transformers import AutoFeatureExtractor, AutoTokenizer, ClapModel

        self.device = device or torch.device("cpu")
        with foreign(f"transformers finds no ClapModel with feature extractor and tokenizer in {name!r}."):
            self.model: Any = ClapModel.from_pretrained(name, use_safetensors=True).eval().to(self.device)
            self.hears: Any = AutoFeatureExtractor.from_pretrained(name)
            self.reads: Any = AutoTokenizer.from_pretrained(name)

    @torch.inference_mode()
    def embed_text(self, texts: list[str], unit: bool = True) -> Tensor:
        """Captions to vectors [N, joint], of length 1 unless they should stay as they are."""
        given = self.reads(texts, padding=True, truncation=True, return_tensors="pt").to(self.device)
        vectors = _vectors(self.model.get_text_features(**given))
        return F.normalize(vectors, dim=-1) if unit else vectors

    @torch.inference_mode()
    def embed_audio(self, wave: Tensor, rate: int) -> Tensor:
        """Clips [B, n] float32 ±1 at `rate` to unit vectors [B, joint]."""
        wanted = self.hears.sampling_rate
        waves = resample_on_device(wave.cpu(), rate, wanted).numpy()
        with _same_dice():  # the front end crops long clips by NumPy's shared dice: let it be the same crop every time
            given = self.hears(list(waves), sampling_rate=wanted, return_tensors="pt").to(self.device)
        return F.normalize(_vectors(self.model.get_audio_features(**given)), dim=-1)


@contextmanager
def _same_dice() -> Iterator[None]:
    """NumPy's shared generator at a fixed state inside, and as it was outside."""
    state = np.random.get_state()  # noqa: NPY002  others draw from it
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _vectors(answer: Any) -> Tensor:
    """The vectors of a tower's answer, which is a tensor or, in newer versions, has them as its pooled output."""
    found = answer if isinstance(answer, Tensor) else answer.pooler_output
    assert isinstance(found, Tensor)
    return found


def open_space(given: str, device: torch.device | None = None) -> JointSpace:
    """The CLAP of a model folder (by name or path), or `transformers=NAME`.

    Raises:
        ValueError: there is no such model, or it lacks a part of its CLAP.
    """
    kind, equals, name = given.partition("=")
    if equals and kind == OTHERS:
        return TransformersClap(name, device)
    folder = checkpoint.find(given)
    config, _ = checkpoint.read_config(folder)
    heads, sound = (load_frozen(config, part, folder, device=device) for part in ("clap", "clap_audio"))
    assert isinstance(heads, ClapHeads | MsClapHeads)
    text = None if isinstance(heads, MsClapHeads) else load_frozen(config, "text", folder, device=device)
    space: JointSpace | None = heads.space(text if isinstance(text, TextEncoder) else None, sound)
    return checkpoint.present(space, "text encoder")


def identity(given: str) -> str:
    """What an expert or CLAP is, wherever it lies: a hash over its file, or over its folder's weights and lists.

    For a name on the hub, or a data set, it is the name.
    """
    kind, equals, name = given.partition("=")
    path = Path(name) if equals else checkpoint.find(kind)
    if not path.exists():
        return name
    files = [path] if path.is_file() else sorted([*path.glob("*.safetensors"), *path.glob("*.json")])
    return hashlib.sha256("".join(map(checkpoint.file_hash, files)).encode()).hexdigest()[:16]


@torch.inference_mode()
def texts_in_space(space: JointSpace, texts: list[str]) -> Tensor:
    """Captions to unit vectors [N, joint] on the CPU, some at a time."""
    parts = [space.embed_text(texts[at : at + MEMORY]).float().cpu() for at in range(0, len(texts), MEMORY)]
    return torch.cat(parts)


@torch.inference_mode()
def embed_sound(space: JointSpace, wave: NDArray[np.float32], rate: int, device: torch.device) -> Tensor:
    """One clip [n] to its unit vector [joint] on the CPU."""
    return space.embed_audio(torch.from_numpy(wave).to(device)[None], rate)[0].float().cpu()
