"""Ready-made examples: a click fills the inputs in and shows a result that was made before, without the model.

`assets/examples.json` lists them; where it is missing or a tab has none, nothing is shown.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
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
from maa.pipeline.setting import settings_of
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
RESET = {"fresh": False, "loudness": AS_MADE, "free": True, "events": lanes.shown(())}


@dataclass(frozen=True)
class Example:
    """One row of `examples.json`. Paths are relative to the folder that holds `assets`."""

    task: str
    prompt: str
    seed: int
    steps: int
    guidance: float
    negative: str = ""
    input: str | None = None
    t0: float | None = None
    boxes: list[list[float]] | None = None  # [start s, end s, low Hz, high Hz]
    result: str | None = None
    picture: str | None = None

    @property
    def label(self) -> str:
        """What the button says."""
        name = Path(self.input).stem.replace("-", " ").replace("_", " ") if self.input else ""
        words = {"": name or "Example"}.get(self.prompt, f"{name} → {self.prompt}" if name else self.prompt)
        return words if len(words) <= SHORT else words[: SHORT - 1].rstrip() + "…"


def said(example: Example) -> dict[str, Any]:
    """The settings of an example, by their names."""
    mine = {field.name: getattr(example, field.name) for field in fields(example)}
    task = TASKS[example.task]
    known = {setting.name for kind in (task, *task.more, Sampling) for setting in settings_of(kind)}
    return {name: value for name, value in mine.items() if name in known and name != "boxes"}


def load(assets: Path) -> list[Example]:
    """The examples in `assets/examples.json`; none when there is no such file or it cannot be understood."""
    path = assets / "examples.json"
    if not path.is_file():
        return []
    try:
        return [Example(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (TypeError, ValueError) as error:
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
        inputs: the tab's own components that an example fills in: "input", "t0", "boxes".
        parts: the tab's controls and its results column.
        spec: how spectrograms of the results are drawn.
    """
    parts[1].refill.update(inputs)
    rows = [example for example in load(assets) if example.task == task]
    if not rows:
        return
    knobs, shown = parts
    buttons = gr.Dataset(
        components=["textbox"],
        samples=[[example.label] for example in rows],
        type="index",
        label="Examples",
        elem_id=f"{task}-examples",
    )
    own = [knobs.status, *(knobs.parts[name] for name in (*said(rows[0]), *RESET) if name in knobs.parts)]
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
        settings = said(example)
        updates: Updates = {
            part: {**settings, **RESET}[name] for name, part in knobs.parts.items() if name in {**settings, **RESET}
        }
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
    place = result_path(example.task, example.seed, ".wav")
    write(place, sound.samples, sound.sample_rate, "PCM_16")
    settings = read_tags(result) or {"task": example.task, "prompt": example.prompt, "seed": example.seed}
    facts = {
        "id": place.parent.name,
        "task": example.task,
        "number": 1,
        "best": False,
        "seed": example.seed,
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
