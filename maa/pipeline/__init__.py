"""The one door: sound from text, pictures, video, the user's own sound and painted masks.

The names below are looked up when first used: the command line needs the options, and not PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maa.pipeline.editing import EditChain as EditChain
    from maa.pipeline.edits import Edit as Edit
    from maa.pipeline.events import Event as Event
    from maa.pipeline.options import Filling as Filling
    from maa.pipeline.options import Sampling as Sampling
    from maa.pipeline.pipeline import MakeAnAudio as MakeAnAudio
    from maa.pipeline.result import Generation as Generation
    from maa.pipeline.shaping import Shaping as Shaping
    from maa.pipeline.steps import Cancelled as Cancelled
    from maa.pipeline.steps import Listener as Listener
    from maa.pipeline.steps import OnStep as OnStep

_HOMES = {
    "Cancelled": "maa.pipeline.steps",
    "Edit": "maa.pipeline.edits",
    "EditChain": "maa.pipeline.editing",
    "Event": "maa.pipeline.events",
    "Filling": "maa.pipeline.options",
    "Generation": "maa.pipeline.result",
    "Listener": "maa.pipeline.steps",
    "MakeAnAudio": "maa.pipeline.pipeline",
    "OnStep": "maa.pipeline.steps",
    "Sampling": "maa.pipeline.options",
    "Shaping": "maa.pipeline.shaping",
}
__all__ = [
    "Cancelled", "Edit", "EditChain", "Event", "Filling", "Generation", "Listener", "MakeAnAudio", "OnStep",
    "Sampling", "Shaping",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
