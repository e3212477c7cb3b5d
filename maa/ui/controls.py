"""The controls of the settings, in the same order and with the same limits in every tab."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from maa.config import ModelConfig
from maa.device import available
from maa.diffusion.samplers import SAMPLERS
from maa.pipeline.checks import MAX_PROMPT
from maa.pipeline.options import SEEDS, Sampling
from maa.pipeline.setting import (
    ADVANCED,
    PROMPTS,
    SOUND,
    Choice,
    Number,
    Rows,
    Setting,
    Switch,
    TextLine,
    TextList,
    settings_of,
)
from maa.pipeline.tasks import TASKS, Task
from maa.ui import lending, limits, status
from maa.ui.lanes import lanes

# What the page begins with, where that is not what programs get: quick takes to choose from.
EXPLORING: dict[str, Any] = {"quality": "instant", "steps": SAMPLERS[Sampling.sampler].usual["instant"]}
MANY, FEW = 8, 2  # quick takes: where they are made at once, and on a CPU, which makes one after the other
DICE = Path(__file__).parent / "web" / "dice.svg"
NARROW = 180  # pixels of a control that shares its row


@dataclass(frozen=True)
class Wording:
    """How one tab words the controls that all of them have."""

    prompt_label: str = "Prompt"
    prompt_placeholder: str = ""
    heard: Callable[[str], Component] | None = None  # makes what shows the words heard under the prompt of a task


@dataclass(frozen=True)
class Controls:
    """The components of one tab that `limits.ask` reads, and the ones that start and stop a job."""

    parts: dict[str, Component]  # by the names that `limits.ask` knows
    generate: gr.Button
    stop: gr.Button
    status: gr.HTML
    below: gr.Column  # under the status line, for a tab's examples

    @property
    def prompt(self) -> Component:
        """What to hear."""
        return self.parts["prompt"]

    @property
    def seed(self) -> Component:
        """The seed; the one that was used is written into it after each job."""
        return self.parts["seed"]

    def asked(self) -> dict[str, Component]:
        """The components to send with a request, by the names that `limits.ask` knows."""
        return dict(self.parts)


def controls(
    task: type[Task], config: ModelConfig, wording: Wording, output: type[limits.Output] | None = limits.Output
) -> Controls:
    """Lay the shared controls out, in the column that is open.

    Args:
        task: what may be asked, and what names the elements in the page.
        config: the model's defaults.
        wording: labels of this tab.
        output: how the files are written; None = nobody is asked.
    """
    own, sampling = settings_of(task), settings_of(Sampling)
    written = settings_of(output) if output is not None else ()
    # Where the new sound goes into the user's own, what may be left to the model stands back.
    aside = [one for one in sampling if one.free and task.splices]
    said = sorted((one for one in own if one.place == PROMPTS), key=lambda one: bool(one.label))  # the prompt first
    first = [one for one in said if not one.label or isinstance(one, Rows | TextList)]  # the prompt, and what it means
    parts = lay(first, task.name, config, wording)
    generate, stop = buttons(task.name)
    line = status.status_line(task.name)
    below = gr.Column(elem_classes="maa-below")
    parts |= lay([one for one in said if one not in first], task.name, config)
    with gr.Group():
        ahead = [one for one in own if not one.turn]
        late = [one for one in own if one.turn]
        shown = [*ahead, *(one for one in sampling if one not in aside), *late]
        parts |= lay([one for one in shown if one.place == SOUND], task.name, config)
    parts |= seed_row(task.name)
    with gr.Accordion("Advanced", open=False, elem_id=f"{task.name}-advanced"):
        parts |= lay([one for one in sampling if one.place == ADVANCED], task.name, config)
        parts |= lay(written, task.name, config)
        parts |= lay(aside, task.name, config)
    _follow_quality(parts, many=output is not None and not task.splices)
    return Controls(parts, generate, stop, line, below)


def _follow_quality(parts: Mapping[str, Any], many: bool) -> None:
    """Another quality or sampler takes its own number of steps, and, of what is made from nothing, of takes."""
    quality, sampler, steps, takes = (parts[name] for name in ("quality", "sampler", "steps", "takes"))
    usual = json.dumps({name: one.usual for name, one in SAMPLERS.items()})
    shared = {"inputs": [quality, sampler], "outputs": steps, "api_visibility": "private"}
    for choice in (quality, sampler):
        choice.input(None, js=f"(quality, sampler) => ({usual})[sampler][quality]", **shared)
    if many:
        offered = {"instant": MANY if lending.lent() or available() != ["cpu"] else FEW, "fine": 1}
        takes.value = offered["instant"]
        change = f"(quality) => ({json.dumps(offered)})[quality]"
        quality.input(None, inputs=quality, outputs=takes, js=change, api_visibility="private")


def lay(
    settings: Iterable[Setting], task: str, config: ModelConfig, wording: Wording | None = None
) -> dict[str, Component]:
    """A control for every setting that this model knows, by their names; neighbours that are narrow share a row."""
    parts: dict[str, Component] = {}
    known = [one for one in settings if one.known is None or one.known(config)]
    for narrow, group in groupby(known, key=lambda one: one.half):
        with gr.Row() if narrow else nullcontext():
            for setting in group:
                parts[setting.name] = control(setting, task, config, wording)
                if setting.free:
                    parts[setting.free] = _free(setting, task, parts[setting.name])
    return parts


def control(setting: Setting, task: str, config: ModelConfig, wording: Wording | None = None) -> Component:
    """The control of one setting, with the range that the page offers; programs may go up to the limits."""
    value = EXPLORING.get(setting.name, setting.default)
    how = {"label": setting.label, "elem_id": f"{task}-{setting.name}", "value": value}
    native = setting.native(config) if setting.native is not None else None
    if native is not None:
        how["value"] = round(native, 3)
    if setting.info:
        how["info"] = setting.info.format(native=native)
    narrow = {"min_width": NARROW} if setting.half else {}
    match setting:
        case TextLine():
            return _line(setting, how, wording)
        case TextList():
            return wording.heard(task) if wording is not None and wording.heard is not None else gr.State([])
        case Switch():
            return gr.Checkbox(**how)
        case Rows():
            timed = any(one.name == "seconds" for one in settings_of(TASKS[task]))  # else as long as what is given
            return lanes(f"{task}-{setting.name}", config.audio.seconds if timed else 0.0)
        case Choice():
            names = [(label, value) for value, label in setting.choices().items()]
            return gr.Radio(names, **how, **narrow) if setting.radio else gr.Dropdown(
                names, filterable=False, **how, **narrow
            )  # fmt: skip
        case Number(slider=(low, high, step)):
            if how["value"] is None:
                how["value"] = (low + high) / 2
            return gr.Slider(low, high, step=step, **how, **narrow)
        case Number():
            return gr.Number(minimum=setting.low, maximum=setting.high, **how, **narrow)
    raise TypeError(f"There is no control for {type(setting).__name__}.")


def _line(setting: TextLine, how: dict[str, object], wording: Wording | None) -> gr.Textbox:
    """A field for text; the prompt's is worded by its tab, and larger."""
    if setting.label:
        return gr.Textbox(placeholder=setting.placeholder, lines=1, max_lines=3, max_length=MAX_PROMPT, **how)
    wording = wording or Wording()
    how |= {"label": wording.prompt_label, "placeholder": wording.prompt_placeholder}
    return gr.Textbox(lines=2, max_lines=6, max_length=MAX_PROMPT, **how)


