"""MakeAnAudio: five tasks, each of which only prepares a start; the rest of the path is common to all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maa import checkpoint, hub
from maa.audio.finish import AS_MADE
from maa.audio.io import Audio, check_audible, resample, to_audio
from maa.config import ModelConfig
from maa.device import compute_dtype, pick_device, pick_dtype
from maa.diffusion.schedule import start_of
from maa.pipeline import conditions, experts, finishing, inpainting, personal, windows
from maa.pipeline.abilities import lacks
from maa.pipeline.filling import Filling
from maa.pipeline.length import fit_length, frames_for
from maa.pipeline.render import Renderer, Start
from maa.pipeline.request import OnStep, Sampling, check_prompt, check_seconds, check_t0, check_words
from maa.pipeline.result import Generation
from maa.version import VERSION

DEFAULT = Sampling()
WHOLLY = Filling()


class MakeAnAudio:
    """A loaded model and its five tasks. It keeps no state between calls, so threads may share it."""

    def __init__(
        self, model: checkpoint.Model, device: torch.device, name: str, dtype: torch.dtype | None = None
    ) -> None:
        """dtype: what the U-Net computes in; None = the device's own choice (`compute_dtype`)."""
        self.dtype = dtype or compute_dtype(device)
        self.model = model.to(device, self.dtype)
        self.device = device
        self.name = name
        self.renderer = Renderer(self.model, device)
        self.made_by: dict[str, str] = {"model": name, "weights": model.weights_hash}  # in the settings of every sound
        networks = {task: expert for task, expert in model.experts.items() if expert.unet is not None}
        self.experts = {task: MakeAnAudio(expert, device, name, dtype) for task, expert in networks.items()}
        for task, expert in self.experts.items():
            expert.made_by = {**self.made_by, "network": task}

    @classmethod
    def from_pretrained(
        cls, name: str | Path = "small", device: str | None = None, dtype: str | None = None
    ) -> MakeAnAudio:
        """Open a model by name, folder or hub id; "tiny" is a random one that needs no file.

        Args:
            name: "small", "tiny", a folder with `config.json`, or "user/model" on the hub ("user/model@revision").
            device: such as "cpu"; None picks the best one, or MAA_DEVICE.
            dtype: what the U-Net computes in, "float32" or "bfloat16"; None is bfloat16 on GPUs that have it.

        Raises:
            ValueError: no such model, a damaged file, no such device or precision.
        """
        chosen = pick_device(device or os.environ.get("MAA_DEVICE") or None)
        precision = pick_dtype(chosen, dtype)
        if str(name) == "tiny":
            return cls(checkpoint.random_model(), chosen, "tiny", precision)
        folder = checkpoint.find(str(name))
        return cls(checkpoint.load(folder), chosen, checkpoint.called(str(name), folder), precision)

    @property
    def config(self) -> ModelConfig:
        """What the model is: sizes, lengths, conventions."""
        return self.model.config

    def capabilities(self) -> dict[str, str | None]:
        """Per task: None when it works, else the sentence that says which file to add."""
        able = lacks(self.model)
        for name, tasks in {"image": ("image", "video"), "inpaint": ("inpaint",)}.items():
            if name in self.experts:
                able |= {task: self.experts[name].capabilities()[task] for task in tasks if able[task] is not None}
        return able

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write the model, experts included, as a folder that `from_pretrained` opens; its own files, byte for byte.

        Raises:
            ValueError: the folder is there already and not empty.
        """
        return checkpoint.copy(self.model, Path(folder))

    def push_to_hub(self, repository: str, *, private: bool = False) -> str:
        """Put the model on the hub as "user/model" and return its address; needs a token (`hf auth login`)."""
        with tempfile.TemporaryDirectory(prefix="maa-") as scratch:
            return hub.upload(self.save_pretrained(Path(scratch) / "model"), repository, private=private)

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
        loudness: str | float = AS_MADE,
        on_step: OnStep | None = None,
    ) -> Generation:
        """Sound from a sentence.

        Args:
            prompt: what to hear; 1 to 1,000 characters.
            negative: what to lead away from; replaces the empty prompt of Eq. 2.
            seconds: 0.5 to 30; None is the length the model was trained on (9.984 s).
            loudness: "as-made", -23 or -18 (LUFS), or "peak" (-1 dBTP).
            on_step: called after every denoising step.
        """
        prompt = check_prompt(prompt, needed=True)
        negative = check_prompt(negative, name="negative prompt")
        wish = finishing.wish(loudness)
        self._require("text")
        sampling = self.settled(sampling)
        check_seconds(seconds)
        contexts = [conditions.from_text(self.model, prompt, negative)]
        settings = self.settings("text", sampling, prompt=prompt, negative=negative)
        return self.generate(contexts, sampling, seconds, settings, on_step, wish)

    def image_to_audio(
        self,
        image: Any,
        sampling: Sampling = DEFAULT,
        *,
        prompt: str = "",
        negative: str = "",
        seconds: float | None = None,
        words: Sequence[tuple[str, float]] = (),
        loudness: str | float = AS_MADE,
        on_step: OnStep | None = None,
    ) -> Generation:
        """Sound from a picture (Sec. 4.3): a file, PIL image or uint8 [H, W, 3].

        It is heard as `words` with weights above 0, or where there are none as what the model finds; a prompt replaces
        them.
        """
        prompt, negative = check_prompt(prompt), check_prompt(negative, name="negative prompt")
        wish = finishing.wish(loudness)
        self._require("image")
        check_seconds(seconds)
        given = check_words(words)
        seen = [windows.Seen(0.0, 0.0, (conditions.load_picture(image),), tuple(given))]
        more = {"words": [list(word) for word in given]} if given else {}
        return experts.from_pictures(self, "image", seen, sampling, (prompt, negative), more, seconds, on_step, wish)

    def video_to_audio(
        self,
        video: str | Path,
        sampling: Sampling = DEFAULT,
        *,
        prompt: str = "",
        negative: str = "",
        loudness: str | float = AS_MADE,
        on_step: OnStep | None = None,
    ) -> Generation:
        """Sound as long as a clip of up to 3 minutes, from four evenly spaced frames of each window (Sec. 4.3)."""
        prompt, negative = check_prompt(prompt), check_prompt(negative, name="negative prompt")
        wish = finishing.wish(loudness)
        self._require("video")
        seconds = windows.length_of(video)
        columns = (
            frames_for(self.config, round(seconds * self.config.audio.sample_rate)) // self.config.autoencoder.factor
        )
        seen = windows.look(video, self.renderer.spans(columns), self.config, seconds)
        more = {"windows": [[round(window.start, 3), round(window.end, 3)] for window in seen]}
        return experts.from_pictures(self, "video", seen, sampling, (prompt, negative), more, seconds, on_step, wish)

    def personalize(
        self,
        audio: Any,
        prompt: str,
        sampling: Sampling = DEFAULT,
        *,
        t0: float = 0.4,
        negative: str = "",
        start: float = 0.0,
        level_match: bool = True,
        loudness: str | float = AS_MADE,
        on_step: OnStep | None = None,
    ) -> Generation:
        """The user's own sound, led towards a prompt (SDEdit, Sec. 4.1).

        Args:
            audio: a file, `Audio`, or (rate, array).
            t0: how far to go back towards noise: 0 returns the sound through autoencoder and vocoder (mono, 16 kHz), 1
                ignores it; the paper recommends 0.2 to 0.5.
            start: second of the upload where the window of at most 9.984 s begins.
            level_match: as loud as that window in mono (LUFS); not at t0 = 1, nor with a loudness of its own.
            loudness: "as-made", -23 or -18 (LUFS), or "peak" (-1 dBTP).
        """
        check_t0(t0)
        wish = finishing.wish(loudness)
        prompt = check_prompt(prompt, needed=start_of(t0, self.renderer.schedule) >= 0)
        negative = check_prompt(negative, name="negative prompt")
        self._require("personalize")
        sampling = self.settled(sampling)
        wave = personal.window(self.renderer, to_audio(audio), start)
        settings = self.settings("personalize", sampling, prompt=prompt, negative=negative)
        settings |= {"t0": float(t0), "start": float(start), "level_match": bool(level_match)}
        settings["input"] = conditions.digest(wave)
        pair = conditions.from_text(self.model, prompt, negative)
        plan = personal.start_from(self.renderer, wave, pair, t0)
        wish = replace(wish, level=personal.level(self.renderer, wave, plan) if level_match else None)
        return self._render(plan, sampling, len(wave), settings, on_step, wish)

    def inpaint(
        self,
        audio: Any,
        mask: Any = None,
        prompt: str = "",
        sampling: Sampling = DEFAULT,
        *,
        negative: str = "",
        filling: Filling = WHOLLY,
        loudness: str | float = AS_MADE,
        on_step: OnStep | None = None,
    ) -> Generation:
        """New sound where the mask is painted, the user's own samples elsewhere (Sec. 4.2).

        A network that only inpaints goes on with what is there; with a prompt the text network fills the hole, held to
        the known sound at every step.

        Args:
            audio: a file, `Audio`, or (rate, array), any length up to 10 minutes; its rate, channels and sample format
                are kept, and outside the painted time span every sample comes back as it was.
            mask: bool [mels, frames_of(audio)], True = make new, row 0 the lowest band; a PNG or .npy file of one; or
                a list of `Box`, (start, end) or (start, end, low, high) in seconds and Hz. None with `filling` that
                extends the sound: only its ends are new.
            prompt: what to fill with; empty continues what is there.
            filling: strength, resampling, level, and how much longer the sound should become at its ends.
            loudness: "as-made"; no other, because your own samples stay.
        """
        finishing.wish(loudness, fixed=True)
        prompt, negative = check_prompt(prompt), check_prompt(negative, name="negative prompt")
        self._require("inpaint")
        if not (prompt or negative) and self.can("inpaint"):
            return experts.inpaint(self, audio, mask, sampling, filling, on_step)
        if (prompt or negative) and "text" in self.model.missing:
            raise ValueError(f"{self.model.missing['text']} Or leave the prompts empty.")
        source = to_audio(audio)
        check_audible(source)
        sampling = self.settled(sampling)
        settings = self.settings("inpaint", sampling, prompt=prompt, negative=negative)
        settings["input"] = conditions.digest(source.samples)
        job = inpainting.Job(self.renderer, source, mask, filling)
        condition, null = conditions.from_text(self.model, prompt, negative)
        return job.run(inpainting.Conditions(condition, null, prompt), sampling, settings, on_step)

    # ------------------------------------------------------------------ shared by the tasks

    def can(self, expert: str) -> bool:
        """True when the model has that expert ("image", "inpaint") and nothing is missing in it."""
        return expert in self.experts and self.experts[expert].capabilities()[expert] is None

    def generate(
        self,
        contexts: list[windows.Pair],
        sampling: Sampling,
        seconds: float | None,
        settings: dict[str, Any],
        on_step: OnStep | None,
        wish: finishing.Wish,
    ) -> Generation:
        """From pure noise, `seconds` long: what is longer than the model's own length is made of windows."""
        spec = self.config.audio
        length = spec.samples if seconds is None else round(seconds * spec.sample_rate)
        settings["seconds"] = spec.seconds if seconds is None else float(seconds)
        frames = frames_for(self.config, length)
        parts = windows.parts(self.renderer.spans(frames // self.config.autoencoder.factor), contexts)
        plan = Start(*contexts[0], frames, parts=parts)
        return self._render(plan, sampling, length, settings, on_step, wish)

    def _render(
        self,
        plan: Start,
        sampling: Sampling,
        length: int,
        settings: dict[str, Any],
        on_step: OnStep | None,
        wish: finishing.Wish,
    ) -> Generation:
        latents, seeds = self.renderer.takes(plan, sampling, on_step)
        mel = self.renderer.decode(latents)
        waves = fit_length(self.renderer.vocode(mel), length, self.config.audio.sample_rate)
        takes = finishing.finished(self.renderer, waves, settings["prompt"], wish)
        return Generation(
            audio=takes.waves[:, None],
            sample_rate=self.config.audio.sample_rate,
            mel=self.model.front.to_log10(mel)[:, 0].cpu().numpy()[takes.order],
            seeds=tuple(seeds[k] for k in takes.order),
            scores=takes.scores,
            settings={**settings, "loudness": wish.loudness},
            facts=takes.facts,
            together=len(seeds) > 1 and (self.device.type != "cpu" or len(set(seeds)) == 1),
        )

    def _mono(self, source: Audio) -> NDArray[np.float32]:
        return resample(source.mono(), source.sample_rate, self.config.audio.sample_rate)

    def settled(self, sampling: Sampling) -> Sampling:
        """The same with the open choices made. ValueError where this network cannot be told what it is told."""
        if sampling.density is not None and not self.config.unet.density:
            raise ValueError(f"The model {self.name} was trained without density; leave density out.")
        return sampling.settled(self.config.guidance)

    def _require(self, task: str) -> None:
        if (sentence := self.capabilities()[task]) is not None:
            raise ValueError(sentence)

    def settings(self, task: str, sampling: Sampling, **prompts: str) -> dict[str, Any]:
        return {
            "task": task,
            **prompts,
            "seed": sampling.seed,
            "takes": sampling.count,
            "steps": sampling.steps,
            "guidance": sampling.guidance,
            "sampler": sampling.sampler,
            "eta": float(sampling.eta),
            **({"mismatch": True} if sampling.mismatch else {}),
            **({} if sampling.density is None else {"density": float(sampling.density)}),
            **({} if self.dtype == compute_dtype(self.device) else {"dtype": str(self.dtype).removeprefix("torch.")}),
            **self.made_by,
            "version": VERSION,
        }
