"""Model folders: `config.json` plus one safetensors file per part, loaded strictly, with hashes checked.

A folder may hold experts, each a model folder inside it: another network for pictures (`image/`) or for inpainting
(`inpaint/`), and a small model that only puts pictures into words (`words/`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from maa import hub
from maa.audio.mel import MelSpectrogram
from maa.config import TINY, HifiganConfig, ModelConfig

if TYPE_CHECKING:
    from maa.models.aisfx import AisfxEncoder
    from maa.models.autoencoder import Autoencoder
    from maa.models.bridge import PictureBridge
    from maa.models.clap import ClapHeads
    from maa.models.clip import ClipBridge
    from maa.models.text import TextEncoder
    from maa.models.unet import UNet

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
CONCEPTS = "concepts.json"
CLIP = "vision"  # a folder with an open_clip model; where there is one, it hears pictures instead of the classifier
PARTS = ("autoencoder", "unet", "vocoder", "text", "clap", "clap_audio", "vision")
EXPERTS = ("image", "inpaint", "words")
SHARED = ("vocoder", "clap", "clap_audio")  # an expert without one of its own uses another's of the same mel convention
WEIGHTS_ONLY = (
    "autoencoder",
    "unet",
)  # nothing in them is computed, so they need no room before their weights are read
WHAT = {
    "autoencoder": "the spectrogram autoencoder",
    "unet": "the denoising network",
    "vocoder": "the vocoder",
    "text": "the text encoder",
    "clap": "the CLAP projections",
    "clap_audio": "the CLAP sound encoder",
    "vision": "the picture classifier",
}


@dataclass
class Model:
    """The networks of one checkpoint; a part whose file is absent is None and named in `missing`."""

    config: ModelConfig
    front: MelSpectrogram
    autoencoder: Autoencoder | None = None
    unet: UNet | None = None
    vocoder: nn.Module | None = None
    text: TextEncoder | None = None
    clap: ClapHeads | None = None
    clap_audio: AisfxEncoder | None = None
    vision: PictureBridge | ClipBridge | None = None
    concepts: tuple[str, ...] = ()
    hashes: dict[str, str] = field(default_factory=dict)  # file name -> sha256
    missing: dict[str, str] = field(default_factory=dict)  # part -> sentence
    folder: Path | None = None  # where it was read from
    experts: dict[str, Model] = field(default_factory=dict)

    def networks(self) -> dict[str, nn.Module]:
        """The parts that are present, by name."""
        return {name: part for name in PARTS if (part := getattr(self, name)) is not None}

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> Model:
        """Move everything; only the denoising network changes its inner precision."""
        self.front.to(device)
        for name, network in self.networks().items():
            network.to(device, dtype if name == "unet" else torch.float32)
        for expert in self.experts.values():
            expert.to(device, dtype)
        return self

    @property
    def weights_hash(self) -> str:
        """Short hash over all parts: which weights made a sound."""
        text = "".join(f"{name}:{self.hashes[name]};" for name in sorted(self.hashes))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def build(config: ModelConfig, part: str, tokenizer: Any = None) -> nn.Module:
    """One network with fresh weights. Each is imported when it is asked for: some bring heavy libraries along."""
    if part == "autoencoder":
        from maa.models.autoencoder import Autoencoder

        return Autoencoder(config.autoencoder)
    if part == "unet":
        from maa.models.unet import UNet

        return UNet(config.unet)
    if part == "vocoder":
        return _vocoder(config)
    if part == "text":
        from maa.models.text import TextEncoder, spelling_tokenizer

        return TextEncoder(config.text, tokenizer or spelling_tokenizer())
    if part == "clap":
        from maa.models.clap import ClapHeads

        return ClapHeads(config.clap, config.text.width)
    if part == "clap_audio":
        from maa.models.aisfx import AisfxEncoder

        return AisfxEncoder(config.clap.audio_width)
    if part == "vision":
        from maa.models.bridge import PictureBridge

        return PictureBridge(config.vision, config.text.width)
    raise KeyError(part)


def _vocoder(config: ModelConfig) -> nn.Module:
    if isinstance(config.vocoder, HifiganConfig):
        from maa.models.hifigan import HifiganGenerator

        return HifiganGenerator(config.vocoder, config.audio.mels)
    from maa.models.istft import IstftVocoder

    return IstftVocoder(config.vocoder, config.audio)


def root() -> Path:
    """The folder that holds the named checkpoints: MAA_CHECKPOINTS, else `checkpoints` beside the package."""
    return Path(os.environ.get("MAA_CHECKPOINTS") or Path(__file__).resolve().parent.parent / "checkpoints")


def find(name: str) -> Path:
    """The folder of a model: a path, a name under `root()`, or a hub id such as "user/model" (downloaded once)."""
    for folder in (Path(name).expanduser(), root() / name):
        if (folder / CONFIG).is_file():
            return folder
    if hub.is_id(name):
        return hub.download(name)
    known = sorted(path.parent.name for path in root().glob(f"*/{CONFIG}"))
    have = ", ".join([*known, "tiny"])
    raise ValueError(f"There is no model {name!r} (no {CONFIG} in that folder); choose {have}, or give a folder.")


def read_config(folder: Path) -> tuple[ModelConfig, dict[str, str]]:
    """What a folder's model is, and the sha256 of each file. ValueError when the description is damaged."""
    try:
        document = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return ModelConfig.from_json(document["model"]), dict(document.get("files", {}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / CONFIG} is not a model description ({error}); restore it.") from error


def load(folder: Path) -> Model:
    """Rebuild a model, with its experts, from its folder. A damaged or unfitting file is a ValueError that names it."""
    model = _load(folder)
    for name in EXPERTS:
        if (folder / name / CONFIG).is_file():
            model.experts[name] = _load(folder / name)
    family = [model, *model.experts.values()]
    for one in family:
        for part in SHARED:
            others = (other for other in family if other.config.audio.convention == one.config.audio.convention)
            lender = next((other for other in others if getattr(other, part) is not None), None)
            if getattr(one, part) is None and lender is not None:
                setattr(one, part, getattr(lender, part))
                one.missing.pop(part, None)
    return model


def _load(folder: Path) -> Model:
    """The model of one folder, without what lies in folders inside it."""
    config, hashes = read_config(folder)
    model = Model(config, MelSpectrogram(config.audio), hashes=hashes, folder=folder)
    tokenizer = None
    if (folder / TOKENIZER).is_file():
        from maa.models.text import load_tokenizer

        _check_hash(folder / TOKENIZER, hashes)
        tokenizer = load_tokenizer(folder / TOKENIZER)
    if (folder / CONCEPTS).is_file():
        model.concepts = tuple(json.loads((folder / CONCEPTS).read_text(encoding="utf-8")))
    for part in PARTS:
        path = folder / f"{part}.safetensors"
        if part == "vision" and (folder / CLIP).is_dir():
            model.vision = _clip(folder / CLIP)
            continue
        if not path.is_file() or (part == "text" and tokenizer is None):
            model.missing[part] = _sentence(part, config, folder)
            continue
        _check_hash(path, hashes)
        with torch.device("meta" if part in WEIGHTS_ONLY else "cpu"):
            network = build(config, part, tokenizer)
        _fill(network, path)
        setattr(model, part, network.eval().requires_grad_(False))
    return model


def _sentence(part: str, config: ModelConfig, folder: Path) -> str:
    """What is missing, and what to do about it."""
    if part == "text" and (config.unet.looks or config.unet.context_dim is None):
        can = "listens to pictures" if config.unet.looks else "fills holes"
        return f"This network {can} and knows no text: convert one of the authors' text checkpoints into {folder}, too."
    if config.unet.looks and part == "vision":
        return f"The picture encoder is missing: put open_clip's ViT-H-14 (laion2b_s32b_b79k) into {folder / CLIP}."
    return f"{WHAT[part].capitalize()} is missing: add {part}.safetensors to {folder}."


def _clip(folder: Path) -> ClipBridge:
    from maa.models.clip import ClipBridge, ClipVision

    return ClipBridge(ClipVision.load(folder))


def _check_hash(path: Path, hashes: dict[str, str]) -> None:
    expected = hashes.get(path.name)
    actual = file_hash(path)
    if expected is not None and expected != actual:
        raise ValueError(f"{path} is damaged or was replaced: its hash differs from {CONFIG}; copy it again.")
    hashes[path.name] = actual


def file_hash(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(stream)


def _digest(stream: Any) -> str:
    digest = hashlib.sha256()  # Python 3.10 has no hashlib.file_digest
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _fill(network: nn.Module, path: Path) -> None:
    try:
        state = {name: value.float() if value.is_floating_point() else value for name, value in load_file(path).items()}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} cannot be read as safetensors ({error}); copy the file again.") from error
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:300]
        raise ValueError(f"{path} does not fit the network that {CONFIG} describes: {detail}") from error


