"""What a task conditions the network on: text, negative text, pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maa.checkpoint import Model, present
from maa.models.clip import ClipBridge
from maa.models.context import Context, condition_of
from maa.models.reading import reading
from maa.models.text import mean_pool
from maa.models.written import unwritten
from maa.pipeline.leading import Led, Prompts, captions_instead, check_said, lead
from maa.pipeline.notes import Notes, language
from maa.pipeline.seen import Seen
from maa.pipeline.sustained import names_sustained

Pair = tuple[Context, Context]  # condition, and null


def from_text(model: Model, prompt: str, negative: str) -> Pair:
    """Condition and null of one take. An empty prompt is no condition; a negative prompt takes the null's place.

    A network that hears vectors gets those of the texts: CLIP's, or CLAP's. To a network that knows density, a sound
    that goes on is one that is always there: rain has no holes.
    """
    unet = model.config.unet
    if unet.clip_conditioned and isinstance(model.vision, ClipBridge):
        pair = from_clip(model, [], prompt, negative)
        return _as_long(model, pair[0], prompt), pair[1]
    if model.text is None or not unet.hears or unet.clip_conditioned:
        nothing = Context()
        return nothing, nothing
    if unet.context_dim is None:
        vectors = present(model.joint, "CLAP projections").embed_text([prompt, negative], unet.global_unit)
        pair = _told(vectors, prompt, negative)
        return _as_long(model, pair[0], prompt), pair[1]
    encoded = model.text.encode([prompt, negative])
    if not unet.learned_null:
        return encoded.row(0), encoded.row(1)
    said = torch.tensor([bool(prompt), bool(negative)], device=encoded.device)
    both = condition_of(unet, encoded.tokens, encoded.mask, said)
    return _as_long(model, both.row(0), prompt), both.row(1)


def _as_long(model: Model, condition: Context, prompt: str) -> Context:
    """A condition on a sound that goes on, with the density of one."""
    goes_on = model.config.unet.density and names_sustained(prompt, model.sustained, model.concepts)
    return with_scalars(condition, {"density": 1.0 if goes_on else None}, condition.device)


def _told(vectors: Tensor, condition: object, null: object) -> Pair:
    """Vectors [2, G] of condition and null, each given where it says something; else the network's own null."""
    both = Context(vector=vectors, has_vector=torch.tensor([bool(condition), bool(null)], device=vectors.device))
    return both.row(0), both.row(1)


def embed_words(model: Model, texts: list[str]) -> Tensor:
    """Unit vectors of short texts in the text tower's own space, [N, width]: how the bridge compares words."""
    tokens, mask = present(model.text, "text encoder").token_states(texts)
    return F.normalize(mean_pool(tokens, mask), dim=-1)


def heard(model: Model, prompt: str | Led, literal: bool, captions: Sequence[str]) -> Led:
    """What a model listens to for a prompt; see `MakeAnAudio.heard`."""
    prompt = check_said(prompt)
    if isinstance(prompt, Led):
        return Led(prompt.said, prompt.said) if literal else prompt
    if literal or model.text is None:
        return Led(prompt, prompt)
    abroad, parts = bool(language(prompt)), len(captions) or None
    led = lead(prompt, model.vocabulary, lambda texts: embed_words(model, texts), abroad=abroad, parts=parts)
    if not captions or (not led.clauses and list(captions) == [prompt]):
        return led
    return captions_instead(led, captions, model.vocabulary)


def notes_of(model: Model, clauses: Sequence[Led], negative: str = "") -> Notes:
    """What of a prompt, and of what to lead away from, is not understood; what cannot be read is said once.

    Args:
        model: reads each of `clauses` by itself.
        clauses: the prompt, or its events.
        negative: what to lead away from.
    """
    tower = model.text
    away = [Led(negative, negative)]
    said = [reading(tower, led.said) for led in (*clauses, *away)] if tower is not None else []
    heard = [reading(tower, led.text) for led in (*clauses, *away)] if tower is not None else []
    unread = tuple(dict.fromkeys(word for one in said for word in one.unread))
    cut = tuple(one.cut for one in heard if one.cut)
    unknown = tuple(dict.fromkeys(one for led in clauses for one in led.unknown if one not in unread))
    clause_of = (clause for led in clauses for clause in led.clauses)
    numbers = tuple(dict.fromkeys(one.said for one in clause_of if one.own and unwritten(one.said)))
    return Notes(unknown, cut, unread, language(" ".join(led.said for led in clauses)), numbers)


def load_picture(image: Any) -> NDArray[np.uint8]:
    """A file, PIL image or array to uint8 [H, W, 3]."""
    from maa.vision.frames import load_image

    return load_image(image)


def describe_pictures(model: Model, pictures: list[NDArray[np.uint8]]) -> list[tuple[str, float]]:
    """The sound concepts that pictures are heard as; several pictures are pooled like the frames of a video."""
    able = (one for one in (model, *model.experts.values()) if one.vision is not None and one.text is not None)
    model = next((one for one in able if one.concepts), model)
    if model.vision is None or model.text is None or not model.concepts:
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


