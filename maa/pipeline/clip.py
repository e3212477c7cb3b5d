"""A generated sound onto the clip that it was made for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from maa.audio.tags import block
from maa.pipeline.options import MIX_DB, Soundtrack
from maa.pipeline.result import Generation


def with_original(generation: Generation, original: str, decibels: float | None = None) -> Generation:
    """The same takes; their settings say what becomes of the clip's own sound.

    Args:
        generation: from `video_to_audio`.
        original: "replace", "mix" or "keep" (`maa.vision.mux.mux`).
        decibels: level of the clip's own sound in a mix; None = -6.
    """
    return with_soundtrack(generation, Soundtrack(original, MIX_DB if decibels is None else decibels))


def with_soundtrack(generation: Generation, chosen: Soundtrack) -> Generation:
    """The same, for choices that are made already."""
    more = chosen.to_settings() if chosen.original == "mix" else {"original": chosen.original}
    return replace(generation, settings={**generation.settings, **more})


def save_clip(generation: Generation, clip: str | Path, path: str | Path, take: int = 0) -> Path:
    """Write the clip with one take as its sound and the settings in its comment; the picture is copied as it is."""
    from maa.vision.mux import mux

    original = generation.settings.get("original", "replace")
    gain = 10 ** (float(generation.settings.get("original_db", 0.0)) / 20)
    comment = block(generation.settings_of(take))
    return mux(clip, generation.sound(take), generation.sample_rate, path, original, gain, comment)
