"""Personalisation: a sound of the user's own, moved towards a prompt (paper Sec. 4.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import gradio as gr

from maa.pipeline.checks import number
from maa.pipeline.setting import TAB, settings_of
from maa.pipeline.strip import strip
from maa.pipeline.tasks import MAX_START, Personalize
from maa.ui import files, trying
from maa.ui.controls import Wording, controls, lay
from maa.ui.examples import examples
from maa.ui.faults import told
from maa.ui.jobs import OnStep
from maa.ui.limits import Ask
from maa.ui.results import results
from maa.ui.shares import LOOK
from maa.ui.tab import Own, TabTask, Workplace
from maa.ui.widgets import sound_field, window, window_of
from maa.ui.wiring import wire

if TYPE_CHECKING:
    from maa.pipeline import Generation, MakeAnAudio

HINT = "Give a sound, say what it should turn into, choose how far, and press Generate."
WORDING = Wording(prompt_label="What should it turn into?", prompt_placeholder="A cat meows")


def several(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """The same sound, led by different amounts."""
    sound = files.uploaded(own["audio"], "a sound")
    asked = cast(Personalize, ask.task)
    return strip(pipeline, sound, sampling=ask.sampling, on_step=on_step, **asked.at_any_t0(pipeline))


def window_start(value: Any) -> float:
    """The second at which the window begins: a number, or what the window in the page sends."""
    if isinstance(value, dict) or value is None:
        value = (value or {}).get("start") or 0.0
    return number(value, "start", 0.0, MAX_START)


def follow(upload: Any, value: Any) -> dict[str, Any] | None:
    """The window on a new upload; one that settings have just moved stays where it is."""
    shown = window_of(upload)
    if shown is not None and isinstance(value, dict) and "peaks" not in value:
        shown["start"] = min(window_start({"start": value.get("go") or value.get("start")}), shown["seconds"])
    return shown


TASK = TabTask(Personalize, reads={"start": window_start}, shows={"start": lambda start: {"go": start}})
STRIP = replace(TASK, call=several)


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    native = place.model.config.audio.seconds
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            sound = sound_field("personalize")
            where = window("personalize-window", native)
            led = lay([one for one in settings_of(Personalize) if one.place == TAB], "personalize", place.model.config)
            compare = gr.Button(Personalize.several, size="sm", elem_id="personalize-strip")
            knobs = controls(Personalize, place.model.config, place.worded(WORDING))
            with knobs.below:
                box = trying.trying("personalize")
        with gr.Column(scale=7, min_width=320):
            shown = results("personalize", HINT)
            examples(place.assets, "personalize", {"input": sound, **led}, (knobs, shown))

    def listen(upload: Any, value: Any) -> Any:
        try:
            return follow(upload, value)
        except Exception as error:
            raise told(error) from error

    sound.change(
        listen, [sound, where], where, preprocess=False, show_progress="hidden", api_visibility="private", **LOOK
    )
    own = {"audio": sound, "start": where, **led}
    wire(place, TASK, own, (knobs, shown), others=[(STRIP, compare)])
    trying.connect(place, TASK, {**own, **knobs.asked()}, box)
