"""Personalisation: a sound of the user's own, moved towards a prompt (paper Sec. 4.4, Figure 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from maa.ui import files, limits
from maa.ui.controls import Wording, controls
from maa.ui.examples import examples
from maa.ui.jobs import OnStep
from maa.ui.limits import Ask
from maa.ui.results import WAVEFORM, results
from maa.ui.tab import Own, Task, Workplace, told, wire
from maa.ui.widgets import window, window_of

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
        start=start_of(own["start"]),
        level_match=own.get("level_match", True) is True,
        loudness=ask.loudness,
        on_step=on_step,
    )


def call_strip(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """The same sound at five t0."""
    from maa.pipeline.strip import strip

    sound = files.uploaded(own["audio"], "a sound")
    return strip(
        pipeline,
        sound,
        ask.prompt,
        ask.sampling,
        negative=ask.negative,
        start=start_of(own["start"]),
        level_match=own.get("level_match", True) is True,
        loudness=ask.loudness,
        on_step=on_step,
    )


def start_of(value: Any) -> float:
    """The second at which the window begins: a number, or what the window in the page sends."""
    if isinstance(value, dict) or value is None:
        value = (value or {}).get("start") or 0.0
    return limits.number(value, "The start in seconds")


def follow(upload: Any, value: Any) -> dict[str, Any] | None:
    """The window on a new upload; one that settings have just moved stays where it is."""
    shown = window_of(upload)
    if shown is not None and isinstance(value, dict) and "peaks" not in value:
        shown["start"] = min(start_of({"start": value.get("go") or value.get("start")}), shown["seconds"])
    return shown


TASK = Task("personalize", call)
STRIP = Task("personalize", call_strip)


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    native = place.model.config.audio.seconds
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
            where = window("personalize-window", native)
            t0 = gr.Slider(
                0.0,
                1.0,
                value=T0,
                step=0.01,
                label="Keep my sound ↔ follow the prompt",
                info="t0: 0 = your sound through the model (mono, 16 kHz), 1 ignores it; "
                "the paper recommends 0.2 to 0.5 (marked).",
                elem_id="personalize-t0",
            )
            level = gr.Checkbox(True, label="As loud as your sound", elem_id="personalize-level")
            compare = gr.Button("Try five t0 side by side", size="sm", elem_id="personalize-strip")
            knobs = controls("personalize", place.model.config, WORDING)
        with gr.Column(scale=7, min_width=320):
            shown = results("personalize", HINT)
            examples(place.assets, "personalize", {"input": sound, "t0": t0}, (knobs, shown))

    def listen(upload: Any, value: Any) -> Any:
        try:
            return follow(upload, value)
        except Exception as error:
            raise told(error) from error

    sound.change(
        listen, [sound, where], where, preprocess=False, show_progress="hidden", queue=False, api_visibility="private"
    )
    own = {"audio": sound, "t0": t0, "start": where, "level_match": level}
    wire(place, TASK, own, (knobs, shown), others=[(STRIP, compare)])
