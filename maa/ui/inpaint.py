"""Inpainting: paint over a part of a sound's spectrogram and have it made anew (paper Sec. 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from maa.ui import files, limits, painter
from maa.ui.controls import Controls, Wording, controls
from maa.ui.examples import examples
from maa.ui.jobs import OnStep
from maa.ui.limits import Ask
from maa.ui.results import WAVEFORM, results
from maa.ui.tab import Own, Task, Workplace, told, wire

if TYPE_CHECKING:
    from pathlib import Path

    from maa.pipeline import Filling, Generation, MakeAnAudio

HINT = "Give a sound above, paint over what should be made anew, and press Generate. The rest stays as it is."
WORDING = Wording(
    prompt_label="What should be there instead?",
    prompt_placeholder="Rain. Leave empty to continue what is around it",
)
PLAYED = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".webm", ".mp4")  # by browsers


def shared(ask: Ask, on_step: OnStep) -> dict[str, Any]:
    """What both ways to inpaint hand on."""
    return {"negative": ask.negative, "loudness": ask.loudness, "on_step": on_step}


def call(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Inpainting by the pipeline, with the mask that was painted."""
    sound = files.uploaded(own["audio"], "a sound")
    filling = filling_of(own)
    mask = painter.mask_of(own["mask"], (pipeline.config.audio.mels, pipeline.frames_of(sound)))
    if not mask.any() and not filling.extends:
        raise ValueError("Nothing is painted yet; mark what should be made anew on the spectrogram.")
    return pipeline.inpaint(sound, mask, ask.prompt, ask.sampling, filling=filling, **shared(ask, on_step))


