"""The tab: a list or a grid, settings for all of it, and the board on which the sounds appear."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.components import Component

from maa.config import ModelConfig
from maa.pipeline.options import Sampling
from maa.pipeline.setting import ADVANCED, PROMPTS, SOUND, Setting, settings_of
from maa.pipeline.tasks import Personalize, Text
from maa.ui import controls, parts, restore, status
from maa.ui.batch import folder
from maa.ui.batch.asked import LABEL, LEFT_OUT, MOST_CELLS, MOST_SOUNDS, NAME, Many, list_of
from maa.ui.batch.work import BatchWires
from maa.ui.faults import told
from maa.ui.limits import Output
from maa.ui.results import STYLES, Results, Updates
from maa.ui.tab import Desk, TabTask, Workplace
from maa.ui.widgets import sound_field
from maa.ui.wiring import PRIVATE

__all__ = ["LABEL", "NAME", "build"]

TASK = TabTask(Many)
EXAMPLE = "a dog barks\nrain on a roof\na door slams"
HINT = "Write prompts, one a line, and press Generate. Every sound appears here as soon as it is made."
ONE_A_LINE = f"One a line, at most {MOST_SOUNDS}; or a table with a column prompt and others, such as seed and seconds."
VALUES = "2, 4, 6; prompts one a line"
LINE: dict[str, Any] = {"concurrency_id": NAME, "concurrency_limit": 2}  # the device takes one sound after the other
QUIET: dict[str, Any] = {"show_progress": "hidden", "queue": False, **PRIVATE}


def build(place: Workplace) -> None:
    """Lay the tab out and connect it."""
    config = place.model.config
    with gr.Row(elem_classes=["maa-desk", "maa-many"]):
        with gr.Column(scale=5, min_width=320):
            opener, asked = _what()
            sound, led = _own(config)
            generate, stop = controls.buttons(NAME)
            line = status.status_line(NAME)
            below = gr.Column(elem_classes="maa-below")
            how = _how(config)
        with gr.Column(scale=7, min_width=320):
            board = _widget("board", hint=HINT, server_functions=[folder.found, folder.settings_at, folder.zipped])
    knobs = controls.Controls({**asked, **led, **how}, generate, stop, line, below)
    place.desks[NAME] = Desk(TASK, {"audio": sound}, knobs, Results(board), config.audio)
    _connect(place, place.desks[NAME], BatchWires(place, line, board, knobs.seed))
    _listed(opener, asked["prompts"], line)


def _what() -> tuple[Any, dict[str, Component]]:
    """A list, or a grid; what opens a file, and the fields."""
    of = {setting.name: setting for setting in settings_of(Many)}
    found: dict[str, Component] = {"kind": _chosen(of["kind"])}
    with gr.Column(elem_classes="maa-list"):
        found["prompts"] = gr.Textbox(
            label="Prompts", info=ONE_A_LINE, placeholder=EXAMPLE, lines=7, max_lines=14, elem_id=f"{NAME}-prompts"
        )
        opener = _widget("opener")
    with gr.Column(elem_classes="maa-grid"):
        found["prompt"] = gr.Textbox(
            label="Prompt", info="Of all sounds, unless rows or columns are prompts.", placeholder="a dog barks",
            lines=1, max_lines=4, elem_id=f"{NAME}-prompt",
        )  # fmt: skip
        for name, setting in (("rows", of["rows_of"]), ("columns", of["columns_of"])):
            with gr.Row():
                found[f"{name}_of"] = _chosen(setting, scale=1, min_width=160)
                found[name] = gr.Textbox(
                    of[name].default, label=f"Values of the {name}", placeholder=VALUES, lines=1, max_lines=6, scale=2,
                    min_width=180, elem_id=f"{NAME}-{name}",
                )  # fmt: skip
        gr.Markdown(
            f"A row for each value, a column for each value; at most {MOST_CELLS} sounds.", elem_classes="maa-note"
        )
    return opener, found


def _chosen(setting: Setting, **how: Any) -> Component:
    names = [(label, value) for value, label in setting.choices().items()]  # type: ignore[attr-defined]
    kind = gr.Radio if getattr(setting, "radio", False) else gr.Dropdown
    more = {} if kind is gr.Radio else {"filterable": False}
    return kind(names, value=setting.default, label=setting.label, elem_id=f"{NAME}-{setting.name}", **more, **how)


def _own(config: ModelConfig) -> tuple[Component, dict[str, Component]]:
    """The user's own sound, if all of them are to be moved from one."""
    with gr.Accordion("From a sound of your own", open=False, elem_id=f"{NAME}-own"):
        gr.Markdown("Give one, and every prompt moves it as far as t0 says.", elem_classes="maa-note")
        sound = sound_field(NAME)
        led = [one for one in settings_of(Personalize) if one.name in ("t0", "level_match")]
        return sound, controls.lay(led, NAME, config)


