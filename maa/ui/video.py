"""Video to sound: the clip comes back with the new sound on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from maa.pipeline.clip import MIX_DB
from maa.pipeline.windows import VIDEO_SECONDS
from maa.ui import files, limits
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

ORIGINALS = [("Replace", "replace"), ("Mix", "mix"), ("Keep (second track)", "keep")]


def call(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Video to sound by the pipeline, as long as the clip."""
    from maa.pipeline.clip import with_original
    from maa.vision.mux import container_for

    clip = files.uploaded(own["video"], "a video")
    level = limits.number(own.get("original_db", MIX_DB), "The level of the clip's own sound")
    container_for(clip, "keep" if own.get("original") == "keep" else "replace")  # refused now, not after the work
    made = pipeline.video_to_audio(
        clip, ask.sampling, prompt=ask.prompt, negative=ask.negative, loudness=ask.loudness, on_step=on_step
    )
    return with_original(made, own.get("original", "replace"), level)


def takes(generation: Generation, own: Own, ask: Ask, pipeline: MakeAnAudio) -> list[Take]:
    """The uploaded clip once for every take, with that take as its sound, which lies beside it as a WAV file, too."""
    from maa.pipeline.clip import save_clip
    from maa.vision.mux import container_for

    clip = files.uploaded(own["video"], "a video")
    made = []
    for index, seed in enumerate(generation.seeds):
        sound = files.result_path("video", seed, ".wav")
        generation.save(sound, take=index)
        path = sound.with_suffix(container_for(clip, generation.settings["original"]))
        save_clip(generation, clip, path, index)
        made.append(described(generation, index, sound, pipeline.config.audio, path))
    return made


def frames(generation: Generation, own: Own, folder: Path) -> list[dict[str, Any]]:
    """Small pictures of the frames that were looked at, with their times."""
    from PIL import Image

    from maa.pipeline.windows import FRAMES
    from maa.vision.frames import clip_frames, shrink

    clip = files.uploaded(own["video"], "a video")
    shown: list[dict[str, Any]] = []
    parts = [(start, end) for start, end in generation.settings.get("windows") or ()]
    rows = clip_frames(clip, parts, FRAMES)[0] if parts else []
    for (start, end), pictures in zip(parts, rows, strict=True):
        for index, picture in enumerate(pictures):
            path = folder / f"frame-{len(shown):03d}.jpg"
            Image.fromarray(shrink(picture, 200)).save(path, "JPEG", quality=80)
            shown.append({"url": files.url_of(path), "at": start + (index + 0.5) * (end - start) / FRAMES})
    return shown


TASK = Task("video", call, takes, frames)


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            clip = gr.Video(label="Video", sources=["upload"], height=240, elem_id="video-input")
            note = (
                f"Up to {VIDEO_SECONDS:.0f} s; longer than the model's own length, it is heard in overlapping windows."
            )
            gr.Markdown(note, elem_classes="maa-note")
            with gr.Row():
                original = gr.Radio(
                    ORIGINALS, value="replace", label="The clip's own sound", min_width=220, elem_id="video-original"
                )
                level = gr.Slider(-30.0, 6.0, value=MIX_DB, step=1.0, label="Its level when mixed (dB)", min_width=220)
            knobs = controls("video", place.model.config, WORDING, formats={})
        with gr.Column(scale=7, min_width=320):
            shown = results("video", HINT, video=True)
            examples(place.assets, "video", {"input": clip}, (knobs, shown))
    own = {"video": clip, "original": original, "original_db": level}
    wire(place, TASK, own, (knobs, shown))
