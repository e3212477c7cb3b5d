"""Video to sound: the clip comes back with the new sound on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from maa.ui import files
from maa.ui.controls import Wording, controls
from maa.ui.examples import examples
from maa.ui.jobs import OnStep
from maa.ui.limits import Ask
from maa.ui.results import Take, described, results
from maa.ui.tab import Own, Task, Workplace, wire

if TYPE_CHECKING:
    from maa.pipeline import Generation, MakeAnAudio

HINT = "Give a clip and press Generate: it comes back with sound. The picture is not re-encoded."
WORDING = Wording(
    prompt_label="Or in your own words",
    prompt_placeholder="Leave empty to use what is seen in the clip",
)


def call(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Video to sound by the pipeline, as long as the clip."""
    clip = files.uploaded(own["video"], "a video")
    return pipeline.video_to_audio(clip, ask.sampling, prompt=ask.prompt, negative=ask.negative, on_step=on_step)


def takes(generation: Generation, own: Own, ask: Ask, pipeline: MakeAnAudio) -> list[Take]:
    """The uploaded clip once for every take, with that take as its sound."""
    from maa.vision.mux import container_for, mux

    clip = files.uploaded(own["video"], "a video")
    made = []
    for index, seed in enumerate(generation.seeds):
        path = files.result_path("video", seed, container_for(clip))
        mux(clip, generation.audio[index], generation.sample_rate, path)
        made.append(described(generation, index, path, pipeline.config.audio))
    return made


TASK = Task("video", call, takes)


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            clip = gr.Video(label="Video", sources=["upload"], height=240, elem_id="video-input")
            knobs = controls("video", place.model.config, WORDING, formats={})
        with gr.Column(scale=7, min_width=320):
            shown = results("video", HINT, video=True)
            examples(place.assets, "video", {"input": clip}, (knobs, shown))
    wire(place, TASK, {"video": clip}, (knobs, shown))
