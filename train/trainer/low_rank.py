"""Train a network by what is added to its matrices, of low rank (LoRA, arXiv 2106.09685): little to store beside it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils import parametrize

from maa.checkpoint import factors
from train.trainer.updates import StateDict

_LEFT, _RIGHT, _BASE = (f".parametrizations.weight.{name}" for name in ("original0", "original1", "0.base"))


class LowRank(nn.Module):
    """A matrix or kernel that stays, and the product of two narrow ones that is added to it (Sec. 4.1).

    Args:
        base: the weight [out, in, ...] that stays.
        rank: columns of the first factor and rows of the second; at most what `base` has.
    """

    base: Tensor

    def __init__(self, base: Tensor, rank: int) -> None:
        super().__init__()
        self.register_buffer("base", base.detach().clone())
        self.rank = rank

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """[out, rank] and [rank, in ...] to the weight."""
        return self.base + (left @ right).view_as(self.base)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The factors that come nearest to a weight; where it is the one that stays, the product is nothing."""
        return factors(weight - self.base, self.rank)


def adapt(network: nn.Module, rank: int, *whole: str) -> None:
    """Freeze a network and let its linear and convolutional layers be changed by matrices of this rank.

    Args:
        whole: submodules that are trained as they are.

    Raises:
        ValueError: the rank is below 1.
    """
    if rank < 1:
        raise ValueError(f"The rank should be at least 1, not {rank}.")
    network.requires_grad_(False)
    spared = {id(module) for name in whole for module in network.get_submodule(name).modules()}
    for module in [*network.modules()]:
        if isinstance(module, nn.Linear | nn.Conv2d) and id(module) not in spared:
            most = min(module.weight.flatten(1).shape)
            parametrize.register_parametrization(module, "weight", LowRank(module.weight, min(rank, most)), unsafe=True)
            module.get_submodule("parametrizations").requires_grad_(True)
    for name in whole:
        network.get_submodule(name).requires_grad_(True)


def folded(values: StateDict) -> StateDict:
    """Weights with every product added to what it changes: what any network without factors loads."""
    plain: StateDict = {}
    for name, value in values.items():
        if name.endswith(_BASE):
            layer = name.removesuffix(_BASE)
            plain[f"{layer}.weight"] = value + (values[layer + _LEFT] @ values[layer + _RIGHT]).view_as(value)
        elif not name.endswith((_LEFT, _RIGHT)):
            plain[name] = value
    return plain
