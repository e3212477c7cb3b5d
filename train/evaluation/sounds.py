"""Sounds to be judged: real ones, takes of the model, and what the untouched aiSFX encoder says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from maa import MakeAnAudio, Sampling
from maa.models.aisfx import AisfxEncoder

Wave = NDArray[np.float32]  # [samples], the model's rate

LONGEST = 4.6  # seconds that are judged: two of the encoder's blocks


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
    """The model under test, the encoder that judges it, and a folder where sounds and embeddings are remembered."""

    maa: MakeAnAudio
    folder: Path
    sampling: Sampling
    quiet: bool = False

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

    def remembered(self, name: str, waves: Sequence[Wave], whole: bool = False) -> NDArray[np.float32]:
        """`embed`, kept in the folder under the digest of the sounds and of the encoder's weights."""
        ears = self.maa.model.hashes.get("clap_audio.safetensors", self.maa.name).encode()
        digest = hashlib.sha256(ears + b"".join(wave.tobytes() for wave in waves)).hexdigest()[:16]
        path = self.folder / f"{name}-{digest}.npy"
        if not path.is_file():
            np.save(path, self.embed(self.watch(waves, name), whole))
        found: NDArray[np.float32] = np.load(path, allow_pickle=False)
        return found

    def watch(self, items: Sequence[Any] | NDArray[Any], what: str) -> Iterable[Any]:
        """The items, with a bar on a terminal."""
        return tqdm(items, desc=what, disable=True if self.quiet else None)

    def take(self, prompt: str, seed: int, seconds: float | None = None) -> Wave:
        """One take of a prompt, made once: sounds are kept as FLAC under what made them."""
        chosen = Sampling(self.sampling.steps, self.sampling.guidance, seed, 1, self.sampling.sampler)
        made_of = f"{self.maa.model.weights_hash}|{chosen}|{prompt}|{seconds}"
        return self.kept(made_of, lambda: self.maa.text_to_audio(prompt, chosen, seconds=seconds).audio[0, 0])

    def kept(self, made_of: str, make: Callable[[], Wave]) -> Wave:
        """A sound from the folder, or made and put there."""
        import soundfile

        path = self.folder / "sounds" / f"{hashlib.sha256(made_of.encode()).hexdigest()[:20]}.flac"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            wave = make()
            aside = path.with_suffix(".part")
            soundfile.write(aside, wave, self.rate, format="FLAC", subtype="PCM_16")
            aside.replace(path)
        wave, _ = soundfile.read(path, dtype="float32")
        return np.asarray(wave, np.float32)

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
