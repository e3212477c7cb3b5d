"""The sounds that the model knows: a list by family to search and to hear, and a surprise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from maa.pipeline.checks import shown
from maa.ui import parts, restore, words
from maa.ui.faults import told
from maa.ui.jobs import Progress
from maa.ui.tab import TabTask, Workplace, perform
from maa.ui.wiring import latest

# Short and few steps: enough to know what is meant. The same every time, so that the page asks once.
AUDITION: dict[str, Any] = {"seconds": 5.0, "steps": 6, "sampler": "dpm++", "seed": 0, "takes": 1, "literal": True}


def known(task: str, sounds: Callable[..., list[list[str]]]) -> gr.HTML:
    """The list. Value: {"making", "part"} while a sound is made, {"name", "url"} of one, or {"failed": sentence}."""
    return gr.HTML(
        value=None,
        html_template='<div class="known"></div>',
        css_template=parts.style("web/known.css"),
        js_on_load=parts.script("web/known.js"),
        apply_default_css=False,
        elem_id=f"{task}-known",
        server_functions=[sounds],
        task=task,
    )


def connect(place: Workplace, task: TabTask, listed: Any) -> None:
    """Wire the list: hearing a sound waits in the line of the jobs, and takes the place of the one asked for before."""

    def audition(event: gr.EventData) -> Iterator[dict[str, Any]]:
        try:
            name = named(place, restore.settings_in(event._data).get("name"))
            fields = {**AUDITION, "prompt": name, "fresh": False, "free": True}
            for step in perform(place, task, fields, task.ask(fields)):
                if isinstance(step, Progress):
                    yield {"making": name, "part": step.step / max(step.total, 1)}
                else:
                    yield {"name": name, "url": step.result.takes[0].view["url"]}
        except Exception as error:  # noqa: BLE001 - told beside the list, or written into the log
            yield {"failed": told(error).message}

    latest(listed.audition, listed.hush, audition, [], listed)


def named(place: Workplace, name: object) -> str:
    """A name of a sound that the model knows. ValueError for anything else."""
    known_names = {sound for sound, _ in words.known_to(place.model)()}
    if not isinstance(name, str) or name not in known_names:
        raise ValueError(f"{shown(name)} is no sound that the model knows.")
    return name
