"""Which tasks a model can do, and what it lacks for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maa.pipeline.tasks import TASKS, Task

if TYPE_CHECKING:
    from maa.checkpoint import Model

DEAF = (
    "This network goes on with what is around a hole and hears neither words nor pictures: only inpainting can be done "
    "with it; for the other tasks choose a model that was trained with another recipe."
)
SOUND = ("unet", "autoencoder", "vocoder")  # what every task needs


def lacks(model: Model) -> dict[str, str | None]:
    """Per task: None when this model can do it, else the sentence that names the first part it lacks."""
    return {name: _lack(model, task) for name, task in TASKS.items()}


def _lack(model: Model, task: type[Task]) -> str | None:
    missing = next((model.missing[part] for part in _needs(model, task) if part in model.missing), None)
    deaf = not model.config.unet.hears and task.conditioned_on != "known sound"
    return missing or (DEAF if deaf else None)


def _needs(model: Model, task: type[Task]) -> tuple[str, ...]:
    """The parts without which a task cannot be done, the first that should be named first."""
    unet = model.config.unet
    if task.conditioned_on == "pictures":
        if unet.clip_conditioned:
            return (*SOUND, "vision")
        return _words(model) if "words" in model.experts else (*_words(model), "vision")
    if task.conditioned_on == "known sound" and not unet.clip_conditioned:
        return SOUND
    return _words(model)


def _words(model: Model) -> tuple[str, ...]:
    """What a network needs to hear words: the text encoder, CLAP where it hears them as a vector of that, or CLIP."""
    unet = model.config.unet
    if unet.clip_conditioned:
        # The authors' network comes without a text encoder, and their text network is asked for instead.
        return (*SOUND, "vision") if unet.learned_null else (*SOUND, "text", "vision")
    by_vector = unet.context_dim is None and unet.global_dim is not None
    return (*SOUND, "text", "clap") if by_vector else (*SOUND, "text")