def _free(setting: Setting, task: str, slider: Component) -> gr.Checkbox:
    """The choice to leave a setting to the model; moving its slider takes it back."""
    free = gr.Checkbox(True, label=f"Leave {setting.label.lower()} to the model", elem_id=f"{task}-{setting.free}")
    slider.input(None, outputs=free, js="() => false", api_visibility="private")
    return free


def buttons(task: str) -> tuple[gr.Button, gr.Button]:
    """Start and stop."""
    with gr.Row(elem_classes="maa-go"):
        generate = gr.Button("Generate", variant="primary", scale=3, min_width=120, elem_id=f"{task}-generate")
        stop = gr.Button("Stop", scale=1, min_width=80, elem_id=f"{task}-stop")
    return generate, stop


def seed_row(task: str) -> dict[str, Component]:
    """The seed with its dice. The seed that was used is written into the field after each job."""
    with gr.Row(elem_classes="maa-seed"):
        seed = gr.Number(
            value=0,
            precision=0,
            minimum=0,
            maximum=SEEDS - 1,
            label="Seed",
            container=False,
            scale=3,
            min_width=100,
            elem_id=f"{task}-seed",
        )
        dice = gr.Button("Roll a seed", size="sm", icon=str(DICE), scale=0, min_width=0, elem_id=f"{task}-dice")
        fresh = gr.Checkbox(
            True, label="New seed each time", container=False, scale=0, min_width=0, elem_id=f"{task}-fresh"
        )
    # In the browser: rolling a die needs no server. The rolled seed is kept until the box is ticked again.
    roll = f"() => [Math.floor(Math.random() * {SEEDS}), false]"
    dice.click(None, outputs=[seed, fresh], js=roll, api_visibility="private")
    return {"seed": seed, "fresh": fresh}
