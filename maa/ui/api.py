"""The endpoints for programs: one for each task, in seconds and hertz.

Each takes keyword arguments and answers with the best take as a file and with that take's settings. They are
generators, so that a client that cancels or goes away stops the work; on the way they answer
(null, {"step": k, "of": n}).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from maa.config import ModelConfig
from maa.pipeline.setting import File, Number, Rows, Setting, Switch, TextLine, TextList, Whole
from maa.ui.chain import endpoint as edits
from maa.ui.faults import told
from maa.ui.jobs import Progress
from maa.ui.tab import TabTask, Workplace, perform
from maa.ui.tabs import TABS

REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Argument:
    """One argument of an endpoint. Endpoints are described as data: five of them share most of their arguments."""

    name: str
    kind: Any
    default: Any
    text: str


KINDS: tuple[tuple[type[Setting], Any], ...] = (
    (Whole, int), (Number, float), (TextLine, str), (Switch, bool), (Rows, list[list[float]]),
    (TextList, list[str]), (File, gr.FileData),
)  # fmt: skip


def argument(setting: Setting, config: ModelConfig) -> Argument:
    """A setting as an argument. What is None is the model's own number, or where that is none, null."""
    default = REQUIRED if setting.required else setting.default
    kind = next((kind for sort, kind in KINDS if isinstance(setting, sort)), type(default))
    if isinstance(setting, Rows) and not setting.numbers:
        kind = list[list[Any]]
    note = ""
    if setting.name == "seed":
        default, note = -1, f"; -1 = {setting.open}"
    elif setting.native is not None:
        default = setting.native(config)
    elif default is None and kind is not gr.FileData:
        kind, note = kind | None, f"; null = {setting.open}"
    text = setting.text[0].upper() + setting.text[1:]
    return Argument(setting.name, kind, default, f"{text}{note}.")


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: its name in the API, what it does, and its arguments in order."""

    name: str
    summary: str
    task: TabTask
    arguments: tuple[Argument, ...]


def endpoint_table(config: ModelConfig) -> list[Endpoint]:
    """All endpoints; what a model has a number of its own for defaults to that."""
    return [endpoint(tab.task, config) for tab in TABS.values()]


def endpoint(task: TabTask, config: ModelConfig) -> Endpoint:
    """One task as an endpoint: what it works on, then its settings in the order in which they came to be."""
    asks = task.asks
    settings = sorted((one for one in task.settings if one.api), key=lambda one: one.turn)
    arguments = [argument(setting, config) for setting in settings]
    if asks.source is not None:
        what = asks.source.what[0].upper() + asks.source.what[1:]
        given = Argument(asks.source.name, gr.FileData, REQUIRED, f"{what}, uploaded (`gradio_client.handle_file`).")
        arguments.insert(0, given)
    return Endpoint(asks.method, asks.summary, task, tuple(arguments))


def endpoints(place: Workplace) -> None:
    """Add every endpoint to the page that is being built."""
    for endpoint in endpoint_table(place.model.config):
        gr.api(
            function(place, endpoint),
            api_name=endpoint.name,
            api_description=documentation(endpoint),
            concurrency_id="gpu",
            concurrency_limit=1,
        )
    edits.publish()


def function(place: Workplace, endpoint: Endpoint) -> Callable[..., Iterator[tuple[Any, dict[str, Any]]]]:
    """The endpoint as a function with the signature and the docstring that Gradio publishes."""

    def run(*values: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
        fields = dict(zip((argument.name for argument in endpoint.arguments), values, strict=True))
        try:
            for event in perform(place, endpoint.task, fields, endpoint.task.ask(fields)):
                if isinstance(event, Progress):
                    yield None, {"step": event.step, "of": event.total}
                else:
                    made = event.result
                    best = made.takes[0].media
                    yield gr.FileData(path=str(best), orig_name=best.name), made.generation.settings_of(0)
        except Exception as error:
            raise told(error) from error

    place_of = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        inspect.Parameter(item.name, place_of, default=item.default, annotation=item.kind)
        for item in endpoint.arguments
    ]
    answer = tuple[gr.FileData, dict]
    run.__name__ = endpoint.name
    run.__doc__ = documentation(endpoint)
    run.__annotations__ = {item.name: item.kind for item in endpoint.arguments} | {"return": answer}
    run.__signature__ = inspect.Signature(parameters, return_annotation=answer)  # type: ignore[attr-defined]
    return run


def documentation(endpoint: Endpoint) -> str:
    """The endpoint's docstring, in the form that Gradio reads."""
    arguments = [f"    {item.name}: {item.text}" for item in endpoint.arguments]
    returns = ["    The best take as a file.", "    Its settings."]
    return "\n".join([endpoint.summary, "", "Args:", *arguments, "", "Returns:", *returns])
