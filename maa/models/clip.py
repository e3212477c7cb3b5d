"""CLIP, through open_clip: the paper's own way to condition on pictures (Sec. 4.3), and a second picture bridge.

`ClipVision` gives unit-norm image vectors for a network trained on CLIP; `ClipBridge` names the sounds in a picture by
zero-shot classification, for a network that is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from maa.models.bridge import EmbedText, Picture, PictureWords, check_pictures, rank_concepts

PROMPT = "a photo of {}"
_FAILURES = (OSError, RuntimeError, ValueError, KeyError, UnpicklingError, SafetensorError)


class ClipVision(nn.Module):
    """Both towers of a CLIP with the picture preprocessing it was trained with."""

    def __init__(self, model: nn.Module, preprocess: Callable[..., Tensor], tokenize: Callable[..., Tensor]) -> None:
        """preprocess: PIL image -> [3, S, S]; tokenize: list of texts -> ids [N, K]."""
        super().__init__()
        self.model: Any = model.eval().requires_grad_(False)
        self.preprocess = preprocess
        self.tokenize = tokenize

    @classmethod
    def load(cls, name: str | Path, weights: str | Path | None = None) -> ClipVision:
        """Open a CLIP.

        Args:
            name: a folder with open_clip_config.json and weights, a hub id ("hf-hub:laion/..."), or one of open_clip's
                architectures ("ViT-H-14").
            weights: for an architecture, a file, or one of open_clip's tags to download.

        Raises:
            ValueError: the weights are not there, cannot be downloaded, or do not fit.
        """
        import open_clip

        where = f"local-dir:{name}" if Path(name).is_dir() else str(name)
        pretrained = None if weights is None else str(weights)
        try:
            model, preprocess = open_clip.create_model_from_pretrained(where, pretrained)
            tokenize = open_clip.get_tokenizer(where)
        except _FAILURES as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise ValueError(
                f"Cannot open the CLIP model {name} ({reason}); "
                "give a folder that holds open_clip_config.json and its weights."
            ) from error
        return cls(model, preprocess, tokenize)

    @classmethod
    def untrained(cls, architecture: str) -> ClipVision:
        """One of open_clip's architectures with random weights: to count it, or to fill it."""
        import open_clip

        config = open_clip.get_model_config(architecture)
        if config is None:
            raise ValueError(f"open_clip knows no architecture {architecture!r}.")
        model = open_clip.CLIP(**config)
        preprocess = open_clip.image_transform(model.visual.image_size, is_train=False)
        return cls(model, preprocess, open_clip.get_tokenizer(architecture))

    @property
    def scale(self) -> float:
        """What CLIP multiplies cosines by before a softmax; 100 in trained models."""
        return float(self.model.logit_scale.exp())

    @torch.inference_mode()
    def image_vectors(self, pictures: Sequence[Picture], unit: bool = True) -> Tensor:
        """Pictures uint8 [H, W, 3] -> vectors [N, D], of length 1 unless they should stay as they are."""
        from PIL import Image

        check_pictures(pictures)
        pixels = torch.stack([self.preprocess(Image.fromarray(picture)) for picture in pictures])
        vectors = self.model.encode_image(pixels.to(self._device)).float()
        return F.normalize(vectors, dim=-1) if unit else vectors

    @torch.inference_mode()
    def text_vectors(self, texts: Sequence[str], unit: bool = True) -> Tensor:
        """Texts -> vectors [N, D], in the same space as the pictures'; `unit` as for them."""
        vectors = self.model.encode_text(self.tokenize(list(texts)).to(self._device)).float()
        return F.normalize(vectors, dim=-1) if unit else vectors

    def video_vector(self, pictures: Sequence[Picture], unit: bool = True) -> Tensor:
        """Vector [D] of a picture, or of a clip: the mean over its frames, of length 1 if they are (Sec. 4.3)."""
        mean = self.image_vectors(pictures, unit).mean(0)
        return F.normalize(mean, dim=-1) if unit else mean

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return int(self.text_vectors([""]).shape[1])

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device


def fitting(architecture: str, weights: Mapping[str, Tensor]) -> Any:
    """The architecture's network, without room, if weights under open_clip's own names are its; the picture tower may
    be absent from them. ValueError names what does not fit.
    """
    with torch.device("meta"):
        network: Any = ClipVision.untrained(architecture).model
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    if not any(name.startswith("visual.") for name in weights):
        wanted = {name: shape for name, shape in wanted.items() if not name.startswith("visual.")}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    odd = sorted(name for name in {*wanted, *given} if wanted.get(name) != given.get(name))
    if odd:
        raise ValueError(f"The CLIP in the file is not {architecture}: {', '.join(odd[:4])} differ.")
    return network


def write_folder(folder: Path, architecture: str, weights: Mapping[str, Tensor]) -> None:
    """An open_clip model as the folder that `ClipVision.load` opens.

    Raises:
        ValueError: the weights, under open_clip's own names, are not those of the architecture.
    """
    import open_clip

    network = fitting(architecture, weights)
    folder.mkdir(parents=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "open_clip_model.safetensors")
    description = {
        "model_cfg": open_clip.get_model_config(architecture),
        "preprocess_cfg": open_clip.get_model_preprocess_cfg(network),
    }
    (folder / "open_clip_config.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


class ClipBridge(nn.Module):
    """Pictures to sound concepts by CLIP, zero-shot; the same `hear` and `describe` as `bridge.PictureBridge`."""

    def __init__(self, vision: ClipVision) -> None:
        super().__init__()
        self.vision = vision
        self._prompts: dict[tuple[str, ...], Tensor] = {}

    def video_vector(self, pictures: Sequence[Picture], unit: bool = True) -> Tensor:
        """Vector [D] in CLIP's space of a picture, or of the frames of a clip; of length 1 or as it is."""
        return self.vision.video_vector(pictures, unit)

    def hear(self, pictures: Sequence[Picture], concepts: Sequence[str], embed_text: EmbedText) -> PictureWords:
        """The sound concepts whose "a photo of ..." fits a picture, or the frames of a clip, best.

        Args:
            pictures: uint8 [H, W, 3] each.
            concepts: short names of sounds the model knows, such as "dog" or "sea waves".
            embed_text: the model's own text tower, texts to unit vectors [N, D]: the space of the blended vector.
        """
        names = tuple(concepts)
        if not names:
            raise ValueError("The model names no sound concepts, so pictures cannot be heard; give a prompt instead.")
        if names not in self._prompts:
            self._prompts[names] = self.vision.text_vectors([PROMPT.format(name) for name in names])
        scores = self.vision.scale * (self._prompts[names] @ self.video_vector(pictures))
        return rank_concepts(scores, names, embed_text(list(names)).to(scores.device))

    def describe(
        self, pictures: Sequence[Picture], concepts: Sequence[str], embed_text: EmbedText
    ) -> list[tuple[str, float]]:
        """Only the words of `hear`."""
        return list(self.hear(pictures, concepts, embed_text).words)
