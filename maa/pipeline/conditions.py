"""What a task gives the network to listen to: text, negative text, pictures."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maa.checkpoint import Model
from maa.models.clip import ClipBridge
from maa.models.context import Context
from maa.models.text import mean_pool
from maa.pipeline.sustained import names_sustained


def from_text(model: Model, prompt: str, negative: str) -> tuple[Context, Context]:
    """Condition and null of one take. An empty prompt is no condition; a negative prompt takes the null's place.

    To a network that knows density, a sound that goes on is one that is always there: rain has no holes.
    """
    if model.text is None or model.config.unet.context_dim is None:
        nothing = Context()
        return nothing, nothing
    pair = model.text.encode([prompt, negative])
    if not model.config.unet.learned_null:
        return pair.row(0), pair.row(1)
    assert pair.tokens is not None
    width = model.config.unet.global_dim or 0
    device = pair.tokens.device
    pair = replace(
        pair,
        has_tokens=torch.tensor([bool(prompt), bool(negative)], device=device),
        vector=torch.zeros(2, width, device=device) if width else None,
        has_vector=torch.zeros(2, dtype=torch.bool, device=device) if width else None,
    )
    goes_on = model.config.unet.density and names_sustained(prompt, model.sustained, model.concepts)
    return with_density(pair.row(0), 1.0 if goes_on else None, device), pair.row(1)


def embed_words(model: Model, texts: list[str]) -> Tensor:
    """Unit vectors of short texts in the text tower's own space, [N, width]: how the bridge compares words."""
    assert model.text is not None
    context = model.text.encode(texts)
    assert context.tokens is not None
    return F.normalize(mean_pool(context.tokens, context.mask), dim=-1)


def load_picture(image: Any) -> NDArray[np.uint8]:
    """A file, PIL image or array to uint8 [H, W, 3]."""
    from maa.vision.frames import load_image

    return load_image(image)


def describe(model: Model, pictures: list[NDArray[np.uint8]]) -> list[tuple[str, float]]:
    """The sound concepts that pictures are heard as; several pictures are pooled like the frames of a video."""
    able = (one for one in (model, *model.experts.values()) if one.vision is not None and one.text is not None)
    model = next((one for one in able if one.concepts), model)
    if model.vision is None or not model.concepts:
        return []
    return model.vision.describe(pictures, list(model.concepts), lambda texts: embed_words(model, texts))


def caption(words: list[tuple[str, float]]) -> str:
    """A prompt from the heard words: the best one, and the second where it is nearly as sure; empty without words."""
    if not words:
        return ""
    best = words[0][0]
    if len(words) > 1 and words[1][1] > 0.6 * words[0][1]:
        return f"{best} and {words[1][0]}"
    return best


def from_pictures(
    model: Model, pictures: list[NDArray[np.uint8]], prompt: str, negative: str
) -> tuple[Context, Context]:
    """Condition and null of a network that looks (Sec. 4.3): CLIP's unit vectors, the mean over the frames of a video.

    A prompt takes the pictures' place as CLIP's vector of the text, which shares their space; the null is CLIP's vector
    of the negative prompt, or of the empty text.
    """
    bridge = model.vision
    if not isinstance(bridge, ClipBridge):
        raise ValueError(
            "This network needs CLIP to look at pictures: put open_clip's ViT-H-14 into its vision folder."
        )
    seen = bridge.vision.text_vectors([prompt])[0] if prompt else bridge.video_vector(pictures)
    null = bridge.vision.text_vectors([negative])
    return Context(vector=seen[None]), Context(vector=null)


@torch.inference_mode()
def with_words(model: Model, condition: Context, words: list[tuple[str, float]]) -> Context:
    """Add the weighted mean of the words' joint vectors, unit norm, as the global vector (Sec. 4.3)."""
    space = model.joint
    if space is None or condition.vector is None:
        return condition
    vectors = space.embed_text([word for word, _ in words])
    weights = torch.tensor([weight for _, weight in words], device=vectors.device)
    vector = F.normalize((weights[:, None] * vectors).sum(0, keepdim=True), dim=-1)
    given = torch.ones(1, dtype=torch.bool, device=vector.device)
    return replace(condition, vector=vector, has_vector=given)


def with_density(context: Context, density: float | None, device: torch.device) -> Context:
    """One sample's context with the share of the time that should sound, 0..1; None leaves it as it is."""
    if density is None:
        return context
    given = torch.tensor([True], device=device)
    return replace(context, density=torch.tensor([float(density)], device=device), has_density=given)


def digest(*arrays: NDArray[Any]) -> str:
    """Short hash of an input, to tell later whether it is the same one; several arrays are hashed as one."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()[:16]
