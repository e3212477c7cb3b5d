"""From a picture to the sounds a model knows, when the model has no CLIP of its own (paper Sec. 4.3).

An ImageNet classifier says what is in the picture. Each class has a vector in the text tower's space, made from its
dictionary entry ("fire engine: any of various large trucks that carry firemen …") and from how such things sound
("siren"; imagenet_sounds.txt). Their mean, weighted by probability, is the picture's vector (ConSE, arXiv 1312.5650),
and the sound concepts nearest to it are what the picture is heard as. `clip.ClipBridge` has the same `hear` and
`describe`, with any CLIP in place of the classifier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from maa.config import VisionConfig
from maa.models.efficientnet import CLASSES, EfficientNetLite0

EmbedText = Callable[[list[str]], Tensor]  # N texts -> unit vectors [N, D]
Picture = NDArray[np.uint8]  # [H, W, 3] RGB

SOUNDS = Path(__file__).with_name("imagenet_sounds.txt")
TEMPERATURE = 0.07  # of the softmax over concepts; the best word then weighs about as much as it is often right
FAINT = 0.02  # words with less weight are not worth naming
MARGIN = 256 / 224  # the picture's shorter side before the centre is cut out, over the network's input


@dataclass(frozen=True, eq=False)
class PictureWords:
    """What a picture sounds like."""

    words: tuple[tuple[str, float], ...]  # concepts and weights, best first; the weights add up to 1
    vector: Tensor  # [D] the words' text vectors, blended by weight, unit norm


def blend(weights: Tensor, vectors: Tensor) -> Tensor:
    """Unit-norm weighted mean: weights [..., N], vectors [N, D] -> [..., D]."""
    return F.normalize(weights @ vectors, dim=-1)


def rank_concepts(scores: Tensor, concepts: Sequence[str], vectors: Tensor, words: int = 5) -> PictureWords:
    """Sharpen scores [N] (cosines over a temperature) into the few concepts that matter, with their blend.

    vectors [N, D] are the concepts' unit vectors in the text tower's space.
    """
    weights, order = scores.softmax(-1).topk(min(words, len(concepts)))
    keep = max(1, int((weights >= FAINT).sum()))
    weights = weights[:keep] / weights[:keep].sum()
    order = order[:keep]
    named = tuple((concepts[index], weight) for index, weight in zip(order.tolist(), weights.tolist(), strict=True))
    return PictureWords(named, blend(weights, vectors[order]))


def check_pictures(pictures: Sequence[Picture]) -> None:
    """ValueError unless there is at least one uint8 [H, W, 3]."""
    if not len(pictures):
        raise ValueError("There is no picture to look at.")
    for picture in pictures:
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(f"A picture should be uint8 [H, W, 3], not {picture.dtype} {list(picture.shape)}.")


def fit(picture: Picture, height: int, width: int, device: torch.device | None = None) -> Tensor:
    """uint8 [H, W, 3] -> float [1, 3, height, width] in 0..255, bicubic with antialiasing."""
    x = torch.from_numpy(np.ascontiguousarray(picture)).to(device).permute(2, 0, 1)[None].float()
    return F.interpolate(x, (height, width), mode="bicubic", antialias=True).clamp(0, 255)


def centre(picture: Picture, size: int, margin: float = 1.0, device: torch.device | None = None) -> Tensor:
    """The middle square [1, 3, size, size] in 0..255, after scaling the shorter side to size * margin."""
    scale = size * margin / min(picture.shape[:2])
    height, width = (max(size, round(side * scale)) for side in picture.shape[:2])
    top, left = (height - size) // 2, (width - size) // 2
    return fit(picture, height, width, device)[:, :, top : top + size, left : left + size]


def class_entries() -> list[str]:
    """The thousand ImageNet classes, each with its names and its WordNet definition."""
    from timm.data import ImageNetInfo

    info: Any = ImageNetInfo()
    return [str(info.index_to_description(index, detailed=True)) for index in range(CLASSES)]


def class_sounds() -> dict[int, str]:
    """How what a class shows sounds, for the classes that have a sound of their own."""
    sounds = {}
    for line in SOUNDS.read_text(encoding="utf-8").splitlines():
        numbers, _, sound = line.partition(": ")
        if sound and not line.startswith("#"):
            for span in numbers.split(","):
                first, _, last = span.partition("-")
                sounds.update(dict.fromkeys(range(int(first), int(last or first) + 1), sound))
    return sounds


def create_classifier(name: str) -> nn.Module:
    """EfficientNet-Lite0 with random weights, as TensorFlow trained it (its padding and batch-norm epsilon)."""
    if name == "efficientnet_lite0":
        return EfficientNetLite0()
    import timm

    model: nn.Module = timm.create_model(f"tf_{name}", pretrained=False)
    return model


class PictureBridge(nn.Module):
    """Pictures to sound concepts through an ImageNet classifier and the text tower.

    `class_vectors` is part of the weights: a thousand dictionary entries take a minute to read on a CPU.
    """

    class_vectors: Tensor

    def __init__(self, config: VisionConfig | None = None, text_width: int = 384) -> None:
        """text_width: D, the width of the vectors that `embed_text` gives."""
        super().__init__()
        self.config = config or VisionConfig()
        self.classifier = create_classifier(self.config.model)
        self.register_buffer("class_vectors", F.normalize(torch.randn(CLASSES, text_width), dim=-1))
        self._concept_vectors: dict[tuple[str, ...], Tensor] = {}  # a bridge belongs to one text tower

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels [N, 3, size, size] in 0..255 -> class probabilities [N, 1000]."""
        return self.classifier((pixels - 127) / 128).softmax(-1)

    @torch.inference_mode()
    def probabilities(self, picture: Picture) -> Tensor:
        """One picture -> [1000]: the mean of its middle and of the whole of it, so that wide pictures lose nothing."""
        size, device = self.config.size, self.class_vectors.device
        views = [centre(picture, size, MARGIN, device), fit(picture, size, size, device)]
        return self(torch.cat(views)).mean(0)

    def read_classes(self, embed_text: EmbedText) -> None:
        """Fill `class_vectors` from the text tower; done once, when the weights are made."""
        vectors = embed_text(class_entries())
        sounds = class_sounds()
        vectors[list(sounds)] += embed_text(list(sounds.values()))
        self.class_vectors.copy_(F.normalize(vectors, dim=-1))

    @torch.inference_mode()
    def video_vector(self, pictures: Sequence[Picture]) -> Tensor:
        """Unit vector [D] of a picture, or of a clip: the mean over its frames, re-normalised (Sec. 4.3)."""
        check_pictures(pictures)
        top = min(self.config.top, CLASSES)
        probability, index = torch.stack([self.probabilities(picture) for picture in pictures]).topk(top)
        frames = (probability[..., None] * self._centred(self.class_vectors)[index]).sum(1)
        return F.normalize(F.normalize(frames, dim=-1).mean(0), dim=-1)

    def hear(self, pictures: Sequence[Picture], concepts: Sequence[str], embed_text: EmbedText) -> PictureWords:
        """The sound concepts nearest to a picture, or to the frames of a clip.

        Args:
            pictures: uint8 [H, W, 3] each.
            concepts: short names of sounds the model knows, such as "dog" or "sea waves".
            embed_text: texts to unit vectors [N, D]; called once for a list of concepts.
        """
        if not concepts:
            raise ValueError("The model names no sound concepts, so pictures cannot be heard; give a prompt instead.")
        vectors = self._concepts(tuple(concepts), embed_text)
        return rank_concepts(self._centred(vectors) @ self.video_vector(pictures) / TEMPERATURE, concepts, vectors)

    def describe(
        self, pictures: Sequence[Picture], concepts: Sequence[str], embed_text: EmbedText
    ) -> list[tuple[str, float]]:
        """Only the words of `hear`."""
        return list(self.hear(pictures, concepts, embed_text).words)

    def _centred(self, vectors: Tensor) -> Tensor:
        """Without what all vectors share, which would drown the differences between concepts."""
        return F.normalize(vectors - self.class_vectors.mean(0), dim=-1)

    def _concepts(self, names: tuple[str, ...], embed_text: EmbedText) -> Tensor:
        if names not in self._concept_vectors:
            self._concept_vectors[names] = embed_text(list(names)).to(self.class_vectors)
        return self._concept_vectors[names].to(self.class_vectors.device)
