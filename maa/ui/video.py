"""Video to sound: the clip comes back with the new sound on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import gradio as gr

from maa.aside import aside
from maa.pipeline.clip import save_clip, with_soundtrack
from maa.pipeline.options import Soundtrack
from maa.pipeline.seen import FRAMES, VIDEO_SECONDS
from maa.pipeline.setting import settings_of
from maa.pipeline.tasks import Video
from maa.ui import cutting, exports, files, lanes
from maa.ui.controls import Wording, controls, lay
from maa.ui.examples import examples
from maa.ui.jobs import OnStep
from maa.ui.lanes import follow
from maa.ui.limits import Ask
from maa.ui.results import Take, described, results
from maa.ui.tab import Own, TabTask, Workplace
from maa.ui.wiring import wire
from maa.vision.frames import clip_frames, shrink, video_facts
from maa.vision.mux import container_for

if TYPE_CHECKING:
    from maa.pipeline import Generation, MakeAnAudio

HINT = "Give a clip and press Generate: it comes back with sound. The picture is not re-encoded."
SILENT = "The clip has no sound of its own, so there was nothing to mix in or to keep."
WORDING = Wording(
    prompt_label="Or in your own words",
    prompt_placeholder="Leave empty to use what is seen in the clip",
)


def for_clip(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Video to sound by the pipeline, as long as the clip."""
    clip, soundtrack = files.uploaded(own["video"], "a video"), cast(Soundtrack, ask.more[0])
    container_for(clip, cast(Any, soundtrack.original))  # what fits into no file is refused now, not after the work
    return with_soundtrack(ask.task.run(pipeline, clip, ask.sampling, on_step), soundtrack)


def takes(generation: Generation, own: Own, ask: Ask, pipeline: MakeAnAudio) -> list[Take]:
    """The uploaded clip once for every take, with that take as its sound, which lies beside it as a WAV file, too."""
    clip = files.uploaded(own["video"], "a video")
    silent = generation.settings["original"] != "replace" and not video_facts(clip).has_audio
    made = []
    for index, seed in enumerate(generation.seeds):
        sound = files.result_path("video", seed, ".wav")
        generation.save(sound, take=index)
        exports.keep_master(generation, index, sound, None, None)
        path = sound.with_suffix(container_for(clip, generation.settings["original"]))
        save_clip(generation, clip, path, index)
        take = described(generation, index, sound, pipeline.config.audio, path)
        if silent:
            take.view["facts"] = [*take.view["facts"], ["note:", SILENT]]
        made.append(take)
    return made


def frames(generation: Generation, own: Own, folder: Path) -> list[dict[str, Any]]:
    """Small pictures of the frames that were looked at, with their times."""
    from PIL import Image

    clip = files.uploaded(own["video"], "a video")
    shown: list[dict[str, Any]] = []
    parts = [(start, end) for start, end in generation.settings.get("windows") or ()]
    rows = clip_frames(clip, parts, FRAMES)[0] if parts else []
    for number, ((start, end), pictures) in enumerate(zip(parts, rows, strict=True), 1):
        window = {"window": number} if len(parts) > 1 else {}
        for index, picture in enumerate(pictures):
            path = folder / f"frame-{len(shown):03d}.jpg"
            with aside(path) as neighbour:
                Image.fromarray(shrink(picture, 200)).save(neighbour, "JPEG", quality=80)
            shown.append({"url": files.url_of(path), "at": start + (index + 0.5) * (end - start) / FRAMES, **window})
    return shown


TASK = TabTask(
    Video, for_clip, takes, frames, output=None, reads={"events": lanes.given}, shows={"events": lanes.shown}
)  # fmt: skip


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    with gr.Row(elem_classes="maa-desk"):
        with gr.Column(scale=5, min_width=320):
            clip = gr.Video(
                label="Video", sources=["upload"], height=240, elem_id="video-input", elem_classes="maa-reads-clip"
            )
            note = f"Up to {VIDEO_SECONDS:.0f} s. The sound of a long clip is made in pieces that run into each other."
            gr.Markdown(note, elem_classes="maa-note")
            ends = cutting.fields()
            own = lay(settings_of(Soundtrack), "video", place.model.config)
            knobs = controls(Video, place.model.config, place.worded(WORDING), None)
        with gr.Column(scale=7, min_width=320):
            shown = results("video", HINT, video=True)
            examples(place.assets, "video", {"input": clip}, (knobs, shown))
    follow.connect_clip(place, "video", knobs.parts, clip)
    cutting.connect(clip, ends, knobs)
    wire(place, TASK, {"video": clip, **own}, (knobs, shown))
