"""Start and end of a clip: the server cuts it, and the cut takes the clip's place."""

from __future__ import annotations

import uuid
from typing import Any

import gradio as gr

from maa.pipeline.checks import number
from maa.ui import files, status
from maa.ui.controls import Controls
from maa.ui.faults import told
from maa.ui.results import Updates
from maa.ui.shares import LOOK
from maa.ui.storage import STORAGE, VISITOR, size_of, upload_root
from maa.vision.cut import cut
from maa.vision.frames import video_facts

LATEST = 86_400.0  # seconds; no clip is as long


def fields() -> tuple[gr.Number, gr.Number, gr.Button]:
    """Two seconds and a button."""
    with gr.Row(elem_classes="maa-cut"):
        start = gr.Number(0, label="From, in seconds", minimum=0, min_width=100, elem_id="video-from")
        end = gr.Number(0, label="To (0 = the end)", minimum=0, min_width=100, elem_id="video-to")
        button = gr.Button("Cut the clip", size="sm", min_width=110, elem_id="video-cut")
    return start, end, button


def connect(clip: gr.Video, parts: tuple[gr.Number, gr.Number, gr.Button], knobs: Controls) -> None:
    """Wire the button."""
    start, end, button = parts

    def act(given: Any, first: Any, last: Any) -> Updates:
        try:
            path, begins, length = shortened(given, first, last)
        except Exception as error:  # noqa: BLE001 - told to the visitor or written into the log
            message = told(error)
            return {knobs.status: status.failed(message.message)}
        exact = abs(begins - float(first or 0.0)) < 0.01
        why = "" if exact else f" That is the key frame before {float(first):g} s: nothing is encoded again."
        line = f"The clip is {length:.2f} s long now, from {begins:.2f} s on.{why}"
        return {clip: str(path), start: 0, end: 0, knobs.status: status.idle(line)}

    button.click(
        act,
        [clip, start, end],
        [clip, start, end, knobs.status],
        preprocess=False,
        show_progress="minimal",
        show_progress_on=[knobs.status],
        **LOOK,
        api_visibility="private",
    )


def shortened(given: Any, first: Any, last: Any) -> tuple[Any, float, float]:
    """The cut of an upload: the file, where it begins, and its length in seconds.

    Raises:
        ValueError: there is no clip, nothing lies between the two seconds, or there is no room for more.
    """
    path = files.uploaded(given, "a video")
    start = number(0.0 if first is None else first, "start", 0.0, LATEST)
    end = number(video_facts(path).seconds if last in (None, 0) else last, "end", 0.0, LATEST)
    refusal = STORAGE.refusal(VISITOR.get(), path.stat().st_size)
    if refusal:
        raise ValueError(refusal)
    folder = upload_root() / uuid.uuid4().hex
    folder.mkdir(parents=True)
    made, begins = cut(path, start, end, folder)
    STORAGE.add(VISITOR.get(), size_of(folder))
    return made, begins, video_facts(made).seconds
