"""A second denoising network of a folder, kept as what it has otherwise than the first: matrices of low rank.

The student of `train.few_steps` leads by itself (`UNetConfig.guided`). As a whole it would be as large as its teacher;
the difference between the two is a tenth of that (LoRA, arXiv 2106.09685, Sec. 4.1).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

STUDENT = "student"  # its file is named like those of the parts
RANK = 24  # of the matrices in the files that are written here: 8 MB for the shipped network of 52
_LEFT, _RIGHT = ".left", ".right"


def factors(change: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """[out, rank] and [rank, in ...] whose product comes nearest to a matrix or kernel [out, in, ...].

    The rows of the second have length 1, even where nothing has changed.
    """
    left, scale, right = torch.linalg.svd(change.flatten(1), full_matrices=False)
    return left[:, :rank] * scale[:rank], right[:rank]


def difference(student: Mapping[str, Tensor], teacher: Mapping[str, Tensor], rank: int) -> dict[str, Tensor]:
    """What turns a teacher's weights into its student's.

    Args:
        student, teacher: weights by name; the student has all that its teacher has, of the same shapes.
        rank: of the matrices that changes are cut to; weights with fewer rows or columns than two ranks stay whole.

    Returns:
        `<name>.left` [out, rank] and `<name>.right` [rank, in ...] of matrices and kernels that have changed, and as
        they are, weights that only the student has or that are small.

    Raises:
        ValueError: the two do not belong together.
    """
    found: dict[str, Tensor] = {}
    for name, value in student.items():
        base = teacher.get(name)
        if base is None:
            found[name] = value
            continue
        if base.shape != value.shape:
            raise ValueError(f"{name} is {tuple(value.shape)} in the student and {tuple(base.shape)} in its teacher.")
        change = value.float() - base.float()
        if not change.any():
            continue
        if change.ndim < 2 or min(change.flatten(1).shape) <= 2 * rank:
            found[name] = value
        else:
            found[name + _LEFT], found[name + _RIGHT] = factors(change, rank)
    lost = [name for name in teacher if name not in student]
    if lost:
        raise ValueError(f"The student lacks {lost[0]}, which its teacher has.")
    return found


def added(teacher: Mapping[str, Tensor], change: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The student's weights, of its teacher's and a `difference`."""
    made = dict(teacher)
    for name, value in change.items():
        if name.endswith(_LEFT):
            weight = name.removesuffix(_LEFT)
            base = teacher[weight]
            made[weight] = base + (value.float() @ change[weight + _RIGHT].float()).view_as(base).to(base.dtype)
        elif not name.endswith(_RIGHT):
            made[name] = value
    return made
