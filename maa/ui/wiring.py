"""The buttons of a tab: Generate starts a job, Stop ends it, and a page that is loaded anew finds it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from maa.ui import lending, status, words
from maa.ui.controls import Controls
from maa.ui.faults import told
from maa.ui.jobs import Progress
from maa.ui.results import Results, Updates
from maa.ui.streamed import Live
from maa.ui.tab import Desk, Own, TabTask, Workplace, perform

LATE = 0.4  # seconds
GONE = "The job from before this page was loaded has ended without a result. Press Generate to start it again."
PRIVATE: dict[str, Any] = {"api_visibility": "private"}


def wire(
    place: Workplace,
    task: TabTask,
    own: dict[str, Component],
    parts: tuple[Controls, Results],
    others: Sequence[tuple[TabTask, gr.Button]] = (),
) -> None:
    """Connect a tab's buttons.

    Args:
        place: the model and the device's queue.
        task: what Generate does.
        own: the tab's own inputs by name.
        parts: the tab's controls and its results column.
        others: more buttons that start a job with the same inputs.
    """
    knobs, shown = parts
    inputs = {**own, **knobs.asked()}
    place.desks[task.name] = Desk(task, own, knobs, shown, place.model.config.audio)
    words.connect(place.model, knobs.parts)
    wires = Wires(place, task.name, knobs, shown)
    outputs = [knobs.status, knobs.seed, *shown.outputs()]
    starts = [([knobs.generate.click, knobs.prompt.submit], task), *(([button.click], one) for one, button in others)]
    started = [
        start(events, wires.generate(one, inputs), list(inputs.values()), outputs, knobs) for events, one in starts
    ]
    line: Any = knobs.status
    shared: dict[str, Any] = {"outputs": outputs, "show_progress": "hidden", **PRIVATE}
    started.append(line.resume(wires.resume, concurrency_id="resume", concurrency_limit=4, **shared))
    said = {"outputs": [knobs.status, shown.widget], "queue": False, "show_progress": "hidden", **PRIVATE}
    # A step that was on its way when Stop was pressed may still arrive: what is said then is said again.
    knobs.stop.click(wires.stop, cancels=started, **said).then(wires.stopped_late, **said)


@dataclass(frozen=True)
class Wires:
    """What the buttons of one tab do."""

    place: Workplace
    task: str
    knobs: Controls
    shown: Results

    def generate(self, task: TabTask, inputs: dict[str, Component]) -> Callable[..., Iterator[Updates]]:
        """What starts a job, as Gradio calls it: with the values of the inputs in their order."""

        def generate(request: gr.Request, *values: Any) -> Iterator[Updates]:
            fields = dict(zip(inputs, values, strict=True))
            if lending.lent():  # what borrows a GPU ends with the page's connection
                yield from self.news(task, fields, "")
                return
            errand = self.place.errands.start(session_of(request), self.task, partial(self.news, task, fields))
            yield from errand.listen()

        return generate

    def news(self, task: TabTask, fields: Own, key: str) -> Generator[Updates, None, None]:
        """Run a job; what changes in the page on the way."""
        status_of, shown, live = self.knobs.status, self.shown, None
        soon = True
        try:
            ask = task.ask(fields)
            live = Live(self.place.model.config.audio, ask.sampling.seed)
            yield {status_of: status.busy(Progress(0, 0), key)}
            for event in perform(self.place, task, fields, ask):
                if isinstance(event, Progress):
                    yield {status_of: status.busy(event, key), **shown.live(live.after(event))}
                    continue
                made, soon = event.result, False
                yield {
                    **shown.show(made.takes, **made.more, **({"heard": live.heard} if live.heard else {})),
                    self.knobs.seed: ask.sampling.seed,
                    status_of: status.done(f"Done in {event.seconds:.1f} s.{task.done}"),
                }
        except Exception as error:
            message = told(error)
            yield {status_of: status.failed(message.message), **shown.quiet()}
            raise message from error
        finally:
            if live is not None:
                live.end(soon)

    def resume(self, request: gr.Request, event: gr.EventData) -> Iterator[Updates]:
        """Hear again of the job that was there before the page was loaded."""
        asked = event._data if isinstance(event._data, dict) else {}
        errand = self.place.errands.find(session_of(request), self.task, asked.get("job"))
        if errand is None:
            yield {self.knobs.status: status.idle(GONE)}
            return
        yield from errand.listen()

    def stop(self, request: gr.Request) -> Updates:
        """End the job; its connection is closed beside that."""
        self.place.errands.stop(session_of(request), self.task)
        return self.stopped()

    def stopped_late(self) -> Updates:
        """Say so again, a moment later."""
        time.sleep(LATE)
        return self.stopped()

    def stopped(self) -> Updates:
        """What the page says when a job was stopped."""
        return {self.knobs.status: status.idle("Stopped."), **self.shown.quiet()}


def latest(
    asked: Any, hush: Any, make: Callable[..., Iterator[Any]], inputs: list[Component], output: Component
) -> None:
    """Connect what makes a short sound in passing: it waits in the line of the jobs, and each ends the one before.

    Args:
        asked: the event that wants one.
        hush: the event, before that, that wants the one on its way no more.
        make: gives the values of `output` on the way.
        inputs: what it is called with, as the page has it.
        output: what hears of it.
    """
    started = asked(
        make,
        inputs=inputs,
        outputs=output,
        preprocess=False,
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_id="gpu",
        concurrency_limit=1,
        **PRIVATE,
    )
    hush(None, cancels=[started], queue=False, show_progress="hidden", **PRIVATE)


def session_of(request: gr.Request) -> str:
    """A page as it is loaded now; another load is another session."""
    return str(request.session_hash or "")


def start(
    events: list[Any],
    generate: Callable[..., Iterator[Updates]],
    inputs: list[Component],
    outputs: list[Component],
    knobs: Controls,
) -> Any:
    """What starts a job; Shift+Enter in the prompt is among it.

    Stop closes the generator, also one that still waits in the queue. Both buttons stay enabled all the time: Gradio
    ignores a second click while a job runs, and a button that is disabled takes the keyboard's focus away.
    """
    return gr.on(
        events,
        generate,
        inputs=inputs,
        outputs=outputs,
        preprocess=False,  # values are checked by `limits` and `files`, in the same way as the endpoints'
        show_progress="minimal",
        show_progress_on=[knobs.status],
        concurrency_id="gpu",
        concurrency_limit=1,
        **PRIVATE,
    )
