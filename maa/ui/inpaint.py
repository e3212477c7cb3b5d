"""Inpainting: paint over a part of a sound's spectrogram and have it made anew (paper Sec. 4.2)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import gradio as gr
import numpy as np
from gradio.components import Component
from numpy.typing import NDArray

from maa.audio.io import read, write
from maa.audio.mask import Box, from_boxes
from maa.audio.maskfile import read_mask
from maa.pipeline.editing import chained
from maa.pipeline.filling import mask_of_regions
from maa.pipeline.options import REMOVE, REPLACE, Filling
from maa.pipeline.setting import settings_of
from maa.pipeline.tasks import Inpaint
from maa.ui import files, limits, painter
from maa.ui.chain import EXACT, Steps, chain_mel, chain_of, connect, edits, told_by, value_of
from maa.ui.controls import Controls, Wording, controls, lay
from maa.ui.examples import examples
from maa.ui.faults import told
from maa.ui.jobs import OnStep
from maa.ui.joining import best_joined
from maa.ui.limits import Ask
from maa.ui.results import Take, results, subtype
from maa.ui.shares import LOOK
from maa.ui.tab import Own, TabTask, Workplace, as_sounds
from maa.ui.widgets import sound_field
from maa.ui.wiring import wire

if TYPE_CHECKING:
    from pathlib import Path

    from maa.pipeline import Generation, MakeAnAudio

HINT = "Give a sound above, paint over what should be made anew, and press Generate. The rest stays as it is."
WORDING = Wording(
    prompt_label="What should be there instead?",
    prompt_placeholder="Rain. Leave empty to continue what is around it",
)
REMOVE_TAKES = 4
PRESETS = {"remove": REMOVE, "replace": REPLACE}
PLAYED = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".webm", ".mp4")  # by browsers


def fill_painted(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Inpainting by the pipeline, with the mask that was painted."""
    sound = files.uploaded(own["audio"], "a sound")
    mask = painter.mask_of(own["mask"], (pipeline.config.audio.mels, pipeline.frames_of(sound)))
    if not mask.any() and not filling_of(ask).extends:
        raise ValueError("Nothing is painted yet; mark what should be made anew on the spectrogram.")
    return filled(pipeline, sound, mask, ask, on_step)


