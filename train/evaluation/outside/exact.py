"""Weights of a file put into a network: every one, each of its own shape, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from maa.official.pickles import TensorFile, read_tensors


def read_exact(path: Path, what: str) -> TensorFile:
    """The tensors of a file that a user names, nothing in it imported or run; "module." in front of all names goes.

    Raises:
        ValueError: no such file, or none of weights.
    """
    try:
        file = read_tensors(path)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
    prefix = "module."
    if all(name.startswith(prefix) for name in file.tensors):
        return TensorFile(path, {name.removeprefix(prefix): value for name, value in file.tensors.items()})
    return file


def put_into(network: nn.Module, tensors: Mapping[str, Tensor], path: Path, what: str) -> None:
    """Load a network's weights.

    Raises:
        ValueError: a weight is missing, too much, or of another shape; the sentence names the first and says how many.
    """
    wanted = network.state_dict()
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}  # files from before PyTorch 0.4.1
    lacking = [name for name in wanted if name not in tensors and name not in counters]
    unknown = [name for name in tensors if name not in wanted]
    wrong = [name for name in wanted if name in tensors and tensors[name].shape != wanted[name].shape]
    if wrong:
        found, needed = list(tensors[wrong[0]].shape), list(wanted[wrong[0]].shape)
        raise ValueError(f"{path} does not hold {what}: {wrong[0]} has the shape {found}, not {needed}{_more(wrong)}.")
    if lacking:
        raise ValueError(f"{path} does not hold {what}: it lacks {lacking[0]}{_more(lacking)}.")
    if unknown:
        raise ValueError(f"{path} does not hold {what}: that has no {unknown[0]}{_more(unknown)}.")
    network.load_state_dict({name: tensors.get(name, value) for name, value in wanted.items()})
    network.eval().requires_grad_(False)


def _more(names: list[str]) -> str:
    return f" ({len(names) - 1} more)" if len(names) > 1 else ""
