"""What a training sample listens to: token states, a global vector, both, or nothing (paper Sec. 3.6, 4.3)."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from maa.config import ModelConfig
from maa.models.aisfx import AisfxEncoder
from maa.models.clap import ClapHeads
from maa.models.context import Context
from maa.models.text import TextEncoder
from train.clap import sound_features
from train.data import Library
from train.frozen import load_frozen

TOKENS, VECTOR, BOTH = 0.55, 0.15, 0.15  # the rest hears nothing: that is what guidance leads away from
CACHE = 20_000  # captions


class Listening:
    """Contexts for captions, with the frozen towers' answers remembered."""

    def __init__(
        self, config: ModelConfig, library: Library, parts: list[Path], device: torch.device, rng: np.random.Generator
    ) -> None:
        text = load_frozen(config, "text", *parts, device=device)
        heads = load_frozen(config, "clap", *parts, device=device)
        sound = load_frozen(config, "clap_audio", *parts)
        assert isinstance(text, TextEncoder)
        assert isinstance(heads, ClapHeads)
        assert isinstance(sound, AisfxEncoder)
        self.text, self.heads, self.device, self.rng = text, heads, device, rng
        with torch.inference_mode():
            features = sound_features(library, sound, config.audio.sample_rate, parts[0]).to(device)
            self.sounds = heads.embed_audio(features).clone()
        self.known: OrderedDict[str, tuple[Tensor, Tensor]] = OrderedDict()

    def context(self, captions: list[str], recordings: list[int | None]) -> Context:
        """One context for a batch; the mode of each sample is drawn here."""
        self._learn([caption for caption in dict.fromkeys(captions) if caption not in self.known])
        rows = [self.known[caption] for caption in captions]
        longest = max(len(tokens) for tokens, _ in rows)
        tokens = torch.zeros(len(rows), longest, rows[0][0].shape[1], device=self.device)
        mask = torch.zeros(len(rows), longest, dtype=torch.bool, device=self.device)
        vectors = torch.stack([vector for _, vector in rows])
        for i, ((states, _), recording) in enumerate(zip(rows, recordings, strict=True)):
            tokens[i, : len(states)] = states
            mask[i, : len(states)] = True
            if recording is not None and self.rng.random() < 0.5:
                vectors[i] = self.sounds[recording]
        mode = torch.from_numpy(self.rng.random(len(rows)))
        said = torch.tensor([bool(caption) for caption in captions])
        has_tokens = ((mode < TOKENS) | ((mode >= TOKENS + VECTOR) & (mode < TOKENS + VECTOR + BOTH))) & said
        has_vector = (mode >= TOKENS) & (mode < TOKENS + VECTOR + BOTH) & said
        return Context(tokens, mask, vectors, has_tokens.to(self.device), has_vector.to(self.device))

    @torch.no_grad()
    def _learn(self, captions: list[str]) -> None:
        if not captions:
            return
        context = self.text.encode(captions)
        assert context.tokens is not None
        assert context.mask is not None
        vectors = self.heads.embed_text(context.tokens, context.mask)
        for i, caption in enumerate(captions):
            length = int(context.mask[i].sum())
            self.known[caption] = (context.tokens[i, :length].clone(), vectors[i].clone())
        while len(self.known) > CACHE:
            self.known.popitem(last=False)
