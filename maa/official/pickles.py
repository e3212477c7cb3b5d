"""Reading weights that came from elsewhere: nothing a file names is ever imported or run.

PyTorch's restricted unpickler builds tensors and plain containers only. A Lightning file also holds callbacks and
settings of classes that need not exist here; each such name is answered by an inert stand-in.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

WRAPPERS = ("state_dict", "generator", "model")  # Lightning, the vocoders, CLAP
FLOATS = (torch.float32, torch.float16, torch.bfloat16)


class _Called(type):
    """A stand-in that is called (pickle's REDUCE) gives an object that swallows its state."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return object.__new__(Inert)


class Inert(metaclass=_Called):
    """Stands where a file names a class that we will not import; holds nothing and does nothing."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:  # pickle's NEWOBJ, which may fill a mapping next
        return OrderedDict()

    def __setstate__(self, state: Any) -> None:
        """Let go of whatever the object would have kept."""


@dataclass(frozen=True)
class TensorFile:
    """The tensors of one file, by the names that the file gives them."""

    path: Path
    tensors: dict[str, Tensor]

    @property
    def sha256(self) -> str:
        """Of the whole file, so that a model card can say what it was made from."""
        with self.path.open("rb") as stream:
            digest = hashlib.sha256()
            while block := stream.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()


def read_tensors(path: Path) -> TensorFile:
    """Tensors of a .ckpt, .pt, .pth or .safetensors file; their bytes stay on the disk until they are used.

    Raises:
        ValueError: the file is not there, damaged, or no file of weights.
    """
    if not path.is_file():
        raise ValueError(f"There is no file {path}.")
    document = _safetensors(path) if path.suffix == ".safetensors" else _pickle(path)
    tensors = _unwrap(document)
    if not tensors:
        raise ValueError(f"{path} holds no weights; give one of the authors' .ckpt, .pt or .pth files.")
    return TensorFile(path, tensors)


def _safetensors(path: Path) -> Any:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} cannot be read as safetensors ({_first_line(error)}); download it again.") from error


def _pickle(path: Path) -> Any:
    if _is_text(path):
        raise ValueError(f"{path} is a text, no weights; give one of the authors' .ckpt, .pt or .pth files.")
    try:
        named = _foreign(path)
        with torch.serialization.safe_globals([(Inert, name) for name in named]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unusual pickle protocols: what cannot be read fails anyway
            try:
                return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            except RuntimeError as error:
                if "mmap can only be used" not in str(error):
                    raise
                return torch.load(path, map_location="cpu", weights_only=True)  # saved before torch 1.6
    except Exception as error:  # a damaged pickle may fail in any way at all
        raise ValueError(
            f"{path} is damaged or no file of weights ({_first_line(error)}); download it again, or check its source."
        ) from error


def _is_text(path: Path) -> bool:
    """Whether a file, such as the settings beside a network, begins with words: a pickle or a zip does not."""
    with path.open("rb") as stream:
        head = stream.read(512)
    return bool(head) and all(32 <= byte < 127 or byte in b"\t\n\r" for byte in head)


def _foreign(path: Path) -> list[str]:
    """Names of the classes and functions that a file asks for beyond tensors and containers; reads no tensor."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"PK"
    return torch.serialization.get_unsafe_globals_in_checkpoint(path) if zipped else []


def _unwrap(document: Any) -> dict[str, Tensor]:
    """The mapping of names to tensors, itself or under one of the usual wrappers."""
    if not isinstance(document, dict):
        return {}
    inner = next((document[key] for key in WRAPPERS if isinstance(document.get(key), dict)), document)
    return {key: value for key, value in inner.items() if isinstance(key, str) and isinstance(value, Tensor)}


def _first_line(error: BaseException) -> str:
    """The reason alone: PyTorch surrounds it with advice that nobody should follow for a file from elsewhere."""
    _, mark, reason = str(error).partition("WeightsUnpickler error:")
    lines = (reason if mark else str(error)).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}…"


def check_shape(name: str, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A weight that fits: the expected shape, a floating type, finite values. ValueError names the key otherwise."""
    if tuple(tensor.shape) != shape:
        raise ValueError(f"{name} should have the shape {list(shape)}, not {list(tensor.shape)}.")
    if name.endswith(".num_batches_tracked") and tensor.dtype == torch.int64:
        return tensor  # batch norm counts its batches
    if tensor.dtype not in FLOATS or tensor.layout != torch.strided:
        raise ValueError(f"{name} should hold floating-point numbers, not {str(tensor.dtype).removeprefix('torch.')}.")
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{name} holds values that are not finite; the file is damaged.")
    return tensor
