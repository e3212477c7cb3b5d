"""Making a batch: one sound after the other, each in its own turn on the device, so that others come in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from maa.pipeline.batch import Request
from maa.ui import lending, personalize, status, text
from maa.ui.batch import asked, folder
from maa.ui.batch.folder import Batch
from maa.ui.faults import is_own, told
from maa.ui.jobs import Progress
from maa.ui.limits import Ask, Output
from maa.ui.results import Updates
from maa.ui.storage import STORAGE, VISITOR
from maa.ui.tab import Own, Workplace, perform
from maa.ui.wiring import GONE, LATE, session_of

PATIENCE = 10.0  # seconds that a batch waits for the one who makes it already, and has been told to stop
BUSY = "These sounds are being made already, in another window."


@dataclass
class Makers:
    """Which batches are being made, so that no two make the same sounds."""

    _free: threading.Condition = field(default_factory=threading.Condition)
    _busy: set[str] = field(default_factory=set)

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Be the only one who makes this batch.

        Raises:
            ValueError: somebody else goes on making it.
        """
        with self._free:
            if not self._free.wait_for(lambda: key not in self._busy, PATIENCE):
                raise ValueError(BUSY)
            self._busy.add(key)
        try:
            yield
        finally:
            with self._free:
                self._busy.discard(key)
                self._free.notify_all()


@dataclass(frozen=True)
class BatchWires:
    """What the buttons of the tab do."""

    place: Workplace
    line: Component  # the status line
    board: Component
    seed: Component
    makers: Makers = field(default_factory=Makers)

    def generate(self, inputs: Mapping[str, Component]) -> Callable[..., Iterator[Updates]]:
        """What makes a new batch, as Gradio calls it: with the values of the inputs in their order."""

        def generate(request: gr.Request, *values: Any) -> Iterator[Updates]:
            fields = dict(zip(inputs, values, strict=True))
            yield from self._start(request, partial(self._anew, fields))

        return generate

    def go_on(self, request: gr.Request, event: gr.EventData) -> Iterator[Updates]:
        """Make what is missing of a batch."""
        given = event._data if isinstance(event._data, dict) else {}
        yield from self._start(request, partial(folder.batch_called, given.get("id")))

    def resume(self, request: gr.Request, event: gr.EventData) -> Iterator[Updates]:
        """Hear again of the job that was there before the page was loaded."""
        given = event._data if isinstance(event._data, dict) else {}
        errand = self.place.errands.find(session_of(request), asked.NAME, given.get("job"))
        if errand is None:
            yield {self.line: status.idle(GONE.partition(" Press")[0] + " What was made is kept.")}
            return
        yield from errand.listen()

    def stop(self, request: gr.Request) -> Updates:
        """End the job; what was made stays."""
        self.place.errands.stop(session_of(request), asked.NAME)
        return self.stopped()

    def stopped_late(self) -> Updates:
        """Say so again, a moment later."""
        time.sleep(LATE)
        return self.stopped()

    def stopped(self) -> Updates:
        """What the page says when a job was stopped."""
        return {self.line: status.idle("Stopped. The sounds that are finished stay.")}

    def _start(self, request: gr.Request, batch_of: Callable[[], Batch]) -> Iterator[Updates]:
        if lending.lent():  # what borrows a GPU ends with the page's connection
            yield from self._news(batch_of, "")
            return
        errand = self.place.errands.start(session_of(request), asked.NAME, partial(self._news, batch_of))
        yield from errand.listen()

    def _anew(self, fields: Own) -> Batch:
        plan, seed, upload, size = asked.asked_of_batch(fields, self.place.model.config)
        refusal = STORAGE.refusal(VISITOR.get(), size)
        if refusal:
            raise ValueError(refusal)
        return folder.create(plan, seed, upload)

    def _news(self, batch_of: Callable[[], Batch], key: str) -> Generator[Updates, None, None]:
        """Make what is missing; what changes in the page on the way."""
        try:
            one = batch_of()
            yield {
                self.line: _busy(one, len(one.missing), Progress(0, 0), None, key),
                self.board: one.view(),
                self.seed: one.wanted[0].sampling.seed,
            }
            with self.makers.alone(one.folder.name):
                yield from self._make(one, key)
        except Exception as error:
            message = told(error)
            yield {self.line: status.failed(message.message)}
            raise message from error

    def _make(self, one: Batch, key: str) -> Generator[Updates, None, None]:
        began, failed, missing = time.monotonic(), dict[int, str](), one.missing
        for position, number in enumerate(missing):
            left, pace = len(missing) - position, (time.monotonic() - began) / position if position else None
            try:
                for event in self._one(one, number):
                    if isinstance(event, Progress):
                        yield {self.line: _busy(one, left, event, pace, key)}
                    else:
                        one.keep(number, event.result.takes[0])
            except ValueError as error:
                full = STORAGE.refusal(VISITOR.get(), 0)
                if is_own(error) or full:
                    raise
                failed[number] = told(error).message
            yield {self.board: one.view(failed)}
        count, seconds = len(one.wanted), time.monotonic() - began
        if failed:
            first = min(failed)
            line = f"{len(failed)} of {count} sounds could not be made; the {first + 1}. of them: {failed[first]}"
            yield {self.line: status.failed(line)}
        else:
            yield {self.line: status.done(f"Done in {seconds:.1f} s. All {count} sounds are here.")}

    def _one(self, one: Batch, number: int) -> Iterator[Any]:
        request: Request = one.wanted[number]
        task = personalize.TASK if one.plan.sound else text.TASK
        own: Own = {"audio": {"path": str(one.upload)}} if one.plan.sound else {}
        ask = Ask(request.task, (), request.sampling, Output(one.plan.file_format, one.plan.rate))
        return perform(self.place, task, own, ask)


def _busy(one: Batch, left: int, progress: Progress, pace: float | None, key: str) -> status.Value:
    """Which sound is being made, and how long all of them will still take."""
    count = len(one.wanted)
    if not left:
        return status.busy(Progress(0, 0), key)
    current = progress.step / max(progress.total, 1)
    if pace is None and progress.seconds_left is not None and current:
        pace = progress.seconds_left / max(1 - current, 0.01) if current < 1 else None
    text_of = f"Sound {count - left + 1} of {count}"
    if pace is not None:
        seconds = max(1, round(pace * (left - current)))
        text_of += f", about {seconds} s left" if seconds < 100 else f", about {round(seconds / 60)} min left"
    return {"state": "busy", "text": text_of, "part": (count - left + current) / count, "job": key}
