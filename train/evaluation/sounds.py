"""Sounds to be judged: real ones, takes of the model, and what the untouched aiSFX encoder says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from maa import MakeAnAudio, Sampling
from maa.models.aisfx import AisfxEncoder
from train.evaluation.together import Job, takes_of
from train.evaluation.workers import Workers

Wave = NDArray[np.float32]  # [samples], the model's rate
Item = TypeVar("Item")
Result = TypeVar("Result")

LONGEST = 4.6  # seconds that are judged: two of the encoder's blocks
BATCH = 4  # takes made at once
HEARD = 16  # sounds that a process embeds before it is given more


def loudest(wave: Wave, rate: int, seconds: float = LONGEST) -> Wave:
    """The stretch of at most `seconds` with the most energy."""
    length = round(seconds * rate)
    if len(wave) <= length:
        return wave
    energy = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return wave[start : start + length]


@dataclass
class Judge:
    """The model under test, the encoder that judges it, and folders where sounds and embeddings are remembered."""

    maa: MakeAnAudio
    folder: Path  # of this run
    sampling: Sampling
    shared: Path | None = None  # of what depends on the recordings only, and serves every model; None = `folder`
    seconds: float | None = None  # of a take; None = as long as the model was trained on
    workers: Workers | None = None

    @property
    def rate(self) -> int:
        """Hz."""
        return self.maa.config.audio.sample_rate

    @property
    def ears(self) -> AisfxEncoder:
        """The encoder as it was published; CLAP's own projections never judge what CLAP may have chosen."""
        assert isinstance(self.maa.model.clap_audio, AisfxEncoder)
        return self.maa.model.clap_audio

    @torch.inference_mode()
    def embed(self, waves: Iterable[Wave], whole: bool = False) -> NDArray[np.float32]:
        """One vector for the loudest 4.6 s of each sound, or for the whole of it, [N, width]."""
        rows = []
        for wave in waves:
            part = np.ascontiguousarray(wave if whole else loudest(wave, self.rate))
            rows.append(self.ears.embed(torch.from_numpy(part)[None].to(self.maa.device), self.rate)[0].cpu().numpy())
        return np.stack(rows) if rows else np.zeros((0, self.ears.width), np.float32)

    def remembered(
        self, name: str, waves: Sequence[Wave], *, whole: bool = False, real: bool = False
    ) -> NDArray[np.float32]:
        """`embed`, kept under the digest of the sounds and of the encoder's weights; `real` sounds for all models."""

        def make() -> NDArray[np.float32]:
            groups = [(waves[k : k + HEARD], whole) for k in range(0, len(waves), HEARD)]
            rows = self.share(_embed, groups, name)
            return np.concatenate(rows) if rows else self.embed([])

        ears = self.maa.model.hashes.get("clap_audio.safetensors", self.maa.name).encode()
        digest = hashlib.sha256(ears + b"".join(wave.tobytes() for wave in waves))
        return self.computed(f"{name}-{digest.hexdigest()[:16]}", make, real=real)

    def computed(self, name: str, make: Callable[[], NDArray[np.float32]], *, real: bool) -> NDArray[np.float32]:
        """An array from the folder, or made and put there."""
        path = (self.shared if real and self.shared is not None else self.folder) / f"{name}.npy"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = make()
            aside = path.with_suffix(".part")
            with aside.open("wb") as file:
                np.save(file, made)
            aside.replace(path)
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

    def takes(self, jobs: Sequence[Job], what: str, *, guidance: float | None = None) -> list[Wave]:
        """One take for each prompt and seed, made once: sounds are kept as FLAC under what made them.

        guidance: None is the run's own scale.
        """
        scale = self.sampling.settled(self.maa.config.guidance).guidance if guidance is None else guidance
        missing = [job for job in jobs if not self.path(self._made_of(job, scale)).is_file()]
        groups = [(missing[k : k + BATCH], scale) for k in range(0, len(missing), BATCH)]
        self.share(_make, groups, what)
        return [self.read(self._made_of(job, scale)) for job in jobs]

    def make(self, jobs: Sequence[Job], guidance: float | None) -> None:
        """Make these takes in one batch and keep them."""
        sampling = replace(self.sampling, guidance=guidance)
        for job, wave in zip(jobs, takes_of(self.maa, jobs, sampling, self.seconds), strict=True):
            self.write(self._made_of(job, guidance), wave)

    def _made_of(self, job: Job, guidance: float | None) -> str:
        chosen = Sampling(self.sampling.steps, guidance, job[1], 1, self.sampling.sampler)
        return f"{self.maa.model.weights_hash}|{self.maa.dtype}|{chosen}|{job[0]}|{self.seconds}"

    def path(self, made_of: str) -> Path:
        """Where a sound is kept."""
        return self.folder / "sounds" / f"{hashlib.sha256(made_of.encode()).hexdigest()[:20]}.flac"

    def write(self, made_of: str, wave: Wave) -> None:
        """Keep a sound, whole or not at all."""
        import soundfile

        path = self.path(made_of)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        soundfile.write(aside, wave, self.rate, format="FLAC", subtype="PCM_16")
        aside.replace(path)

    def read(self, made_of: str) -> Wave:
        """A sound that was kept."""
        import soundfile

        wave, _ = soundfile.read(self.path(made_of), dtype="float32")
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
        multiple = spec.hop * self.maa.config.frame_multiple
        padded = np.zeros(-(-len(wave) // multiple) * multiple, np.float32)
        padded[: len(wave)] = wave
        mel = renderer.mel_of(padded)
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

    def open(self, workers: Workers | None = None) -> Judge:
        """The judge; raises ValueError where the model, the device or the precision is wrong."""
        maa = MakeAnAudio.from_pretrained(self.model, device=self.device, dtype=self.dtype)
        return Judge(maa, self.folder, self.sampling, self.shared, self.seconds, workers)


def _embed(judge: Judge, group: tuple[Sequence[Wave], bool]) -> NDArray[np.float32]:
    return judge.embed(*group)


def _make(judge: Judge, group: tuple[Sequence[Job], float | None]) -> None:
    judge.make(*group)
