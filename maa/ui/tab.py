"""What all five tabs have in common: a request goes in, progress and takes come out, Stop stops."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from maa.ui import limits, status
from maa.ui.controls import Controls
from maa.ui.jobs import Done, Jobs, OnStep, Progress
from maa.ui.limits import Ask
from maa.ui.model import Model
from maa.ui.results import Results, Take, Updates, sound_takes

if TYPE_CHECKING:
    from maa.pipeline import Generation, MakeAnAudio

log = logging.getLogger(__name__)
Own = dict[str, Any]  # a tab's own inputs by name, as the page sent them
SORRY = "Something went wrong on the server, and its log says what. Please try again."


@dataclass(frozen=True)
class Workplace:
    """What every tab works with."""

    model: Model
    jobs: Jobs
    assets: Path  # folder with `examples.json`


@dataclass(frozen=True)
class Task:
    """What one tab asks of the pipeline."""

    name: str  # a key of `capabilities()`
    call: Callable[[MakeAnAudio, Own, Ask, OnStep], Generation]
    takes: Callable[[Generation, Own, Ask, MakeAnAudio], list[Take]] = field(
        default=lambda generation, own, ask, pipeline: sound_takes(generation, ask.file_format, pipeline.config.audio)
    )


@dataclass(frozen=True)
class Made:
    """A finished job: the takes as files, and what the pipeline said about them."""

    generation: Generation
    takes: list[Take]


def perform(place: Workplace, task: Task, own: Own, ask: Ask) -> Iterator[Progress | Done[Made]]:
    """Run one request. The page and the endpoints both come through here.

    Raises:
        ValueError: the request cannot be met; the sentence is for the person who sent it.
    """

    def work(on_step: OnStep) -> Made:
        pipeline = place.model.for_task(task.name)
        generation = task.call(pipeline, own, ask, on_step)
        return Made(generation, task.takes(generation, own, ask, pipeline))

    return place.jobs.run(work)


def told(error: Exception) -> gr.Error:
    """The error as a message to the visitor. What was not their mistake goes into the log instead."""
    if isinstance(error, ValueError):
        return gr.Error(str(error), print_exception=False)
    log.error("A request failed", exc_info=error)
    return gr.Error(SORRY, print_exception=False)


@dataclass(frozen=True)
class Extra:
    """Components besides the results column that a finished job changes."""

    outputs: list[Component]
    updates: Callable[[Made], Updates]


def wire(
    place: Workplace,
    task: Task,
    own: dict[str, Component],
    parts: tuple[Controls, Results],
    extra: Extra | None = None,
) -> None:
    """Connect a tab's buttons.

    Args:
        place: the model and the device's queue.
        task: what to do.
        own: the tab's own inputs by name.
        parts: the tab's controls and its results column.
        extra: what else a finished job changes.
    """
    knobs, shown = parts
    inputs = {**own, **knobs.asked()}

    def generate(*values: Any) -> Iterator[Updates]:
        fields = dict(zip(inputs, values, strict=True))
        try:
            ask = limits.ask(fields)
            yield {knobs.status: status.busy(Progress(0, 0))}
            for event in perform(place, task, fields, ask):
                if isinstance(event, Progress):
                    yield {knobs.status: status.busy(event)}
                    continue
                made = event.result
                yield {
                    **shown.show(made.takes, settings_of(made.generation)),
                    **(extra.updates(made) if extra else {}),
                    knobs.seed: ask.sampling.seed,
                    knobs.status: status.done(f"Done in {event.seconds:.1f} s."),
                }
        except Exception as error:
            message = told(error)
            yield {knobs.status: status.failed(message.message)}
            raise message from error

    outputs = [knobs.status, knobs.seed, *shown.outputs(), *(extra.outputs if extra else [])]
    _connect(knobs, generate, list(inputs.values()), outputs)


def settings_of(generation: Generation) -> list[dict[str, Any]]:
    """The settings of every take, in the order they are shown."""
    return [generation.settings_of(index) for index in range(len(generation.seeds))]


def _connect(
    knobs: Controls, generate: Callable[..., Iterator[Updates]], inputs: list[Component], outputs: list[Component]
) -> None:
    """Generate and Stop; Shift+Enter in the prompt generates too.

    Stop closes the generator, also one that still waits in the queue. Both buttons stay enabled all the time: Gradio
    ignores a second click while a job runs, and a button that is disabled takes the keyboard's focus away.
    """
    started = gr.on(
        [knobs.generate.click, knobs.prompt.submit],
        generate,
        inputs=inputs,
        outputs=outputs,
        preprocess=False,  # values are checked by `limits` and `files`, in the same way as the endpoints'
        show_progress="minimal",
        show_progress_on=[knobs.status],
        concurrency_id="gpu",
        concurrency_limit=1,
        api_visibility="private",
    )
    knobs.stop.click(
        lambda: status.idle("Stopped."),
        outputs=[knobs.status],
        cancels=[started],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
