"""A model as a folder: `config.json` plus one safetensors file per part.

A folder may hold experts, each a model folder inside it: another network for pictures (`image/`) or for inpainting
(`inpaint/`), and a small model that only puts pictures into words (`words/`).

The names below are looked up when first used: what only asks where a model is needs no PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maa.checkpoint.folder import VOCODERS as VOCODERS
    from maa.checkpoint.folder import copy as copy
    from maa.checkpoint.folder import lacking as lacking
    from maa.checkpoint.folder import load as load
    from maa.checkpoint.folder import save as save
    from maa.checkpoint.folder import write_config as write_config
    from maa.checkpoint.folder import write_parts as write_parts
    from maa.checkpoint.model import PARTS as PARTS
    from maa.checkpoint.model import Model as Model
    from maa.checkpoint.model import build as build
    from maa.checkpoint.model import present as present
    from maa.checkpoint.model import random_model as random_model
    from maa.checkpoint.shards import index_of as index_of
    from maa.checkpoint.shards import read_weights as read_weights
    from maa.checkpoint.shards import weight_files as weight_files
    from maa.checkpoint.shards import write_weights as write_weights
    from maa.checkpoint.student import RANK as RANK
    from maa.checkpoint.student import STUDENT as STUDENT
    from maa.checkpoint.student import added as added
    from maa.checkpoint.student import difference as difference
    from maa.checkpoint.student import factors as factors
    from maa.checkpoint.where import CLAP_TOKENIZER as CLAP_TOKENIZER
    from maa.checkpoint.where import CLIP as CLIP
    from maa.checkpoint.where import CONCEPTS as CONCEPTS
    from maa.checkpoint.where import CONFIG as CONFIG
    from maa.checkpoint.where import EXPERTS as EXPERTS
    from maa.checkpoint.where import SUSTAINED as SUSTAINED
    from maa.checkpoint.where import TOKENIZER as TOKENIZER
    from maa.checkpoint.where import address as address
    from maa.checkpoint.where import called as called
    from maa.checkpoint.where import file_hash as file_hash
    from maa.checkpoint.where import find as find
    from maa.checkpoint.where import names as names
    from maa.checkpoint.where import read_config as read_config
    from maa.checkpoint.where import root as root

_HOMES = {
    "maa.checkpoint.folder": ("VOCODERS", "copy", "lacking", "load", "save", "write_config", "write_parts"),
    "maa.checkpoint.model": ("PARTS", "Model", "build", "present", "random_model"),
    "maa.checkpoint.shards": ("index_of", "read_weights", "weight_files", "write_weights"),
    "maa.checkpoint.student": ("RANK", "STUDENT", "added", "difference", "factors"),
    "maa.checkpoint.where": (
        "CLAP_TOKENIZER",
        "CLIP",
        "CONCEPTS",
        "CONFIG",
        "EXPERTS",
        "SUSTAINED",
        "TOKENIZER",
        "address",
        "called",
        "file_hash",
        "find",
        "names",
        "read_config",
        "root",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
__all__ = [
    "CLAP_TOKENIZER",
    "CLIP",
    "CONCEPTS",
    "CONFIG",
    "EXPERTS",
    "PARTS",
    "RANK",
    "STUDENT",
    "SUSTAINED",
    "TOKENIZER",
    "VOCODERS",
    "Model",
    "added",
    "address",
    "build",
    "called",
    "copy",
    "difference",
    "factors",
    "file_hash",
    "find",
    "index_of",
    "lacking",
    "load",
    "names",
    "present",
    "random_model",
    "read_config",
    "read_weights",
    "root",
    "save",
    "weight_files",
    "write_config",
    "write_parts",
    "write_weights",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value
