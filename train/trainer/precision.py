"""Where a stage runs, and in which precision."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

import torch
from accelerate import Accelerator
from accelerate.utils import AutocastKwargs, broadcast_object_list

from maa.device import FASTER, bf16_gain, compute_dtype, pick_device
from train.trainer.captured import queues


class PrecisionAccelerator(Accelerator):
    """An accelerator in a precision that can be chosen late: "no" (float32), "bf16", or another that was asked for.

    Attributes:
        reason: of the precision, for logs; "" = it was asked for, and stays whatever a checkpoint's state says.
    """

    def __init__(self, asked: str | None) -> None:
        super().__init__(mixed_precision=asked or "no")
        self.precision, self.reason = str(self.mixed_precision), ""
        if asked is None:
            # One process decides for all: each would measure another figure.
            found = broadcast_object_list([_fastest() if self.is_main_process else None])
            self.settle(*found[0])

    def settle(self, precision: str, reason: str) -> None:
        """Change what `autocast` does from now on."""
        self.precision, self.reason = precision, reason

    def autocast(self, autocast_handler: AutocastKwargs | None = None) -> AbstractContextManager[None]:
        """The precision of what is computed inside."""
        if self.precision != "bf16":
            return super().autocast(autocast_handler)
        return torch.autocast(self.device.type, torch.bfloat16)

    def described(self) -> str:
        """The precision and why."""
        name = {"no": "fp32"}.get(self.precision, self.precision)
        return f"{name} ({self.reason or 'as asked for'})"


def make_accelerator() -> PrecisionAccelerator:
    """Where and in which precision a stage runs: as `accelerate launch` says, else in bf16 where it is faster."""
    accelerator = PrecisionAccelerator(os.environ.get("ACCELERATE_MIXED_PRECISION"))
    if queues(accelerator.device):
        torch.set_float32_matmul_precision("high")  # TF32 for what stays in float32
        torch.backends.cudnn.benchmark = True  # shapes are fixed, so the search for the best kernels pays
    return accelerator


def _fastest() -> tuple[str, str]:
    """The faster precision of this machine, and how that is known."""
    device = pick_device()
    if device.type != "cpu":
        return ("bf16" if compute_dtype(device) == torch.bfloat16 else "no"), f"what the {device.type} device has"
    gain = bf16_gain()
    return ("bf16" if gain >= FASTER else "no"), f"bf16 was measured to be {gain:.2f} times as fast as fp32"