def save(model: Model, folder: Path, dtype: torch.dtype = torch.float16) -> None:
    """Write a model's present parts and its config, floats as `dtype`, with the hashes of what was written.

    An open_clip model is not among them: it has a format of its own and stays where it is.
    """
    from maa.models.clip import ClipBridge

    parts = {
        part: {name: _compact(value, dtype) for name, value in network.state_dict().items()}
        for part, network in model.networks().items()
        if not isinstance(network, ClipBridge)
    }
    write(folder, model.config, parts)
    if model.text is not None:
        model.text.tokenizer.save(str(folder / TOKENIZER))
    if model.concepts:
        (folder / CONCEPTS).write_text(json.dumps(list(model.concepts), indent=1) + "\n", encoding="utf-8")
    write_config(folder, model.config)


def write(folder: Path, config: ModelConfig, parts: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Write the weights of some parts, as they are, and the config that describes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, weights in parts.items():
        path = folder / f"{part}.safetensors"
        aside = path.with_suffix(".tmp")  # a loaded model may still read the old file
        save_file({name: value.contiguous() for name, value in weights.items()}, aside)
        os.replace(aside, path)
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
    described = [*folder.glob("*.safetensors"), *folder.glob(TOKENIZER)]
    document = {"model": config.to_json(), "files": {path.name: file_hash(path) for path in sorted(described)}}
    aside = folder / f"{CONFIG}.tmp"
    aside.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    os.replace(aside, folder / CONFIG)


def _compact(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.detach().cpu().to(dtype if value.is_floating_point() else value.dtype)


def random_model(config: ModelConfig = TINY, seed: int = 0) -> Model:
    """A real model with random weights: what "tiny" is. The same on every machine of one torch version."""
    model = Model(config, MelSpectrogram(config.audio), concepts=("dog barking", "rain", "church bell"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in PARTS:
            network = build(config, part)
            for parameter in network.parameters():
                if part == "unet" and not parameter.any():
                    nn.init.normal_(parameter, std=0.02)  # zero-initialised branches would make every prompt alike
            setattr(model, part, network.eval().requires_grad_(False))
            model.hashes[part] = f"random-{seed}"
    return model
