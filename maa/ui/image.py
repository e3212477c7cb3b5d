"""Picture to sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import gradio as gr

from maa.pipeline.tasks import Image
from maa.ui import files
from maa.ui.controls import Wording, controls
from maa.ui.examples import examples
from maa.ui.faults import told
from maa.ui.jobs import OnStep
from maa.ui.limits import Ask
from maa.ui.results import results
from maa.ui.shares import LOOK
from maa.ui.tab import Own, TabTask, Workplace
from maa.ui.widgets import word_list
from maa.ui.wiring import wire

if TYPE_CHECKING:
    from maa.pipeline import Generation, MakeAnAudio

HINT = "Give a picture and press Generate: you hear what could be heard where it was taken."
WORDING = Wording(
    prompt_label="Or in your own words",
    prompt_placeholder="Leave empty to use the words that the picture is heard as",
)
WORDS_SHOWN = 6


def from_picture(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Picture to sound by the pipeline; a prompt takes the place of the words heard."""
    picture = files.uploaded(own["image"], "a picture")
    asked = cast(Image, ask.task)
    if asked.prompt:
        asked = replace(asked, words=())
    return asked.run(pipeline, picture, ask.sampling, on_step)


def given(value: Any) -> list[Any]:
    """The words that a person has edited; none when they are still the ones that were heard."""
    if not isinstance(value, dict) or value.get("heard") or not isinstance(value.get("words"), list):
        return []
    rows: list[Any] = value["words"]
    return [
        row for row in rows if not (isinstance(row, list) and row and isinstance(row[0], str) and not row[0].strip())
    ]


def as_edited(words: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Words as a person would have edited them."""
    return {"words": [list(word) for word in words]}


TASK = TabTask(Image, from_picture, reads={"words": given}, shows={"words": as_edited})


def words_heard(pipeline: MakeAnAudio, value: Any) -> list[tuple[str, float]]:
    """The words that a picture is heard as; none where the model has none."""
    return list(pipeline.describe_image(files.uploaded(value, "a picture")))


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
                elem_classes="maa-reads-picture",
            )
            words = word_list("image-words")
            knobs = controls(Image, place.model.config, place.worded(WORDING))
        with gr.Column(scale=7, min_width=320):
            shown = results("image", HINT)
            examples(place.assets, "image", {"input": picture}, (knobs, shown))

    def listen(value: Any, shown_words: Any) -> Any:
        """The words that a picture is heard as, as soon as it is there; words that came with settings stay."""
        if value is None:
            return {"words": [], "heard": True}
        if isinstance(shown_words, dict) and "heard" not in shown_words and shown_words.get("words"):
            return {**shown_words, "heard": False}  # those of the next picture are its own
        try:
            heard = next(place.look("image", words_heard, value))
        except Exception as error:
            raise told(error) from error
        return {"words": [list(word) for word in heard[:WORDS_SHOWN]], "heard": True}

    gr.on(
        [picture.change],
        listen,
        [picture, words],
        words,
        preprocess=False,
        show_progress="hidden",
        **LOOK,
        api_visibility="private",
    )
    wire(place, TASK, {"image": picture, "words": words}, (knobs, shown))
