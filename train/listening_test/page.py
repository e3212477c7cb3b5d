"""The page: a code to begin or go on with, then one question after another, by mouse, touch or keys."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr

from train.listening_test.desk import RatingDesk
from train.listening_test.material import Material
from train.listening_test.plan import FAITHFULNESS, INSTRUCTION, QUALITY, SCALE, Trial
from train.listening_test.store import Standing

HERE = Path(__file__).parent
WORDS = {  # App. C and Fig. 8; the words of the numbers between are ours
    QUALITY: {20: "bad", 40: "poor", 60: "fair", 80: "good", 100: "excellent"},
    FAITHFULNESS: {20: "somewhat", 40: "", 60: "mostly", 80: "", 100: "completely"},
}
ASKED = {
    QUALITY: "How good and natural does it sound?",
    FAITHFULNESS: "Does the natural language description align with the audio faithfully?",
    "picture": "Does the sound fit the picture?",
    "clip": "Does the sound fit the clip?",
}
TOLD = {
    QUALITY: "Focus on the audio quality and naturalness: noise, distortion, gaps. What is heard does not matter.",
    FAITHFULNESS: "Focus on what is heard. The audio quality does not matter.",
}
WELCOME = """## Listening test

You will hear short sounds, one at a time, and rate each on a scale from 20 to 100. First their **quality**: how good
and natural they sound. Then their **faithfulness**: whether they are what a description or a picture says.

Use headphones in a quiet room, and set the volume once. Some questions only check that you listen and read.
Every answer is saved at once: you can stop at any time, and go on later with the same code.

By keyboard: <kbd>Space</kbd> plays, <kbd>1</kbd> to <kbd>5</kbd> rate, <kbd>Enter</kbd> goes on.
"""
THANKS = "## Thank you\n\nAll your answers are saved. You can close this page."


def card(trial: Trial, material: Material) -> str:
    """A question in HTML: the sound under its token, and what it should be."""
    shown = material.shown(trial.clip) if trial.question == FAITHFULNESS else ""
    asked = ASKED[shown] if shown in ASKED else ASKED[trial.question]
    caption = material.captions.get(trial.clip, "") if shown == "text" else ""
    seen = ""
    if trial.check == INSTRUCTION:
        caption, asked = f"This one is a check: whatever you hear, please answer {trial.low}.", ASKED[FAITHFULNESS]
    elif shown == "picture":
        seen = f'<img class="lt-seen" src="/seen/{trial.token}" alt="what the sound should fit">'
    elif shown == "clip":
        seen = f'<video class="lt-seen" src="/seen/{trial.token}" muted playsinline preload="auto"></video>'
    said = f"<blockquote>{html.escape(caption)}</blockquote>" if caption else ""
    return (
        f'<section class="lt-card" data-token="{trial.token}"><h2>{asked}</h2>'
        f'<p class="lt-told">{TOLD[trial.question]}</p>{seen}{said}'
        f'<audio id="lt-sound" controls autoplay preload="auto" src="/clip/{trial.token}"></audio></section>'
    )


def progress_text(standing: Standing) -> str:
    """How far a rater is, in HTML."""
    share = 100 * standing.done / max(1, standing.total)
    return (
        f'<div class="lt-progress" role="progressbar" aria-label="Answered" aria-valuemin="0" aria-valuemax='
        f'"{standing.total}" aria-valuenow="{standing.done}"><span style="width:{share:.1f}%"></span></div>'
        f'<p class="lt-count">{standing.done} of {standing.total} answered</p>'
    )


def scale(question: str) -> list[tuple[str, int]]:
    """The choices, the worst first, with their words."""
    return [(f"{score}\n{WORDS[question][score]}".strip(), score) for score in SCALE]


def build(desk: RatingDesk) -> gr.Blocks:
    """The page around a test, ready to be served."""
    with gr.Blocks(title="Listening test", analytics_enabled=False) as page:
        kept = gr.BrowserState("", storage_key="listening-test", secret="code")  # no secret: the rater's own code
        with gr.Column(elem_id="hello", elem_classes="lt-page") as hello:
            gr.Markdown(WELCOME)
            code = gr.Textbox(label="Your code", info="worker ID, or any name that is yours alone", elem_id="code")
            begin = gr.Button("Begin", variant="primary", elem_id="begin")
        with gr.Column(visible=False, elem_id="test", elem_classes="lt-page") as test:
            bar, question = gr.HTML(elem_id="progress"), gr.HTML(elem_id="question")
            score = gr.Radio(scale(QUALITY), label="Your rating", elem_id="score")
            following = gr.Button("Save and go on", variant="primary", elem_id="next")
        with gr.Column(
            elem_classes="lt-carried"
        ):  # what an answer brings along; Gradio shows what it hides with a column
            token, heard = gr.Textbox(elem_id="token"), gr.Number(0)
        end = gr.Markdown(THANKS, visible=False, elem_id="end", elem_classes="lt-page")
        views = [kept, hello, test, end, bar, question, token, score]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "outputs": views}
        entered = _answering(lambda given: _views(desk.enter(given), given, desk.material))
        begin.click(entered, inputs=[code], **quiet)
        code.submit(entered, inputs=[code], **quiet)
        again = _answering(lambda given: _views(desk.enter(given), given, desk.material) if given else _idle())
        page.load(again, inputs=[kept], **quiet)
        rated = _answering(
            lambda who, what, number, share: _views(desk.rate(who, what, number, share), who, desk.material)
        )
        listened = "(code, token, score, heard) => [code, token, score, window.listeningTest.heard()]"
        following.click(rated, inputs=[kept, token, score, heard], js=listened, **quiet)
    return page


def _views(standing: Standing, code: object, material: Material) -> list[Any]:
    """What the page shows of a standing, in the order of its views."""
    trial = standing.trial
    if trial is None:
        return [code, gr.update(visible=False), gr.update(visible=False), gr.update(visible=True), "", "", "", None]
    choices = gr.update(choices=scale(trial.question), value=None)
    shown = [gr.update(visible=False), gr.update(visible=True), gr.update(visible=False)]
    return [code, *shown, progress_text(standing), card(trial, material), trial.token, choices]


def _idle() -> list[Any]:
    return [gr.skip()] * 8


def _answering(handler: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """A handler whose ValueErrors are told to the rater, with the page as it was."""

    @wraps(handler)  # Gradio counts the parameters
    def answer(*given: Any) -> list[Any]:
        try:
            return handler(*given)
        except ValueError as error:
            gr.Warning(html.escape(str(error)), duration=4)
            return _idle()

    return answer
