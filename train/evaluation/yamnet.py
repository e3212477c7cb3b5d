"""YAMNet: 521 AudioSet tags of a sound, and the 1,024 numbers that they are read from.

The network is Google's (github.com/tensorflow/models, research/audioset/yamnet, Apache-2.0): a MobileNet v1 (arXiv
1704.04861) on log-mel patches of 0.96 s. Batch norm is folded into the convolutions. It only measures: no model is
trained with it and no checkpoint holds it. `python -m train.parts --only judge` gets its weights.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from maa.dsp import htk_filterbank

RATE = 16_000  # Hz
WINDOW, HOP, N_FFT = 400, 160, 512  # samples: 25 ms every 10 ms
BANDS, LOW, HIGH = 64, 125.0, 7500.0  # mels and Hz
FLOOR = 0.001  # added to magnitudes before the logarithm
PATCH, STRIDE = 96, 48  # frames the network sees at once, and from one patch to the next
CLASSES, WIDTH = 521, 1024
# Channels and stride of the first convolution and of each depthwise-separable pair after it.
LAYERS = (
    (32, 2), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def log_mel(wave: Tensor, filters: Tensor) -> Tensor:
    """Wave [n] at 16 kHz, within ±1 -> natural-log mel magnitudes [frames, 64]; frames lie wholly inside the sound.

    A sound shorter than one patch is followed by silence.
    """
    shortest = WINDOW + (PATCH - 1) * HOP
    frames = F.pad(wave, (0, max(0, shortest - len(wave)))).unfold(0, WINDOW, HOP)
    magnitude = torch.fft.rfft(frames * torch.hann_window(WINDOW, device=wave.device), N_FFT).abs()
    return torch.log(magnitude @ filters + FLOOR)


class Yamnet(nn.Module):
    """27 convolutions with ReLU, the mean over time and frequency, and one linear layer for the tags."""

    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        convolutions, inputs = [], 1
        for number, (outputs, stride) in enumerate(LAYERS):
            if number == 0:
                convolutions.append(nn.Conv2d(inputs, outputs, 3, stride))
            else:
                convolutions += [nn.Conv2d(inputs, inputs, 3, stride, groups=inputs), nn.Conv2d(inputs, outputs, 1)]
            inputs = outputs
        self.convolutions = nn.ModuleList(convolutions)
        self.classifier = nn.Linear(WIDTH, CLASSES)
        filters = torch.from_numpy(htk_filterbank(RATE, N_FFT, BANDS, LOW, HIGH)).float()
        self.register_buffer("filters", filters.T.contiguous(), persistent=False)

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Log-mel patches [N, 96, 64] -> embeddings [N, 1024] and the tags' scores [N, 521], each from 0 to 1."""
        embedding = self.embeddings(patches)
        return embedding, self.classifier(embedding).sigmoid()

    def embeddings(self, patches: Tensor) -> Tensor:
        """Log-mel patches [N, 96, 64] -> embeddings [N, 1024]."""
        x = patches[:, None]
        for layer in self.convolutions:
            assert isinstance(layer, nn.Conv2d)
            if layer.kernel_size[0] == 3:  # TensorFlow's "same": an even size is padded at its end only
                x = F.pad(x, (0, 1, 0, 1) if layer.stride[0] == 2 else (1, 1, 1, 1))
            x = F.relu(layer(x))
        return x.mean(dim=(2, 3))

    def patches(self, wave: Tensor) -> Tensor:
        """Wave [n] at 16 kHz -> log-mel patches [N, 96, 64] that cover the whole sound.

        They start every 0.48 s; the last one is moved back so that it ends with the sound.
        """
        mel = log_mel(wave, self.filters)
        last = len(mel) - PATCH
        return torch.stack([mel[start : start + PATCH] for start in (*range(0, last, STRIDE), last)])

    def embed(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        """Wave [n] at 16 kHz -> embedding [1024] and scores [521], means over patches that cover the whole sound."""
        embeddings, scores = self(self.patches(wave))
        return embeddings.mean(dim=0), scores.mean(dim=0)


def load_yamnet(path: Path) -> tuple[Yamnet, tuple[str, ...]]:
    """The network with its weights, and the names of its 521 tags.

    Raises:
        ValueError: the file is damaged or holds something else.
    """
    network = Yamnet()
    try:
        with safe_open(path, "pt") as file:
            names = tuple((file.metadata() or {}).get("classes", "").split("\n"))
            network.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118 - no mapping
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(
            f"{path} does not hold YAMNet; delete it and run `python -m train.parts --only judge`."
        ) from error
    if len(names) != CLASSES:
        raise ValueError(f"{path} names {len(names)} tags, not {CLASSES}; delete it and fetch it again.")
    return network.eval(), names
