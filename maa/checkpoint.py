"""Model folders: `config.json` plus one safetensors file per part, loaded strictly, with hashes checked."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

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

    def networks(self) -> dict[str, nn.Module]:
        """The parts that are present, by name."""
        return {name: part for name in PARTS if (part := getattr(self, name)) is not None}

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> Model:
        """Move everything; only the denoising network changes its inner precision."""
        self.front.to(device)
        for name, network in self.networks().items():
            network.to(device, dtype if name == "unet" else torch.float32)
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
    if name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists():
        return _download(name)
    known = sorted(path.parent.name for path in root().glob(f"*/{CONFIG}"))
    have = ", ".join([*known, "tiny"])
    raise ValueError(f"There is no model {name!r} (no {CONFIG} in that folder); choose {have}, or give a folder.")


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.md"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(f"Cannot get the model {name!r} from the hub: {first}") from error


def read_config(folder: Path) -> tuple[ModelConfig, dict[str, str]]:
    """What a folder's model is, and the sha256 of each file. ValueError when the description is damaged."""
    try:
        document = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return ModelConfig.from_json(document["model"]), dict(document.get("files", {}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / CONFIG} is not a model description ({error}); restore it.") from error


def load(folder: Path) -> Model:
    """Rebuild a model from its folder. A damaged or unfitting file is a ValueError that names it."""
    config, hashes = read_config(folder)
    model = Model(config, MelSpectrogram(config.audio), hashes=hashes)
    tokenizer = None
    if (folder / TOKENIZER).is_file():
        from maa.models.text import load_tokenizer

        _check_hash(folder / TOKENIZER, hashes)
        tokenizer = load_tokenizer(folder / TOKENIZER)
    if (folder / CONCEPTS).is_file():
        model.concepts = tuple(json.loads((folder / CONCEPTS).read_text(encoding="utf-8")))
    for part in PARTS:
        if part == "vision" and (folder / CLIP).is_dir():
            model.vision = _clip(folder / CLIP)
            continue
        files = weight_files(folder, part)
        if not files or (part == "text" and tokenizer is None):
            model.missing[part] = f"{WHAT[part].capitalize()} is missing: add {part}.safetensors to {folder}."
            continue
        for path in files:
            _check_hash(path, hashes)
        network = build(config, part, tokenizer)
        _fill(network, files)
        setattr(model, part, network.eval().requires_grad_(False))
    return model


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


def weight_files(folder: Path, part: str) -> list[Path]:
    """The files of a part: `<part>.safetensors`, or the shards that `<part>.safetensors.index.json` names; or none.

    Raises:
        ValueError: the index is damaged, or names a shard that is not there.
    """
    whole, index = folder / f"{part}.safetensors", folder / f"{part}.safetensors.index.json"
    if whole.is_file() or not index.is_file():
        return [whole] if whole.is_file() else []
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{index} is not an index of weights ({error}); copy it again.") from error
    shards = [folder / Path(name).name for name in names]  # a name is never a way out of the folder
    absent = [shard.name for shard in shards if not shard.is_file()]
    if absent:
        raise ValueError(f"{folder} lacks {', '.join(absent)}, which {index.name} names; copy the whole folder.")
    return shards


def read_weights(files: list[Path]) -> dict[str, Tensor]:
    """The tensors of a part's files together, floats as float32."""
    state: dict[str, Tensor] = {}
    for path in files:
        try:
            state |= load_file(path)
        except (SafetensorError, OSError) as error:
            raise ValueError(f"{path} cannot be read as safetensors ({error}); copy the file again.") from error
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def _fill(network: nn.Module, files: list[Path]) -> None:
    state = read_weights(files)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:300]
        raise ValueError(f"{files[0]} does not fit the network that {CONFIG} describes: {detail}") from error


def _write_weights(state: dict[str, Tensor], folder: Path, part: str, shard_bytes: int | None) -> list[Path]:
    """One file, or shards of at most `shard_bytes` with their index in the form that the hub's libraries read."""
    for path in [*folder.glob(f"{part}-*-of-*.safetensors"), *folder.glob(f"{part}.safetensors*")]:
        path.unlink()  # a whole file and shards beside each other would contradict one another
    sizes = {name: value.nbytes for name, value in state.items()}
    if shard_bytes is None or sum(sizes.values()) <= shard_bytes:
        path = folder / f"{part}.safetensors"
        save_file(state, path)
        return [path]
    shards: list[dict[str, Tensor]] = [{}]
    for name, value in state.items():
        if shards[-1] and sum(sizes[n] for n in shards[-1]) + sizes[name] > shard_bytes:
            shards.append({})
        shards[-1][name] = value
    paths = [folder / f"{part}-{i + 1:05d}-of-{len(shards):05d}.safetensors" for i in range(len(shards))]
    for path, shard in zip(paths, shards, strict=True):
        save_file(shard, path)
    where = {name: path.name for path, shard in zip(paths, shards, strict=True) for name in shard}
    index = {"metadata": {"total_size": sum(sizes.values())}, "weight_map": where}
    (folder / f"{part}.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    return paths


def save(model: Model, folder: Path, dtype: torch.dtype = torch.float16, shard_bytes: int | None = None) -> None:
    """Write a model's present parts and its config, floats as `dtype`, with the hashes of what was written.

    An open_clip model is not among them: it has a format of its own and stays where it is.

    Args:
        shard_bytes: parts above this size are written in shards of at most this size; None = always one file.
    """
    from maa.models.clip import ClipBridge

    folder.mkdir(parents=True, exist_ok=True)
    hashes: dict[str, str] = {}
    for part, network in model.networks().items():
        if isinstance(network, ClipBridge):
            continue
        state = {name: _compact(value, dtype) for name, value in network.state_dict().items()}
        for path in _write_weights(state, folder, part, shard_bytes):
            hashes[path.name] = file_hash(path)
    if model.text is not None:
        model.text.tokenizer.save(str(folder / TOKENIZER))
        hashes[TOKENIZER] = file_hash(folder / TOKENIZER)
    if model.concepts:
        (folder / CONCEPTS).write_text(json.dumps(list(model.concepts), indent=1) + "\n", encoding="utf-8")
    document = {"model": model.config.to_json(), "files": hashes}
    (folder / CONFIG).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _compact(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.detach().cpu().to(dtype if value.is_floating_point() else value.dtype).contiguous()


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
