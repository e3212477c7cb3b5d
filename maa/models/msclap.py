"""MS-CLAP 2022 (Elizalde et al., arXiv 2206.04769): the authors' measure of sound against text.

Cnn14 (Kong et al., arXiv 1912.10211) hears at 44.1 kHz, a BERT reads the caption, and a projection each leads into one
space of 1024 numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from maa.config import MsClapConfig
from maa.dsp import resample_on_device, slaney_filterbank
from maa.models.aisfx import ConvBlock
from maa.models.text import Projection, TextEncoder

SAMPLE_RATE = 44_100
N_FFT = 1024
HOP = 320
MELS = 64
LOW, HIGH = 50.0, 14_000.0  # Hz
WINDOW = 9 * SAMPLE_RATE  # the longest stretch embedded at once
SHORTEST = SAMPLE_RATE  # a shorter clip is repeated up to here: five halvings need frames
FLOOR = 1e-10  # smallest power


def msclap_filterbank() -> Tensor:
    """Slaney's triangles of unit area on the power spectrum, [N_FFT / 2 + 1, MELS]."""
    return torch.from_numpy(slaney_filterbank(SAMPLE_RATE, N_FFT, MELS, LOW, HIGH).T).float()


def stored_front_end() -> dict[str, Tensor]:
    """The front end in the form that published files carry it in, by the names there relative to Cnn14."""
    angle = 2 * math.pi / N_FFT * torch.outer(torch.arange(N_FFT // 2 + 1), torch.arange(N_FFT)).remainder(N_FFT)
    window = torch.hann_window(N_FFT, dtype=torch.float64)
    stft = "spectrogram_extractor.stft"
    return {
        f"{stft}.conv_real.weight": (angle.double().cos() * window)[:, None].float(),
        f"{stft}.conv_imag.weight": (-angle.double().sin() * window)[:, None].float(),
        "logmel_extractor.melW": msclap_filterbank(),
    }


class MsClapFrontEnd(nn.Module):
    """wave [B, n] at 44.1 kHz, n > 512 -> decibels [B, 1 + n // 320, 64]; frames are centred, the ends mirrored."""

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        self.register_buffer("filters", msclap_filterbank(), persistent=False)

    def forward(self, wave: Tensor) -> Tensor:
        with torch.autocast(wave.device.type, enabled=False):
            spectrum = torch.stft(wave.float(), N_FFT, HOP, window=self.window, return_complex=True)
            power = torch.view_as_real(spectrum).square().sum(-1)
            return 10.0 * torch.log10((power.mT @ self.filters).clamp_min(FLOOR))


class Cnn14(nn.Module):
    """Sound -> one vector of 2048 numbers per window."""

    def __init__(self, config: MsClapConfig) -> None:
        super().__init__()
        self.mel = MsClapFrontEnd()
        self.norm = nn.BatchNorm2d(MELS)
        widths = [1, *(config.channels * 2**level for level in range(6))]
        self.blocks = nn.ModuleList(ConvBlock(a, b, 1) for a, b in pairwise(widths))
        self.hidden = nn.Linear(config.audio_width, config.audio_width)
        self.tags = nn.Linear(config.audio_width, config.classes)  # AudioSet's classes; not part of the vector

    def forward(self, wave: Tensor) -> Tensor:
        """One window [B, n] at 44.1 kHz, at least 0.25 s -> [B, 2048]."""
        x = self.norm(self.mel(wave)[:, None].transpose(1, 3)).transpose(1, 3)  # each mel band is a channel of the norm
        for block in self.blocks[:-1]:
            x = F.avg_pool2d(block(x), 2)
        x = self.blocks[-1](x).mean(dim=3)
        return F.relu(self.hidden(x.amax(dim=2) + x.mean(dim=2)))

    def embed_windows(self, wave: Tensor, sample_rate: int = SAMPLE_RATE) -> Tensor:
        """wave [B, n] float32 ±1 at any usual rate -> [B, windows, 2048].

        Windows are at most 9 s long, evenly spaced, and cover the clip: every sample counts, the same way each time.
        """
        if wave.ndim != 2 or not wave.shape[1]:
            raise ValueError(f"The sound should be [batch, samples] with at least one sample, not {tuple(wave.shape)}.")
        wave = resample_on_device(wave, sample_rate, SAMPLE_RATE)
        if wave.shape[1] < SHORTEST:
            wave = wave.repeat(1, -(-SHORTEST // wave.shape[1]))[:, :SHORTEST]
        count = -(-wave.shape[1] // WINDOW)
        length = min(wave.shape[1], WINDOW)
        starts = [round(i * (wave.shape[1] - length) / max(1, count - 1)) for i in range(count)]
        return torch.stack([self(wave[:, start : start + length]) for start in starts], dim=1)


class MsClapHeads(nn.Module):
    """The caption encoder, and the projection of Cnn14's vectors."""

    def __init__(self, config: MsClapConfig, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.caption = TextEncoder(config.caption, tokenizer)
        self.audio = Projection(config.audio_width, config.joint)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def first_states(self, texts: list[str]) -> Tensor:
        """Captions to the state of the first token of each, [N, width]: what the projection leads from."""
        device = self.logit_scale.device
        ids, mask = self.caption.tokenize(texts)
        longest = int(mask.sum(1).max())
        return self.caption.states(ids[:, :longest].to(device), mask[:, :longest].to(device))[:, 0]

    def embed_audio(self, features: Tensor, unit: bool = True) -> Tensor:
        """Vectors of Cnn14 [B, 2048] to vectors [B, 1024], of length 1 unless they should stay as they are."""
        vectors = self.audio(features)
        return F.normalize(vectors, dim=-1) if unit else vectors

    def caption_vectors(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids and mask [B, K] -> [B, 1024], not normalised: the projection of the first token's state."""
        return self.project(self.caption.states(ids, mask)[:, 0])

    def project(self, first: Tensor) -> Tensor:
        """States of first tokens [B, width] to vectors [B, 1024] of the joint space."""
        return first if self.caption.projection is None else self.caption.projection(first)

    def space(self, text: TextEncoder | None, sound: nn.Module | None) -> MsClap:
        """The joint space; the diffusion network's own text tower has no part in it."""
        return MsClap(self, sound if isinstance(sound, Cnn14) else None)


@dataclass(frozen=True)
class MsClap:
    """Sound and text in one space (`clap.JointSpace`)."""

    heads: MsClapHeads
    sound: Cnn14 | None

    @torch.inference_mode()
    def embed_text(self, texts: list[str], unit: bool = True) -> Tensor:
        """Captions to vectors [N, 1024], of length 1 unless they should stay as they are."""
        vectors = self.heads.project(self.heads.first_states(texts))
        return F.normalize(vectors, dim=-1) if unit else vectors

    @torch.inference_mode()
    def embed_audio(self, wave: Tensor, rate: int) -> Tensor:
        """wave [B, n] float32 ±1 at any usual rate -> unit vectors [B, 1024], the mean over all windows."""
        if self.sound is None:
            raise ValueError("The CLAP sound encoder is missing, so sounds cannot be compared with words.")
        windows = F.normalize(self.heads.audio(self.sound.embed_windows(wave, rate)), dim=-1)
        return F.normalize(windows.mean(1), dim=-1)