def from_clip(model: Model, pictures: list[NDArray[np.uint8]], prompt: str, negative: str) -> Pair:
    """Condition and null of a CLIP-conditioned network (Sec. 4.3): unit vectors, the mean over the frames of a video.

    A prompt takes the pictures' place as CLIP's vector of the text, which shares their space; the null is the one that
    the network has learned, or else CLIP's vector of the negative prompt or of the empty text.
    """
    bridge, unet = model.vision, model.config.unet
    if not isinstance(bridge, ClipBridge):
        raise ValueError("This network needs CLIP to look at pictures: put open_clip's model into its vision folder.")
    looks = bool(pictures) and not prompt
    unit = unet.global_unit
    seen = bridge.video_vector(pictures, unit) if looks else bridge.vision.text_vectors([prompt], unit)[0]
    null = bridge.vision.text_vectors([negative], unit)
    if unet.learned_null:
        return _told(torch.cat([seen[None], null]), prompt or looks, negative)
    return Context(vector=seen[None]), Context(vector=null)


@torch.inference_mode()
def with_words(model: Model, condition: Context, words: list[tuple[str, float]]) -> Context:
    """Add the weighted mean of the words' joint vectors, unit norm, as the global vector (Sec. 4.3)."""
    space, unit = model.joint, model.config.unet.global_unit
    if space is None or condition.vector is None:
        return condition
    vectors = space.embed_text([word for word, _ in words], unit)
    weights = torch.tensor([weight for _, weight in words], device=vectors.device)
    vector = (weights[:, None] * vectors).sum(0, keepdim=True)
    vector = F.normalize(vector, dim=-1) if unit else vector / weights.sum()
    given = torch.ones(1, dtype=torch.bool, device=vector.device)
    return replace(condition, vector=vector, has_vector=given)


def with_scalars(context: Context, numbers: Mapping[str, float | None], device: torch.device) -> Context:
    """A context with conditions of one number each, 0..1, by name, the same in every row; None leaves one as it is."""
    fields = {}
    for name, number in numbers.items():
        if number is not None:
            fields[name] = torch.full((context.rows,), float(number), device=device)
            fields[f"has_{name}"] = torch.ones(context.rows, dtype=torch.bool, device=device)
    return replace(context, **fields)


def input_digest(*arrays: NDArray[Any]) -> str:
    """Short hash of an input, to tell later whether it is the same one; several arrays are hashed as one."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()[:16]


def digest_of_pictures(seen: Sequence[Seen]) -> str:
    """Short hash of all pictures."""
    return input_digest(*(picture for one in seen for picture in one.pictures))


@dataclass(frozen=True)
class PictureConditions:
    """What pictures are heard as: a condition for each window, words over all of them, and what takes are scored by."""

    contexts: list[Pair]
    words: list[tuple[str, float]]
    scored_by: str


def of_pictures(model: Model, maker: Model, seen: Sequence[Seen], prompts: Prompts) -> PictureConditions:
    """The windows' pictures through the model's eyes. Windows of the same words share one condition.

    Args:
        model: names what is heard.
        maker: makes the sound; a CLIP-conditioned network is given the pictures themselves, and not words.
        prompts: what to hear instead ("" = what is seen), and what not.

    Raises:
        ValueError: the network needs words, and there is nothing that could name any.
    """
    prompt = prompts.text
    heard = [list(one.words) or describe_pictures(model, list(one.pictures)) for one in seen]
    said: dict[str, Pair] = {}
    contexts = []
    for one, words in zip(seen, heard, strict=True):
        text = prompt or caption(list(one.words) if maker.config.unet.clip_conditioned else words)
        pair = said.get(text) or _of_window(maker, one, words, text, prompts)
        if text:
            said[text] = pair
        contexts.append(pair)
    words = pooled(heard)
    return PictureConditions(contexts, words, prompt or caption(words))


def _of_window(maker: Model, one: Seen, words: list[tuple[str, float]], text: str, prompts: Prompts) -> Pair:
    """Condition and null of one window, of its pictures or of a text for it."""
    if maker.config.unet.clip_conditioned:
        return from_clip(maker, list(one.pictures), text, prompts.negative)
    if not text:
        raise ValueError("The model names no sound concepts, so pictures cannot be heard; give a prompt instead.")
    condition, null = from_text(maker, text, prompts.negative)
    return (condition if prompts.text else with_words(maker, condition, words)), null


def pooled(words: Sequence[Sequence[tuple[str, float]]]) -> list[tuple[str, float]]:
    """The words of several windows as one list, best first: the mean of their weights."""
    total: dict[str, float] = {}
    for heard in words:
        for word, weight in heard:
            total[word] = total.get(word, 0.0) + weight / len(words)
    return sorted(total.items(), key=lambda item: -item[1])
