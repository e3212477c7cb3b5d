"""The status line under the Generate button: what is going on, and how far it is."""

from __future__ import annotations

import gradio as gr

from maa.ui import parts
from maa.ui.jobs import Progress

Value = dict[str, object]


def status_line(task: str) -> gr.HTML:
    """A line of text with a thin bar, announced by screen readers. Its value comes from the functions below.

    The text is written by script as text, never as markup: it may repeat what a person typed.
    """
    return gr.HTML(
        value=idle(),
        html_template=parts.source("web/status.html"),
        css_template=parts.style("web/status.css"),
        js_on_load=parts.script("web/status.js"),
        apply_default_css=False,
        elem_id=f"{task}-status",
        task=task,
    )


def idle(text: str = "") -> Value:
    """Nothing is running."""
    return {"state": "idle", "text": text, "part": 0.0}


def busy(progress: Progress, job: str = "") -> Value:
    """A job is running; `job` is what a page that is loaded anew finds it by."""
    return {"state": "busy", "text": progress.text, "part": progress.step / max(progress.total, 1), "job": job}


def done(text: str) -> Value:
    """A job has ended well."""
    return {"state": "done", "text": text, "part": 1.0}


def failed(text: str) -> Value:
    """A job could not be done."""
    return {"state": "failed", "text": text, "part": 0.0}
