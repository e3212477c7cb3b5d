"""Which tasks a model can do, and what it lacks for the others."""

from __future__ import annotations

from maa.checkpoint import Model

TASKS = ("text", "image", "video", "personalize", "inpaint")
SOUND = ("unet", "autoencoder", "vocoder")  # what every task needs


def lacks(model: Model) -> dict[str, str | None]:
    """Per task: None when this model can do it, else the sentence that names the first part it lacks."""
    return {task: next((model.missing[p] for p in _needs(model, task) if p in model.missing), None) for task in TASKS}


def _needs(model: Model, task: str) -> tuple[str, ...]:
    unet = model.config.unet
    if task in ("image", "video"):
        if unet.looks:
            return (*SOUND, "vision")
        return (*SOUND, "text") if "words" in model.experts else (*SOUND, "text", "vision")
    if task == "inpaint":
        return (*SOUND, "text") if unet.looks else SOUND
    return (*SOUND, "text")
