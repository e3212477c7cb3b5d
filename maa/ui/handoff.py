"""What goes from one tab to another, and what belongs to the page as a whole."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.components import Component

from maa.ui import arrivals, exports, keeping, records, restore, status
from maa.ui.arrivals import HIDDEN, PageParts, refused, shown_at
from maa.ui.results import Updates, widget
from maa.ui.tab import Desk, Workplace


def conductor() -> gr.HTML:
    """A button that opens a file, and the listeners for a file dropped on the page and for Ctrl+Enter."""
    return widget("conductor.js", "conductor", "takes/conductor.css")


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
        keeping.tell_changes(desk)
    _listen(place, whole, whole.history, everything)
    arrivals.connect(place, whole, everything)


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

    def again(data: dict[str, Any], fresh: bool = True) -> tuple[Desk, Updates, bool]:
        settings = restore.settings_in(data.get("settings"))
        desk = desk_of(settings.get("task"))
        updates = restore.use(desk, settings, data.get("id"), fresh=fresh)
        painted = desk.task.name == "inpaint"  # the painter paints the mask again first
        if painted:
            updates[desk.knobs.status] = status.idle("The mask is painted again; press Generate.")
        lost = "input" in desk.shown.refill and records.record_of(data.get("id")) is None
        return desk, updates, not painted and not lost

    def refine(data: dict[str, Any]) -> tuple[Desk, Updates, bool]:
        finer = restore.refined(restore.settings_in(data.get("settings")))
        return again({**data, "settings": finer}, fresh=False)

    def send(data: dict[str, Any]) -> tuple[Desk, Updates, bool]:
        desk = desk_of(data.get("to"))
        shaping = exports.shaping_of(data.get("shaping"))
        updates = restore.send_take(desk, restore.settings_in(data.get("settings")), data.get("id"), shaping)
        return desk, {**updates, whole.conductor: shown_at(desk)}, False

    def more(data: dict[str, Any]) -> tuple[Desk, Updates, bool]:
        settings = restore.settings_in(data.get("settings"))
        desk = desk_of("personalize")
        updates = restore.more_like(desk, settings, data.get("id"))
        if not restore.heard(settings):
            updates[desk.knobs.status] = status.idle("Say what it should sound like, then press Generate.")
        return desk, updates, bool(restore.heard(settings))

    acts = {"use": use, "again": again, "refine": refine, "send": send, "more": more}
    for name, act in ((f"take_{name}", act) for name, act in acts.items()):
        if hasattr(source, name):  # the sounds of a batch have fewer buttons
            getattr(source, name)(handler(act), outputs=everything, **HIDDEN)
