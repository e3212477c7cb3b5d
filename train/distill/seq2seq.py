"""Captioning models of `transformers`: anything that turns sound into text, such as Whisper trained on captions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maa.dsp import resample_on_device
from maa.foreign import foreign
from train.distill.sounds import SoundFile


class TransformersCaptioner:
    """`AutoModelForSpeechSeq2Seq` with its feature extractor and tokenizer (`Expert`).

    Args:
        name: a folder, or a name on the hub. Code that a repository brings along is not run.
        count: captions for each sound: that many beams of one search.
        prefix: all that its decoder begins with, its marks included, such as
            "<|en|><|transcribe|><|notimestamps|>clotho" for a Whisper that was trained so. Without it
            the model begins by itself.

    Raises:
        ValueError: there is no such model there.
    """

    def __init__(
        self, name: str, count: int = 3, words: int = 40, prefix: str = "", device: torch.device | None = None
    ) -> None:
        from transformers import AutoFeatureExtractor, AutoModelForSpeechSeq2Seq, AutoTokenizer

        self.name, self.count, self.words = "transformers", count, words
        self.device = device or torch.device("cpu")
        told = f"transformers finds no speech-to-text model with feature extractor and tokenizer in {name!r}."
        with foreign(told):
            opened = AutoModelForSpeechSeq2Seq.from_pretrained(name, use_safetensors=True)
            self.model: Any = opened.eval().to(self.device)
            self.hears: Any = AutoFeatureExtractor.from_pretrained(name)
            self.reads: Any = AutoTokenizer.from_pretrained(name)
        self.begin = self._begin(prefix)

    def _begin(self, prefix: str) -> list[int]:
        """Tokens that every caption begins with; none = the model's own."""
        if not prefix:
            return []
        config = self.model.config
        first = config.decoder_start_token_id
        if first is None:
            raise ValueError("This model's decoder has no first token, so that no prefix can follow it; leave it out.")
        return [first, *self.reads(prefix, add_special_tokens=False).input_ids]

    @torch.inference_mode()
    def propose(self, sounds: Sequence[SoundFile]) -> list[list[str]]:
        """`count` captions for each sound, the likeliest first."""
        from transformers import GenerationMixin

        rate = self.hears.sampling_rate
        waves = [_at(sound.wave, sound.rate, rate) for sound in sounds]
        given = self.hears(waves, sampling_rate=rate, return_tensors="pt", padding=self._padding())
        named = {key: value.to(self.device) for key, value in given.items()}
        if self.begin:
            named["decoder_input_ids"] = torch.tensor([self.begin] * len(sounds), device=self.device)
        beams = {"num_beams": self.count, "num_return_sequences": self.count, "do_sample": False}
        # Whisper's own search would put its marks before a prefix, and cut it into timed segments.
        search = partial(GenerationMixin.generate, self.model) if self.begin else self.model.generate
        made = search(**named, **beams, max_new_tokens=self.words)[:, len(self.begin) :]
        texts = self.reads.batch_decode(made, skip_special_tokens=True)
        return [texts[at : at + self.count] for at in range(0, len(texts), self.count)]

    def _padding(self) -> str | bool:
        """Whisper's front end always makes 30 s of a sound; others are as long as the longest of a batch."""
        return "max_length" if getattr(self.hears, "chunk_length", None) else True


def _at(wave: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    return np.asarray(resample_on_device(torch.from_numpy(wave)[None], rate, wanted)[0].numpy(), np.float32)
