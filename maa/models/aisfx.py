"""aiSFX: a convolutional embedding of sound effects, with its spectrogram front end.

Ma and Lerch, "Representation Learning for the Automatic Indexing of Sound Effects Libraries", ISMIR 2022; the network
is the nine-layer CNN of arXiv 1808.00773. It is the audio tower that the small CLAP starts from, and, untouched, the
measure of generated sound. Only the embedding is here, not the nine label heads of the published file.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.dsp import htk_filterbank, resample_on_device

SAMPLE_RATE = 44_100
N_FFT = 2048
HOP = 1024
MELS = 96
BLOCK = 100  # frames the network sees at once: 2.3 s
STRIDE = 50  # frames from one block to the next
LOG_PEAK = 9.457798957824707  # largest log-mel value of the authors' training sets; scales the input to [0, 1]
_POOLS = (2, 2, 2, 1)


def aisfx_filterbank() -> Tensor:
    """Triangles [N_FFT / 2 + 1, MELS], straight in HTK mel from 0 to 22,050 Hz; each band's weights add up to 1."""
    return torch.from_numpy(htk_filterbank(SAMPLE_RATE, N_FFT, MELS, 0.0, SAMPLE_RATE / 2, "sum").T).float()


class AisfxFrontEnd(nn.Module):
    """wave [B, n] at 44.1 kHz -> log-mel [B, 1 + ceil(n / 1024), 96] from 0 (silence) to about 1.

    Frames are centred on every 1024th sample, with silence before and after the clip.
    """

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(N_FFT, periodic=False), persistent=False)
        self.register_buffer("filters", aisfx_filterbank(), persistent=False)

    def forward(self, wave: Tensor) -> Tensor:
        with torch.autocast(wave.device.type, enabled=False):  # the logarithm would magnify bf16's rounding
            whole = F.pad(wave.float(), (N_FFT // 2, N_FFT // 2 + -wave.shape[-1] % HOP))
            spectrum = torch.stft(whole, N_FFT, HOP, window=self.window, center=False, return_complex=True)
            power = torch.view_as_real(spectrum).square().sum(-1)  # [B, bins, frames]
            return torch.log10(1e4 * (power.mT @ self.filters) + 1) / LOG_PEAK


class ConvBlock(nn.Module):
    """Two 3x3 convolutions with batch norm and ReLU, then max pooling: [B, C, T, F] -> [B, C', T / pool, F / pool]."""

    def __init__(self, inputs: int, outputs: int, pool: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.max_pool2d(x, self.pool) if self.pool > 1 else x


class AisfxEncoder(nn.Module):
    """Sound -> one vector per block of 2.3 s, or their mean over the whole clip.

    Blocks start every 50 frames (1.16 s), as in the paper; the last one is moved back so that it ends with the clip,
    hence every sample counts and no padding enters. A clip shorter than one block is followed by silence up to 2.3 s,
    as in the authors' code. The vectors are not normalised.
    """

    def __init__(self, width: int = 512) -> None:
        """width: numbers in an embedding, a multiple of 8; the published weights have 512."""
        super().__init__()
        self.width = width
        self.mel = AisfxFrontEnd()
        widths = [1, *(width // 8 * 2**level for level in range(4))]
        self.blocks = nn.ModuleList(map(ConvBlock, widths[:-1], widths[1:], _POOLS))

    def forward(self, blocks: Tensor) -> Tensor:
        """Log-mel blocks [N, 100, 96] -> embeddings [N, width]."""
        x = blocks[:, None]
        for layer in self.blocks:
            x = layer(x)
        return x.mean(dim=3).amax(dim=2)  # mean over frequency, maximum over time

    def embed_blocks(self, wave: Tensor, sample_rate: int = SAMPLE_RATE) -> Tensor:
        """wave [B, n] float32 ±1 at any usual rate -> [B, blocks, width]."""
        if wave.ndim != 2 or not wave.shape[1]:
            raise ValueError(f"The sound should be [batch, samples] with at least one sample, not {tuple(wave.shape)}.")
        mel = self.mel(resample_on_device(wave, sample_rate, SAMPLE_RATE))
        mel = F.pad(mel, (0, 0, 0, max(0, BLOCK - mel.shape[1])))
        last = mel.shape[1] - BLOCK
        starts = [*range(0, last, STRIDE), last]
        blocks = torch.stack([mel[:, start : start + BLOCK] for start in starts], dim=1)
        return self(blocks.flatten(0, 1)).unflatten(0, (len(wave), len(starts)))

    def embed(self, wave: Tensor, sample_rate: int = SAMPLE_RATE) -> Tensor:
        """wave [B, n] float32 ±1 at any usual rate -> [B, width], the mean over blocks that cover the whole clip."""
        return self.embed_blocks(wave, sample_rate).mean(dim=1)
