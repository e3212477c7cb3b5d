"""What goes from one tab to another, and what belongs to the page as a whole."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from maa.ui import files, records, restore, status
from maa.ui.faults import told
from maa.ui.results import Updates, widget
from maa.ui.tab import Desk, Workplace

# In the queue, because messages to the visitor travel through it; not behind the jobs, which have a line of their own.
HIDDEN: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": 4, "api_visibility": "private"}


@dataclass(frozen=True)
class PageParts:
    """The components that belong to no tab."""

    tabs: gr.Tabs
    conductor: gr.HTML
    history: gr.HTML


def conductor() -> gr.HTML:
    """A button that opens a file, and the listeners for a file dropped on the page and for Ctrl+Enter."""
    return widget("conductor.js", "conductor")


def history() -> gr.HTML:
    """The list of everything made in this browser."""
    return widget("history.js", "history")


def connect(place: Workplace, whole: PageParts) -> None:
    """Wire what the takes' buttons ask for; all tabs have to be there."""
    everything: list[Component] = [whole.tabs, whole.conductor]
    for desk in place.desks.values():
        own = {**desk.own, **desk.shown.refill}.values()
        everything += [desk.knobs.status, *desk.knobs.asked().values(), *own]
    everything = list(dict.fromkeys(everything))
    for desk in place.desks.values():
        _listen(place, whole, desk.shown.widget, everything)
    _listen(place, whole, whole.history, everything)

    def dropped(event: gr.EventData) -> Updates:
        try:
            data = restore.settings_in(event._data)
            name = restore.file_called(data.get("name"))
            path = files.uploaded({"path": data.get("path")}, "a sound")
            settings, view = restore.from_file(path, repr(name))
            desk = place.desks[settings["task"]]
            native = place.model.config.audio.sample_rate
            changed = view.get("rate") not in (None, native) and desk.task.name != "inpaint"
            chosen = restore.file_choices(desk, {**view, "resampled": view["rate"] if changed else 0})
            gr.Info(f"The settings of {name} are back.", duration=4)
            return {**restore.use(desk, settings, None), **chosen, whole.tabs: gr.Tabs(selected=desk.task.name)}
        except Exception as error:  # noqa: BLE001 - told to the visitor or written into the log
            return refused(whole, error)

    whole.conductor.dropped(dropped, outputs=everything, **HIDDEN)


def refused(whole: PageParts, error: Exception) -> Updates:
    """Say what is wrong and change nothing: an error would mark every control of the page as failed."""
    gr.Warning(told(error).message)
    return {whole.conductor: None}


def _listen(place: Workplace, whole: PageParts, source: Any, everything: list[Component]) -> None:
    """Connect the buttons of the cards in one widget."""

    def handler(act: Callable[[dict[str, Any]], tuple[Desk, Updates, bool]]) -> Callable[..., Updates]:
        def handle(event: gr.EventData) -> Updates:
            try:
                desk, updates, go = act(restore.settings_in(event._data))
            except Exception as error:  # noqa: BLE001 - told to the visitor or written into the log
                return refused(whole, error)
            started = {whole.conductor: {"go": desk.task.name, "stamp": secrets.token_hex(4)}} if go else {}
            return {**updates, whole.tabs: gr.Tabs(selected=desk.task.name), **started}

        return handle

    def desk_of(task: object) -> Desk:
        if not isinstance(task, str) or task not in place.desks:
            raise ValueError("There is no such tab.")
        return place.desks[task]

    def use(data: dict[str, Any]) -> tuple[Desk, Updates, bool]:
        settings = restore.settings_in(data.get("settings"))
        desk = desk_of(settings.get("task"))
        alone = desk.task.name == "text"
        return desk, restore.use(desk, settings, data.get("id")), bool(data.get("go")) and alone

    def again(data: dict[str, Any]) -> tuple[Desk, Updates, bool]:
        settings = restore.settings_in(data.get("settings"))
        desk = desk_of(settings.get("task"))
        updates = restore.use(desk, settings, data.get("id"), fresh=True)
        painted = desk.task.name == "inpaint"  # the painter paints the mask again first
        if painted:
            updates[desk.knobs.status] = status.idle("The mask is painted again; press Generate.")
        lost = "input" in desk.shown.refill and records.record_of(data.get("id")) is None
        return desk, updates, not painted and not lost

    def send(data: dict[str, Any]) -> tuple[Desk, Updates, bool]:
        desk = desk_of(data.get("to"))
        return desk, restore.send_take(desk, restore.settings_in(data.get("settings")), data.get("id")), False

    def more(data: dict[str, Any]) -> tuple[Desk, Updates, bool]:
        settings = restore.settings_in(data.get("settings"))
        desk = desk_of("personalize")
        updates = restore.more_like(desk, settings, data.get("id"))
        if not restore.heard(settings):
            updates[desk.knobs.status] = status.idle("Say what it should sound like, then press Generate.")
        return desk, updates, bool(restore.heard(settings))

    for name, act in (("take_use", use), ("take_again", again), ("take_send", send), ("take_more", more)):
        getattr(source, name)(handler(act), outputs=everything, **HIDDEN)
