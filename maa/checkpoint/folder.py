"""Model folders: read strictly with hashes checked, written whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from maa.aside import aside, write_text
from maa.audio.mel import MelSpectrogram
from maa.checkpoint.model import PARTS, Model, build
from maa.checkpoint.shards import read_weights, weight_files, write_weights
from maa.checkpoint.student import RANK, STUDENT, added, difference
from maa.checkpoint.where import (
    CLAP_TOKENIZER,
    CLIP,
    CONCEPTS,
    CONFIG,
    EXPERTS,
    SUSTAINED,
    TOKENIZER,
    file_hash,
    names,
    read_config,
)
from maa.config import ModelConfig, MsClapConfig, OpenClipConfig
from maa.foreign import foreign
from maa.models.clip import ClipBridge, ClipVision
from maa.models.text import load_tokenizer
from maa.models.unet import UNet
from maa.models.vocabulary import VECTORS, WORDS, Vocabulary

SHARED = ("vocoder", "clap", "clap_audio")  # an expert without one of its own uses another's
VOCODERS = {"A": "bigv16k53w", "B": "bigvnat"}  # the folder of the authors' vocoder for each mel convention
WHAT = {
    "autoencoder": "the spectrogram autoencoder",
    "unet": "the denoising network",
    "vocoder": "the vocoder",
    "text": "the text encoder",
    "clap": "the CLAP projection",
    "clap_audio": "the CLAP sound encoder",
    "vision": "the picture classifier",
}


class Undrawn(TorchFunctionMode):
    """Inside, networks are built without drawing first weights: those of a file take their place.

    Drawing them takes longer than reading the files. On the "meta" device it needs no numbers, but PyTorch's compiler,
    which takes a second to import; and memory that nobody writes to takes no room either.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return (torch.empty if func is torch.randn else func)(*args, **kwargs)


def load(folder: Path) -> Model:
    """Rebuild a model, with its experts, from its folder. A damaged or unfitting file is a ValueError that names it."""
    model = _load(folder)
    for name in EXPERTS:
        if (folder / name / CONFIG).is_file():
            model.experts[name] = _load(folder / name)
    family = [model, *model.experts.values()]
    for borrower in family:
        for part in SHARED:
            able = (one for one in family if getattr(one, part) is not None and _may_lend(part, one, borrower))
            lender = next(able, None)
            if getattr(borrower, part) is None and lender is not None:
                setattr(borrower, part, getattr(lender, part))
                borrower.missing.pop(part, None)
    return model


def _may_lend(part: str, lender: Model, borrower: Model) -> bool:
    """A vocoder is of use only to a network of its own mel convention."""
    return part != "vocoder" or lender.config.audio.convention == borrower.config.audio.convention


def _load(folder: Path) -> Model:
    """The model of one folder, without what lies in folders inside it."""
    config, hashes = read_config(folder)
    model = Model(config, MelSpectrogram(config.audio), hashes=hashes, folder=folder)
    tokenizer = _tokenizer(folder / TOKENIZER, hashes)
    clap_tokenizer = _tokenizer(folder / CLAP_TOKENIZER, hashes) or tokenizer
    model.concepts, model.sustained = names(folder / CONCEPTS), names(folder / SUSTAINED)
    if (folder / VECTORS).is_file() and (folder / WORDS).is_file():
        _check_hash(folder / VECTORS, hashes)
        model.vocabulary = Vocabulary.load(folder)
    for part in PARTS:
        if part == "vision" and (folder / CLIP).is_dir():
            model.vision = _clip(folder / CLIP)
            continue
        files = weight_files(folder, part)
        reads = part == "text" or (part == "clap" and isinstance(config.clap, MsClapConfig))
        reader = clap_tokenizer if part == "clap" else tokenizer
        if (part == "vision" and isinstance(config.vision, OpenClipConfig)) or not files:
            model.missing[part] = lacking(part, config, folder)
            continue
        if reads and reader is None:
            model.missing[part] = f"{_named(part)} cannot read: add {TOKENIZER} to {folder}."
            continue
        for path in files:
            _check_hash(path, hashes)
        wrong = f"{folder / CONFIG} describes no network that {WHAT[part]} can be; restore it."
        with foreign(wrong), Undrawn():
            network = build(config, part, reader)
        _fill(network, files)
        setattr(model, part, network.eval().requires_grad_(False))
    model.student = _student(folder, model)
    if "vision" not in model.missing and not config.unet.clip_conditioned and not model.concepts:
        model.missing["vision"] = lacking("vision", config, folder)
    return model


def _student(folder: Path, model: Model) -> UNet | None:
    """The second network of a folder, from the first and its difference."""
    files = weight_files(folder, STUDENT)
    if not files or model.unet is None:
        return None
    for path in files:
        _check_hash(path, model.hashes)
    change = read_weights(files)
    with foreign(f"{files[0]} is no difference to the network that {CONFIG} describes; copy it again."):
        weights = added(model.unet.state_dict(), change)
        with Undrawn():
            network = UNet(replace(model.config.unet, guided=True))
        network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)


def _named(part: str) -> str:
    """A part as a sentence begins with it."""
    return WHAT[part][0].upper() + WHAT[part][1:]


