"""Which tasks a model can do, and what it lacks for the others."""

from __future__ import annotations

from maa.checkpoint import Model
from maa.pipeline.tasks import TASKS, Task

SOUND = ("unet", "autoencoder", "vocoder")  # what every task needs


def lacks(model: Model) -> dict[str, str | None]:
    """Per task: None when this model can do it, else the sentence that names the first part it lacks."""
    return {
        name: next((model.missing[part] for part in _needs(model, task) if part in model.missing), None)
        for name, task in TASKS.items()
    }


def _needs(model: Model, task: type[Task]) -> tuple[str, ...]:
    unet = model.config.unet
    if task.conditioned_on == "pictures":
        if unet.clip_conditioned:
            return (*SOUND, "vision")
        return (*SOUND, "text") if "words" in model.experts else (*SOUND, "text", "vision")
    if task.conditioned_on == "known sound":
        return (*SOUND, "text") if unet.clip_conditioned else SOUND
    return (*SOUND, "text")
