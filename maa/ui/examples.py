"""Ready-made examples: a click fills the inputs in and shows a result that was made before, without the model.

`assets/examples.json` lists them; where it is missing or a tab has none, nothing is shown.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from maa.audio.finish import AS_MADE
from maa.audio.io import read, write
from maa.audio.tags import read_tags
from maa.config import AudioSpec
from maa.pipeline.checks import whole
from maa.pipeline.options import Sampling
from maa.pipeline.setting import TextLine, settings_of
from maa.pipeline.tasks import TASKS
from maa.ui import lanes, records, status, views
from maa.ui.files import result_path
from maa.ui.results import Results, Take, Updates

if TYPE_CHECKING:
    from maa.ui.controls import Controls

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets"
SHORT = 60  # characters of a label
SPEC = AudioSpec()
# So that Generate makes just this one: its own seed, nothing chosen that an example does not say.
RESET = {
    "fresh": False, "loudness": AS_MADE, "literal": False, "loop": False, "heard": {"wanted": []},
    "quality": Sampling.quality,
    **{one.free: True for one in settings_of(Sampling) if one.free},
}  # fmt: skip


@dataclass(frozen=True)
class Example:
    """One row of `examples.json`. Paths are relative to the folder that holds `assets`."""

    task: str
    settings: Mapping[str, Any]  # by their names; a prompt and a seed are among them
    input: str | None = None
    boxes: list[list[float]] | None = None  # [start s, end s, low Hz, high Hz]
    result: str | None = None
    picture: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Example:
        """A row, whose keys are the fields above and, in place of `settings`, the names of settings; null says nothing.

        Raises:
            ValueError, TypeError, KeyError: it is no such row.
        """
        own = {one.name for one in fields(cls)} - {"settings"}
        task = TASKS[row["task"]]
        kinds = (task, *task.more, Sampling)
        known = {one.name: one for kind in kinds for one in settings_of(kind) if one.name not in own}
        every = {one.name for kind in (*TASKS.values(), Sampling) for one in settings_of(kind)}
        if unknown := sorted(set(row) - own - every):
            raise ValueError(f"there is no {unknown[0]}")
        said = {name: value for name, value in row.items() if name in known and value is not None}
        said = {name: one.default for name, one in known.items() if isinstance(one, TextLine)} | said
        for name in ("prompt", "seed"):
            known[name].check(row[name])
        return cls(settings=said, **{name: row[name] for name in own if name in row})

    @property
    def label(self) -> str:
        """What the button says."""
        prompt = self.settings["prompt"]
        name = Path(self.input).stem.replace("-", " ").replace("_", " ") if self.input else ""
        words = {"": name or "Example"}.get(prompt, f"{name} → {prompt}" if name else prompt)
        return words if len(words) <= SHORT else words[: SHORT - 1].rstrip() + "…"


def listed(assets: Path) -> list[Example]:
    """The examples in `assets/examples.json`; none when there is no such file or it cannot be understood."""
    path = assets / "examples.json"
    if not path.is_file():
        return []
    try:
        return [Example.of(row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (KeyError, TypeError, ValueError) as error:
        log.warning("%s is left out: %s", path, error)
        return []


def examples(
    assets: Path,
    task: str,
    inputs: dict[str, Component],
    parts: tuple[Controls, Results],
    spec: AudioSpec = SPEC,
) -> None:
    """Lay out the examples of a tab as buttons.

    Args:
        assets: the folder with `examples.json`.
        task: whose examples.
        inputs: the tab's own components that an example fills in: "input", "boxes", and settings by their names.
        parts: the tab's controls and its results column.
        spec: how spectrograms of the results are drawn.
    """
    parts[1].refill.update(inputs)
    rows = [example for example in listed(assets) if example.task == task]
    if not rows:
        return
    knobs, shown = parts
    with knobs.below:
        buttons = gr.Dataset(
            components=["textbox"],
            samples=[[example.label] for example in rows],
            type="index",
            label="Examples",
            elem_id=f"{task}-examples",
        )
    filled = dict.fromkeys((*rows[0].settings, *RESET, "events"))
    own = [knobs.status, *(knobs.parts[name] for name in filled if name in knobs.parts)]
    buttons.click(
        chosen(assets.parent, rows, inputs, parts, spec),
        inputs=buttons,
        outputs=[*own, *inputs.values(), *shown.outputs()],
        show_progress="hidden",
        queue=False,
        api_visibility="private",
    )


def chosen(
    root: Path, rows: list[Example], inputs: dict[str, Component], parts: tuple[Controls, Results], spec: AudioSpec
) -> Callable[[object], Updates]:
    """What a click on an example does: the handler of its index."""
    knobs, shown = parts

    def show(index: object) -> Updates:
        try:
            example = rows[whole(index, "The number of an example", 0, len(rows) - 1)]
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error
        settings = example.settings
        said = {**settings, **RESET, "events": lanes.shown(settings.get("events", ()))}
        updates: Updates = {part: said[name] for name, part in knobs.parts.items() if name in said}
        updates[knobs.status] = status.idle("An example made before; Generate makes it again.")
        own = {**settings, "input": _file(root, example.input), "boxes": example.boxes}
        updates |= {part: own[name] for name, part in inputs.items() if name in own}
        result = _file(root, example.result)
        if result:
            updates |= shown.show([ready_made(example, Path(result), spec)])
        else:
            updates[knobs.status] = status.idle("Press Generate to hear it.")
        return updates

    return show


def ready_made(example: Example, result: Path, spec: AudioSpec) -> Take:
    """The result of an example as a take."""
    sound = read(result)
    clip = result if result.suffix.lower() in (".mp4", ".webm", ".mkv", ".mov") else None
    place = result_path(example.task, example.settings["seed"], ".wav")
    write(place, sound.samples, sound.sample_rate, "PCM_16")
    settings = read_tags(result) or {"task": example.task, **example.settings}
    facts = {
        "id": place.parent.name,
        "task": example.task,
        "number": 1,
        "best": False,
        "seed": example.settings["seed"],
        "score": settings.get("clap_score"),
        "settings": settings,
        "ticks": views.ticks(spec),
        "clip": None if clip is None else views.url_of(clip),
        "example": True,
    }
    model = str(settings.get("model", "small"))
    view = records.keep(place.parent, views.view_of(sound, place, spec, **facts), {}, model, spec)
    if example.input is not None:
        del view["command"]  # it would name a file that nobody has been given
    return Take(clip or place, view)


def _path(root: Path, name: str | None) -> Path | None:
    path = root / name if name else None
    return path if path and path.is_file() else None


def _file(root: Path, name: str | None) -> str | None:
    path = _path(root, name)
    return str(path) if path else None
