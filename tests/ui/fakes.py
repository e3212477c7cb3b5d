"""A pipeline that answers at once: real requests, checks and results, but sines instead of networks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.finish import AS_MADE
from maa.audio.io import check_audible, resample, to_audio
from maa.audio.mask import Box, check, frame_spans, from_boxes, mask_digest
from maa.config import TINY, ModelConfig
from maa.models.vocabulary import Vocabulary
from maa.pipeline import Filling, Generation, Listener, Sampling
from maa.pipeline.checks import text as check_prompt
from maa.pipeline.events import Event, events_of
from maa.pipeline.events import length_of as length_of_events
from maa.pipeline.leading import Led, Prompts, captions_instead, check_said, lead
from maa.pipeline.notes import Notes
from maa.pipeline.seen import length_of
from maa.pipeline.sentences import events_in
from maa.pipeline.tasks import check_loudness, check_seconds, check_t0, check_words
from tests.words import embed, small_vocabulary

STEP_SECONDS = 0.01
WHOLLY = Filling()
WORDS = (("dog barking", 0.6), ("rain", 0.3), ("church bell", 0.1))


@dataclass
class FakePipeline:
    """Behaves like `MakeAnAudio`. Take k sounds as a sine of 200 Hz times k + 1."""

    config: ModelConfig = TINY
    name: str = "fake"
    step_seconds: float = STEP_SECONDS
    steps_done: int = 0  # over all jobs
    running: int = 0
    most_running: int = 0
    masks: list[NDArray[np.bool_]] = field(default_factory=list)  # of every inpainting, as they arrived
    asked: list[dict[str, Any]] = field(default_factory=list)
    vocabulary: Vocabulary | None = field(default_factory=small_vocabulary)
    missing: dict[str, str] = field(default_factory=dict)
    looked: list[str] = field(default_factory=list)  # prompts that a timeline was asked for

    def capabilities(self) -> dict[str, str | None]:
        return {task: self.missing.get(task) for task in ("text", "image", "video", "personalize", "inpaint")}

    def frames_of(self, audio: Any) -> int:
        return -(-len(self._mono(audio)) // self.config.audio.hop)

    def spectrogram(self, audio: Any) -> NDArray[np.float32]:
        import torch

        from maa.audio.mel import MelSpectrogram

        wave, hop = self._mono(audio), self.config.audio.hop
        wave = np.pad(wave, (0, -len(wave) % hop))
        return MelSpectrogram(self.config.audio)(torch.from_numpy(wave)[None])[0, 0].numpy()

    def heard(self, prompt: str | Led, *, literal: bool = False, captions: Sequence[str] = ()) -> Led:
        if isinstance(prompt, Led):
            return prompt
        if literal or self.vocabulary is None:
            return Led(prompt, prompt)
        led = lead(check_prompt(prompt), self.vocabulary, embed)
        return captions_instead(led, captions, self.vocabulary) if captions else led

    def understood(
        self, prompt: str, *, literal: bool = False, in_time: bool = False, captions: Sequence[str] = ()
    ) -> Prompts:
        led = self.heard(prompt, literal=literal, captions=() if literal else captions)
        return Prompts(led, "", literal, True, Notes(tuple(led.unknown)))

    def describe_image(self, image: Any) -> list[tuple[str, float]]:
        _picture(image)
        return list(WORDS)

    def describe_video(self, video: Any) -> tuple[Event, ...]:
        seconds = length_of(video)
        return Event("footsteps", 0.0, seconds / 2), Event("a door", seconds / 2, seconds)

    def timeline(self, prompt: str, seconds: float | None = None) -> tuple[Event, ...]:
        check_seconds(seconds)
        self.looked.append(prompt)
        return tuple(events_in(check_prompt(prompt), seconds or self.config.audio.seconds))

    def text_to_audio(
        self,
        prompt: str | Led,
        sampling: Sampling,
        *,
        negative: str = "",
        seconds: float | None = None,
        loudness: str = AS_MADE,
        literal: bool = False,
        events: Any = (),
        heard: Sequence[str] = (),
        loop: bool = False,
        on_step: Any = None,
    ) -> Generation:
        check_said(prompt, needed=not events)
        placed = events_of(events)
        if not placed and not literal and self.vocabulary is not None and isinstance(prompt, str):
            placed = tuple(events_in(check_prompt(prompt), seconds or self.config.audio.seconds))
        if placed:
            length_of_events(placed, seconds, self.config.audio.seconds)
        if heard and not literal:
            prompt = self.heard(prompt, captions=heard)
        options = {
            "prompt": prompt,
            "negative": negative,
            "seconds": seconds,
            "loudness": loudness,
            **_said(literal=literal, loop=loop),
            **({"events": [event.row() for event in placed]} if placed else {}),
        }
        return self._make("text", sampling, on_step, **options)

    def image_to_audio(
        self,
        image: Any,
        sampling: Sampling,
        *,
        prompt: str | Led = "",
        negative: str = "",
        seconds: float | None = None,
        words: Any = (),
        loudness: str = AS_MADE,
        literal: bool = False,
        loop: bool = False,
        on_step: Any = None,
    ) -> Generation:
        _picture(image)
        more = {"words": [list(word) for word in check_words(words)]} if words else {}
        heard = tuple(check_words(words)) or WORDS
        options = {
            "prompt": prompt,
            "negative": negative,
            "seconds": seconds,
            "loudness": loudness,
            **_said(literal=literal, loop=loop),
            **more,
        }
        return self._make("image", sampling, on_step, heard, **options)

    def video_to_audio(
        self,
        video: Any,
        sampling: Sampling,
        *,
        prompt: str | Led = "",
        negative: str = "",
        loudness: str = AS_MADE,
        literal: bool = False,
        events: Any = (),
        on_step: Any = None,
    ) -> Generation:
        seconds = length_of(video)
        placed = events_of(events)
        if placed:
            length_of_events(placed, seconds, seconds)
        options = {
            "prompt": prompt,
            "negative": negative,
            "seconds": seconds,
            "loudness": loudness,
            **_said(literal=literal),
        }
        options["windows"] = [[0.0, seconds]]
        options |= {"events": [event.row() for event in placed]} if placed else {}
        return self._make("video", sampling, on_step, WORDS, **options)

    def personalize(
        self,
        audio: Any,
        prompt: str | Led,
        sampling: Sampling,
        *,
        t0: float = 0.4,
        negative: str = "",
        start: float = 0.0,
        level_match: bool = True,
        loudness: str = AS_MADE,
        literal: bool = False,
        on_step: Any = None,
    ) -> Generation:
        check_t0(t0)
        check_said(prompt, needed=t0 > 0)
        check_audible(to_audio(audio))
        options = {"t0": t0, "start": start, "level_match": level_match, "loudness": loudness, **_said(literal=literal)}
        return self._make("personalize", sampling, on_step, prompt=prompt, negative=negative, **options)

    def inpaint(
        self,
        audio: Any,
        mask: NDArray[np.bool_] | list[Box],
        prompt: str | Led = "",
        sampling: Sampling | None = None,
        *,
        negative: str = "",
        filling: Filling = WHOLLY,
        loudness: str = AS_MADE,
        literal: bool = False,
        on_step: Any = None,
    ) -> Generation:
        check_loudness(loudness, fixed=True)
        spec, frames = self.config.audio, self.frames_of(audio)
        cells = from_boxes(mask, spec, frames) if isinstance(mask, list) else check(mask, spec, frames)
        self.masks.append(cells)
        assert sampling is not None
        spans = [(a * spec.frame_seconds, b * spec.frame_seconds) for a, b in frame_spans(cells)]
        settings = {"mask": mask_digest(cells), "spans": spans, **filling.to_settings()}
        return self._make("inpaint", sampling, on_step, prompt=prompt, negative=negative, **settings)

    def _make(self, task: str, sampling: Sampling, on_step: Any, heard: Any = (), **settings: Any) -> Generation:
        if isinstance(led := check_said(settings["prompt"]), Led):
            settings |= {"prompt": led.said, "heard": led.captions}
        check_prompt(settings["negative"], name="negative prompt")
        check_seconds(settings.get("seconds"))
        self.asked.append({"task": task, "sampling": sampling, **settings})
        spec = self.config.audio
        count = round((settings.get("seconds") or spec.seconds) * spec.sample_rate)
        time_axis = np.arange(count) / spec.sample_rate
        waves = np.stack([0.5 * np.sin(2 * np.pi * 200 * (k + 1) * time_axis) for k in range(sampling.count)])
        long = isinstance(on_step, Listener) and count > spec.samples and not settings.get("loop")
        self._steps(sampling, on_step, waves[0].astype(np.float32) if long else None)
        mel = np.random.default_rng(0).normal(-3, 1, (sampling.count, spec.mels, -(-count // spec.hop)))
        assert sampling.seed is not None
        return Generation(
            audio=waves[:, None].astype(np.float32),
            sample_rate=spec.sample_rate,
            mel=mel.astype(np.float32),
            seeds=tuple((sampling.seed + k) % 2**32 for k in range(sampling.count)),
            scores=tuple(0.5 - k / 20 for k in range(sampling.count)) if settings["prompt"] else None,
            settings={
                "task": task,
                "seed": sampling.seed,
                "steps": sampling.steps,
                "quality": sampling.quality,
                "guidance": sampling.guidance,
                "sampler": sampling.sampler,
                "eta": sampling.eta,
                **({} if sampling.density is None else {"density": sampling.density}),
                "model": self.name,
                **({"heard_as": [list(word) for word in heard]} if heard else {}),
                **settings,
            },
            words=tuple(heard),
        )

    def _steps(
        self, sampling: Sampling, on_step: Callable[..., None] | None, heard: NDArray[np.float32] | None
    ) -> None:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for step in range(1, sampling.steps + 1):
                time.sleep(self.step_seconds)
                self.steps_done += 1
                if on_step:
                    on_step(step, sampling.steps, lambda: np.zeros((80, 16), np.float32))
                if heard is not None and isinstance(on_step, Listener):
                    first, last = (len(heard) * k // sampling.steps for k in (step - 1, step))
                    on_step.on_sound(first, heard[first:last], len(heard))
        finally:
            self.running -= 1

    def _mono(self, audio: Any) -> NDArray[np.float32]:
        sound = to_audio(audio)
        return resample(sound.mono(), sound.sample_rate, self.config.audio.sample_rate)


def _picture(image: Any) -> None:
    from maa.vision.frames import load_image

    load_image(Path(image))


def _said(**switches: bool) -> dict[str, bool]:
    """The switches that are on."""
    return {name: True for name, on in switches.items() if on}
