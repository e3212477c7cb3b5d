"""The weights of one part: one safetensors file, or shards with an index in the form that the hub's libraries read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors.torch import load, save_file
from torch import Tensor

from maa.aside import aside, write_text


def weight_files(folder: Path, part: str) -> list[Path]:
    """The files of a part: `<part>.safetensors`, or the shards that `<part>.safetensors.index.json` names; or none.

    Raises:
        ValueError: the index is damaged, or names a shard that is not there.
    """
    whole, index = folder / f"{part}.safetensors", index_of(folder, part)
    if whole.is_file() or not index.is_file():
        return [whole] if whole.is_file() else []
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        named = [folder / Path(name).name for name in names]  # a name is never a way out of the folder
    except Exception as error:  # whatever damage makes of it
        raise ValueError(f"{index} is not an index of weights ({str(error)[:200]}); copy it again.") from error
    absent = [shard.name for shard in named if not shard.is_file()]
    if absent:
        raise ValueError(f"{folder} lacks {', '.join(absent)}, which {index.name} names; copy the whole folder.")
    return named


def index_of(folder: Path, part: str) -> Path:
    """Where the index of a part's shards is, if it has any."""
    return folder / f"{part}.safetensors.index.json"


def read_weights(files: Sequence[Path]) -> dict[str, Tensor]:
    """The tensors of a part's files together, floats as float32."""
    state: dict[str, Tensor] = {}
    for path in files:
        try:
            state |= load(path.read_bytes())  # not mapped: a file that is replaced must not reach a running server
        except Exception as error:  # SafetensorError, and what else a damaged header is to it
            raise ValueError(
                f"{path} cannot be read as safetensors ({str(error)[:200]}); copy the file again."
            ) from error
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def write_weights(weights: Mapping[str, Tensor], folder: Path, part: str, shard_bytes: int | None = None) -> None:
    """One file, or shards of at most `shard_bytes`; what the folder held of the part before is gone."""
    shards: list[dict[str, Tensor]] = [{}]
    for name, value in weights.items():
        held = sum(tensor.nbytes for tensor in shards[-1].values())
        if shard_bytes is not None and shards[-1] and held + value.nbytes > shard_bytes:
            shards.append({})
        shards[-1][name] = value.contiguous()
    count = len(shards)
    names = [f"{part}-{k + 1:05d}-of-{count:05d}.safetensors" for k in range(count)] if count > 1 else []
    names = names or [f"{part}.safetensors"]
    for name, shard in zip(names, shards, strict=True):
        with aside(folder / name, f"{name}.tmp") as neighbour:  # a loaded model may still read the old file
            save_file(shard, neighbour)
    old = {*folder.glob(f"{part}-*-of-*.safetensors"), *folder.glob(f"{part}.safetensors*")}
    for path in old - {folder / name for name in names}:
        path.unlink()  # a whole file and shards beside each other would contradict one another
    if count > 1:
        where = {key: name for name, shard in zip(names, shards, strict=True) for key in shard}
        index = {"metadata": {"total_size": sum(value.nbytes for value in weights.values())}, "weight_map": where}
        write_text(index_of(folder, part), json.dumps(index, indent=1) + "\n")
