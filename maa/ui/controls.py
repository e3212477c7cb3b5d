"""The controls that every tab has, in the same order and with the same limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from maa.audio.finish import AS_MADE, PEAK
from maa.config import ModelConfig
from maa.diffusion.samplers import SAMPLERS
from maa.pipeline.request import MAX_PROMPT, MAX_SECONDS, MAX_TAKES
from maa.ui import limits, status

# The highest values that the sliders offer; programs may go up to the limits.
SLIDER_STEPS = 200
SHORTEST = 1.0  # seconds
DICE = Path(__file__).parent / "web" / "dice.svg"
SLIDER_GUIDANCE = 12.0
LOUDNESS_NAMES = {
    AS_MADE: "As made", "-23": "−23 LUFS (broadcast)", "-18": "−18 LUFS", PEAK: "Peak −1 dBTP",
}  # fmt: skip
RATE_NAMES = {0: "The sound's own", 16_000: "16 kHz", 44_100: "44.1 kHz", 48_000: "48 kHz"}


@dataclass(frozen=True)
class Wording:
    """How one tab words the controls that all of them have."""

    prompt_label: str = "Prompt"
    prompt_placeholder: str = ""


@dataclass(frozen=True)
class Controls:
    """The components of one tab that `limits.ask` reads, and the ones that start and stop a job."""

    prompt: gr.Textbox
    negative: gr.Textbox
    takes: gr.Slider
    steps: gr.Slider
    guidance: gr.Slider
    seed: gr.Number
    fresh: gr.Checkbox
    sampler: gr.Dropdown
    eta: gr.Slider
    loudness: gr.Dropdown | None
    density: gr.Slider | None
    free: gr.Checkbox | None  # the density is the model's choice
    file_format: gr.Dropdown | None
    rate: gr.Dropdown | None
    seconds: gr.Slider | None
    generate: gr.Button
    stop: gr.Button
    status: gr.HTML

    def asked(self) -> dict[str, Component]:
        """The components to send with a request, by the names that `limits.ask` knows."""
        everything = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: part
            for name, part in everything.items()
            if part is not None and name not in ("generate", "stop", "status")
        }


def controls(
    task: str,
    config: ModelConfig,
    wording: Wording,
    *,
    seconds: bool = False,
    spliced: bool = False,
    formats: Mapping[str, limits.FileFormat] = limits.FORMATS,
) -> Controls:
    """Lay the shared controls out, in the column that is open.

    Args:
        task: names the elements in the page.
        config: the model's defaults.
        wording: labels of this tab.
        seconds: whether the tab has a length.
        spliced: whether the new sound goes into the user's own, whose loudness stays as it is.
        formats: the file formats to choose from, the first one chosen; none = no choice.
    """
    prompt, negative = _prompts(task, wording)
    generate, stop = _buttons(task)
    line = status.status_line(task)
    with gr.Group():
        length = _length(config) if seconds else None
        takes = gr.Slider(1, MAX_TAKES, value=1, step=1, label="Takes", info="Several at once, the best match first.")
        dense = _density(task) if config.unet.density and not spliced else {}
        loudness = None if spliced else _loudness(task)
    seed, fresh = _seed(task)
    with gr.Accordion("Advanced", open=False, elem_id=f"{task}-advanced"):
        sampling = _sampling(config)
        with gr.Row():
            written = _file_format(formats) if formats else None
            rate = _rate() if formats else None
        dense = dense or (_density(task) if config.unet.density else {"density": None, "free": None})
    return Controls(
        prompt=prompt,
        negative=negative,
        takes=takes,
        **sampling,
        seed=seed,
        fresh=fresh,
        loudness=loudness,
        **dense,
        file_format=written,
        rate=rate,
        seconds=length,
        generate=generate,
        stop=stop,
        status=line,
    )


def _sampling(config: ModelConfig) -> dict[str, Any]:
    """How to sample, by the names of `Controls`."""
    steps = gr.Slider(1, SLIDER_STEPS, value=25, step=1, label="Steps", info="25 is enough as a rule; more is slower.")
    guidance = gr.Slider(
        0.0,
        SLIDER_GUIDANCE,
        value=config.guidance,
        step=0.5,
        label="Guidance",
        info="How closely to follow the prompt; 1 turns guidance and the negative prompt off.",
    )
    names = [(sampler.label, name) for name, sampler in SAMPLERS.items()]
    with gr.Row():
        sampler = gr.Dropdown(names, value=next(iter(SAMPLERS)), label="Sampler", filterable=False, min_width=180)
        eta = gr.Slider(0.0, 1.0, value=0.0, step=0.05, label="Fresh noise in DDIM (eta)", min_width=180)
    return {"steps": steps, "guidance": guidance, "sampler": sampler, "eta": eta}


def _prompts(task: str, wording: Wording) -> tuple[gr.Textbox, gr.Textbox]:
    """What to hear, and what not."""
    prompt = gr.Textbox(
        label=wording.prompt_label,
        placeholder=wording.prompt_placeholder,
        lines=2,
        max_lines=6,
        max_length=MAX_PROMPT,
        elem_id=f"{task}-prompt",
    )
    negative = gr.Textbox(
        label="Negative prompt",
        placeholder="What should not be heard (optional)",
        lines=1,
        max_lines=3,
        max_length=MAX_PROMPT,
        elem_id=f"{task}-negative",
    )
    return prompt, negative


def _buttons(task: str) -> tuple[gr.Button, gr.Button]:
    """Start and stop."""
    with gr.Row(elem_classes="maa-go"):
        generate = gr.Button("Generate", variant="primary", scale=3, min_width=120, elem_id=f"{task}-generate")
        stop = gr.Button("Stop", scale=1, min_width=80, elem_id=f"{task}-stop")
    return generate, stop


def _length(config: ModelConfig) -> gr.Slider:
    """Length of the new sound."""
    native = config.audio.seconds
    return gr.Slider(
        SHORTEST,
        MAX_SECONDS,
        value=round(native, 3),
        step=0.001,
        label="Length in seconds",
        info=f"The model has learnt from {native:.1f} s. Longer sounds are joined from such pieces.",
    )


def _loudness(task: str) -> gr.Dropdown:
    """How loud results are."""
    names = [(name, value) for value, name in LOUDNESS_NAMES.items()]
    return gr.Dropdown(names, value=AS_MADE, label="Loudness", filterable=False, elem_id=f"{task}-loudness")


def _density(task: str) -> dict[str, Any]:
    """How much of the time sounds, and the choice to leave that to the model; moving the slider takes it back."""
    density = gr.Slider(
        0.0,
        1.0,
        value=0.5,
        step=0.05,
        label="One ↔ many",
        info="How much of the time sounds: a single event at 0, one after the other at 1.",
        elem_id=f"{task}-density",
    )
    free = gr.Checkbox(True, label="Leave one ↔ many to the model", elem_id=f"{task}-free")
    density.input(None, outputs=free, js="() => false", api_visibility="private")
    return {"density": density, "free": free}


def _file_format(formats: Mapping[str, limits.FileFormat]) -> gr.Dropdown:
    """How results are written."""
    names = [(item.label, key) for key, item in formats.items()]
    return gr.Dropdown(names, value=names[0][1], label="File format", filterable=False, min_width=180)


def _rate() -> gr.Dropdown:
    """Sample rate of the files."""
    names = [(name, rate) for rate, name in RATE_NAMES.items()]
    return gr.Dropdown(names, value=0, label="Sample rate of the file", filterable=False, min_width=180)


def _seed(task: str) -> tuple[gr.Number, gr.Checkbox]:
    """The seed with its dice. The seed that was used is written into the field after each job."""
    with gr.Row(elem_classes="maa-seed"):
        seed = gr.Number(
            value=0,
            precision=0,
            minimum=0,
            maximum=limits.SEEDS - 1,
            label="Seed",
            container=False,
            scale=3,
            min_width=100,
            elem_id=f"{task}-seed",
        )
        dice = gr.Button("Roll", size="sm", icon=str(DICE), scale=0, min_width=0, elem_id=f"{task}-dice")
        fresh = gr.Checkbox(True, label="New each time", container=False, scale=0, min_width=0, elem_id=f"{task}-fresh")
    # In the browser: rolling a die needs no server. The rolled seed is kept until the box is ticked again.
    roll = "() => [Math.floor(Math.random() * 4294967296), false]"
    dice.click(None, outputs=[seed, fresh], js=roll, api_visibility="private")
    return seed, fresh
