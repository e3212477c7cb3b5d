"""PaSST (Koutini et al., arXiv 2110.05069): KL of AudioGen's and later papers.

Weights: passt-s-f128-p16-s10-ap.476-swa.pt of github.com/kkoutini/PaSST. A sound is heard in windows of 10 s, evenly
spaced and covering all of it; a shorter one is followed by silence. Embeddings and logits are the windows' means.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.dsp import htk_filterbank
from train.evaluation.outside.exact import put_into, read_exact

RATE = 32_000  # Hz
WINDOW, HOP, N_FFT = 800, 320, 1024  # samples
BANDS, HIGH, CLASSES = 128, 15_000.0, 527
EMPHASIS, FLOOR = 0.97, 1e-5
LONGEST = 10 * RATE  # samples heard at once
PATCH, STRIDE = 16, 10
GRID = (12, 99)  # patches over frequency and time
HEAD = 64  # numbers in an attention head


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, HEAD)).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp = _Attention(width), _Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class _Patches(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, width, PATCH, STRIDE)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x)


class Passt(nn.Module):
    """A distilled vision transformer over mel patches; its parts are called as in the published file."""

    window: Tensor
    filters: Tensor

    def __init__(self, width: int = 768, depth: int = 12) -> None:
        super().__init__()
        self.patch_embed = _Patches(width)
        self.cls_token, self.dist_token = (nn.Parameter(torch.zeros(1, 1, width)) for _ in range(2))
        self.new_pos_embed = nn.Parameter(torch.zeros(1, 2, width))
        self.freq_new_pos_embed = nn.Parameter(torch.zeros(1, width, GRID[0], 1))
        self.time_new_pos_embed = nn.Parameter(torch.zeros(1, width, 1, GRID[1]))
        self.blocks = nn.Sequential(*(_Block(width) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, CLASSES))
        self.head_dist = nn.Linear(width, CLASSES)  # in the file; the published network never asks it
        self.register_buffer("window", torch.hann_window(WINDOW, periodic=False), persistent=False)
        filters = torch.from_numpy(htk_filterbank(RATE, N_FFT, BANDS, 0.0, HIGH)).float()
        self.register_buffer("filters", filters, persistent=False)

    def mel(self, wave: Tensor) -> Tensor:
        """Waves [B, n] at 32 kHz -> log mels [B, 128, T], about -1 to 1."""
        high = wave[:, 1:] - EMPHASIS * wave[:, :-1]
        spectrum = torch.stft(high, N_FFT, HOP, WINDOW, window=self.window, return_complex=True)
        power = torch.view_as_real(spectrum).square().sum(-1)
        return ((self.filters @ power + FLOOR).log() + 4.5) / 5.0

    def forward(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        """Windows [B, 320000] at 32 kHz, within ±1 -> embeddings [B, 768] and logits [B, 527]."""
        x = self.patch_embed(self.mel(wave)[:, None])
        x = x + self.time_new_pos_embed[..., : x.shape[-1]] + self.freq_new_pos_embed
        tokens = torch.cat([self.cls_token, self.dist_token], dim=1) + self.new_pos_embed
        x = torch.cat([tokens.expand(len(x), -1, -1), x.flatten(2).mT], dim=1)
        x = self.norm(self.blocks(x))
        features = (x[:, 0] + x[:, 1]) / 2
        return features, self.head(features)

    def hear(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        """Wave [n] at 32 kHz -> embedding [768] and logits [527], means over windows."""
        wave = F.pad(wave, (0, max(0, LONGEST - len(wave))))
        count = -(-len(wave) // LONGEST)
        starts = [round(k * (len(wave) - LONGEST) / max(1, count - 1)) for k in range(count)]
        features, logits = self(torch.stack([wave[start : start + LONGEST] for start in starts]))
        return features.mean(dim=0), logits.mean(dim=0)


def load_passt(path: Path) -> tuple[Passt, str]:
    """The network with a file's weights, and the file's SHA-256.

    Raises:
        ValueError: the file holds something else.
    """
    file = read_exact(path, "PaSST")
    token = file.tensors.get("cls_token")
    width = token.shape[-1] if token is not None and token.shape[-1] % HEAD == 0 else HEAD
    depth = len({name.split(".")[1] for name in file.tensors if name.startswith("blocks.")})
    network = Passt(width, depth)
    put_into(network, file.tensors, path, "PaSST")
    return network, file.sha256