def call_regions(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Inpainting by the pipeline, with boxes, stretches of time and a mask file, all together."""
    from maa.audio.mask import Box, from_boxes
    from maa.audio.maskfile import read_mask

    sound = files.uploaded(own["audio"], "a sound")
    filling = filling_of(own)
    regions = limits.boxes(own["boxes"], 4) + limits.boxes(own["frames"], 2)
    if not regions and not own["mask"] and not filling.extends:
        raise ValueError("Say what to make anew: boxes, frames, a mask file, or seconds before or after.")
    spec, frames = pipeline.config.audio, pipeline.frames_of(sound)
    mask = from_boxes([Box(*row) for row in regions], spec, frames)
    if own["mask"]:
        mask = mask | read_mask(files.uploaded(own["mask"], "a mask"), spec, frames)
    return pipeline.inpaint(sound, mask, ask.prompt, ask.sampling, filling=filling, **shared(ask, on_step))


def filling_of(own: Own) -> Filling:
    """How the hole is filled, from a tab's or a program's fields; those it does not have keep their defaults."""
    from maa.pipeline import Filling

    names = {"strength": "Strength", "blend": "The blend", "before": "Seconds before", "after": "Seconds after"}
    chosen: dict[str, Any] = {name: limits.number(own[name], text) for name, text in names.items() if name in own}
    if "resampling" in own:
        chosen["resampling"] = limits.whole(own["resampling"])
    if "level_match" in own:
        chosen["level_match"] = own["level_match"] is True
    return Filling(**chosen)


TASK = Task("inpaint", call)
BOX_TASK = Task("inpaint", call_regions)


def playable(sound: Path) -> Path:
    """The sound itself when browsers can play it, else a copy of it as FLAC beside it."""
    if sound.suffix.lower() in PLAYED:
        return sound
    from maa.audio.io import read, write

    copy = sound.with_suffix(".playable.flac")
    if not copy.is_file():
        audio = read(sound)
        write(copy, audio.samples, audio.sample_rate, "PCM_24")
    return copy


@dataclass(frozen=True)
class Shown:
    """What the painter should show."""

    upload: Any  # a sound
    boxes: list[list[float]] | None = None  # regions that are painted already
    mask_file: Any = None  # or a file of a mask, in their place


def picture_of(pipeline: MakeAnAudio, given: Shown) -> dict[str, Any]:
    """The painter's value for an uploaded sound, with the regions of an example or of a mask file painted already."""
    from maa.audio.mask import Box, from_boxes
    from maa.audio.maskfile import read_mask

    sound = files.uploaded(given.upload, "a sound")
    spec, frames = pipeline.config.audio, pipeline.frames_of(sound)
    mask = from_boxes([Box(*row) for row in given.boxes], spec, frames) if given.boxes else None
    if given.mask_file is not None:
        mask = read_mask(files.uploaded(given.mask_file, "a mask"), spec, frames)
    mel, cell = pipeline.spectrogram(sound), pipeline.config.autoencoder.factor
    return painter.value_of(mel, spec, cell=cell, mask=mask, audio=files.url_of(playable(sound)))


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
    mask = painter.painter("inpaint-painter", place.model.config.audio)
    boxes = gr.State(None)  # regions of the example that was clicked, until its sound is shown
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            presets = _presets()
            knobs = controls(
                "inpaint", place.model.config, WORDING, spliced=True, formats=limits.SOURCE | limits.FORMATS
            )
            own = _filling()
        with gr.Column(scale=7, min_width=320):
            shown = results("inpaint", HINT, edits=True)
            examples(place.assets, "inpaint", {"input": sound, "boxes": boxes}, (knobs, shown))
    _connect_presets(presets, knobs, own)
    _connect_painter(place, sound, mask, boxes, presets["load"])

    wire(place, TASK, {"audio": sound, "mask": mask, **own}, (knobs, shown))


def _presets() -> dict[str, Any]:
    """One press for what people want most."""
    with gr.Row(elem_id="inpaint-presets"):
        remove = gr.Button("Remove this", size="sm", min_width=110, elem_id="inpaint-remove")
        replace = gr.Button("Replace with …", size="sm", min_width=110, elem_id="inpaint-replace")
        load = gr.UploadButton(
            "Load a mask", size="sm", min_width=110, file_types=[".png", ".npy"], elem_id="inpaint-load"
        )
    return {"remove": remove, "replace": replace, "load": load}


def _filling() -> dict[str, Component]:
    """The controls of `Filling`, by its names."""
    with gr.Accordion("Filling", open=False, elem_id="inpaint-filling"):
        strength = gr.Slider(
            0.0, 1.0, value=1.0, step=0.01, label="Strength",
            info="1 makes the hole from nothing; less keeps a trace of what lies there.",
        )  # fmt: skip
        again = gr.Slider(
            0, 4, value=0, step=1, label="Resampling", info="Rounds of going back half-way, for a closer fit; slower."
        )
        blend = gr.Slider(
            0.0, 1.0, value=0.0, step=0.05, label="Blend at the edge",
            info="How far the model may also change what touches the hole, while it works; your samples stay anyway.",
        )  # fmt: skip
        level = gr.Checkbox(True, label="As loud as its neighbours")
        with gr.Row():
            before = gr.Number(0, minimum=0, maximum=30, label="Add before, in seconds", min_width=180)
            after = gr.Number(0, minimum=0, maximum=30, label="Add after, in seconds", min_width=180)
    ends = {"before": before, "after": after}
    return {"strength": strength, "resampling": again, "blend": blend, "level_match": level, **ends}


def _connect_presets(presets: dict[str, Any], knobs: Controls, own: dict[str, Component]) -> None:
    """What the preset buttons change; in the browser, as no server is needed for it."""
    changed = [knobs.prompt, own["strength"], own["resampling"]]
    presets["remove"].click(None, outputs=changed, js="() => ['', 1, 1]", api_visibility="private")
    focus = "document.querySelector('#inpaint-prompt textarea').focus()"
    presets["replace"].click(
        None, inputs=changed, outputs=changed, js=f"(prompt) => {{ {focus}; return [prompt, 1, 0]; }}",
        api_visibility="private",
    )  # fmt: skip


def _connect_painter(place: Workplace, sound: gr.Audio, mask: gr.HTML, boxes: gr.State, load: Any) -> None:
    """The sound into the painter, and a mask file onto it."""
    shared: dict[str, Any] = {
        "preprocess": False,
        "show_progress": "minimal",
        "show_progress_on": [mask],
        "concurrency_id": "gpu",
        "concurrency_limit": 1,
        "api_visibility": "private",
    }

    def show(upload: Any, regions: list[list[float]] | None) -> tuple[Any, None]:
        if upload is None:
            return None, None
        try:
            return next(place.look("inpaint", picture_of, Shown(upload, boxes=regions))), None
        except Exception as error:
            raise told(error) from error

    def show_mask(mask_file: Any, upload: Any) -> Any:
        try:
            return next(place.look("inpaint", picture_of, Shown(upload, mask_file=mask_file)))
        except Exception as error:
            raise told(error) from error

    sound.change(show, [sound, boxes], [mask, boxes], **shared)
    load.upload(show_mask, [load, sound], [mask], **shared)
