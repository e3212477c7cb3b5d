"""What every tab's controls say, so that a page that is loaded anew has it again; and settings that a link carries.

The browser keeps it. What comes back is of any type, as everything is that comes over the network: each value goes
through the setting that it is said to be, and a file has to be an upload.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import gradio as gr

from maa.ui import files, painter, restore, status
from maa.ui.results import Updates
from maa.ui.tab import Desk

log = logging.getLogger(__name__)
BOXES = ("free", "fresh")  # ticked or not; they are no settings


def tell_changes(desk: Desk) -> None:
    """Let the page's scripts hear of every change in a tab; no server is needed for it."""
    names = list(desk.parts)
    detail = f"{{ task: {json.dumps(desk.task.name)}, names: {json.dumps(names)}, values }}"
    tell = f"(...values) => {{ document.dispatchEvent(new CustomEvent('maa-state', {{ detail: {detail} }})); }}"
    parts: list[Any] = list(desk.parts.values())
    gr.on([part.change for part in parts], None, inputs=parts, js=tell, api_visibility="private")


def recalled(desk: Desk, fields: Mapping[str, Any]) -> Updates:
    """The controls of a tab as they were: settings, what was given, and what was painted."""
    if not fields:
        return {}
    updates = chosen(desk, fields)
    source = desk.task.asks.source
    given = fields.get(source.name) if source is not None else None
    if source is None or given is None:
        return updates
    try:
        path = files.uploaded({"path": restore.settings_in(given).get("upload")}, source.what)
    except ValueError:
        line = f"The server does not keep {source.what} that you gave; give it again."
        return {**updates, desk.knobs.status: status.idle(line)}
    updates[desk.own[source.name]] = str(path)
    if "boxes" in desk.shown.refill:
        updates[desk.shown.refill["boxes"]] = _painted(desk, fields.get("mask"))
    return updates


def chosen(desk: Desk, fields: Mapping[str, Any]) -> Updates:
    """The settings among the values of a tab's controls; what is none of them, or wrong, is passed over."""
    updates: Updates = {}
    given = _settings(desk, fields)
    for setting in desk.task.settings:
        part, value = desk.parts.get(setting.name), setting.kept(given.get(setting.name))
        if part is not None and value is not None:
            updates[part] = desk.task.shown(setting.name, value)
    for name in BOXES:
        if name in desk.parts and isinstance(fields.get(name), bool):
            updates[desk.parts[name]] = fields[name]
    return updates


def _settings(desk: Desk, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a tab's controls as its settings take them, where that can be said."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        beside = {one: fields.get(one) for one in ("prompt", "events")} if name == "heard" else {}
        try:
            found[name] = desk.task.given({**beside, name: value})[name]
        except (ValueError, TypeError):
            log.debug("%s of a page that was loaded anew is left out", name)
    return found


def _painted(desk: Desk, mask: Any) -> list[list[float]] | None:
    """A painted mask as regions, for the painter to paint again once the sound is there."""
    frames = mask.get("frames") if isinstance(mask, Mapping) else None
    if not isinstance(frames, int) or isinstance(frames, bool) or frames < 1:
        return None
    try:
        return restore.boxes_of(painter.mask_of(mask, (desk.spec.mels, frames)), desk.spec)
    except ValueError:
        return None
