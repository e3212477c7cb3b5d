"""Put trained parts together into a model folder that the program opens.

python -m train.package --runs data/parts runs/{autoencoder,vocoder,clap,diffusion} --to checkpoints/small
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from maa import checkpoint
from maa.audio.mel import MelSpectrogram
from train.data import load_manifest
from train.frozen import load_frozen

SHARD = 15 << 20  # bytes; hosts of code refuse or dislike larger files


def package(runs: list[Path], to: Path, name: str) -> checkpoint.Model:
    """Collect each part from the last folder that has it, and write them as float16 with hashes.

    Parts above 15 MiB are written in shards with an index. The concepts are those that the last folder with a list of
    them was trained on; names of sounds that last are gathered from all folders.
    """
    described = [folder for folder in runs if (folder / checkpoint.CONFIG).is_file()]
    if not described:
        raise ValueError("None of the folders has a config.json; the diffusion stage writes one.")
    config = replace(checkpoint.read_config(described[-1])[0], name=name)
    listed = [names for folder in runs if (names := checkpoint.names(folder / checkpoint.CONCEPTS))]
    concepts = listed[-1] if listed else tuple(sorted({row.concept for row in load_manifest()}))
    lasting = {name for folder in runs for name in checkpoint.names(folder / checkpoint.SUSTAINED)}
    model = checkpoint.Model(config, MelSpectrogram(config.audio), concepts=concepts, sustained=tuple(sorted(lasting)))
    for part in checkpoint.PARTS:
        setattr(model, part, load_frozen(config, part, *reversed(runs)))
    checkpoint.save(model, to, shard_bytes=SHARD)
    return model


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="folders with parts; later ones win")
    parser.add_argument("--to", type=Path, default=Path("checkpoints/small"))
    args = parser.parse_args()
    package(args.runs, args.to, args.to.name)
    for path in sorted(args.to.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.2f} MB  {path.name}")


if __name__ == "__main__":
    main()
