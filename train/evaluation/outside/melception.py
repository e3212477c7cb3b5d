"""Melception (Iashin and Rahtu, arXiv 2110.08791): the FID and KL of the paper (Sec. 5.3), Inception v3 on mels.

Weights: melception-21-05-10T09-28-40.pt, and train_means_stds_melspec_10s_22050hz.txt, both of
github.com/v-iashin/SpecVQGAN. The first 10 s at 22.05 kHz are heard, followed by silence where there is less; of their
860 frames the middle 848, as SpecVQGAN crops them. The paper does not say what it did at 16 kHz.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.inception import BasicConv2d, Inception3

from maa.dsp import slaney_filterbank
from maa.foreign import foreign
from train.evaluation.outside.exact import put_into, read_exact

RATE, SECONDS = 22_050, 10
N_FFT, HOP, BANDS, LOW, HIGH = 1024, 256, 80, 125.0, 7600.0
FRAMES, CROP, CLASSES = 860, 848, 309
FLOOR = 1e-5
# Inception3's parts up to its pooling, in their order; the two poolings among them are taken out for 80 bands.
PARTS = (
    "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "Mixed_5b", "Mixed_5c",
    "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7a", "Mixed_7b", "Mixed_7c",
)  # fmt: skip


class Melception(nn.Module):
    """Inception v3 for one channel, and the statistics of the mels that it was trained on."""

    filters: Tensor
    means: Tensor
    deviations: Tensor

    def __init__(self, statistics: np.ndarray) -> None:
        """statistics: mean and deviation of each band, [80, 2]."""
        super().__init__()
        self.network = Inception3(num_classes=CLASSES, init_weights=False)
        self.network.Conv2d_1a_3x3 = BasicConv2d(1, 32, kernel_size=3, stride=2)
        values = torch.from_numpy(np.asarray(statistics, np.float32))
        filters = torch.from_numpy(slaney_filterbank(RATE, N_FFT, BANDS, LOW, HIGH)).float()
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        for name, value in (("filters", filters), ("means", values[:, :1]), ("deviations", values[:, 1:])):
            self.register_buffer(name, value, persistent=False)

    def mel(self, wave: Tensor) -> Tensor:
        """Wave [n] at 22.05 kHz -> [80, 848], each band with a mean of 0 and a deviation of 1 over VGGSound."""
        wave = F.pad(wave[: RATE * SECONDS], (0, max(0, RATE * SECONDS - len(wave))))
        # The frames that the mirrored ends reach into are cropped away.
        spectrum = torch.stft(wave, N_FFT, HOP, window=self.get_buffer("window"), return_complex=True)
        log10 = torch.log10((self.filters @ spectrum.abs()).clamp_min(FLOOR))
        level = ((20.0 * log10 + 80.0) / 100.0).clamp(0.0, 1.0)[:, :FRAMES]
        first = (FRAMES - CROP) // 2
        return ((level - self.means) / self.deviations)[:, first : first + CROP]

    def forward(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        """Wave [n] at 22.05 kHz, within ±1 -> embedding [2048] and logits [309]."""
        x = self.mel(wave)[None, None]
        for name in PARTS:
            x = self.network.get_submodule(name)(x)
        embedding = x.mean(dim=(2, 3))
        return embedding[0], self.network.fc(embedding)[0]


def load_melception(path: Path, statistics: Path | None) -> tuple[Melception, str]:
    """The network with a file's weights, and the file's SHA-256.

    Raises:
        ValueError: a file holds something else, or the statistics are not given.
    """
    if statistics is None:
        raise ValueError(
            "Melception needs the mean and deviation of its mels, too: give "
            "train_means_stds_melspec_10s_22050hz.txt with --melception-statistics."
        )
    with foreign(f"{statistics} does not hold the mean and deviation of 80 mel bands, a band a line."):
        values = np.loadtxt(statistics, dtype=np.float32)
        if values.shape != (BANDS, 2) or not np.isfinite(values).all() or (values[:, 1] <= 0).any():
            raise ValueError
    file = read_exact(path, "Melception")
    network = Melception(values)
    put_into(network.network, file.tensors, path, "Melception")
    return network.eval(), file.sha256
