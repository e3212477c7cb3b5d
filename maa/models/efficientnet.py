"""EfficientNet-Lite0 (arXiv 1905.11946), bit for bit what timm computes.

Importing timm brings torchvision with it; the shipped model needs nothing else of either.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 1000
STEM, HEAD = 32, 1280  # channels before and after the blocks
EPSILON = 1e-3  # of the norms, as in TensorFlow
# Stages: blocks, kernel, stride of the first block, how much wider it is inside, channels.
STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip


class EfficientNetLite0(nn.Module):
    """Pixels [N, 3, H, W], about ±1, to logits [N, 1000]. Its weights have timm's names."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = convolution(3, STEM, 3, 2)
        self.bn1 = nn.BatchNorm2d(STEM, EPSILON)
        for _ in range(2):
            nn.Conv2d(8, 8, 1)  # timm tries out a layer at this point; so the numbers drawn after it are the same
        stages, channels = [], STEM
        for count, kernel, stride, wider, out in STAGES:
            blocks: list[nn.Module] = []
            for index in range(count):
                blocks.append(InvertedResidual(channels, out, kernel, 1 if index else stride, wider))
                channels = out
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = convolution(channels, HEAD)
        self.bn2 = nn.BatchNorm2d(HEAD, EPSILON)
        self.classifier = nn.Linear(HEAD, CLASSES)
        for module in self.modules():
            _draw(module)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self.bn1(self.conv_stem(x)))
        x = F.relu6(self.bn2(self.conv_head(self.blocks(x))))
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))


class InvertedResidual(nn.Module):
    """Wider, over the picture in each channel by itself, and back; the input is added where the sizes agree.

    Without the widening the other two layers have other names in the files.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int, wider: int) -> None:
        super().__init__()
        inner = channels * wider
        self.widens, self.adds = wider > 1, stride == 1 and channels == out
        if self.widens:
            self.conv_pw = convolution(channels, inner)
            self.bn1 = nn.BatchNorm2d(inner, EPSILON)
        self.conv_dw = convolution(inner, inner, kernel, stride, groups=inner)
        self.add_module("bn2" if self.widens else "bn1", nn.BatchNorm2d(inner, EPSILON))
        self.add_module("conv_pwl" if self.widens else "conv_pw", convolution(inner, out))
        self.add_module("bn3" if self.widens else "bn2", nn.BatchNorm2d(out, EPSILON))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        *hidden, back, norm = self.children()
        for layer, its_norm in zip(hidden[::2], hidden[1::2], strict=True):
            y = F.relu6(its_norm(layer(y)))
        y = norm(back(y))
        return y + x if self.adds else y


class PaddedLast(nn.Conv2d):
    """A convolution with stride as TensorFlow pads it: what cannot be halved goes to the right and below."""

    def forward(self, x: Tensor) -> Tensor:
        step, kernel = self.stride[0], self.kernel_size[0]
        lacks = [max((math.ceil(side / step) - 1) * step + kernel - side, 0) for side in x.shape[-2:]]
        around = [half for lack in reversed(lacks) for half in (lack // 2, lack - lack // 2)]
        return F.conv2d(F.pad(x, around), self.weight, None, self.stride, 0, 1, self.groups)


def convolution(channels: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution that keeps the sides, or divides them by the stride."""
    if stride > 1:
        return PaddedLast(channels, out, kernel, stride, groups=groups, bias=False)
    return nn.Conv2d(channels, out, kernel, padding=kernel // 2, groups=groups, bias=False)


@torch.no_grad()
def _draw(module: nn.Module) -> None:
    """Fresh weights of one layer, drawn as timm draws them."""
    if isinstance(module, nn.Conv2d):
        height, width = module.kernel_size
        nn.init.normal_(module.weight, 0, math.sqrt(2 / (height * width * module.out_channels // module.groups)))
    elif isinstance(module, nn.Linear):
        bound = 1 / math.sqrt(module.out_features)
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.zeros_(module.bias)