def _how(config: ModelConfig) -> dict[str, Component]:
    """The settings of all sounds."""
    own = [one for one in settings_of(Text) if one.name not in LEFT_OUT]
    sampling = [one for one in settings_of(Sampling) if one.name not in LEFT_OUT]
    found = controls.lay([one for one in own if one.place == PROMPTS], NAME, config)
    with gr.Group():
        found |= controls.lay([one for one in (*own, *sampling) if one.place == SOUND], NAME, config)
    found |= controls.seed_row(NAME)
    with gr.Accordion("Advanced", open=False, elem_id=f"{NAME}-advanced"):
        found |= controls.lay([one for one in sampling if one.place == ADVANCED], NAME, config)
        found |= controls.lay(settings_of(Output), NAME, config)
    return found


def _widget(name: str, **more: Any) -> gr.HTML:
    return gr.HTML(
        value=None,
        html_template='<div class="maa-root"></div>',
        css_template=parts.style(*STYLES[:3], "batch/batch.css"),
        js_on_load=parts.script(f"batch/{name}.js"),
        apply_default_css=False,
        elem_id=f"{NAME}-{name}",
        **more,
    )


def _connect(place: Workplace, desk: Desk, wires: BatchWires) -> None:
    """Generate, Stop, Go on, and a page that is loaded anew."""
    knobs, board = desk.knobs, desk.shown.widget
    line: Any = knobs.status
    outputs = [line, board, knobs.seed]
    quiet = {"show_progress": "hidden", **PRIVATE}
    started = [
        gr.on(
            [knobs.generate.click], wires.generate(desk.parts), inputs=list(desk.parts.values()), outputs=outputs,
            preprocess=False, show_progress="minimal", show_progress_on=[line], **LINE, **PRIVATE,
        ),
        board.go_on(
            wires.go_on, outputs=outputs, show_progress="minimal", show_progress_on=[line], **LINE, **PRIVATE
        ),
        line.resume(wires.resume, outputs=outputs, concurrency_id="resume", concurrency_limit=4, **quiet),
    ]  # fmt: skip
    said = {"outputs": [line], **QUIET}
    knobs.stop.click(wires.stop, cancels=started, **said).then(wires.stopped_late, **said)


def _listed(opener: Any, prompts: Component, line: Component) -> None:
    """A file that was opened or dropped becomes the list."""

    def listed(event: gr.EventData) -> Updates:
        data = restore.settings_in(event._data)
        name, given = restore.file_called(data.get("name")), data.get("text")
        try:
            text = Many(prompts=given if isinstance(given, str) else "").prompts
            if "\ufffd" in text or "\0" in text:
                raise ValueError(f"{name!r} is no text in UTF-8; save it as such.")
            count = len(list_of(text, repr(name), table=name.lower().endswith(".csv")))
        except Exception as error:  # noqa: BLE001 - told to the visitor or written into the log
            return {line: status.failed(told(error).message)}
        lines = "1 line" if count == 1 else f"{count} lines"
        return {prompts: text, line: status.idle(f"{lines} from {name!r}.")}

    opener.listed(listed, outputs=[prompts, line], **QUIET)