def lacking(part: str, config: ModelConfig, folder: Path) -> str:
    """What a folder lacks, and what to do about it."""
    converted = config.name.startswith("official-")
    whole = folder.parent if folder.name in EXPERTS else folder
    if part == "text" and (config.unet.clip_conditioned or config.unet.context_dim is None):
        can = "listens to pictures" if config.unet.clip_conditioned else "fills holes"
        return f"This network {can} and knows no text: convert one of the authors' text checkpoints into {folder}, too."
    if part == "vocoder" and converted:
        file = f"{VOCODERS[config.audio.convention]}/best_netG.pt"
        return f"The vocoder is missing: python -m maa convert --vocoder {file} -o {whole} adds the authors' own."
    if part == "vision" and not config.unet.clip_conditioned and converted:
        return f"Nothing here puts pictures into words: python -m maa convert -o {whole} adds a model that does."
    if part == "vision" and not config.unet.clip_conditioned and weight_files(folder, part):
        return f"The names of sounds are missing: add {CONCEPTS} to {folder}."
    if part == "vision" and isinstance(config.vision, OpenClipConfig):
        what = f"open_clip's {config.vision.model} ({config.vision.pretrained})"
        return f"The CLIP model is missing: put {what} into the folder {folder / CLIP}."
    return f"{_named(part)} is missing: add {part}.safetensors to {folder}."


def _tokenizer(path: Path, hashes: dict[str, str]) -> Any:
    if not path.is_file():
        return None
    _check_hash(path, hashes)
    return load_tokenizer(path)


def _clip(folder: Path) -> ClipBridge:
    return ClipBridge(ClipVision.load(folder))


def _check_hash(path: Path, hashes: dict[str, str]) -> None:
    expected = hashes.get(path.name)
    actual = file_hash(path)
    if expected is not None and expected != actual:
        raise ValueError(f"{path} is damaged or was replaced: its hash differs from {CONFIG}; copy it again.")
    hashes[path.name] = actual


def _fill(network: nn.Module, files: list[Path]) -> None:
    state = read_weights(files)
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:300]
        raise ValueError(f"{files[0]} does not fit the network that {CONFIG} describes: {detail}") from error


def save(model: Model, folder: Path, dtype: torch.dtype = torch.float16, shard_bytes: int | None = None) -> None:
    """Write a model's present parts and its config, floats as `dtype`, with the hashes of what was written.

    An open_clip model is not among them: it has a format of its own and stays where it is.

    Args:
        shard_bytes: parts above this size are written in shards of at most this size; None = always one file.
    """
    parts = {part: net.state_dict() for part, net in model.networks().items() if not isinstance(net, ClipBridge)}
    if model.student is not None and model.unet is not None:
        parts[STUDENT] = difference(model.student.state_dict(), model.unet.state_dict(), RANK)
    compact = {part: {name: _compact(value, dtype) for name, value in one.items()} for part, one in parts.items()}
    write_parts(folder, model.config, compact, shard_bytes)
    for name, tokenizer in _tokenizers(model).items():
        with aside(folder / name) as neighbour:
            tokenizer.save(str(neighbour))
    for name, listed in ((CONCEPTS, model.concepts), (SUSTAINED, model.sustained)):
        if listed:
            write_text(folder / name, json.dumps(list(listed), indent=1) + "\n")
    if model.vocabulary is not None:
        model.vocabulary.save(folder)
    write_config(folder, model.config)


def write_parts(
    folder: Path, config: ModelConfig, parts: Mapping[str, Mapping[str, Tensor]], shard_bytes: int | None = None
) -> None:
    """Write the weights of some parts, as they are, and the config that describes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, weights in parts.items():
        write_weights(weights, folder, part, shard_bytes)
    write_config(folder, config)


def copy(model: Model, folder: Path) -> Path:
    """A model as a folder of its own: the files it was read from, experts included, or newly written where it was not.

    Raises:
        ValueError: the folder is there already and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is there already; choose another folder, so that nothing is overwritten.")
    if model.folder is None:
        save(model, folder, torch.float32)
    else:
        shutil.copytree(model.folder, folder, dirs_exist_ok=True)
    return folder


def write_config(folder: Path, config: ModelConfig) -> None:
    """Describe a folder's model: its config, and the hash of each file that is there now."""
    described = [*folder.glob("*.safetensors"), *folder.glob("*tokenizer.json")]
    document = {"model": config.to_json(), "files": {path.name: file_hash(path) for path in sorted(described)}}
    write_text(folder / CONFIG, json.dumps(document, indent=2) + "\n")


def _tokenizers(model: Model) -> dict[str, Any]:
    """The tokenizers to write, by file; a CLAP with a caption tower of its own shares the text encoder's if it can."""
    found = {} if model.text is None else {TOKENIZER: model.text.tokenizer}
    caption = getattr(model.clap, "caption", None)
    if caption is not None and (not found or found[TOKENIZER].get_vocab() != caption.tokenizer.get_vocab()):
        found[CLAP_TOKENIZER] = caption.tokenizer
    return found


def _compact(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.detach().cpu().to(dtype if value.is_floating_point() else value.dtype)