def fill_regions(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Inpainting by the pipeline, with boxes, stretches of time and a mask file, all together."""
    sound, asked = files.uploaded(own["audio"], "a sound"), cast(Inpaint, ask.task)
    if not asked.regions and not asked.mask and not filling_of(ask).extends:
        raise ValueError("Say what to make anew: boxes, frames, a mask file, or seconds before or after.")
    file = files.uploaded(asked.mask, "a mask") if asked.mask else None
    mask = mask_of_regions(replace(asked, mask=file), pipeline.config.audio, pipeline.frames_of(sound))
    return filled(pipeline, sound, mask, ask, on_step)


def filled(pipeline: MakeAnAudio, sound: Path, mask: NDArray[np.bool_], ask: Ask, on_step: OnStep) -> Generation:
    """What both ways to say where have in common."""
    how = {"filling": filling_of(ask), "on_step": on_step, **ask.task.given(pipeline)}
    made = pipeline.inpaint(sound, mask, sampling=ask.sampling, **how)
    return chained(made, told_by(sound), mask, pipeline.config.audio)


def as_edits(generation: Generation, own: Own, ask: Ask, pipeline: MakeAnAudio) -> list[Take]:
    """The takes as they were asked for, and beside each that was written otherwise every sample as it was made."""
    takes = as_sounds(generation, own, ask, pipeline)
    kind = subtype(generation, ask.file_format) or generation.subtype
    same = kind == generation.subtype and ask.rate in (None, generation.sample_rate)
    if not same or ask.file_format.suffix not in (".wav", ".flac"):
        for index, take in enumerate(takes):
            generation.save(take.media.with_name(EXACT), take=index)
    return takes


def filling_of(ask: Ask) -> Filling:
    """How the hole is filled."""
    return cast(Filling, ask.more[0])


def remove_painted(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """The same without a prompt, the takes first that are most like what lies on both sides."""
    spec = pipeline.config.audio
    made = fill_painted(pipeline, own, ask, on_step)
    mask = painter.mask_of(own["mask"], (spec.mels, pipeline.frames_of(files.uploaded(own["audio"], "a sound"))))
    return best_joined(made, mask, round(filling_of(ask).before / spec.frame_seconds), spec)


# The painter sends its mask as a value of its own, which is no file.
TASK = TabTask(Inpaint, fill_painted, as_edits, output=limits.SplicedOutput, reads={"mask": lambda painted: None})
REMOVE_TASK = replace(
    TASK,
    call=remove_painted,
    sets={"prompt": "", "heard": (), "takes": REMOVE_TAKES, **REMOVE},
    done=" Made from what is around, without a prompt; the take that joins both sides best comes first.",
)
BOX_TASK = TabTask(Inpaint, fill_regions, output=limits.SplicedOutput)


def playable(sound: Path) -> Path:
    """The sound itself when browsers can play it, else a copy of it as FLAC beside it."""
    if sound.suffix.lower() in PLAYED:
        return sound
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
    sound = files.uploaded(given.upload, "a sound")
    spec, frames = pipeline.config.audio, pipeline.frames_of(sound)
    mask = from_boxes([Box(*row) for row in given.boxes], spec, frames) if given.boxes else None
    if given.mask_file is not None:
        mask = read_mask(files.uploaded(given.mask_file, "a mask"), spec, frames)
    mel, cell = chain_mel(pipeline, sound), pipeline.config.autoencoder.factor
    name = painter.Named(files.url_of(playable(sound)), sound, chain_of(sound).origin)
    return painter.value_of(mel, spec, cell=cell, mask=mask, name=name)


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    sound = sound_field("inpaint")
    mask = painter.painter("inpaint-painter", place.model.config.audio)
    boxes = gr.State(None)  # regions of the example that was clicked, until its sound is shown
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            presets = _presets()
            knobs = controls(Inpaint, place.model.config, place.worded(WORDING), limits.SplicedOutput)
            with gr.Accordion("Filling", open=False, elem_id="inpaint-filling"):
                own = lay(settings_of(Filling), "inpaint", place.model.config)
        with gr.Column(scale=7, min_width=320):
            strip = edits("inpaint-edits", place.model.config.audio)
            shown = results("inpaint", HINT, edits=True)
            examples(place.assets, "inpaint", {"input": sound, "boxes": boxes}, (knobs, shown))
    _connect_presets(presets, knobs, own)
    steps = Steps(sound, mask, boxes, strip, knobs.status, place.model.config.audio)
    _connect_painter(place, steps, presets["load"])
    connect(steps, shown.widget)
    wire(place, TASK, {"audio": sound, "mask": mask, **own}, (knobs, shown), others=[(REMOVE_TASK, presets["remove"])])


def _presets() -> dict[str, Any]:
    """One press for what people want most."""
    with gr.Row(elem_id="inpaint-presets"):
        remove = gr.Button("Remove this", size="sm", min_width=110, elem_id="inpaint-remove")
        replace = gr.Button("Replace with …", size="sm", min_width=110, elem_id="inpaint-replace")
        load = gr.UploadButton(
            "Load a mask", size="sm", min_width=110, file_types=[".png", ".npy"], elem_id="inpaint-load"
        )
    return {"remove": remove, "replace": replace, "load": load}


def _connect_presets(presets: dict[str, Any], knobs: Controls, own: dict[str, Component]) -> None:
    """What the preset buttons change; in the browser, as no server is needed for it."""
    changed = [knobs.prompt, *(own[name] for name in REMOVE)]
    values = {name: ", ".join(map(json.dumps, preset.values())) for name, preset in PRESETS.items()}
    remove = f"() => ['', {values['remove']}]"
    presets["remove"].click(None, outputs=changed, js=remove, api_visibility="private")
    focus = "document.querySelector('#inpaint-prompt textarea').focus()"
    replaced = f"(prompt) => {{ {focus}; return [prompt, {values['replace']}]; }}"
    presets["replace"].click(None, inputs=changed, outputs=changed, js=replaced, api_visibility="private")


def _connect_painter(place: Workplace, steps: Steps, load: Any) -> None:
    """The sound into the painter, its chain into the strip, and a mask file onto it."""
    sound, mask, boxes, strip = steps.sound, steps.mask, steps.boxes, steps.strip
    shared: dict[str, Any] = {
        "preprocess": False,
        "show_progress": "minimal",
        "show_progress_on": [mask],
        **LOOK,
        "api_visibility": "private",
    }

    def show(upload: Any, regions: list[list[float]] | None, before: Any) -> tuple[Any, None, Any]:
        if upload is None:
            return None, None, value_of(None, before)
        try:
            picture = next(place.look("inpaint", picture_of, Shown(upload, boxes=regions)))
            return picture, None, value_of(files.uploaded(upload, "a sound"), before)
        except Exception as error:
            raise told(error) from error

    def show_mask(mask_file: Any, upload: Any) -> Any:
        try:
            return next(place.look("inpaint", picture_of, Shown(upload, mask_file=mask_file)))
        except Exception as error:
            raise told(error) from error

    sound.change(show, [sound, boxes, strip], [mask, boxes, strip], **shared)
    load.upload(show_mask, [load, sound], [mask], **shared)
