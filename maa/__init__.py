"""Make-An-Audio: sound from a sentence, a picture, a video or a sound of your own.

    from maa import MakeAnAudio, Sampling
    maa = MakeAnAudio.from_pretrained("small")
    maa.text_to_audio("a dog barks twice", Sampling(seed=7)).save("dog.wav")

The names below are looked up when first used, so `import maa` itself loads neither PyTorch nor Gradio.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from maa.version import VERSION as __version__  # noqa: N811

if TYPE_CHECKING:
    from maa.audio.io import Audio as Audio
    from maa.audio.mask import Box as Box
    from maa.pipeline import Cancelled as Cancelled
    from maa.pipeline import Edit as Edit
    from maa.pipeline import EditChain as EditChain
    from maa.pipeline import Event as Event
    from maa.pipeline import Filling as Filling
    from maa.pipeline import Generation as Generation
    from maa.pipeline import MakeAnAudio as MakeAnAudio
    from maa.pipeline import Sampling as Sampling
    from maa.pipeline import Shaping as Shaping

_HOMES = {
    "Audio": "maa.audio.io",
    "Box": "maa.audio.mask",
    "Cancelled": "maa.pipeline",
    "Edit": "maa.pipeline",
    "EditChain": "maa.pipeline",
    "Event": "maa.pipeline",
    "Filling": "maa.pipeline",
    "Generation": "maa.pipeline",
    "Listener": "maa.pipeline",
    "MakeAnAudio": "maa.pipeline",
    "Sampling": "maa.pipeline",
    "Shaping": "maa.pipeline",
}
__all__ = [
    "Audio", "Box", "Cancelled", "Edit", "EditChain", "Event", "Filling", "Generation", "Listener", "MakeAnAudio",
    "Sampling", "Shaping", "__version__",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # found once; Python asks __getattr__ only for what is missing
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
