"""Text to sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from maa.pipeline.tasks import Text
from maa.ui import lanes
from maa.ui.controls import Wording, controls
from maa.ui.examples import examples
from maa.ui.jobs import OnStep
from maa.ui.limits import Ask
from maa.ui.results import results
from maa.ui.tab import Own, TabTask, Workplace, wire

if TYPE_CHECKING:
    from maa.pipeline import Generation, MakeAnAudio

HINT = "Describe a sound on the left and press Generate. Or pick an example: it plays at once."
WORDING = Wording(prompt_label="What should be heard?", prompt_placeholder="A dog barks twice while rain falls")


def call(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Text to sound by the pipeline."""
    return ask.task.run(pipeline, None, ask.sampling, on_step)


TASK = TabTask(Text, call, reads={"events": lanes.given}, shows={"events": lanes.shown})


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            knobs = controls(Text, place.model.config, WORDING)
        with gr.Column(scale=7, min_width=320):
            shown = results("text", HINT)
            examples(place.assets, "text", {}, (knobs, shown))
    lanes.connect(place, "text", knobs.parts)
    wire(place, TASK, {}, (knobs, shown))
