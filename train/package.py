"""Put trained parts together into a model folder that the program opens.

python -m train.package --runs data/parts runs/{autoencoder,vocoder,clap,diffusion} --to checkpoints/small
python -m train.package --student runs/few-steps --to checkpoints/small                            add a student to it
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from maa import checkpoint
from maa.audio.mel import MelSpectrogram
from maa.config import ModelConfig, MsClapConfig, OpenClipConfig
from maa.folders import recover, replace_folder
from maa.models.text import load_tokenizer
from train.data import load_manifest
from train.trainer.keeping import one_line
from train.vocabulary import vocabulary_of

SHARD = 15 << 20  # bytes; hosts of code refuse or dislike larger files


def load_frozen(config: ModelConfig, part: str, *folders: Path, device: torch.device | None = None) -> nn.Module:
    """A part that a stage uses but does not train, from `<part>.safetensors` (or shards) in the first folder with it.

    It is in evaluation mode and has no gradients.
    """
    files = next((files for folder in folders if (files := checkpoint.weight_files(folder, part))), None)
    if files is None:
        places = ", ".join(str(folder) for folder in folders)
        raise ValueError(f"There is no {part}.safetensors in {places}; run the stage that makes it first.")
    tokenizer = load_tokenizer(_reader(config, part, files[0].parent, *folders)) if _reads(config, part) else None
    network = checkpoint.build(config, part, tokenizer)
    network.load_state_dict(checkpoint.read_weights(files))
    return network.eval().requires_grad_(False).to(device or torch.device("cpu"))


def _reads(config: ModelConfig, part: str) -> bool:
    return part == "text" or (part == "clap" and isinstance(config.clap, MsClapConfig))


def _reader(config: ModelConfig, part: str, *folders: Path) -> Path:
    """The tokenizer of a part: a CLAP's own where there is one, beside the part's weights or else in another folder."""
    names = (checkpoint.CLAP_TOKENIZER, checkpoint.TOKENIZER) if part == "clap" else (checkpoint.TOKENIZER,)
    places = [folder / name for folder in folders for name in names]
    return next((path for path in places if path.is_file()), places[len(names) - 1])


def assemble(runs: list[Path], to: Path, name: str) -> checkpoint.Model:
    """Collect each part from the last folder that has it, and write them as float16 with hashes; a CLIP as it is.

    Parts above 15 MiB are written in shards with an index. The concepts are those that the last folder with a list of
    them was trained on, and with what the manifest says of them they are the model's vocabulary; names of sounds that
    last are gathered from all folders.
    """
    described = [folder for folder in runs if (folder / checkpoint.CONFIG).is_file()]
    if not described:
        raise ValueError("None of the folders has a config.json; the diffusion stage writes one.")
    config = replace(checkpoint.read_config(described[-1])[0], name=name)
    listed = [names for folder in runs if (names := checkpoint.names(folder / checkpoint.CONCEPTS))]
    concepts = listed[-1] if listed else tuple(sorted({row.concept for row in load_manifest()}))
    lasting = {name for folder in runs for name in checkpoint.names(folder / checkpoint.SUSTAINED)}
    model = checkpoint.Model(config, MelSpectrogram(config.audio), concepts=concepts, sustained=tuple(sorted(lasting)))
    clip = next((folder / checkpoint.CLIP for folder in reversed(runs) if (folder / checkpoint.CLIP).is_dir()), None)
    for part in _wanted(config, runs, clip is not None):
        setattr(model, part, load_frozen(config, part, *reversed(runs)))
    if model.text is not None:
        model.vocabulary = vocabulary_of(model, load_manifest())
    checkpoint.save(model, to, shard_bytes=SHARD)
    if clip is not None:
        shutil.copytree(clip, to / checkpoint.CLIP)
    return model


def _wanted(config: ModelConfig, runs: list[Path], clip: bool) -> list[str]:
    """The parts to collect: all of them for a network that hears text and vectors of CLAP, as what ships does; for
    others what they cannot be without, and what is there besides."""
    unet = config.unet
    needed = {"autoencoder", "unet", "vocoder"}
    if unet.hears and not unet.clip_conditioned:
        needed |= {"text"} if unet.global_dim is None else {"text", "clap"}
        needed |= set(checkpoint.PARTS) if unet.reads and unet.global_dim is not None else set()
    there = {part for part in checkpoint.PARTS if any(checkpoint.weight_files(folder, part) for folder in runs)}
    looks = {"vision"} if clip or isinstance(config.vision, OpenClipConfig) else set()  # a folder, not a file
    return [part for part in checkpoint.PARTS if part in (needed | there) - looks]


def put_together(runs: list[Path], to: Path) -> None:
    """Assemble beside `to`, which may be one of the folders, and take its place once all of it is there.

    Raises:
        ValueError: a part is missing, damaged, or of another size.
    """
    recover(to)
    made = to.with_name(f"{to.name}.made")
    shutil.rmtree(made, ignore_errors=True)
    try:
        assemble(runs, made, to.name)
        replace_folder(made, to)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def add_student(run: Path, to: Path, rank: int = checkpoint.RANK) -> float:
    """Put the student of a folder's denoising network beside it, as its difference to it in float16.

    Args:
        run: the folder that `train.few_steps` has written.
        to: the model folder of its teacher.
        rank: of the matrices that its changes are cut to.

    Returns:
        The share of the changes' energy that is kept, 0..1.

    Raises:
        ValueError: a network is missing or damaged, or the two do not belong together.
    """
    config, _ = checkpoint.read_config(to)
    learned, taught = (load_weights(folder, "unet") for folder in (run, to))
    change = checkpoint.difference(learned, taught, rank)
    halves = {name: value.half() for name, value in change.items()}
    kept = checkpoint.added(taught, halves)
    lost, whole = (
        sum(float((learned[name] - other[name]).square().sum()) for name in taught) for other in (kept, taught)
    )
    checkpoint.write_parts(to, config, {checkpoint.STUDENT: halves}, SHARD)
    return 1 - lost / whole if whole else 1.0


def _distance(one: Mapping[str, Tensor], other: Mapping[str, Tensor], names: Iterable[str]) -> float:
    """The sum of squares between the weights of these names."""
    return sum(float((one[name] - other[name]).square().sum()) for name in names)


def load_weights(folder: Path, part: str) -> dict[str, Tensor]:
    """The weights of a part in a folder.

    Raises:
        ValueError: there are none, or they are damaged.
    """
    files = checkpoint.weight_files(folder, part)
    if not files:
        raise ValueError(f"There is no {part}.safetensors in {folder}; run the stage that makes it first.")
    return checkpoint.read_weights(files)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--runs", type=Path, nargs="+", help="folders with parts; later ones win")
    what.add_argument("--student", type=Path, help="folder of a student of the network in --to, to put beside it")
    parser.add_argument("--rank", type=int, default=checkpoint.RANK, help="of a student's matrices")
    parser.add_argument("--to", type=Path, default=Path("checkpoints/small"))
    args = parser.parse_args()
    with one_line(parser):
        if args.student is not None:
            kept = add_student(args.student, args.to, args.rank)
            print(f"{100 * kept:.1f} % of what the student learned fits into matrices of rank {args.rank}")
        else:
            put_together(args.runs, args.to)
    for path in sorted(args.to.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.2f} MB  {path.name}")


if __name__ == "__main__":
    main()
