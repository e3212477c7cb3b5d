"""What the lanes follow while nobody has placed anything: the sentence of a prompt, or a clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from maa.pipeline.seen import length_of
from maa.ui import files
from maa.ui.faults import told
from maa.ui.shares import LOOK
from maa.ui.tab import Workplace

if TYPE_CHECKING:
    from maa.pipeline import MakeAnAudio

# In the browser: what the controls say goes to the lanes, which ask the server once nobody types any more.
ASKED = "(prompt, seconds, literal, lanes) => ({ ...lanes, asked: { prompt, seconds, literal } })"
ASKED_OF_CLIP = "(prompt, literal, lanes) => ({ ...lanes, asked: { prompt, seconds: 0, literal } })"


def tell(pipeline: MakeAnAudio, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The events of a sentence, for the lanes.

    Args:
        pipeline: whose words count.
        asked: prompt, seconds, literal; of any type, as they came from the page.

    Returns:
        What was asked, with "rows", and "auto": whether a take of this sentence alone is made of them.
    """
    try:
        rows = [event.row() for event in pipeline.timeline(asked["prompt"], asked["seconds"])]
    except (KeyError, ValueError):
        rows = []  # Generate says what is wrong
    return {**asked, "rows": rows, "auto": pipeline.vocabulary is not None and asked.get("literal") is not True}


def tell_clip(pipeline: MakeAnAudio, clip: Any) -> dict[str, Any]:
    """What an uploaded clip is heard as, for the lanes: "rows" and "seconds"; no seconds where nothing is heard.

    "wrong" is what is wrong with the file, which the visitor should read at once; where a model hears nothing in clips,
    Generate says so.
    """
    try:
        path = files.uploaded(clip, "a video")
        length_of(path)
    except ValueError as error:
        return {"rows": [], "seconds": 0.0, "wrong": str(error)}
    try:
        rows = [event.row() for event in pipeline.describe_video(path)]
        return {"rows": rows, "seconds": length_of(path)}
    except ValueError:  # Generate says what is wrong
        return {"rows": [], "seconds": 0.0}


def connect(place: Workplace, task: str, parts: Mapping[str, Component]) -> None:
    """Let the lanes follow a tab's prompt and length.

    Args:
        place: whose model tells.
        task: of the tab.
        parts: the controls by name; "events" are the lanes.
    """
    board: Any = parts["events"]
    inputs = [parts[name] for name in ("prompt", "seconds", "literal")]
    _ask(inputs, board, ASKED)

    def answer(event: gr.EventData) -> dict[str, Any]:
        asked = event._data if isinstance(event._data, dict) else {}
        known = {name: asked.get(name) for name in ("prompt", "seconds", "literal")}
        try:
            return {"told": next(place.look(task, tell, known))}
        except ValueError:  # no model, or none that takes words: Generate says so
            return {"told": {**known, "rows": [], "auto": False}}

    board.tell(
        answer,
        outputs=[board],
        show_progress="hidden",
        trigger_mode="always_last",
        **LOOK,
        api_visibility="private",
    )


def connect_clip(place: Workplace, task: str, parts: Mapping[str, Component], clip: Any) -> None:
    """Let the lanes say what a clip is heard as, unless there is a prompt in its place.

    Args:
        place, task, parts: as for `connect`.
        clip: where it is given.
    """
    board: Any = parts["events"]
    _ask([parts["prompt"], parts["literal"]], board, ASKED_OF_CLIP)

    def answer(given: Any) -> dict[str, Any]:
        try:
            heard = {"rows": [], "seconds": 0.0} if given is None else next(place.look(task, tell_clip, given))
        except ValueError:  # no model, or none that looks at clips: Generate says so
            heard = {"rows": [], "seconds": 0.0}
        if "wrong" in heard:
            raise told(ValueError(heard["wrong"]))
        return {"told": {"prompt": "", "literal": False, "auto": True, **heard}}

    clip.change(
        answer,
        clip,
        board,
        preprocess=False,
        show_progress="hidden",
        trigger_mode="always_last",
        **LOOK,
        api_visibility="private",
    )


def _ask(inputs: Sequence[Any], board: Component, js: str) -> None:
    """In the browser: what the controls say goes to the lanes."""
    gr.on(
        [one.change for one in inputs],
        None,
        inputs=[*inputs, board],
        outputs=[board],
        js=js,
        show_progress="hidden",
        api_visibility="private",
    )
