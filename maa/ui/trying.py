"""Hear it while it is typed or dragged: a short, quick sound that takes the place of the one before, and is no take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from maa.diffusion.samplers import SAMPLERS
from maa.pipeline.options import Sampling
from maa.ui import parts
from maa.ui.faults import told
from maa.ui.jobs import Done
from maa.ui.tab import TabTask, Workplace, perform
from maa.ui.wiring import latest

SECONDS = 5.0
QUICK: dict[str, Any] = {
    "quality": "instant",
    "sampler": Sampling.sampler,
    "steps": SAMPLERS[Sampling.sampler].usual["instant"],
    "takes": 1,
    "fresh": False,  # with the seed in its field, so what is heard follows the words and not chance
}


def trying(task: str) -> gr.HTML:
    """The box that turns it on. Value: {"url"} of a sound that was made, or {"failed": sentence}.

    Args:
        task: whose prompt and sliders are followed.
    """
    return gr.HTML(
        value=None,
        html_template='<div class="trying"></div>',
        css_template=parts.style("web/trying.css"),
        js_on_load=parts.script("web/trying.js"),
        apply_default_css=False,
        elem_id=f"{task}-trying",
        task=task,
    )


def connect(place: Workplace, task: TabTask, inputs: Mapping[str, Component], box: Any) -> None:
    """Wire the box: a try waits in the line of the jobs, and ends the one before it.

    Args:
        place: where jobs run.
        task: what is asked for.
        inputs: the tab's own inputs and its controls, by their names.
        box: from `trying`.
    """

    def attempt(request: gr.Request, *values: Any) -> Iterator[dict[str, Any]]:
        fields = {**dict(zip(inputs, values, strict=True)), **QUICK}
        try:
            length = fields.get("seconds")
            if isinstance(length, int | float) and length > SECONDS:
                fields["seconds"] = SECONDS
            for step in perform(place, task, fields, task.ask(fields)):
                if isinstance(step, Done):
                    yield {"url": step.result.takes[0].view["url"]}
        except Exception as error:  # noqa: BLE001 - told beside the box, or written into the log
            yield {"failed": told(error).message}

    latest(box.attempt, box.hush, attempt, list(inputs.values()), box)
