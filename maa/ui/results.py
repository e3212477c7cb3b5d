"""What a job made: one widget with a player, waveform, spectrogram, match and seed for each take, best first.

The widget is a plain `gr.HTML` with a fixed script; it writes everything a person typed as text, never as markup. Its
value is a JSON object, and each key is optional:

    live     {"step", "total"} while a job runs, null ends it; what was looked at as {"levels": PNG as a data URL,
             "seconds", "ticks"}, and what is done of a long take as "heard": {"seed", "rate", "seconds": of the whole,
             "parts": [[url, second where it begins, seconds]]}
    heard    the same of the takes that are there now
    takes    views (`maa.ui.views`) with "id", "task", "number", "seed", "score", "settings", "command", "facts", "note"
    original a view of the upload, to compare with
    frames   [{"url", "at"}] pictures of the clip that were looked at
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from maa.audio.io import read
from maa.pipeline.notes import sentences
from maa.pipeline.report import Report
from maa.pipeline.tasks import LABELS, TASKS
from maa.ui import exports, limits, parts, records, views
from maa.ui.files import result_path
from maa.ui.theme import ACCENT, GREY

if TYPE_CHECKING:
    from maa.config import AudioSpec
    from maa.pipeline import Generation

Updates = dict[Component, Any]
STYLES = ("web/colours.css", "takes/takes.css", "takes/controls.css", "takes/compare.css", "takes/clip.css")
WAVEFORM = gr.WaveformOptions(waveform_color=GREY.c400, waveform_progress_color=ACCENT.c500, skip_length=10)


@dataclass(frozen=True)
class Take:
    """One result, ready to be shown: the file to keep, and what the page shows of it."""

    media: Path
    view: views.View


@dataclass(frozen=True)
class Results:
    """The results column of one tab."""

    widget: gr.HTML
    refill: dict[str, Component] = field(default_factory=dict)  # the tab's own inputs that examples can fill in

    def outputs(self) -> list[Component]:
        """Every component that `show` may change."""
        return [self.widget]

    def show(self, takes: Sequence[Take], **more: Any) -> Updates:
        """What to change so that these takes, and only these, are seen."""
        return {self.widget: {"takes": [take.view for take in takes], **more}}

    def live(self, view: dict[str, Any] | None) -> Updates:
        """Show the sound as it is now (`maa.ui.streamed.Live`), in the middle of its making; None = as it was."""
        return {} if view is None else {self.widget: {"live": view}}

    def quiet(self) -> Updates:
        """No job runs any more; the takes from before stay."""
        return {self.widget: {"live": None}}


def results(task: str, hint: str, *, video: bool = False, edits: bool = False) -> Results:
    """Lay out an empty results column.

    Args:
        task: names the elements in the page.
        hint: what to do to get a first result.
        video: results are clips.
        edits: results are the given sound but for some stretches, and are compared with it at once.
    """
    return Results(widget("takes.js", f"{task}-takes", task=task, hint=hint, video=video, edits=edits))


def widget(main: str, elem_id: str, *styles: str, **props: Any) -> gr.HTML:
    """A component of the scripts in `maa/ui/takes`; `main` is the one that starts, `styles` are more style sheets."""
    return gr.HTML(
        value=None,
        html_template='<div class="maa-root"></div>',
        css_template=parts.style(*STYLES, *styles),
        js_on_load=parts.script(f"takes/{main}"),
        apply_default_css=False,
        elem_id=elem_id,
        server_functions=[records.bundle, records.stars, exports.export],
        colours=views.colours(),
        shaping=exports.shape_fields(),
        exports=exports.formats(),
        tasks=LABELS,
        sounds=[name for name, task in TASKS.items() if task.source and task.source.name == "audio"],
        **props,
    )


def sound_takes(
    generation: Generation, file_format: limits.FileFormat, spec: AudioSpec, rate: int | None = None
) -> list[Take]:
    """Write every take as a sound file and a picture; the order, best first, is kept."""
    takes = []
    for index, seed in enumerate(generation.seeds):
        path = result_path(generation.settings["task"], seed, file_format.suffix)
        kind = subtype(generation, file_format)
        generation.save(path, take=index, subtype=kind, rate=rate)
        exports.keep_master(generation, index, path, kind, rate)
        takes.append(described(generation, index, path, spec))
    return takes


def subtype(generation: Generation, file_format: limits.FileFormat) -> str | None:
    """FLAC holds integers of up to 24 bit; what has more than that is written with 24."""
    if file_format.suffix == ".flac" and generation.subtype not in ("PCM_U8", "PCM_16", "PCM_24"):
        return "PCM_24"
    return file_format.subtype


def words_of(settings: Mapping[str, Any]) -> list[list[str]]:
    """What the network listened to where it is not what was said, and what it knows nothing of: (label, words)."""
    said, heard = settings.get("prompt", ""), settings.get("heard", [])
    led = [] if all(caption in said for caption in heard) else [["heard as", "; ".join(heard)]]
    return led + [["note:", sentence] for sentence in sentences(settings)]


def described(generation: Generation, index: int, sound: Path, spec: AudioSpec, clip: Path | None = None) -> Take:
    """A written take with what the page shows of it; `clip` is the video that it was put on."""
    score = None if generation.scores is None else round(generation.scores[index], 4)
    facts = {
        "id": sound.parent.name,
        "task": generation.settings["task"],
        "number": index + 1,
        "best": index == 0 and generation.ranked,
        "seed": generation.seeds[index],
        "score": score,
        "settings": generation.settings_of(index),
        "ticks": views.ticks(spec),
        "clip": None if clip is None else views.url_of(clip),
        "held": generation.subtype,
    }
    facts["facts"] = generation.notes(index) or words_of(facts["settings"])
    if generation.reports:
        facts["note"] = Report(**generation.reports[index]).sentence()
    return Take(clip or sound, views.view_of(read(sound), sound, spec, **facts))
