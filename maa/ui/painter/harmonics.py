"""The harmonics of a painted box, for the painter to mark."""

from __future__ import annotations

from typing import Any

from maa.audio.io import read
from maa.audio.mask import Box
from maa.audio.spectral import harmonics
from maa.config import AudioSpec
from maa.pipeline.rows import regions
from maa.ui import files
from maa.ui.faults import told


def multiples(asked: Any, spec: AudioSpec) -> dict[str, Any]:
    """A box around a fundamental and those around its multiples: {"boxes"} in s and Hz, or {"error"}, a sentence.

    Args:
        asked: {"sound": path, "box": [start s, end s, low Hz, high Hz]}, from the browser; may be anything.
        spec: of the painter; what lies above its highest band is left out.
    """
    given = asked if isinstance(asked, dict) else {}
    try:
        sound = read(files.uploaded({"path": given.get("sound")}, "a sound"))
        (edges,) = regions([given.get("box")], 4)
        found = harmonics(sound, Box(*edges))
    except Exception as error:  # noqa: BLE001 - told to the visitor or written into the log
        return {"error": told(error).message}
    top = spec.frequency_range[1]
    return {"boxes": [[box.start, box.end, box.low, min(box.high, top)] for box in found if box.low < top]}
