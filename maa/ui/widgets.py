"""Small widgets: a field for a sound, the words of a picture, and the window on a long sound."""

from __future__ import annotations

from typing import Any

import gradio as gr

from maa.audio.io import read
from maa.ui import files, parts, views
from maa.ui.results import WAVEFORM


def sound_field(task: str) -> gr.Audio:
    """The field for a sound of the user's own, in the tab of a task; `web/pick.js` lets it take every sound file."""
    return gr.Audio(
        label="Your sound",
        type="filepath",
        sources=["upload", "microphone"],
        buttons=[],
        waveform_options=WAVEFORM,
        elem_id=f"{task}-input",
        elem_classes="maa-reads-sound",
    )


def word_list(elem_id: str) -> gr.HTML:
    """Words with weights that a person can change.

    Value: {"words": [[word, weight], …], "heard": true while nobody has changed them}.
    """
    return _widget("words", elem_id)


def window(elem_id: str, seconds: float) -> gr.HTML:
    """The waveform of a long sound with the stretch of `seconds` that is used; drag it, or move it with the keys.

    Value: {"peaks", "seconds", "start"}; {"go": s} moves the window there.
    """
    return _widget("window", elem_id, width=seconds)


def _widget(name: str, elem_id: str, **more: Any) -> gr.HTML:
    return gr.HTML(
        value=None,
        html_template='<div class="widget"></div>',
        css_template=parts.style("web/widgets.css"),
        js_on_load=parts.script(f"web/{name}.js"),
        apply_default_css=False,
        elem_id=elem_id,
        **more,
    )


def window_of(upload: Any) -> dict[str, Any] | None:
    """The window's value for an upload, beginning at its start; None without one."""
    if upload is None:
        return None
    sound = read(files.uploaded(upload, "a sound"))
    return {"peaks": views.peaks_of(sound.samples), "seconds": sound.seconds, "start": 0.0}
