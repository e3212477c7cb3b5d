"""What comes to the page as a whole: a file that is dropped, a link with settings, and what it said before a load."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from maa.audio.io import read
from maa.pipeline.setting import settings_of
from maa.pipeline.shaping import Shaping
from maa.pipeline.tasks import TASKS
from maa.ui import exports, files, keeping, restore, status
from maa.ui.faults import told
from maa.ui.results import Updates
from maa.ui.tab import Desk, Workplace
from maa.vision.frames import load_image, video_facts

# In the queue, because messages to the visitor travel through it; not behind the jobs, which have a line of their own.
HIDDEN: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": 4, "api_visibility": "private"}
READERS: dict[str, Callable[[Path], Any]] = {"audio": read, "image": load_image, "video": video_facts}


@dataclass(frozen=True)
class PageParts:
    """The components that belong to no tab."""

    tabs: gr.Tabs
    conductor: gr.HTML
    history: gr.HTML


def refused(whole: PageParts, error: Exception) -> Updates:
    """Say what is wrong and change nothing: an error would mark every control of the page as failed."""
    gr.Warning(told(error).message)
    return {whole.conductor: None}


def shown_at(desk: Desk) -> dict[str, str]:
    """What the conductor should bring into sight after something was sent to a tab."""
    return {"show": f"{desk.task.name}-input" if desk.task.asks.source else "tasks", "stamp": secrets.token_hex(4)}


def connect(place: Workplace, whole: PageParts, everything: list[Component]) -> None:
    """Wire what the conductor tells; all tabs have to be there."""
    arrivals = Arrivals(place, whole)
    for name in ("dropped", "given", "linked", "recall"):
        getattr(whole.conductor, name)(arrivals.handler(name), outputs=everything, **HIDDEN)


@dataclass(frozen=True)
class Arrivals:
    """What is done with what comes."""

    place: Workplace
    whole: PageParts

    def handler(self, name: str) -> Callable[[gr.EventData], Updates]:
        """What Gradio calls for an event of the conductor."""
        act: Callable[[dict[str, Any]], Updates] = getattr(self, name)

        def handle(event: gr.EventData) -> Updates:
            try:
                return act(restore.settings_in(event._data))
            except Exception as error:  # noqa: BLE001 - told to the visitor or written into the log
                return refused(self.whole, error)

        return handle

    def dropped(self, data: dict[str, Any]) -> Updates:
        """Settings inside a file come back; a file without any becomes the open tab's input, if it takes such files."""
        name = restore.file_called(data.get("name"))
        path = files.uploaded({"path": data.get("path")}, "a sound")
        settings, view = restore.from_file(path, repr(name))
        if settings is None:
            return self._foreign(path, name, data.get("tab"))
        desk = self.place.desks[settings["task"]]
        native = self.place.model.config.audio.sample_rate
        changed = view.get("rate") not in (None, native) and desk.task.name != "inpaint"
        chosen = restore.file_choices(desk, {**view, "resampled": view["rate"] if changed else 0})
        gr.Info(f"The settings of {name!r} are back.", duration=4)
        return {**restore.use(desk, settings, None), **chosen, **self._open(desk), **self._shaped(desk, settings)}

    def given(self, data: dict[str, Any]) -> Updates:
        """A file as the input of a tab that was chosen for it."""
        path = files.uploaded({"path": data.get("path")}, "a sound")
        return self._input(self._desk(data.get("to")), path, restore.file_called(data.get("name")))

    def linked(self, data: dict[str, Any]) -> Updates:
        """Settings of a link, or of a preset, into their tab."""
        desk = self._desk(data.get("task"))
        updates = keeping.chosen(desk, restore.settings_in(data.get("settings")))
        line = "The settings are here." if updates else "This link holds no settings."
        return {**updates, desk.knobs.status: status.idle(line), **self._open(desk)}

    def recall(self, data: dict[str, Any]) -> Updates:
        """Everything as it was before the page was loaded anew."""
        updates: Updates = {self.whole.conductor: {"recalled": secrets.token_hex(4)}}
        tasks = restore.settings_in(data.get("tasks"))
        for name, desk in self.place.desks.items():
            updates |= keeping.recalled(desk, restore.settings_in(tasks.get(name)))
        return updates

    def _desk(self, task: object) -> Desk:
        if not isinstance(task, str) or task not in self.place.desks:
            raise ValueError("There is no such tab.")
        return self.place.desks[task]

    def _open(self, desk: Desk) -> Updates:
        return {self.whole.tabs: gr.Tabs(selected=desk.task.name)}

    def _shaped(self, desk: Desk, settings: dict[str, Any]) -> Updates:
        """What was done to the sound of a file is done to the take that Generate makes of its settings."""
        shaping = exports.shaping_of({one.name: one.kept(settings.get(one.name)) for one in settings_of(Shaping)
                                      if one.kept(settings.get(one.name)) is not None})  # fmt: skip
        if shaping.plain:
            return {}
        told = {"task": desk.task.name, "seed": settings.get("seed"), "shaping": shaping.to_settings()}
        return {self.whole.conductor: {"shaped": told, "stamp": secrets.token_hex(4)}}

    def _foreign(self, path: Path, name: str, tab: object) -> Updates:
        """A file that was not made here: into the open tab, or the page asks what should become of it."""
        fitting = [task for task, kind in TASKS.items() if kind.source and _reads(kind.source.name, path)]
        if not fitting:
            raise ValueError(f"{name!r} holds no settings, and is no sound, picture or clip that can be read.")
        if isinstance(tab, str) and tab in fitting:
            return self._input(self.place.desks[tab], path, name)
        asked = {"upload": str(path), "name": name, "to": fitting}
        return {self.whole.conductor: {"offer": asked, "stamp": secrets.token_hex(4)}}

    def _input(self, desk: Desk, path: Path, name: str) -> Updates:
        source = desk.task.asks.source
        if source is None or not _reads(source.name, path):
            raise ValueError(f"{name!r} cannot be read there.")
        line = status.idle(f"{name!r} is here.")
        return {desk.own[source.name]: str(path), desk.knobs.status: line, **self._open(desk)}


def _reads(kind: str, path: Path) -> bool:
    """Whether a file can be read as what a task works on."""
    try:
        READERS[kind](path)
    except ValueError:
        return False
    return True
