"""How long each stage of a generation takes, and how long the same network takes the authors' way."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from maa.checkpoint import Model
from maa.config import AudioSpec
from maa.config.vocoders import BigvganConfig, HifiganConfig
from maa.device import peak_memory, wait
from maa.diffusion.wavefront import OnColumns
from maa.diffusion.windows import Span
from maa.models.bigvgan import TAPS, Snake, low_pass
from maa.models.context import Context, Prepared
from maa.models.unet import UNet
from maa.models.vocoders import build_vocoder
from maa.pipeline.options import Sampling
from maa.pipeline.pipeline import MakeAnAudio
from maa.pipeline.render import Renderer, Start
from maa.pipeline.steps import OnStep

PROMPT = "a dog barks twice"  # one sound: two that follow each other are sampled one by one
AUTHORS_STEPS = 100
Result = TypeVar("Result")


class TimedRenderer(Renderer):
    """A renderer with a stopwatch: seconds spent in each stage of the last generation."""

    def __init__(self, model: Model, device: torch.device) -> None:
        super().__init__(model, device)
        self.began = 0.0
        self.stages: dict[str, float] = {}
        self.steps: list[float] = []

    def start(self) -> None:
        """Forget the last generation and start the clock."""
        self.stages, self.steps, self.began = {}, [], self.now()

    def now(self) -> float:
        wait(self.device)
        return time.perf_counter()

    def _timed(self, stage: str, work: Callable[[], Result]) -> Result:
        began = self.now()
        result = work()
        self.stages[stage] = self.now() - began
        return result

    def takes(
        self, start: Start, sampling: Sampling, on_step: OnStep | None, on_columns: OnColumns | None = None
    ) -> tuple[Tensor, tuple[int, ...]]:
        self.stages["text"] = self.now() - self.began
        last = self.now()

        def tick(step: int, total: int, preview: Any) -> None:
            nonlocal last
            now = self.now()
            self.steps.append(now - last)
            last = now

        return self._timed("sample", lambda: Renderer.takes(self, start, sampling, tick, on_columns))

    def decode(self, z: Tensor, spans: Sequence[Span] = ()) -> Tensor:
        return self._timed("decode", lambda: Renderer.decode(self, z, spans))

    def vocode(self, mel: Tensor, spans: Sequence[Span] = ()) -> NDArray[np.float32]:
        return self._timed("vocode", lambda: Renderer.vocode(self, mel, spans))

    def scores(self, waves: NDArray[np.float32], prompt: str) -> tuple[float, ...] | None:
        return self._timed("rank", lambda: Renderer.scores(self, waves, prompt))


class AuthorsRenderer(TimedRenderer):
    """Keys and values of the text are computed in every step, as the authors' code does."""

    def prepare(self, network: UNet, context: Context, count: int) -> Context | Prepared:
        return context


class DepthwiseSnake(nn.Module):
    """`bigvgan.Snake` as published: filters as depthwise convolutions on zero-stuffed samples."""

    taps: Tensor

    def __init__(self, snake: Snake) -> None:
        super().__init__()
        self.alpha, self.beta = snake.alpha, snake.beta
        self.register_buffer("taps", low_pass().float())

    def forward(self, x: Tensor) -> Tensor:
        channels, side = x.shape[1], TAPS // 2
        taps = self.taps.expand(channels, 1, -1)
        up = F.conv_transpose1d(F.pad(x, (side - 1, side - 1), mode="replicate"), taps, stride=2, groups=channels)
        up = 2.0 * up[..., 3 * (side - 1) : -3 * (side - 1)]
        bent = up + (up * self.alpha.exp()[:, None]).sin().square() / (self.beta.exp()[:, None] + 1e-9)
        return F.conv1d(F.pad(bent, (side - 1, side), mode="replicate"), taps, stride=2, groups=channels)


def as_published(vocoder: nn.Module | None, config: Any, audio: AudioSpec) -> nn.Module | None:
    """The vocoder with weight norm in place and its filters as the authors compute them; others as they are."""
    if vocoder is None or not isinstance(config, BigvganConfig | HifiganConfig):
        return vocoder
    network = build_vocoder(config, audio, weight_norm=True)
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, Snake):
                setattr(module, name, DepthwiseSnake(child))
    return network.eval().requires_grad_(False)


def measure(
    maa: MakeAnAudio, sampling: Sampling, seconds: float | None, runs: int = 1, *, official: bool = False
) -> dict[str, Any]:
    """Seconds of each stage from the call to a WAV file on the disk: medians over `runs`, after one warm-up step.

    With `official` the same network runs the authors' way: their sampler, float32, plain attention, conditions
    projected in every step, weight norm in place. Its U-Net stays in float32 afterwards.
    """
    model = maa.model
    if official:
        vocoder = as_published(model.vocoder, maa.config.vocoder, maa.config.audio)
        model = replace(model, vocoder=vocoder)
    dtype, watch = (torch.float32, AuthorsRenderer) if official else (maa.dtype, TimedRenderer)
    watched = MakeAnAudio(model, maa.device, maa.name, dtype, watch)
    renderer = watched.renderer
    assert isinstance(renderer, TimedRenderer)
    plain: AbstractContextManager[Any] = sdpa_kernel(SDPBackend.MATH) if official else nullcontext()
    rows: list[dict[str, float]] = []
    with plain, tempfile.TemporaryDirectory() as scratch:
        watched.text_to_audio(PROMPT, replace(sampling, steps=1, count=1), seconds=seconds)
        for _ in range(runs):
            renderer.start()
            take = watched.text_to_audio(PROMPT, sampling, seconds=seconds)
            made = renderer.now()
            take.save(Path(scratch) / "take.wav")
            total = renderer.now() - renderer.began
            step = statistics.median(renderer.steps)
            rows.append({**renderer.stages, "write": renderer.began + total - made, "step": step, "total": total})
    median = {stage: statistics.median(row[stage] for row in rows) for stage in rows[0]}
    length = sampling.count * take.audio.shape[-1] / take.sample_rate
    return {
        "steps": len(renderer.steps) // sampling.count if maa.device.type == "cpu" else len(renderer.steps),
        "seconds": {stage: round(value, 4) for stage, value in median.items()},
        "realtime_factor": round(median["total"] / length, 3),
        "peak_memory": peak_memory(maa.device),
    }
