"""Where the networks run and in which precision: the only place that names a kind of accelerator."""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from glob import glob
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

KINDS = ("cuda", "mps", "cpu")  # best first
# What drivers of NVIDIA's (in a computer, on a board of its own, under Windows' Linux) and of AMD's show.
NODES = ("/dev/nvidia*", "/dev/nvhost*", "/dev/nvgpu*", "/dev/dxg", "/dev/kfd")
DTYPES = ("float32", "bfloat16")
FASTER = 1.15  # how many times as fast bfloat16 has to be to be chosen where it is measured


def available() -> list[str]:
    """The kinds of device that this machine and this build of PyTorch offer, best first; always ends with "cpu"."""
    if sys.platform == "linux" and not any(glob(node) for node in NODES):
        return ["cpu"]  # told without PyTorch: the page is served before that is there
    import torch

    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [kind for kind in KINDS if here[kind]]


def pick_device(name: str | None = None) -> torch.device:
    """The device called `name` ("cpu", "cuda", "cuda:1", "mps"), or the best one here for None, "" and "auto".

    Raises:
        ValueError: the name is no device's, or that device is not in this machine.
    """
    import torch

    return torch.device(checked_device(name))


def checked_device(name: str | None = None) -> str:
    """The name of the device that `pick_device` gives; where there is but a CPU to see, PyTorch is not needed for it.

    Raises:
        ValueError: as there.
    """
    wanted = (name or "auto").strip().lower()
    kinds = available()
    if wanted in ("", "auto"):
        return kinds[0]
    kind, colon, index = wanted.partition(":")
    if kind not in KINDS or (colon and not (index.isascii() and index.isdecimal())):
        raise ValueError(f"{name!r} is not a device; choose auto, {', '.join(KINDS)} or, say, cuda:1.")
    if kind not in kinds:
        raise ValueError(f"This machine has no {kind} device that PyTorch can use; choose {' or '.join(kinds)}.")
    count = _cards() if kind == "cuda" else 1
    if colon and int(index) >= count:
        raise ValueError(f"There is no {kind}:{int(index)} here; the last one is {kind}:{count - 1}.")
    return f"{kind}:{int(index)}" if colon else kind


def _cards() -> int:
    import torch

    return torch.cuda.device_count()


def compute_dtype(device: torch.device) -> torch.dtype:
    """What the networks compute in on `device`: bfloat16 where a GPU or a CPU has it in hardware, else float32."""
    import torch

    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    return torch.bfloat16 if device.type == "cpu" and _multiplies_bf16() else torch.float32


def _multiplies_bf16() -> bool:
    """Whether this CPU has instructions for bfloat16: AVX512_BF16, which all have that have AMX's, too."""
    import torch

    if hasattr(torch.cpu, "get_capabilities"):
        return bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # an older PyTorch
    return asked is not None and bool(asked())


def usual_dtype() -> str | None:
    """What a sound was computed in that does not say it: float32 on a CPU; None = nobody can say what a GPU had."""
    return "float32" if available() == ["cpu"] else None


def checked_dtype(name: str | None = None) -> str | None:
    """The name of a precision, MAA_DTYPE's for None and "", None = the device's own choice; told without PyTorch.

    Raises:
        ValueError: another name.
    """
    name = name or os.environ.get("MAA_DTYPE") or None
    if name is not None and name not in DTYPES:
        raise ValueError(f"{name!r} is no precision to compute in; choose {' or '.join(DTYPES)}.")
    return name


def pick_dtype(device: torch.device, name: str | None = None) -> torch.dtype:
    """What the denoising network computes in: "float32" or "bfloat16"; None is MAA_DTYPE, else the device's own choice.

    A seed's sound is the same for the ear in both: their log-mels lie 0.3 dB from each other (docs/using.md).

    Raises:
        ValueError: another name.
    """
    import torch

    checked = checked_dtype(name)
    if checked is None:
        return compute_dtype(device)
    return torch.float32 if checked == "float32" else torch.bfloat16


@cache
def bf16_gain() -> float:
    """How many times as fast as float32 this CPU trains in bfloat16, measured once per process in under a second.

    It times what most of a training step is spent on, forward and backward under autocast: a 3x3 convolution and a
    matrix product of the shipped U-Net's size.
    """
    import torch

    # Ones: what is computed does not matter, and nobody's random numbers are drawn.
    picture = torch.ones(4, 128, 10, 40, requires_grad=True)
    kernel = torch.ones(128, 128, 3, 3, requires_grad=True)
    rows = torch.ones(512, 512, requires_grad=True)
    matrix = torch.ones(512, 512, requires_grad=True)

    def seconds(low: bool) -> float:
        started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            made = torch.nn.functional.conv2d(picture, kernel, padding=1), torch.nn.functional.linear(rows, matrix)
        torch.autograd.grad([one.float().square().mean() for one in made], [picture, kernel, rows, matrix])
        return time.perf_counter() - started

    with torch.enable_grad():
        pairs = [(seconds(False), seconds(True)) for _ in range(6)][1:]  # the first call builds the kernels
    plain, low = (median(side) for side in zip(*pairs, strict=True))
    return plain / low


def layout(device: torch.device) -> torch.memory_format:
    """How pictures lie in memory: channels last on GPUs, whose convolutions are built for it."""
    import torch

    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def pins(device: torch.device) -> bool:
    """Whether what is copied to a device should lie in pinned memory, so that the copy goes on beside the work."""
    return device.type == "cuda"


def send(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the CPU on `device`; a GPU copies it while the program goes on."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def wait(device: torch.device) -> None:
    """Return when `device` has done all its work: before a clock is read."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def peak_memory(device: torch.device) -> int | None:
    """Most bytes held at once so far: by PyTorch on a GPU, by the whole process on a CPU; None where nobody counts."""
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
