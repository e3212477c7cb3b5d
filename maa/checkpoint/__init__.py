"""A model as a folder: `config.json` plus one safetensors file per part.

A folder may hold experts, each a model folder inside it: another network for pictures (`image/`) or for inpainting
(`inpaint/`), and a small model that only puts pictures into words (`words/`).
"""

from maa.checkpoint.folder import (
    CLAP_TOKENIZER,
    CLIP,
    CONCEPTS,
    CONFIG,
    EXPERTS,
    SUSTAINED,
    TOKENIZER,
    VOCODERS,
    address,
    called,
    copy,
    file_hash,
    find,
    lacking,
    load,
    names,
    read_config,
    root,
    save,
    write_config,
    write_parts,
)
from maa.checkpoint.model import PARTS, Model, build, present, random_model
from maa.checkpoint.shards import index_of, read_weights, weight_files, write_weights
from maa.checkpoint.student import RANK, STUDENT, added, difference, factors

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
