"""The Python side of the lanes: events go to the browser as rows, and come back as a person has placed them.

The value is a JSON object, and each key is optional. To and from the browser: rows ([start s, end s, text, gain dB])
and own (true once a person has placed them; false while they follow the prompt). To the browser alone: asked (the
prompt, the length in seconds and whether words are taken literally, as the controls say now) and told (what a sentence
tells of). Only rows and own are read, and the setting checks every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from maa.ui import parts


def lanes(elem_id: str, seconds: float) -> gr.HTML:
    """Empty lanes over a sound of `seconds`, 0 = of a clip; hidden behind a button until there is something in them."""
    return gr.HTML(
        value=None,
        html_template=parts.source("lanes/lanes.html"),
        css_template=parts.style("lanes/lanes.css"),
        js_on_load=parts.script("lanes/main.js"),
        apply_default_css=False,
        elem_id=elem_id,
        seconds=seconds,
    )


def given(value: Any) -> Any:
    """The rows that a person has placed, unchecked; none while the lanes only say what the prompt tells of.

    What is no value of the lanes is left as it is: programs send rows.
    """
    if not isinstance(value, dict):
        return value
    return value.get("rows") if value.get("own") is True else ()


def shown(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Checked rows as a person would have placed them."""
    return {"rows": [list(row) for row in rows], "own": bool(rows)}
