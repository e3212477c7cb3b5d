"""Holes in a sound: windows of the model's length around what is painted, then a splice into the user's own samples."""

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
from maa.audio.level import steadied
from maa.audio.mel import fill_hole
from maa.audio.sound import amplified, mono_at, resampled_count
from maa.audio.splice import FADE, splice
from maa.diffusion.noise import take_seeds
from maa.models.context import Context
from maa.pipeline.filling import Extension, MaskLike, mask_of
from maa.pipeline.options import Filling, Sampling
from maa.pipeline.render import Renderer, Start, decided
from maa.pipeline.report import report
from maa.pipeline.result import Generation
from maa.pipeline.steps import OnStep
from maa.pipeline.stretches import Window, plan_windows

BACK = 0.5  # share of the schedule that a resampling goes back
NEAR = 32  # frames beside a hole that tell how loud its bands should be: half a second
QUIET = 3e-3  # -50 dB; a sound whose peak is below it is worked on louder: a mel-spectrogram ends at -100 dB
MOST = 0.3  # the farthest that a band is moved: 6 dB as log10 magnitude


@dataclass(frozen=True)
class Conditions:
    """Condition and null of a take, and the prompt that takes are scored by."""

    condition: Context
    null: Context
    prompt: str


class Job:
    """One inpainting request: a source, its mono copy at the model's rate, and a checked mask."""

    def __init__(self, renderer: Renderer, source: Audio, mask: MaskLike, filling: Filling) -> None:
        spec = renderer.model.config.audio
        self.renderer, self.spec, self.filling = renderer, spec, filling
        room = Extension.of(source, filling, spec)
        self.source = room.source
        self.loud, self.gain = amplified(self.source, QUIET)  # what is worked on
        resampled = mono_at(self.loud.samples, self.source.sample_rate, spec.sample_rate)
        self.mono = steadied(resampled, spec.sample_rate)
        self.frames = -(-len(self.mono) // spec.hop)
        given = resampled_count(source.samples.shape[1], source.sample_rate, spec.sample_rate)
        painted = mask_of(mask, spec, -(-given // spec.hop))  # a mask knows nothing of the room at the ends
        self.mask = room.place(painted, self.frames)
        self.spans = masks.frame_spans(self.mask)

    def run(
        self, conditions: Conditions, sampling: Sampling, settings: dict[str, Any], on_step: OnStep | None
    ) -> Generation:
        """Every take through every window, then the splice; an empty mask gives the source back."""
        settings |= {"mask": masks.mask_digest(self.mask), "spans": self.seconds, **self.filling.to_settings()}
        seeds = take_seeds(decided(sampling.seed, "seed"), sampling.count)
        if not self.spans:
            return self._result([self.source.samples], seeds[:1], None, settings)
        windows = plan_windows(self.spans, self.frames, self.spec.frames, self.renderer.model.config.autoencoder.factor)
        steps = sum(self.renderer.steps_of(strength, sampling) for strength in self._passes())
        count = Counter(on_step, len(seeds) * len(windows) * steps)
        sounds, judged = [], []
        for seed in seeds:
            wave = self.take(conditions, replace(sampling, seed=seed, count=1), windows, count)
            level = self.filling.level_match
            goes_on = not conditions.prompt
            made = splice(self.loud, wave, self.seconds, level, self.mask, self.spec, goes_on)
            sounds.append(made.samples if self.gain == 1.0 else made.samples / made.samples.dtype.type(self.gain))
            judged.append(wave[windows[0].first * self.spec.hop : windows[0].last * self.spec.hop])
        scores = self.renderer.scores(np.stack(judged), conditions.prompt)
        del wave, judged  # what is shown of a long sound needs their room
        return self._result(sounds, seeds, scores, settings)

    @property
    def seconds(self) -> list[tuple[float, float]]:
        """The painted spans in seconds."""
        end, frame = self.source.seconds, self.spec.frame_seconds
        return [(a * frame, min(b * frame, end)) for a, b in self.spans]

    @torch.inference_mode()
    def take(
        self, conditions: Conditions, sampling: Sampling, windows: list[Window], count: Counter
    ) -> NDArray[np.float32]:
        """Mono wave with every window's hole made; later windows hear the earlier ones.

        Around its hole a window is the vocoder's rendering of the known sound: the splice measures levels on it.
        """
        hop = self.spec.hop
        mel = self.renderer.mel_of(self.mono)
        hole = self.mask.copy()  # what is still to be made: no window may hear it
        wave = np.zeros(self.frames * hop, np.float32)
        wave[: len(self.mono)] = self.mono
        done = np.zeros(self.frames, bool)
        for window in windows:
            painted = self._painted(hole, window)
            made = self._window(self._given(mel, window, done), painted, conditions, sampling, count)
            sound = self._vocode(made, painted)
            for start, end in window.spans:
                mel[..., start:end] = made[..., start - window.first : end - window.first]
                hole[:, start:end] = False
            _lay(wave, sound, window, done, hop, self.spec.sample_rate)
        return wave

    def _given(self, mel: Tensor, window: Window, done: NDArray[np.bool_]) -> Tensor:
        """The mel [1, 1, mels, width] of a window as the network should get it; `done` [frames] have been made."""
        return mel[..., window.first : window.last]

    def _painted(self, hole: masks.Mask, window: Window) -> masks.Mask:
        """The part of `hole` [mels, frames] that lies in a window, as wide as what `_given` gives."""
        return hole[:, window.first : window.last]

    def _window(
        self, given: Tensor, hole: masks.Mask, conditions: Conditions, sampling: Sampling, count: Counter
    ) -> Tensor:
        """given [1, 1, mels, width] with new cells where `hole` [mels, width] is True."""
        config, width = self.renderer.model.config, given.shape[-1]
        frames = -(-width // config.frame_multiple) * config.frame_multiple
        given = F.pad(given, (0, frames - width, 0, 0), mode="replicate")
        beyond = np.pad(hole, ((0, 0), (0, frames - width)), constant_values=True)  # past the end nothing is kept
        make = torch.from_numpy(beyond)[None, None].to(given.device)
        cells = torch.from_numpy(masks.to_latent(beyond, config.autoencoder.factor))[None, None].to(given)
        known = self.renderer.autoencoder.encode(self._heard(given, make))
        condition, null = (replace(one, known=known, make=cells) for one in (conditions.condition, conditions.null))
        start = Start(condition, null, frames, follow=_follow(cells, self.filling.blend))
        made = self.renderer.decode(self._denoise(start, (known, cells), given, sampling, count))[..., :width]
        given, make = given[..., :width], make[..., :width]
        if self.filling.level_match and not conditions.prompt:
            front = self.renderer.model.front
            made = front.from_log10(settled(front.to_log10(made), front.to_log10(given), make))
        return torch.where(make, made, given)

    def _vocode(self, made: Tensor, hole: masks.Mask) -> NDArray[np.float32]:
        """The sound of a window's mel, whose hole has the level in each band that the mel asks for.

        A vocoder renders smooth cells too quiet, so what it made of the hole is measured and made up for.
        """
        sound = self.renderer.vocode(made)[0]
        if not self.filling.level_match:
            return sound
        front, make = self.renderer.model.front, torch.from_numpy(hole)[None, None].to(made.device)
        wanted = front.to_log10(made)
        measured = front.to_log10(self.renderer.mel_of(sound))[..., : made.shape[-1]]
        change = _smooth(_mean(wanted, make) - _mean(measured, make))
        return self.renderer.vocode(torch.where(make, front.from_log10(wanted + change), made))[0]

    def _heard(self, given: Tensor, make: Tensor) -> Tensor:
        """The mel of what is known: nothing of the hole reaches the encoder, which sees far."""
        model = self.renderer.model
        silence = torch.full_like(given, model.front.silence)
        quiet = model.config.unet.hole == "silence"  # what the network saw in holes when it learned
        return torch.where(make, silence, given) if quiet else fill_hole(given, make)

    def _denoise(
        self, start: Start, hole: tuple[Tensor, Tensor], given: Tensor, sampling: Sampling, count: Counter
    ) -> Tensor:
        """The first pass, and one more from half-way back for every resampling.

        Args:
            hole: the known latent and its mask. given: the mel that lies there, which a strength below 1 goes out from.
        """
        known, make = hole
        latents = known if self.filling.strength == 1.0 else self.renderer.autoencoder.encode(given)
        for index, strength in enumerate(self._passes()):
            if strength < 1.0:
                start = replace(start, clean=torch.where(make > 0.5, latents, known), strength=strength)
            fresh = (decided(sampling.seed, "seed") + index * 0x9E3779B9) % 2**32  # another noise in every pass
            latents, _ = self.renderer.takes(start, replace(sampling, seed=fresh), count.part())
            count.skip(self.renderer.steps_of(strength, sampling))
        return latents

    def _passes(self) -> list[float]:
        """The share of the schedule of every pass."""
        return [self.filling.strength] + [BACK * self.filling.strength] * self.filling.resampling

    def _result(
        self,
        sounds: list[NDArray[Any]],
        seeds: tuple[int, ...],
        scores: tuple[float, ...] | None,
        settings: dict[str, Any],
    ) -> Generation:
        order = sorted(range(len(seeds)), key=lambda k: -scores[k]) if scores else list(range(len(seeds)))
        rate = self.spec.sample_rate
        shown = []
        for k in order:  # what can be heard, not what the network thought
            shown.append(self.renderer.log10_mel_of(mono_at(sounds[k], self.source.sample_rate, rate)))
        return Generation(
            audio=sounds[0][None] if len(order) == 1 else np.stack([sounds[k] for k in order]),
            sample_rate=self.source.sample_rate,
            mel=np.stack(shown),
            seeds=tuple(seeds[k] for k in order),
            scores=tuple(scores[k] for k in order) if scores else None,
            settings=settings,
            subtype=self.source.subtype,
            carried=self.source.carried,
            reports=tuple(report(self.source, sounds[k], self.seconds).to_settings() for k in order),
        )


class Counter:
    """Progress over passes of different lengths."""

    def __init__(self, on_step: OnStep | None, total: int) -> None:
        self.on_step, self.total, self.done = on_step, total, 0

    def part(self) -> OnStep | None:
        """The callback of the pass that comes next."""
        if self.on_step is None:
            return None
        on_step, before = self.on_step, self.done
        return lambda step, total, preview: on_step(before + step, self.total, preview)

    def skip(self, steps: int) -> None:
        """A pass of so many steps is over."""
        self.done += steps


def settled(made: Tensor, given: Tensor, make: Tensor) -> Tensor:
    """Move each band of a hole to the level that the band has beside it; only what continues should be so.

    A small network fills with something like the mean of what could be there, which is quieter than any of it.

    Args:
        made, given: log10 mel [1, 1, mels, frames].
        make: bool [1, 1, mels, frames], the hole.
    """
    near = ~make & (F.max_pool1d(make.any(2).float(), 2 * NEAR + 1, stride=1, padding=NEAR) > 0)[:, :, None]
    level = [_mean(x, where) for x, where in ((given, near), (made, make))]
    known = near.any(3, keepdim=True) & make.any(3, keepdim=True)
    change = torch.where(known, level[0] - level[1], torch.zeros_like(level[0]))
    return made + _smooth(change)


def _smooth(change: Tensor) -> Tensor:
    """A change of level for each band, [1, 1, mels, 1], without jumps from band to band and within limits."""
    return F.avg_pool2d(F.pad(change, (0, 0, 2, 2), mode="replicate"), (5, 1), stride=1).clamp(-MOST, MOST)


def _mean(x: Tensor, where: Tensor) -> Tensor:
    """Mean over time of the chosen cells of each band, [1, 1, mels, 1]; 0 where none is chosen."""
    weight = where.to(x)
    return (x * weight).sum(3, keepdim=True) / weight.sum(3, keepdim=True).clamp_min(1.0)


def _follow(cells: Tensor, blend: float) -> Tensor:
    """How far latent cells [1, 1, H, W] follow the network: 1 in the hole, `blend` beside it, 0 elsewhere."""
    if blend == 0.0:
        return cells
    return torch.maximum(cells, blend * F.max_pool2d(cells, 3, stride=1, padding=1))


def _lay(
    wave: NDArray[np.float32],
    sound: NDArray[np.float32],
    window: Window,
    done: NDArray[np.bool_],
    hop: int,
    rate: int,
) -> None:
    """Put a window's sound into `wave`, but for what other windows have made; `done` [frames] says which are made.

    Where its hole meets a hole made before, the two sounds of the same mel cross over within the older one.
    """
    first, fade = window.first, round(FADE * rate)
    free = np.repeat(~done[first : window.last], hop)
    at = slice(first * hop, window.last * hop)
    wave[at] = np.where(free, sound[: len(free)], wave[at])
    ramp = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / fade).astype(np.float32)
    for start, end in window.spans:
        for edge, older in ((start, start - 1), (end, end)):
            if not (first <= older < window.last and done[older]):
                continue
            begin = edge * hop - fade if older < start else edge * hop
            part = slice(max(begin, first * hop), min(begin + fade, window.last * hop))
            new = sound[part.start - first * hop : part.stop - first * hop]
            shape = ramp[part.start - begin : part.stop - begin]
            rising, falling = (shape, shape[::-1]) if older < start else (shape[::-1], shape)
            wave[part] = rising * new + falling * wave[part]
    for start, end in window.spans:
        done[start:end] = True
