"""The page: a heading, a tab for each task, what the model is, and the endpoints for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from maa.ui import api, batch, handoff, panel, parts
from maa.ui.examples import ASSETS
from maa.ui.model import LoadingModel
from maa.ui.serve import use_own_folder
from maa.ui.tab import Workplace
from maa.ui.tabs import TABS

if TYPE_CHECKING:
    from maa.pipeline import MakeAnAudio

CACHE = (3600, 86_400)  # seconds between clean-ups, and age at which uploads and results are deleted


def build(pipeline: MakeAnAudio | LoadingModel, assets: Path = ASSETS) -> gr.Blocks:
    """The app around a pipeline, ready for `launch`.

    Args:
        pipeline: a loaded pipeline, or a `Model` that is still loading.
        assets: folder with `examples.json`.
    """
    use_own_folder()
    place = Workplace(LoadingModel.of(pipeline), assets)
    with gr.Blocks(title="Make-An-Audio", analytics_enabled=False, delete_cache=CACHE) as page:
        with gr.Row(elem_classes="maa-top"):
            header = parts.source("web/header.html")
            gr.HTML(header, js_on_load=parts.script("web/pick.js"), elem_id="header")
            conductor = handoff.conductor()
        about = gr.Markdown(panel.LOADING, elem_id="model")
        notices = []
        with gr.Tabs(elem_id="tasks") as tabs:
            for name, tab in TABS.items():
                with gr.Tab(tab.task.asks.label, id=name):
                    notices.append(gr.Markdown(visible=False, elem_classes="maa-notice"))
                    tab.build(place)
            with gr.Tab(batch.LABEL, id=batch.NAME):
                batch.build(place)
            with gr.Tab("History", id="history"):
                history = handoff.history()
        handoff.connect(place, handoff.PageParts(tabs, conductor, history))
        with gr.Accordion("Model", open=False, elem_id="model-panel"):
            facts = gr.Markdown(panel.LOADING)
            card = panel.card_of(place.model)
            if card:
                gr.Markdown(card, elem_id="model.card")
        with gr.Accordion("About, limits, citation", open=False):
            gr.Markdown(parts.source("web/about.md"))
        api.endpoints(place)

        def describe() -> list[Any]:
            line, missing = panel.describe(place.model)
            seen = (gr.update(value=missing[task], visible=bool(missing[task])) for task in TABS)
            return [line, panel.table(place.model), *seen]

        page.load(describe, outputs=[about, facts, *notices], show_progress="hidden", api_visibility="private")
    return page
