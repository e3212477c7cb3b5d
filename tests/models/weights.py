"""Weights and inputs by a formula, so that a network can be held against numbers without anybody's checkpoint."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import nn

Numbers = Callable[[str, tuple[int, ...]], np.ndarray]
PERIOD = 65_537  # a prime, so that no two rows of a matrix are equal
KEPT = ("num_batches_tracked", "logit_scale")  # left as they are built


def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers that depend on the name alone."""
    return np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)


def tiled(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The same, but only so many numbers, over and over: drawing is what takes the time of a large network."""
    return np.resize(draw(name, (min(PERIOD, math.prod(shape)),)), shape)


def formula(name: str, shape: tuple[int, ...], numbers: Numbers = draw) -> torch.Tensor:
    """The weight of a name: see the description beside the reference tensors, which are made with `draw`."""
    x = numbers(name, shape)
    if name.endswith("weight_g"):
        x = np.abs(x) * 0.1 + 0.5
    elif name.endswith("running_var"):
        x = np.abs(x) * 0.1 + 1.0
    elif len(shape) >= 2:
        x = x / np.sqrt(np.prod(shape[1:])).astype(np.float32)
    else:
        x = 1 + 0.1 * x if name.endswith("weight") else 0.05 * x
    return torch.from_numpy(np.asarray(x, dtype=np.float32))


def folded(name: str, shape: tuple[int, ...], numbers: Numbers = draw) -> torch.Tensor:
    """The weight that a weight-normed layer's two tensors stand for; other names as `formula`."""
    if not name.endswith(".weight"):
        return formula(name, shape, numbers)
    direction = formula(f"{name}_v", shape, numbers)
    length = formula(f"{name}_g", (shape[0], 1, 1), numbers)
    return direction * (length / direction.flatten(1).norm(dim=1)[:, None, None])


def filled(
    module: nn.Module,
    name: Callable[[str], str] = str,
    weight: Callable[[str, tuple[int, ...]], torch.Tensor] = formula,
) -> nn.Module:
    """Give every weight the value that the formula has for its name, put into `name`'s words; ready to be asked."""
    state = module.state_dict()
    drawn = [key for key in state if not key.endswith(KEPT)]
    with ThreadPoolExecutor(2) as pool:  # NumPy draws outside of Python's lock
        made = pool.map(lambda key: weight(name(key), tuple(state[key].shape)), drawn)
        module.load_state_dict({**state, **dict(zip(drawn, made, strict=True))})
    return module.eval().requires_grad_(False)


def error(made: torch.Tensor, wanted: np.ndarray) -> float:
    """Largest difference as a share of the wanted array's own peak."""
    return float(np.abs(made.numpy() - wanted).max() / np.abs(wanted).max())
