"""What a take can be compared with: the sound that was given, as much of it as the take answers to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maa.audio.io import Audio, read, write
from maa.ui import files, views

if TYPE_CHECKING:
    from maa.config import AudioSpec
    from maa.pipeline import Generation
    from maa.ui.results import Take


def view_of_upload(
    generation: Generation, own: dict[str, Any], takes: Sequence[Take], spec: AudioSpec
) -> views.View | None:
    """The uploaded sound's view, on the takes' own time and written beside the first take; None without one.

    Of a personalised sound that is the part from `start` on; in front of a sound that was made longer there is silence.
    """
    upload = own.get("audio")
    if upload is None or not takes:
        return None
    sound = read(files.uploaded(upload, "a sound"))
    first = round(float(generation.settings.get("start") or 0.0) * sound.sample_rate)
    room = round(float(generation.settings.get("before") or 0.0) / spec.frame_seconds)  # added in whole frames
    silence = round(room * spec.frame_seconds * sound.sample_rate)
    count = round(generation.audio.shape[-1] / generation.sample_rate * sound.sample_rate)
    samples = np.pad(sound.samples[:, first:], ((0, 0), (silence, 0)))[:, :count]
    part = Audio(samples, sound.sample_rate, sound.subtype)
    path = takes[0].media.parent / "original.wav"
    write(path, part.samples, part.sample_rate, part.subtype)
    return views.view_of(part, Path(path), spec, ticks=views.ticks(spec))
