"""Before and after an edit, side by side in one picture: a wipe between the two, their difference, and both to hear.

A fixed template and script again; the value is a JSON object made here: the stretch around the edit as levels of both
sounds on one scale, the addresses of the sounds, and a line of numbers for each take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from maa.audio import picture
from maa.ui.painter.component import DECADES, encode, part

if TYPE_CHECKING:
    from maa.config import AudioSpec

SCRIPTS = ("codec.js", "axes.js", "view.js", "compare.js")
BESIDE = 2.0  # seconds shown on either side of an edit
LONGEST = 120.0  # seconds shown at most


@dataclass(frozen=True)
class Side:
    """One sound of the comparison."""

    mel: NDArray[np.float32]  # log10 [mels, frames] of the whole sound
    audio: str  # its address
    note: str = ""  # a line of numbers about it, no text of the user's


def compare(elem_id: str) -> gr.HTML:
    """An empty comparison. Give it a value from `comparison`."""
    return gr.HTML(
        value=None,
        html_template=part("compare.html"),
        css_template=part("compare.css"),
        js_on_load="\n".join(part(name) for name in SCRIPTS),
        apply_default_css=False,
        elem_id=elem_id,
    )


def comparison(
    before: Side, takes: list[Side], spec: AudioSpec, spans: list[tuple[float, float]], shift: float = 0.0
) -> dict[str, Any]:
    """What the browser needs to compare takes with their source.

    Args:
        before: the source; its mel as long as the takes' (silence where they are longer at the front).
        takes: the results, best first.
        spec: what rows and columns mean.
        spans: (start, end) in seconds of the takes that are new.
        shift: seconds by which the takes begin earlier than the source.
    """
    frames = min(side.mel.shape[1] for side in (before, *takes))
    first, last = _stretch(spans, frames, spec.frame_seconds)
    cut = [side.mel[:, first:last] for side in (before, *takes)]
    high = picture.top_of(np.concatenate(cut, axis=1), spec, DECADES)
    levels = [np.clip((mel - high + DECADES) / DECADES * 255, 0, 255).round().astype(np.uint8) for mel in cut]
    from maa.audio.mel import edges

    return {
        "mels": spec.mels,
        "frames": last - first,
        "first": first,
        "rate": spec.sample_rate,
        "hop": spec.hop,
        "edges": [round(float(edge), 2) for edge in edges(spec)],
        "colours": encode(picture.colour_table()),
        "decibels": [-20.0 * DECADES, 0.0],
        "spans": [[start, end] for start, end in spans],
        "shift": shift,
        "before": {"spec": encode(levels[0]), "audio": before.audio},
        "takes": [
            {"spec": encode(level), "audio": side.audio, "note": side.note}
            for level, side in zip(levels[1:], takes, strict=True)
        ],
    }


def _stretch(spans: list[tuple[float, float]], frames: int, frame_seconds: float) -> tuple[int, int]:
    """The frames around all spans, at most `LONGEST` seconds from the first one on."""
    start, end = (spans[0][0], spans[-1][1]) if spans else (0.0, frames * frame_seconds)
    first = max(0, int((start - BESIDE) / frame_seconds))
    last = min(frames, round((end + BESIDE) / frame_seconds), first + round(LONGEST / frame_seconds))
    return first, max(first + 1, last)
