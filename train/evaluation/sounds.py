"""Sounds to be judged: real ones, takes of the model, and what encoders of sound say of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from maa import MakeAnAudio, Sampling
from maa.aside import aside
from maa.config import ModelConfig
from maa.dsp import loudest_stretch, whole_frames
from maa.foreign import foreign
from maa.models.aisfx import AisfxEncoder
from train.evaluation.ears import AisfxEars, Ears, YamnetEars, second_ears
from train.evaluation.together import Job, takes_of
from train.evaluation.workers import Workers

Wave = NDArray[np.float32]  # [samples], the model's rate
Rows = Sequence[tuple[float, float, str]]  # events: start s, end s, text
Placed = tuple[str, Rows, int]  # prompt, events, seed
Item = TypeVar("Item")
Result = TypeVar("Result")
Network = TypeVar("Network", bound=nn.Module)

LONGEST = 4.6  # seconds that are judged: two of the encoder's blocks
BATCH = 4  # takes made at once
AT_ONCE = 16  # sounds that a process embeds before it is given more


def digest_of(config: ModelConfig) -> str:
    """Eight digits that change with anything in a configuration."""
    return hashlib.sha256(repr(config).encode()).hexdigest()[:8]


def judged_stretch(wave: Wave, rate: int) -> Wave:
    """The stretch of at most 4.6 s with the most energy."""
    return loudest_stretch(wave, round(LONGEST * rate))


@dataclass
class Judge:
    """The model under test, the encoders that judge it, and folders where sounds and embeddings are remembered.

    Sounds are kept under the weights that made them: after a change of the code that makes them, use another folder.
    """

    maa: MakeAnAudio
    folder: Path  # of this run
    sampling: Sampling
    shared: Path | None = None  # of what depends on the recordings only, and serves every model; None = `folder`
    seconds: float | None = None  # of a take; None = as long as the model was trained on
    workers: Workers | None = None
    second: YamnetEars | None = None

    @property
    def rate(self) -> int:
        """Hz."""
        return self.maa.config.audio.sample_rate

    @cached_property
    def made_by(self) -> str:
        """Weights and configuration of the model: sounds of another are others."""
        return f"{self.maa.model.weights_hash}|{digest_of(self.maa.config)}"

    def part(self, name: str, kind: type[Network]) -> Network:
        """A network of the model.

        Raises:
            ValueError: the model has none, or one of another kind.
        """
        found = getattr(self.maa.model, name)
        if not isinstance(found, kind):
            raise ValueError(
                f"{self.maa.name} has no {kind.__name__} ({name}), which these questions need; make sounds with it "
                "(python -m train.generate) and compare their folder (--generated)."
            )
        return found

    @property
    def first(self) -> AisfxEars:
        """The ears that every model has."""
        encoder = self.part("clap_audio", AisfxEncoder)
        return AisfxEars(encoder, self.maa.model.hashes.get("clap_audio.safetensors", self.maa.name).encode())

    @property
    def ears(self) -> dict[str, Ears]:
        """All that judge, by name."""
        both: list[Ears] = [self.first]
        return {one.name: one for one in (both if self.second is None else [*both, self.second])}

    @torch.inference_mode()
    def embed(self, waves: Iterable[Wave], whole: bool = False, ears: Ears | None = None) -> NDArray[np.float32]:
        """One row of `ears` (aiSFX: a vector) for the loudest 4.6 s of each sound, or the whole of it, [N, width]."""
        ears = ears or self.first
        rows = []
        for wave in waves:
            part = np.ascontiguousarray(wave if whole else judged_stretch(wave, self.rate))
            rows.append(ears.embed(torch.from_numpy(part).to(self.maa.device), self.rate).cpu().numpy())
        return np.stack(rows) if rows else np.zeros((0, ears.width), np.float32)

    def remembered(
        self, name: str, waves: Sequence[Wave], *, whole: bool = False, real: bool = False, ears: Ears | None = None
    ) -> NDArray[np.float32]:
        """`embed`, kept under the digest of the sounds and of the ears' weights; `real` sounds for all models."""
        chosen = ears or self.first

        def make() -> NDArray[np.float32]:
            groups = [(waves[k : k + AT_ONCE], whole, chosen.name) for k in range(0, len(waves), AT_ONCE)]
            rows = self.share(_embed, groups, f"{name}, {chosen.name}")
            return np.concatenate(rows) if rows else self.embed([], ears=chosen)

        digest = hashlib.sha256(chosen.mark + b"".join(wave.tobytes() for wave in waves))
        kept = name if chosen.name == "aisfx" else f"{name}-{chosen.name}"
        return self.computed(f"{kept}-{digest.hexdigest()[:16]}", make, real=real)

    def computed(self, name: str, make: Callable[[], NDArray[np.float32]], *, real: bool) -> NDArray[np.float32]:
        """An array from the folder, or made and put there."""
        path = (self.shared if real and self.shared is not None else self.folder) / f"{name}.npy"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = make()
            with aside(path) as neighbour:
                np.save(neighbour, made)
        with foreign(f"{path} is damaged; delete it, and it is made anew."):
            found: NDArray[np.float32] = np.load(path, allow_pickle=False)
        return found

    def share(self, function: Callable[[Judge, Item], Result], items: Sequence[Item], what: str) -> list[Result]:
        """function(judge, item) for every item, in the items' order, with a bar on a terminal; by the worker processes
        where there are some."""
        work: Iterable[Result]
        if self.workers is None or len(items) < 2:
            work = (function(self, item) for item in items)
        else:
            work = self.workers.map(function, items)
        return list(tqdm(work, desc=what, total=len(items), disable=None))

    def takes(
        self, jobs: Sequence[Job], what: str, *, guidance: float | None = None, literal: bool = False
    ) -> list[Wave]:
        """One take for each prompt and seed, made once: sounds are kept as FLAC under what made them.

        Args:
            jobs: prompts and seeds.
            what: of the bar.
            guidance: None is the run's own scale.
            literal: prompts are taken as they are, not led to known captions as a person's are.
        """
        heard = {prompt: self.maa.heard(prompt, literal=literal).text for prompt in {prompt for prompt, _ in jobs}}
        jobs = [(heard[prompt], seed) for prompt, seed in jobs]
        scale = self.sampling.settled(self.maa.config).guidance if guidance is None else guidance
        missing = [job for job in jobs if not self.path(self._made_of(job, scale)).is_file()]
        groups = [(missing[k : k + BATCH], scale) for k in range(0, len(missing), BATCH)]
        self.share(_make, groups, what)
        return [self.read(self._made_of(job, scale)) for job in jobs]

    @property
    def samples(self) -> int:
        """Length of a take."""
        spec = self.maa.config.audio
        return spec.samples if self.seconds is None else round(self.seconds * spec.sample_rate)

    def placed(self, jobs: Sequence[Placed], what: str) -> list[Wave]:
        """One take for each prompt, events and seed as a person gets it but for its finish, made once."""
        self.share(_place, [job for job in jobs if not self.path(self._placed(job)).is_file()], what)
        return [self.read(self._placed(job)) for job in jobs]

    def place(self, job: Placed) -> None:
        """Make one of them and keep it."""
        prompt, events, seed = job
        one = replace(self.sampling, seed=seed, count=1)
        made = self.maa.text_to_audio(prompt, one, seconds=self.seconds, events=events)
        self.write(self._placed(job), made.audio[0, 0])

    def _placed(self, job: Placed) -> str:
        return f"placed|{self._made_of((job[0], job[2]), self.sampling.guidance)}|{list(job[1])}"

    def make(self, jobs: Sequence[Job], guidance: float | None) -> None:
        """Make these takes in one batch and keep them."""
        sampling = replace(self.sampling, guidance=guidance)
        for job, wave in zip(jobs, takes_of(self.maa, jobs, sampling, self.seconds), strict=True):
            self.write(self._made_of(job, guidance), wave)

    def _made_of(self, job: Job, guidance: float | None) -> str:
        chosen = replace(self.sampling, guidance=guidance, seed=job[1], count=1)
        return f"{self.made_by}|{self.maa.dtype}|{chosen}|{job[0]}|{self.seconds}"

    def path(self, made_of: str) -> Path:
        """Where a sound is kept."""
        return self.folder / "sounds" / f"{hashlib.sha256(made_of.encode()).hexdigest()[:20]}.flac"

    def write(self, made_of: str, wave: Wave) -> None:
        """Keep a sound, whole or not at all."""
        import soundfile

        path = self.path(made_of)
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside(path) as neighbour:
            soundfile.write(neighbour, wave, self.rate, format="FLAC", subtype="PCM_16")

    def read(self, made_of: str) -> Wave:
        """A sound that was kept."""
        import soundfile

        path = self.path(made_of)
        with foreign(f"{path} is damaged; delete it, and it is made anew."):
            wave, _ = soundfile.read(path, dtype="float32")
        return np.asarray(wave, np.float32)

    def kept(self, made_of: str, make: Callable[[], Wave]) -> Wave:
        """A sound from the folder, or made and put there."""
        if not self.path(made_of).is_file():
            self.write(made_of, make())
        return self.read(made_of)

    @torch.inference_mode()
    def vocode(self, wave: Wave, through_autoencoder: bool) -> Wave:
        """A real sound as the model's vocoder gives it, with or without the autoencoder before it."""
        renderer, spec = self.maa.renderer, self.maa.config.audio
        mel = renderer.mel_of(whole_frames(wave, spec.hop * self.maa.config.frame_multiple))
        if through_autoencoder:
            mel = renderer.decode(renderer.autoencoder.encode(mel))
        return renderer.vocode(mel)[0, : len(wave)]

    def mel(self, wave: Wave) -> NDArray[np.float32]:
        """log10 mel [mels, frames]."""
        return self.maa.model.front.to_log10(self.maa.renderer.mel_of(wave))[0, 0].cpu().numpy()


@dataclass(frozen=True)
class Setup:
    """What a judge is opened from."""

    model: str
    device: str | None
    dtype: str | None
    folder: Path
    sampling: Sampling
    shared: Path | None = None
    seconds: float | None = None
    parts: Path | None = None  # folder where the second judge may lie

    def open(self, workers: Workers | None = None) -> Judge:
        """The judge; raises ValueError where the model, the device or the precision is wrong."""
        maa = MakeAnAudio.from_pretrained(self.model, device=self.device, dtype=self.dtype)
        second = second_ears(self.parts, maa.device)
        return Judge(maa, self.folder, self.sampling, self.shared, self.seconds, workers, second)


def _embed(judge: Judge, group: tuple[Sequence[Wave], bool, str]) -> NDArray[np.float32]:
    waves, whole, name = group
    return judge.embed(waves, whole, judge.ears[name])


def _make(judge: Judge, group: tuple[Sequence[Job], float | None]) -> None:
    judge.make(*group)


def _place(judge: Judge, job: Placed) -> None:
    judge.place(job)
