"""PANNs' Cnn14 (Kong et al., arXiv 1912.10211): FD, KL and IS of AudioLDM's and most later papers.

Weights: Cnn14_16k_mAP=0.438.pth or Cnn14_mAP=0.431.pth (32 kHz) of zenodo.org/record/3987831; which one is told by its
filterbank. The whole sound is heard at once; one below a second is followed by silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.dsp import slaney_filterbank
from maa.models.aisfx import ConvBlock
from train.evaluation.outside.exact import put_into, read_exact

MELS, FLOOR, CLASSES = 64, 1e-10, 527
FRONT_END = ("spectrogram_extractor.stft.conv_real.weight", "spectrogram_extractor.stft.conv_imag.weight")
FILTERS = "logmel_extractor.melW"


@dataclass(frozen=True)
class FrontEnd:
    """A spectrogram: Hz, samples, samples, Hz."""

    rate: int
    n_fft: int
    hop: int
    high: float

    def filters(self) -> Tensor:
        """Slaney's triangles of unit area on the power spectrum, [n_fft / 2 + 1, 64]."""
        return torch.from_numpy(slaney_filterbank(self.rate, self.n_fft, MELS, 50.0, self.high).T).float()


FRONT_ENDS = (FrontEnd(16_000, 512, 160, 8_000.0), FrontEnd(32_000, 1024, 320, 14_000.0))


class PannsCnn14(nn.Module):
    """Six blocks of two convolutions, and two linear layers; its parts are called as in the published files."""

    window: Tensor
    filters: Tensor

    def __init__(self, front: FrontEnd, channels: int = 64) -> None:
        """channels: of the first block; each of the others has twice as many as the one before."""
        super().__init__()
        self.front = front
        self.bn0 = nn.BatchNorm2d(MELS)
        widths = [1, *(channels * 2**level for level in range(6))]
        for number, (inputs, outputs) in enumerate(pairwise(widths), 1):
            self.add_module(f"conv_block{number}", ConvBlock(inputs, outputs, 1))
        self.fc1 = nn.Linear(widths[-1], widths[-1])
        self.fc_audioset = nn.Linear(widths[-1], CLASSES)
        self.register_buffer("window", torch.hann_window(front.n_fft), persistent=False)
        self.register_buffer("filters", front.filters(), persistent=False)

    def forward(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        """Waves [B, n] at the front end's rate, within ±1 -> embeddings [B, 2048] and logits [B, 527]."""
        front = self.front
        wave = F.pad(wave, (0, max(0, front.rate - wave.shape[1])))
        spectrum = torch.stft(wave, front.n_fft, front.hop, window=self.window, return_complex=True)
        power = torch.view_as_real(spectrum).square().sum(-1)
        mel = 10.0 * torch.log10((power.mT @ self.filters).clamp_min(FLOOR))
        x = self.bn0(mel[:, None].transpose(1, 3)).transpose(1, 3)  # each mel band is a channel of the norm
        for number in range(1, 6):
            x = F.avg_pool2d(self.get_submodule(f"conv_block{number}")(x), 2)
        x = self.get_submodule("conv_block6")(x).mean(dim=3)
        embedding = F.relu(self.fc1(x.amax(dim=2) + x.mean(dim=2)))
        return embedding, self.fc_audioset(embedding)


def load_cnn14(path: Path) -> tuple[PannsCnn14, str]:
    """The network with a file's weights, and the file's SHA-256.

    Raises:
        ValueError: the file holds something else, or a Cnn14 that hears through another front end.
    """
    file = read_exact(path, "PANNs")
    tensors = dict(file.tensors)
    stored = tensors.pop(FILTERS, None)
    for name in FRONT_END:
        tensors.pop(name, None)
    if stored is None:
        raise ValueError(f"{path} does not hold Cnn14: it lacks {FILTERS}.")
    front = next((one for one in FRONT_ENDS if _same(one.filters(), stored)), None)
    if front is None:
        raise ValueError(
            f"{path} does not hold Cnn14 at 16 or 32 kHz: its filterbank {list(stored.shape)} is neither of theirs."
        )
    channels = tensors["conv_block1.conv1.weight"].shape[0] if "conv_block1.conv1.weight" in tensors else 64
    network = PannsCnn14(front, channels)
    put_into(network, tensors, path, "Cnn14")
    return network, file.sha256


def _same(ours: Tensor, stored: Tensor) -> bool:
    return ours.shape == stored.shape and torch.allclose(ours, stored.float(), atol=1e-5)
