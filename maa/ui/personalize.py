"""Personalisation: a sound of the user's own, moved towards a prompt (paper Sec. 4.4, Figure 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from maa.ui import files, limits
from maa.ui.controls import Wording, controls
from maa.ui.examples import examples
from maa.ui.jobs import OnStep
from maa.ui.limits import Ask
from maa.ui.results import WAVEFORM, results
from maa.ui.tab import Own, Task, Workplace, wire

if TYPE_CHECKING:
    from maa.pipeline import Generation, MakeAnAudio

HINT = "Give a sound, say what it should turn into, choose how far, and press Generate."
WORDING = Wording(prompt_label="What should it turn into?", prompt_placeholder="A cat meows")
T0 = 0.4  # the middle of what the paper recommends


def call(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Personalisation by the pipeline."""
    return pipeline.personalize(
        files.uploaded(own["audio"], "a sound"),
        ask.prompt,
        ask.sampling,
        t0=own["t0"],
        negative=ask.negative,
        start=limits.number(own["start"], "The start in seconds"),
        on_step=on_step,
    )


TASK = Task("personalize", call)


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            sound = gr.Audio(
                label="Your sound",
                type="filepath",
                sources=["upload", "microphone"],
                buttons=[],
                waveform_options=WAVEFORM,
                elem_id="personalize-input",
            )
            t0 = gr.Slider(
                0.0,
                1.0,
                value=T0,
                step=0.01,
                label="Keep my sound ↔ follow the prompt",
                info="t0: 0 gives your sound back, 1 ignores it; the paper recommends 0.2 to 0.5 (marked).",
                elem_id="personalize-t0",
            )
            start = gr.Number(0.0, minimum=0.0, label="Start at second", info=_window(place.model.config.audio.seconds))
            knobs = controls("personalize", place.model.config, WORDING)
        with gr.Column(scale=7, min_width=320):
            shown = results("personalize", HINT)
            examples(place.assets, "personalize", {"input": sound, "t0": t0}, (knobs, shown))
    wire(place, TASK, {"audio": sound, "t0": t0, "start": start}, (knobs, shown))


def _window(seconds: float) -> str:
    return f"Of a longer sound, the {seconds:.1f} s from here are used."
