"""Picture to sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from maa.ui import files
from maa.ui.controls import Wording, controls
from maa.ui.examples import examples
from maa.ui.jobs import OnStep
from maa.ui.limits import Ask
from maa.ui.results import results
from maa.ui.tab import Extra, Made, Own, Task, Workplace, told, wire

if TYPE_CHECKING:
    from maa.pipeline import Generation, MakeAnAudio

HINT = "Give a picture and press Generate: you hear what could be heard where it was taken."
WORDING = Wording(
    prompt_label="Or in your own words",
    prompt_placeholder="Leave empty to use the words that the picture is heard as",
)
WORDS_SHOWN = 6


def call(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Picture to sound by the pipeline; a prompt takes the place of the words heard."""
    picture = files.uploaded(own["image"], "a picture")
    return pipeline.image_to_audio(
        picture, ask.sampling, prompt=ask.prompt, negative=ask.negative, seconds=ask.seconds, on_step=on_step
    )


TASK = Task("image", call)


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            picture = gr.Image(
                label="Picture",
                type="filepath",
                image_mode=None,
                sources=["upload", "clipboard"],
                height=240,
                elem_id="image-input",
            )
            words = gr.Label(
                label="Heard as", num_top_classes=WORDS_SHOWN, show_heading=False, visible=False, elem_id="image-words"
            )
            knobs = controls("image", place.model.config, WORDING, seconds=True)
        with gr.Column(scale=7, min_width=320):
            shown = results("image", HINT)
            examples(place.assets, "image", {"input": picture}, (knobs, shown))

    def describe(value: Any) -> Any:
        """The words that a picture is heard as, as soon as it is there."""
        try:
            return labelled(place.model.for_task("image").describe_image(files.uploaded(value, "a picture")))
        except Exception as error:
            raise told(error) from error

    picture.upload(
        describe,
        picture,
        words,
        preprocess=False,
        show_progress="hidden",
        concurrency_id="gpu",
        concurrency_limit=1,
        api_visibility="private",
    )
    picture.clear(lambda: gr.update(visible=False), outputs=words, queue=False, api_visibility="private")
    wire(place, TASK, {"image": picture}, (knobs, shown), Extra([words], lambda made: {words: _heard(made)}))


def labelled(words: list[tuple[str, float]] | tuple[tuple[str, float], ...]) -> Any:
    """Words and weights for the page; nothing is shown when there are none."""
    return gr.update(value=dict(words), visible=True) if words else gr.update(visible=False)


def _heard(made: Made) -> Any:
    return labelled(made.generation.words)
