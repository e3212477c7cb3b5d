"""Inpainting: windows of the model's length around what is painted, then a splice into the user's own samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maa.audio import mask as masks
from maa.audio.io import Audio
from maa.audio.mel import fill_hole
from maa.audio.splice import splice
from maa.diffusion.noise import take_seeds
from maa.models.context import Context
from maa.pipeline.render import Renderer, Start
from maa.pipeline.request import OnStep, Sampling
from maa.pipeline.result import Generation

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Window:
    """A stretch of the file that goes through the model at once, and the spans (in file frames) it makes new."""

    first: int
    last: int  # exclusive
    spans: tuple[tuple[int, int], ...]


def plan_windows(spans: list[tuple[int, int]], frames: int, size: int) -> list[Window]:
    """Windows of at most `size` frames around painted spans, in order of time.

    A span longer than three quarters of a window is cut, so that every window hears known sound beside its hole.
    """
    longest = 3 * size // 4
    pieces = [(a, min(a + longest, end)) for start, end in spans for a in range(start, end, longest)]
    groups: list[list[tuple[int, int]]] = []
    for piece in pieces:
        if groups and piece[1] - groups[-1][0][0] <= longest:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    windows = []
    for group in groups:
        middle = (group[0][0] + group[-1][1]) // 2
        first = min(max(0, middle - size // 2), max(0, frames - size))
        windows.append(Window(first, min(first + size, frames), tuple(group)))
    return windows


class Job:
    """One inpainting request: a source, its mono copy at the model's rate, and a checked mask."""

    def __init__(
        self, renderer: Renderer, source: Audio, mono: NDArray[np.float32], mask: Mask | list[masks.Box]
    ) -> None:
        spec = renderer.model.config.audio
        self.renderer = renderer
        self.spec = spec
        self.source = source
        self.mono = mono
        self.frames = -(-len(mono) // spec.hop)
        if not isinstance(mask, np.ndarray) and not all(isinstance(box, masks.Box) for box in mask):
            raise ValueError("The mask should be a bool array [mels, frames] or a list of Box(start, end, low, high).")
        painted = mask if isinstance(mask, np.ndarray) else masks.from_boxes(mask, spec, self.frames)
        self.mask = masks.check(painted, spec, self.frames)
        self.spans = masks.frame_spans(self.mask)

    def run(
        self,
        condition: Context,
        null: Context,
        prompt: str,
        sampling: Sampling,
        settings: dict[str, Any],
        on_step: OnStep | None,
    ) -> Generation:
        """Every take through every window, then the splice; an empty mask gives the source back."""
        assert sampling.seed is not None
        settings |= {"mask": masks.digest(self.mask), "spans": self._seconds(self.spans)}
        seeds = take_seeds(sampling.seed, sampling.count)
        if not self.spans:
            return self._result([self.source.samples], [self.renderer.mel_of(self.mono)], seeds[:1], None, settings)
        windows = plan_windows(self.spans, self.frames, self.spec.frames)
        sounds, mels, judged = [], [], []
        for index, seed in enumerate(seeds):
            single = replace(sampling, seed=seed, count=1)
            report = None if on_step is None else _shift(on_step, index * len(windows), len(seeds) * len(windows))
            mel, wave = self._take(condition, null, single, windows, report)
            sounds.append(splice(self.source, wave, self._seconds(self.spans)).samples)
            mels.append(mel)
            judged.append(self._around(wave, windows[0]))
        width = min(len(wave) for wave in judged)
        scores = self.renderer.scores(np.stack([wave[:width] for wave in judged]), prompt)
        return self._result(sounds, mels, seeds, scores, settings)

    @torch.inference_mode()
    def _take(
        self, condition: Context, null: Context, sampling: Sampling, windows: list[Window], on_step: OnStep | None
    ) -> tuple[Tensor, NDArray[np.float32]]:
        """Mel of the whole file and mono wave with every window's hole made; later windows hear the earlier ones.

        Around its hole a window is the vocoder's rendering of the known sound: the splice measures levels on it.
        """
        hop = self.spec.hop
        mel = self.renderer.mel_of(self.mono)
        wave = np.zeros(self.frames * hop, np.float32)
        wave[: len(self.mono)] = self.mono
        sounds = []
        for index, window in enumerate(windows):
            report = None if on_step is None else _shift(on_step, index, 1)
            made = self._window(mel, window, condition, null, sampling, report)
            mel[..., window.first : window.last] = made
            sounds.append(self.renderer.vocode(made)[0])
            wave[window.first * hop : window.last * hop] = sounds[-1]
        for window, sound in zip(windows, sounds, strict=True):  # a hole sounds as its own window made it
            for start, end in window.spans:
                first = (start - window.first) * hop
                wave[start * hop : end * hop] = sound[first : first + (end - start) * hop]
        return mel, wave

    def _window(
        self,
        mel: Tensor,
        window: Window,
        condition: Context,
        null: Context,
        sampling: Sampling,
        on_step: OnStep | None,
    ) -> Tensor:
        """Make the hole of one window: mel [1, 1, mels, last - first] with new cells where painted."""
        renderer, config = self.renderer, self.renderer.model.config
        width = window.last - window.first
        multiple = config.frame_multiple
        frames = -(-width // multiple) * multiple
        painted = np.zeros((self.spec.mels, frames), bool)
        for start, end in window.spans:
            at = slice(start - window.first, end - window.first)
            painted[:, at] = self.mask[:, start:end]
        given = F.pad(mel[..., window.first : window.last], (0, frames - width, 0, 0), mode="replicate")
        make = torch.from_numpy(painted)[None, None].to(mel.device)
        beyond = painted.copy()
        beyond[:, width:] = True  # past the end of the file there is nothing to keep
        cells = torch.from_numpy(masks.to_latent(beyond, config.autoencoder.factor))[None, None].to(mel)
        hole = torch.from_numpy(beyond)[None, None].to(mel.device)
        silence = torch.full_like(given, renderer.model.front.silence)
        filled = fill_hole(given, hole) if config.unet.hole == "mean" else torch.where(hole, silence, given)
        known = renderer.autoencoder.encode(filled)
        steps = config.schedule.steps
        plan = Start(condition, null, frames, steps - 1, sampling.steps, known=known, make=cells)
        latents, _ = renderer.takes(plan, sampling, on_step)
        return torch.where(make, renderer.decode(latents), given)[..., :width]

    def _around(self, wave: NDArray[np.float32], window: Window) -> NDArray[np.float32]:
        hop = self.spec.hop
        return wave[window.first * hop : window.last * hop]

    def _seconds(self, spans: list[tuple[int, int]]) -> list[tuple[float, float]]:
        end = self.source.seconds
        return [(a * self.spec.frame_seconds, min(b * self.spec.frame_seconds, end)) for a, b in spans]

    def _result(
        self,
        sounds: list[NDArray[Any]],
        mels: list[Tensor],
        seeds: tuple[int, ...],
        scores: tuple[float, ...] | None,
        settings: dict[str, Any],
    ) -> Generation:
        order = sorted(range(len(seeds)), key=lambda k: -scores[k]) if scores else list(range(len(seeds)))
        shown = [self.renderer.model.front.to_log10(mel)[0, 0].cpu().numpy() for mel in mels]
        return Generation(
            audio=np.stack([sounds[k] for k in order]),
            sample_rate=self.source.sample_rate,
            mel=np.stack([shown[k] for k in order]),
            seeds=tuple(seeds[k] for k in order),
            scores=tuple(scores[k] for k in order) if scores else None,
            settings=settings,
            subtype=self.source.subtype,
        )


def _shift(on_step: OnStep, before: int, groups: int) -> OnStep:
    """Progress over several runs: `before` of `groups` runs of `total` steps are done."""

    def report(step: int, total: int, preview: Any) -> None:
        on_step(before * total + step, groups * total, preview)

    return report
