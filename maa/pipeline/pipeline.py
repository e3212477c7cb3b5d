"""MakeAnAudio: five tasks, each of which only prepares a start; the rest of the path is common to all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa import checkpoint
from maa.audio.io import Audio, check_audible, resample, to_audio
from maa.config import ModelConfig
from maa.device import compute_dtype, pick_device
from maa.diffusion.schedule import start_of
from maa.pipeline import conditions, inpainting
from maa.pipeline.filling import Filling
from maa.pipeline.render import Renderer, Start
from maa.pipeline.request import MAX_SECONDS, OnStep, Sampling, check_prompt, check_seconds, check_t0
from maa.pipeline.result import Generation
from maa.version import VERSION

DEFAULT = Sampling()
WHOLLY = Filling()
AudioLike = "str | Path | Audio | tuple[int, NDArray[Any]]"
NEEDS = {
    "text": ("unet", "autoencoder", "vocoder", "text"),
    "image": ("unet", "autoencoder", "vocoder", "text", "clap", "vision"),
    "video": ("unet", "autoencoder", "vocoder", "text", "clap", "vision"),
    "personalize": ("unet", "autoencoder", "vocoder", "text"),
    "inpaint": ("unet", "autoencoder", "vocoder"),
}


class MakeAnAudio:
    """A loaded model and its five tasks. It keeps no state between calls, so threads may share it."""

    def __init__(self, model: checkpoint.Model, device: torch.device, name: str) -> None:
        self.model = model.to(device, compute_dtype(device))
        self.device = device
        self.name = name
        self.renderer = Renderer(self.model, device)

    @classmethod
    def from_pretrained(cls, name: str | Path = "small", device: str | None = None) -> MakeAnAudio:
        """Open a model by name, folder or hub id; "tiny" is a random one that needs no file.

        Args:
            name: "small", "tiny", a folder with `config.json`, or "user/model" on the hub.
            device: such as "cpu"; None picks the best one, or MAA_DEVICE.

        Raises:
            ValueError: no such model, a damaged file, or no such device.
        """
        chosen = pick_device(device or os.environ.get("MAA_DEVICE") or None)
        if str(name) == "tiny":
            return cls(checkpoint.random_model(), chosen, "tiny")
        folder = checkpoint.find(str(name))
        return cls(checkpoint.load(folder), chosen, folder.name)

    @property
    def config(self) -> ModelConfig:
        """What the model is: sizes, lengths, conventions."""
        return self.model.config

    def capabilities(self) -> dict[str, str | None]:
        """Per task: None when it works, else the sentence that says which file to add."""
        missing = self.model.missing
        return {task: next((missing[p] for p in parts if p in missing), None) for task, parts in NEEDS.items()}

    def frames_of(self, audio: Any) -> int:
        """Mel frames of a user's sound: the width a mask for it must have."""
        return -(-len(self._mono(to_audio(audio))) // self.config.audio.hop)

    def spectrogram(self, audio: Any) -> NDArray[np.float32]:
        """log10 mel of a user's sound, [mels, frames], for painters and pictures."""
        mel = self.renderer.mel_of(self._mono(to_audio(audio)))
        return self.model.front.to_log10(mel)[0, 0].cpu().numpy()

    def describe_image(self, image: Any) -> list[tuple[str, float]]:
        """The sounds a picture is heard as, best first, weights summing to 1."""
        self._require("image")
        return conditions.describe(self.model, [conditions.load_picture(image)])

    def text_to_audio(
        self,
        prompt: str,
        sampling: Sampling = DEFAULT,
        *,
        negative: str = "",
        seconds: float | None = None,
        on_step: OnStep | None = None,
    ) -> Generation:
        """Sound from a sentence.

        Args:
            prompt: what to hear; 1 to 1,000 characters.
            negative: what to lead away from; replaces the empty prompt of Eq. 2.
            seconds: 0.5 to 30; None is the length the model was trained on (9.984 s).
            on_step: called after every denoising step.
        """
        prompt = check_prompt(prompt, needed=True)
        negative = check_prompt(negative, name="negative prompt")
        self._require("text")
        sampling = sampling.settled(self.config.guidance)
        condition, null = conditions.from_text(self.model, prompt, negative)
        settings = self._settings("text", sampling, prompt=prompt, negative=negative)
        return self._generate(condition, null, sampling, seconds, settings, on_step)

    def image_to_audio(
        self,
        image: Any,
        sampling: Sampling = DEFAULT,
        *,
        prompt: str = "",
        negative: str = "",
        seconds: float | None = None,
        on_step: OnStep | None = None,
    ) -> Generation:
        """Sound from a picture (Sec. 4.3): a file, PIL image or uint8 [H, W, 3]. A prompt replaces the words heard."""
        prompt, negative = check_prompt(prompt), check_prompt(negative, name="negative prompt")
        self._require("image")
        check_seconds(seconds)
        pictures = [conditions.load_picture(image)]
        return self._from_pictures("image", pictures, sampling, (prompt, negative), seconds, on_step)

    def video_to_audio(
        self,
        video: str | Path,
        sampling: Sampling = DEFAULT,
        *,
        prompt: str = "",
        negative: str = "",
        on_step: OnStep | None = None,
    ) -> Generation:
        """Sound for a clip from four evenly spaced frames (Sec. 4.3), as long as the clip, up to 30 s."""
        from maa.vision.frames import video_frames

        prompt, negative = check_prompt(prompt), check_prompt(negative, name="negative prompt")
        self._require("video")
        pictures, info = video_frames(video, count=4)
        seconds = min(max(info.seconds, 0.5), MAX_SECONDS)
        return self._from_pictures("video", pictures, sampling, (prompt, negative), seconds, on_step)

    def personalize(
        self,
        audio: Any,
        prompt: str,
        sampling: Sampling = DEFAULT,
        *,
        t0: float = 0.4,
        negative: str = "",
        start: float = 0.0,
        on_step: OnStep | None = None,
    ) -> Generation:
        """The user's own sound, led towards a prompt (SDEdit, Sec. 4.1).

        Args:
            audio: a file, `Audio`, or (rate, array).
            t0: how far to go back towards noise: 0 returns the autoencoder's round trip, 1 ignores the sound; the
                paper recommends 0.2 to 0.5.
            start: second of the upload where the window of at most 9.984 s begins.
        """
        check_t0(t0)
        first = start_of(t0, self.renderer.schedule)
        prompt = check_prompt(prompt, needed=first >= 0)
        negative = check_prompt(negative, name="negative prompt")
        self._require("personalize")
        wave = self._window(to_audio(audio), start)
        sampling = sampling.settled(self.config.guidance)
        condition, null = conditions.from_text(self.model, prompt, negative)
        settings = self._settings("personalize", sampling, prompt=prompt, negative=negative)
        settings |= {"t0": float(t0), "start": float(start), "input": conditions.digest(wave)}
        frames = self._frames(len(wave))
        whole = first + 1 >= self.config.schedule.steps
        plan = Start(
            condition=condition,
            null=null,
            frames=frames,
            first=first,
            steps=max(1, int(np.ceil(t0 * sampling.steps))),
            clean=None if whole else self._encode(wave, frames),
        )
        return self._render(plan, sampling, len(wave), settings, on_step)

    def inpaint(
        self,
        audio: Any,
        mask: Any = None,
        prompt: str = "",
        sampling: Sampling = DEFAULT,
        *,
        negative: str = "",
        filling: Filling = WHOLLY,
        on_step: OnStep | None = None,
    ) -> Generation:
        """New sound where the mask is painted, the user's own samples elsewhere (Sec. 4.2).

        Args:
            audio: a file, `Audio`, or (rate, array), any length up to 10 minutes; its rate, channels and sample format
                are kept, and outside the painted time span every sample comes back as it was.
            mask: bool [mels, frames_of(audio)], True = make new, row 0 the lowest band; a PNG or .npy file of one; or
                a list of `Box`, (start, end) or (start, end, low, high) in seconds and Hz. None with `filling` that
                extends the sound: only its ends are new.
            prompt: what to fill with; empty continues what is there.
            filling: strength, resampling, level, and how much longer the sound should become at its ends.
        """
        prompt, negative = check_prompt(prompt), check_prompt(negative, name="negative prompt")
        self._require("inpaint")
        if (prompt or negative) and "text" in self.model.missing:
            raise ValueError(f"{self.model.missing['text']} Or leave the prompts empty.")
        source = to_audio(audio)
        check_audible(source)
        sampling = sampling.settled(self.config.guidance)
        settings = self._settings("inpaint", sampling, prompt=prompt, negative=negative)
        settings["input"] = conditions.digest(source.samples)
        job = inpainting.Job(self.renderer, source, mask, filling)
        condition, null = conditions.from_text(self.model, prompt, negative)
        return job.run(inpainting.Conditions(condition, null, prompt), sampling, settings, on_step)

    # ------------------------------------------------------------------ shared by the tasks

    def _from_pictures(
        self,
        task: str,
        pictures: list[NDArray[np.uint8]],
        sampling: Sampling,
        prompts: tuple[str, str],
        seconds: float | None,
        on_step: OnStep | None,
    ) -> Generation:
        sampling = sampling.settled(self.config.guidance)
        prompt, negative = prompts
        words = conditions.describe(self.model, pictures)
        heard = prompt or conditions.caption(words)
        condition, null = conditions.from_text(self.model, heard, negative)
        if not prompt:
            condition = conditions.with_words(self.model, condition, words)
        settings = self._settings(task, sampling, prompt=prompt, negative=negative)
        settings |= {"heard_as": [[word, round(weight, 4)] for word, weight in words]}
        settings |= {"input": conditions.digest(np.concatenate([p.reshape(-1) for p in pictures]))}
        return self._generate(condition, null, sampling, seconds, settings, on_step, judge=heard, words=tuple(words))

    def _generate(
        self,
        condition: Any,
        null: Any,
        sampling: Sampling,
        seconds: float | None,
        settings: dict[str, Any],
        on_step: OnStep | None,
        **extra: Any,
    ) -> Generation:
        """From pure noise, `seconds` long."""
        check_seconds(seconds)
        spec = self.config.audio
        length = spec.samples if seconds is None else round(seconds * spec.sample_rate)
        settings["seconds"] = spec.seconds if seconds is None else float(seconds)
        first = self.config.schedule.steps - 1
        plan = Start(condition, null, self._frames(length), first, sampling.steps)
        return self._render(plan, sampling, length, settings, on_step, **extra)

    def _render(
        self,
        plan: Start,
        sampling: Sampling,
        length: int,
        settings: dict[str, Any],
        on_step: OnStep | None,
        judge: str | None = None,
        words: tuple[tuple[str, float], ...] = (),
    ) -> Generation:
        latents, seeds = self.renderer.takes(plan, sampling, on_step)
        mel = self.renderer.decode(latents)
        waves = fit_length(self.renderer.vocode(mel), length, self.config.audio.sample_rate)
        scores = self.renderer.scores(waves, settings["prompt"] if judge is None else judge)
        order = sorted(range(len(seeds)), key=lambda k: -scores[k]) if scores else list(range(len(seeds)))
        shown = self.model.front.to_log10(mel)[:, 0].cpu().numpy()
        return Generation(
            audio=waves[order][:, None],
            sample_rate=self.config.audio.sample_rate,
            mel=shown[order],
            seeds=tuple(seeds[k] for k in order),
            scores=tuple(scores[k] for k in order) if scores else None,
            settings=settings,
            words=words,
        )

    def _frames(self, samples: int) -> int:
        """Mel frames to generate for a length: the next multiple of 16, but 10 s stays within the trained 9.984 s."""
        spec, multiple = self.config.audio, self.config.frame_multiple
        if spec.samples < samples <= round(10.0 * spec.sample_rate):
            return spec.frames
        return -(-samples // (spec.hop * multiple)) * multiple

    def _mono(self, source: Audio) -> NDArray[np.float32]:
        return resample(source.mono(), source.sample_rate, self.config.audio.sample_rate)

    def _window(self, source: Audio, start: float) -> NDArray[np.float32]:
        """At most the model's length of a user's sound, from `start` seconds on."""
        check_audible(source)
        if not 0.0 <= start < source.seconds:
            raise ValueError(f"start must lie within the sound (0 to {source.seconds:.2f} s), not {start:g}.")
        wave = self._mono(source)
        spec = self.config.audio
        first = round(start * spec.sample_rate)
        return wave[first : first + spec.samples]

    @torch.inference_mode()
    def _encode(self, wave: NDArray[np.float32], frames: int) -> Tensor:
        padded = np.zeros(frames * self.config.audio.hop, np.float32)
        padded[: len(wave)] = wave[: len(padded)]
        return self.renderer.autoencoder.encode(self.renderer.mel_of(padded))

    def _require(self, task: str) -> None:
        sentence = self.capabilities()[task]
        if sentence is not None:
            raise ValueError(sentence)

    def _settings(self, task: str, sampling: Sampling, **prompts: str) -> dict[str, Any]:
        return {
            "task": task,
            **prompts,
            "seed": sampling.seed,
            "takes": sampling.count,
            "steps": sampling.steps,
            "guidance": sampling.guidance,
            "sampler": sampling.sampler,
            "eta": float(sampling.eta),
            "model": self.name,
            "weights": self.model.weights_hash,
            "version": VERSION,
        }


def fit_length(waves: NDArray[np.float32], length: int, rate: int) -> NDArray[np.float32]:
    """Cut [takes, n] to `length` samples; a wave that is a little short fades out over what is missing."""
    have = waves.shape[1]
    if have >= length:
        return waves[:, :length]
    short = length - have
    out = np.zeros((len(waves), length), np.float32)
    out[:, :have] = waves
    fade = min(have, max(short, rate // 100))
    out[:, have - fade : have] *= np.cos(np.linspace(0.0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return out
