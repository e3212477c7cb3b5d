"""Text to sound."""

from __future__ import annotations

import gradio as gr

from maa.pipeline.tasks import Text
from maa.ui import known, lanes, trying
from maa.ui.controls import Wording, controls
from maa.ui.examples import examples
from maa.ui.lanes import follow
from maa.ui.results import results
from maa.ui.tab import TabTask, Workplace
from maa.ui.wiring import wire
from maa.ui.words import known_to

HINT = "Describe a sound and press Generate. Or pick an example: it plays at once."
WORDING = Wording(prompt_label="What should be heard?", prompt_placeholder="A dog barks, then thunder rolls")
TASK = TabTask(Text, reads={"events": lanes.given}, shows={"events": lanes.shown})


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            knobs = controls(Text, place.model.config, place.worded(WORDING))
            with knobs.below:
                box = trying.trying("text")
        with gr.Column(scale=7, min_width=320):
            shown = results("text", HINT)
            examples(place.assets, "text", {}, (knobs, shown))
            listed = known.known("text", known_to(place.model))
    follow.connect(place, "text", knobs.parts)
    wire(place, TASK, {}, (knobs, shown))
    known.connect(place, TASK, listed)
    trying.connect(place, TASK, knobs.asked(), box)
