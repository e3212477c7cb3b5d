"""Inpainting: paint over a part of a sound's spectrogram and have it made anew (paper Sec. 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from maa.ui import files, limits, painter
from maa.ui.controls import Wording, controls
from maa.ui.examples import examples
from maa.ui.jobs import OnStep
from maa.ui.limits import Ask
from maa.ui.results import WAVEFORM, results
from maa.ui.tab import Own, Task, Workplace, told, wire

if TYPE_CHECKING:
    from maa.pipeline import Generation, MakeAnAudio

HINT = "Give a sound above, paint over what should be made anew, and press Generate. The rest stays as it is."
WORDING = Wording(
    prompt_label="What should be there instead?",
    prompt_placeholder="Rain. Leave empty to continue what is around it",
)


def call(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Inpainting by the pipeline, with the mask that was painted."""
    sound = files.uploaded(own["audio"], "a sound")
    mask = painter.mask_of(own["mask"], (pipeline.config.audio.mels, pipeline.frames_of(sound)))
    if not mask.any():
        raise ValueError("Nothing is painted yet; mark what should be made anew on the spectrogram.")
    return pipeline.inpaint(sound, mask, ask.prompt, ask.sampling, negative=ask.negative, on_step=on_step)


def call_boxes(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Inpainting by the pipeline, with regions in seconds and hertz."""
    from maa.audio.mask import Box

    regions = [Box(*row) for row in limits.boxes(own["boxes"])]
    sound = files.uploaded(own["audio"], "a sound")
    return pipeline.inpaint(sound, regions, ask.prompt, ask.sampling, negative=ask.negative, on_step=on_step)


TASK = Task("inpaint", call)
BOX_TASK = Task("inpaint", call_boxes)


def picture_of(place: Workplace, upload: Any, boxes: list[list[float]] | None) -> dict[str, Any]:
    """The painter's value for an uploaded sound, with the regions of an example painted already."""
    from maa.audio.mask import Box, from_boxes

    sound = files.uploaded(upload, "a sound")
    pipeline = place.model.get()
    spec = pipeline.config.audio
    frames = pipeline.frames_of(sound)
    seconds = frames * spec.frame_seconds
    if seconds > limits.PICTURE_SECONDS:
        raise ValueError(
            f"This sound has {seconds:.0f} s and the painter shows up to {limits.PICTURE_SECONDS:.0f} s; "
            "cut out the part you want to work on first."
        )
    mask = from_boxes([Box(*row) for row in boxes], spec, frames) if boxes else None
    mel = pipeline.spectrogram(sound)
    return painter.value_of(mel, spec, cell=pipeline.config.autoencoder.factor, mask=mask, audio=files.url_of(sound))


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    sound = gr.Audio(
        label="Your sound",
        type="filepath",
        sources=["upload", "microphone"],
        buttons=[],
        waveform_options=WAVEFORM,
        elem_id="inpaint-input",
    )
    mask = painter.painter("inpaint-painter")
    boxes = gr.State(None)  # regions of the example that was clicked, until its sound is shown
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            knobs = controls("inpaint", place.model.config, WORDING, formats=limits.SOURCE | limits.FORMATS)
        with gr.Column(scale=7, min_width=320):
            shown = results("inpaint", HINT)
            examples(place.assets, "inpaint", {"input": sound, "boxes": boxes}, (knobs, shown))

    def show(upload: Any, regions: list[list[float]] | None) -> tuple[Any, None]:
        if upload is None:
            return None, None
        try:
            return picture_of(place, upload, regions), None
        except Exception as error:
            raise told(error) from error

    sound.change(
        show,
        [sound, boxes],
        [mask, boxes],
        preprocess=False,
        show_progress="minimal",
        show_progress_on=[mask],
        concurrency_id="gpu",
        concurrency_limit=1,
        api_visibility="private",
    )
    wire(place, TASK, {"audio": sound, "mask": mask}, (knobs, shown))
