"""VGGish (Hershey et al., arXiv 1609.09430) as the Fréchet audio distance uses it (arXiv 1812.08466).

Weights: vggish-10086976.pth of github.com/harritaylor/torchvggish. A sound is heard in stretches of 0.96 s without
overlap, what is left at its end not at all, and one below 0.96 s is followed by silence. Neither the last ReLU nor
the principal components of YouTube-8M are applied, as in AudioLDM's evaluation.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.dsp import htk_filterbank
from train.evaluation.outside.exact import put_into, read_exact

RATE = 16_000  # Hz
WINDOW, HOP, N_FFT = 400, 160, 512  # samples: 25 ms every 10 ms
BANDS, LOW, HIGH = 64, 125.0, 7500.0  # mels and Hz
FLOOR = 0.01  # added to magnitudes before the logarithm
PATCH = 96  # frames of a stretch
SIZED = ("features.0.weight", "embeddings.0.weight", "embeddings.4.weight")  # that say how wide a network is


class Vggish(nn.Module):
    """Six convolutions and three linear layers; its parts are called as in the published file."""

    filters: Tensor

    def __init__(self, channels: int = 64, hidden: int = 4096, width: int = 128) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for part in (1, "pool", 2, "pool", 4, 4, "pool", 8, 8, "pool"):
            if isinstance(part, str):
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(inputs, channels * part, 3, padding=1), nn.ReLU()]
                inputs = channels * part
        self.features = nn.Sequential(*layers)
        sizes = (inputs * 24, hidden, hidden, width)
        self.embeddings = nn.Sequential(
            nn.Linear(sizes[0], hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, width)
        )
        filters = torch.from_numpy(htk_filterbank(RATE, N_FFT, BANDS, LOW, HIGH)).float()
        self.register_buffer("filters", filters.T.contiguous(), persistent=False)

    def forward(self, wave: Tensor) -> Tensor:
        """Wave [n] at 16 kHz, within ±1 -> embeddings of its stretches [W, 128]."""
        shortest = WINDOW + (PATCH - 1) * HOP
        frames = F.pad(wave, (0, max(0, shortest - len(wave)))).unfold(0, WINDOW, HOP)
        magnitude = torch.fft.rfft(frames * torch.hann_window(WINDOW, device=wave.device), N_FFT).abs()
        mel = torch.log(magnitude @ self.filters + FLOOR)
        count = len(mel) // PATCH
        x = self.features(mel[: count * PATCH].unflatten(0, (count, PATCH))[:, None])
        return self.embeddings(x.permute(0, 2, 3, 1).flatten(1))  # channels last, as TensorFlow lays them


def load_vggish(path: Path) -> tuple[Vggish, str]:
    """The network with a file's weights, and the file's SHA-256.

    Raises:
        ValueError: the file holds something else.
    """
    file = read_exact(path, "VGGish")
    tensors = {name: value for name, value in file.tensors.items() if not name.startswith("pproc.")}
    sizes = [tensors[name].shape[0] for name in SIZED if name in tensors]
    network = Vggish(*sizes) if len(sizes) == len(SIZED) else Vggish(1, 1, 1)
    put_into(network, tensors, path, "VGGish")
    return network, file.sha256
