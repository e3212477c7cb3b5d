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
from maa.audio.io import to_audio
from maa.config import ModelConfig
from maa.device import pick_device, pick_dtype
from maa.diffusion.samplers import sampler_named
from maa.diffusion.schedule import first_timestep
from maa.pipeline import conditioning, finishing, inpainting, personal, pictured, seen
from maa.pipeline.abilities import lacks
from maa.pipeline.checks import text as check_prompt
from maa.pipeline.engine import Engine
from maa.pipeline.events import Event, events_of
from maa.pipeline.leading import Led, Prompts, check_said
from maa.pipeline.length import frames_for
from maa.pipeline.options import Filling, Sampling
from maa.pipeline.render import Renderer
from maa.pipeline.result import Generation
from maa.pipeline.steps import OnStep
from maa.pipeline.tasks import check_seconds, check_t0, check_words
from maa.pipeline.words import Words

DEFAULT = Sampling()
WHOLLY = Filling()


class MakeAnAudio(Words):
    """The door: a loaded model and its five tasks. It keeps no state between calls, so threads may share it.

    A model's own network serves a task, or an expert's: another network for pictures, or for inpainting.
    """

    def __init__(
        self,
        model: checkpoint.Model,
        device: torch.device,
        name: str,
        dtype: torch.dtype | None = None,
        renderer: type[Renderer] = Renderer,
    ) -> None:
        """
        Args:
            model: moved to the device.
            name: what the settings of its sounds call it.
            dtype: what the U-Net computes in; None = what `pick_dtype` says.
            renderer: what samples and decodes; another one may watch.
        """
        self.dtype = dtype or pick_dtype(device)
        self.model = model.to(device, self.dtype)
        self.device = device
        self.name = name
        made_by = {"model": name, "weights": model.weights_hash}  # in the settings of every sound
        self.engine = Engine(model, renderer(model, device), self.dtype, made_by)
        self.experts = {
            task: Engine(expert, renderer(expert, device), self.dtype, {**made_by, "network": task})
            for task, expert in model.experts.items()
            if expert.unet is not None
        }

    @classmethod
    def from_pretrained(
        cls, name: str | Path = "small", device: str | None = None, dtype: str | None = None
    ) -> MakeAnAudio:
        """Open a model by name, folder or hub id; "tiny" is a random one that needs no file.

        Args:
            name: "small", "tiny", a folder with `config.json`, or "user/model" on the hub ("user/model@revision").
            device: such as "cpu"; None picks the best one, or MAA_DEVICE.
            dtype: what the U-Net computes in, "float32" or "bfloat16"; None is what `pick_dtype` says.

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

    @property
    def renderer(self) -> Renderer:
        """Samples, decodes and vocodes with the model's own network."""
        return self.engine.renderer

    def capabilities(self) -> dict[str, str | None]:
        """Per task: None when it works, else the sentence that says which file to add."""
        able = lacks(self.model)
        for name, tasks in {"image": ("image", "video"), "inpaint": ("inpaint",)}.items():
            if name in self.experts:
                other = lacks(self.experts[name].model)
                able |= {task: other[task] for task in tasks if able[task] is not None}
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
        return self.engine.frames_of(to_audio(audio))

    def spectrogram(self, audio: Any) -> NDArray[np.float32]:
        """log10 mel of a user's sound, [mels, frames], for painters and pictures."""
        return self.engine.spectrogram(to_audio(audio))

    def describe_image(self, image: Any) -> list[tuple[str, float]]:
        """The sounds a picture is heard as, best first, weights summing to 1."""
        self._require("image")
        return conditioning.describe_pictures(self.model, [conditioning.load_picture(image)])

    def describe_video(self, video: str | Path) -> tuple[Event, ...]:
        """What a clip is heard as over its time; nothing where the model has no words for what it sees."""
        self._require("video")
        return pictured.heard(self.model, self._windows(video)[1])

    def text_to_audio(
        self,
        prompt: str | Led,
        sampling: Sampling = DEFAULT,
        *,
        negative: str = "",
        seconds: float | None = None,
        loudness: str | float = AS_MADE,
        literal: bool = False,
        events: Sequence[Event | Sequence[Any]] = (),
        heard: Sequence[str] = (),
        loop: bool = False,
        on_step: OnStep | None = None,
    ) -> Generation:
        """Sound from a sentence, or from events in time.

        Args:
            prompt: what to hear; 1 to 1,000 characters, or what `heard` has made of them.
            negative: what to lead away from; replaces the empty prompt of Eq. 2.
            seconds: 0.5 to 30; None is the length the model was trained on (9.984 s).
            loudness: "as-made", -23 or -18 (LUFS), or "peak" (-1 dBTP).
            literal: take the words as they are; else what is near no known caption is led to the nearest (`heard`), and
                a sentence of several sounds is placed in time (`timeline`).
            events: up to 32 `Event`s or rows [start s, end s, text, gain dB], which may overlap; outside of all it is
                silent. A prompt lies behind them, unless it is one of theirs or a sentence of several sounds.
            heard: what to listen to instead, for every clause of all events in their order (`understood`).
            loop: its end goes on into its beginning; it has no events, and a sentence of several sounds is one text.
            on_step: called after every denoising step; a `Listener` hears a long sound, too, while it is made.
        """
        given = events_of(events)
        if loop and given:
            raise ValueError("A loop has no beginning to count the times of events from; leave events or loop out.")
        said = check_said(prompt, needed=not given), check_prompt(negative, name="negative prompt")
        wish = finishing.wish(loudness, loop=loop)
        self._require("text")
        sampling = self.engine.settled(sampling)
        check_seconds(seconds)
        prompts = self._prompts(*said, literal, heard) if loop else self._placed(given, *said, literal, seconds, heard)
        settings, wish = self.engine.settings("text", sampling, prompts), replace(wish, scored_by=prompts.text)
        return self.engine.from_words(prompts, sampling, seconds, settings, on_step, wish)

    def image_to_audio(
        self,
        image: Any,
        sampling: Sampling = DEFAULT,
        *,
        prompt: str | Led = "",
        negative: str = "",
        seconds: float | None = None,
        words: Sequence[tuple[str, float]] = (),
        loudness: str | float = AS_MADE,
        literal: bool = False,
        loop: bool = False,
        on_step: OnStep | None = None,
    ) -> Generation:
        """Sound from a picture (Sec. 4.3): a file, PIL image or uint8 [H, W, 3].

        It is heard as `words` with weights above 0, or where there are none as what the model finds; a prompt replaces
        them. The end of a `loop` goes on into its beginning.
        """
        said = check_said(prompt), check_prompt(negative, name="negative prompt")
        wish = finishing.wish(loudness, loop=loop)
        self._require("image")
        check_seconds(seconds)
        given = check_words(words)
        pictures = [seen.Seen(0.0, 0.0, (conditioning.load_picture(image),), tuple(given))]
        more = {"task": "image", **({"words": [list(word) for word in given]} if given else {})}
        prompts = self._prompts(*said, literal)
        engine = self._for_pictures(pictures, prompts)
        return pictured.from_pictures(self.model, engine, pictures, sampling, prompts, more, (seconds, wish, on_step))

    def video_to_audio(
        self,
        video: str | Path,
        sampling: Sampling = DEFAULT,
        *,
        prompt: str | Led = "",
        negative: str = "",
        loudness: str | float = AS_MADE,
        literal: bool = False,
        events: Sequence[Event | Sequence[Any]] = (),
        on_step: OnStep | None = None,
    ) -> Generation:
        """Sound as long as a clip of up to 3 minutes, from four evenly spaced frames of each window (Sec. 4.3).

        Events, as `text_to_audio` takes them, are made instead of what is seen (`describe_video`).
        """
        given = events_of(events)
        said = check_said(prompt), check_prompt(negative, name="negative prompt")
        wish = finishing.wish(loudness)
        self._require("video")
        seconds, pictures = self._windows(video, sampling)
        windows = [[round(window.start, 3), round(window.end, 3)] for window in pictures]
        more = {"task": "video", "windows": windows}
        if given:
            self._require("text")
            sampling, told = self.engine.settled(sampling), self._placed(given, *said, literal, seconds)
            settings = {**self.engine.settings("video", sampling, told), **more}
            settings["input"] = conditioning.digest_of_pictures(pictures)
            wish = replace(wish, scored_by=told.text)
            return self.engine.from_words(told, sampling, seconds, settings, on_step, wish)
        prompts = self._prompts(*said, literal)
        engine = self._for_pictures(pictures, prompts)
        return pictured.from_pictures(self.model, engine, pictures, sampling, prompts, more, (seconds, wish, on_step))

    def personalize(
        self,
        audio: Any,
        prompt: str | Led,
        sampling: Sampling = DEFAULT,
        *,
        t0: float = 0.4,
        negative: str = "",
        start: float = 0.0,
        level_match: bool = True,
        loudness: str | float = AS_MADE,
        literal: bool = False,
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
        needed = first_timestep(t0, self.renderer.schedule) >= 0
        said = check_said(prompt, needed=needed), check_prompt(negative, name="negative prompt")
        self._require("personalize")
        sampling = self.engine.settled(sampling)
        whole = personal.personal_sound(self.renderer, to_audio(audio), start)
        wave = whole[: self.config.audio.samples]
        prompts = self._prompts(*said, literal)
        settings = self.engine.settings("personalize", sampling, prompts)
        settings |= {"t0": float(t0), "start": float(start), "level_match": bool(level_match)}
        settings["input"] = conditioning.input_digest(wave)
        begin = personal.noised_start(self.renderer, whole, self.engine.from_text(prompts), t0, sampling)
        level = personal.level_of(self.renderer, wave, begin) if level_match else None
        wish = replace(wish, level=level, scored_by=prompts.text)
        return self.engine.render(begin, sampling, len(wave), settings, on_step, wish)

    def inpaint(
        self,
        audio: Any,
        mask: Any = None,
        prompt: str | Led = "",
        sampling: Sampling = DEFAULT,
        *,
        negative: str = "",
        filling: Filling = WHOLLY,
        loudness: str | float = AS_MADE,
        literal: bool = False,
        on_step: OnStep | None = None,
    ) -> Generation:
        """New sound where the mask is painted, the user's own samples elsewhere (Sec. 4.2).

        A network that only inpaints goes on with what is there; with a prompt the text network fills the hole, held to
        the known sound at every step.

        Args:
            audio: a file, `Audio`, or (rate, array), up to 10 minutes; rate, channels, sample format and every sample
                outside the painted time span are kept.
            mask: bool [mels, frames_of(audio)], True = make new, row 0 the lowest band; a PNG or .npy file of one; or
                a list of `Box`, (start, end) or (start, end, low, high) in seconds and Hz. None with `filling` that
                extends the sound: only its ends are new.
            prompt: what to fill with; empty continues what is there.
            filling: how a hole is filled, and how much longer the sound should become at its ends.
            loudness: "as-made"; no other, because your own samples stay.
        """
        finishing.wish(loudness, fixed=True)
        said = check_said(prompt), check_prompt(negative, name="negative prompt")
        self._require("inpaint")
        source = to_audio(audio)
        if not any(said) and self.can("inpaint"):
            expert = self.experts["inpaint"]
            return inpainting.inpaint_by_expert(expert, self.engine, source, mask, sampling, filling, on_step)
        if any(said) and (lack := lacks(self.model)["text"]):
            raise ValueError(f"{lack} Or leave the prompts empty.")
        prompts = self._prompts(*said, literal)
        return inpainting.inpaint(self.engine, source, mask, prompts, sampling, filling, on_step)

    def _windows(self, video: str | Path, sampling: Sampling = DEFAULT) -> tuple[float, list[seen.Seen]]:
        """Seconds of a clip, and the windows that it is sampled in."""
        seconds, spec = seen.length_of(video), self.config.audio
        frames = frames_for(self.config, round(seconds * spec.sample_rate), sampler_named(sampling.sampler).longest)
        spans = self.renderer.spans(frames // self.config.autoencoder.factor, sampling)
        return seconds, seen.look(video, spans, self.config, seconds)

    def can(self, expert: str) -> bool:
        """True when the model has that expert ("image", "inpaint") and nothing is missing in it."""
        return expert in self.experts and lacks(self.experts[expert].model)[expert] is None

    def _require(self, task: str) -> None:
        if (sentence := self.capabilities()[task]) is not None:
            raise ValueError(sentence)

    def _for_pictures(self, pictures: Sequence[seen.Seen], prompts: Prompts) -> Engine:
        """The network that looks at pictures; a prompt or words of the user's own go to the text network if it can."""
        said = bool(prompts.text) or any(one.words for one in pictures)
        by_text = said and lacks(self.model)["text"] is None
        return self.experts["image"] if self.can("image") and not by_text else self.engine
