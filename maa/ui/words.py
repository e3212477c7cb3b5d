"""What the network listens to, under the prompt of every tab: chips that can be swapped, and what is not understood.

A chip is a clause of the prompt. The page asks while somebody types, in a line of its own, so that an answer never
waits for somebody's generation. What is chosen travels with the request as its `heard`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from maa.pipeline import checks
from maa.ui import lending, parts
from maa.ui.model import LoadingModel

if TYPE_CHECKING:
    from maa.pipeline.leading import Clause

log = logging.getLogger(__name__)
LINE: dict[str, Any] = {"concurrency_id": "words", "concurrency_limit": 2}
STYLES = ("web/heard.css",)
Value = dict[str, Any]


def heard(task: str, sounds: Callable[..., list[list[str]]]) -> gr.HTML:
    """The chips of one tab. Nothing typed becomes markup: the script writes text.

    Value: {"prompt", "clauses": [{"said", "heard", "choices", "known"}], "notes": [sentence], and "chosen": true once a
    person has swapped one}; {"wanted": [caption]} asks for what settings say.

    Args:
        task: names the elements in the page.
        sounds: what is known, as `known_to` gives it.
    """
    return gr.HTML(
        value=None,
        html_template='<div class="heard"></div>',
        css_template=parts.style(*STYLES),
        js_on_load=parts.script("web/heard.js"),
        apply_default_css=False,
        elem_id=f"{task}-heard",
        server_functions=[sounds],
        task=task,
    )


def known_to(model: LoadingModel) -> Callable[..., list[list[str]]]:
    """What asks for the sounds that a model knows, for the page's scripts."""

    def sounds(_: Any = None) -> list[list[str]]:  # Gradio gives what a script asks with, which is nothing
        """[name, family] of every known sound; none where the model has no vocabulary, or is not there."""
        try:
            vocabulary = model.get().vocabulary
        except ValueError:
            return []
        return [] if vocabulary is None else [[sound.name, sound.family] for sound in vocabulary.sounds]

    return sounds


def wanted(captions: Any) -> Value:
    """What settings say was heard, for the chips to show once they know the prompt."""
    return {"wanted": list(captions)}


def chosen(fields: Mapping[str, Any]) -> Any:
    """The `heard` of a request: what programs give, or what a person has swapped, if it is of this very prompt."""
    value = fields.get("heard")
    if not isinstance(value, dict):
        return value
    events = fields.get("events")
    if isinstance(events, dict) and events.get("own") is True:
        return ()  # the chips are of the prompt, and what sounds is what a person has placed
    if "wanted" in value:
        return value["wanted"]
    prompt, clauses = fields.get("prompt"), value.get("clauses")
    same = isinstance(prompt, str) and value.get("prompt") == " ".join(prompt.split())
    if value.get("chosen") is not True or not same or not isinstance(clauses, list):
        return ()
    return [clause.get("heard") if isinstance(clause, dict) else clause for clause in clauses]


def answer(model: LoadingModel, asked: object) -> Value:
    """What the network listens to for what a page asks, {"prompt", "task", "literal", "wanted"}; mistakes are notes."""
    given = asked if isinstance(asked, Mapping) else {}
    found: Value = {"prompt": "", "clauses": [], "notes": []}
    try:
        prompt = found["prompt"] = checks.text(given.get("prompt"))
        if not prompt or lending.lent():  # a GPU is not borrowed for that
            return found
        pipeline = model.get()
        literal = given.get("literal") is True
        how: dict[str, Any] = {"literal": literal, "in_time": given.get("task") == "text"}
        understood = pipeline.understood(prompt, **how)
        clauses = [clause for led in understood.clauses for clause in led.clauses]
        heard = _fitting(pipeline, prompt, given.get("wanted"), how)
        same = heard is not None and [one.said for one in heard] == [one.said for one in clauses]
        found["clauses"] = [_chip(*pair) for pair in zip(clauses, heard if heard and same else clauses, strict=True)]
        found["notes"] = understood.notes.sentences()
    except ValueError as error:
        found["notes"] = [str(error)]
    except Exception:
        log.exception("A prompt could not be looked at")
    return found


def _fitting(pipeline: Any, prompt: str, wanted: object, how: dict[str, Any]) -> list[Clause] | None:
    """The clauses as settings want them heard; None where they say nothing that fits this prompt and this model."""
    if not isinstance(wanted, list) or not wanted or not all(isinstance(one, str) for one in wanted):
        return None
    try:
        return [clause for led in pipeline.understood(prompt, captions=wanted, **how).clauses for clause in led.clauses]
    except ValueError:
        return None


def _chip(clause: Clause, heard: Clause) -> Value:
    return {
        "said": clause.said,
        "led": clause.heard,
        "heard": heard.heard,
        "choices": list(dict.fromkeys(clause.choices)),
        "known": clause.known,
    }


def connect(model: LoadingModel, knobs: Mapping[str, Component]) -> None:
    """Wire the chips of a tab: its script hears of every change of the prompt, and asks when there was none for a bit.

    Args:
        model: listens.
        knobs: the tab's controls by their names.
    """
    chips: Any = knobs["heard"]

    def listen(event: gr.EventData) -> Value:
        return answer(model, event._data)

    chips.said(
        listen, outputs=chips, show_progress="hidden", trigger_mode="always_last", api_visibility="private", **LINE
    )
    changes = [knobs[name].change for name in ("prompt", "literal") if name in knobs]
    tell = "() => { document.dispatchEvent(new CustomEvent('maa-said')); }"
    gr.on(changes, None, js=tell, api_visibility="private")
