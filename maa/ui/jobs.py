"""Running one job beside the page: a worker thread reports each step, and closing the iterator stops the work.

The pipeline asks its listener after every denoising step, so a job that nobody waits for any more ends within one step.
On a host that lends its GPU to a forked worker, the iterator of `Jobs.run` is the thing to hand over as a whole: it
keeps thread, queue and flag on one side.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from maa.pipeline import Cancelled, Listener

Result = TypeVar("Result")
Preview = Callable[[], Any]  # mel float32 [mels, frames] of the sound so far
OnStep = Callable[[int, int, Preview], None]
BEAT = 0.25  # seconds between two signs of life, so that a stop is noticed while no step ends
PREVIEW_EVERY, PREVIEW_SHARE = 0.6, 0.1  # seconds between previews at least, and their share of the time at most
WORTH = 1.5  # seconds that a job still has to take for a look at what it is doing


@dataclass(frozen=True)
class Stretch:
    """A part of a long sound that is done while the rest of it is made (`maa.pipeline.Listener`)."""

    first: int  # sample
    wave: NDArray[np.float32]  # [n]
    whole: int  # samples of the whole sound


@dataclass(frozen=True)
class Progress:
    """Where a job stands. `step` 0 means that it waits for the one before it or is being prepared."""

    step: int
    total: int
    seconds_left: float | None = None
    mel: NDArray[np.float32] | None = None  # log10 [mels, frames], where this step was looked at
    sound: tuple[Stretch, ...] = ()  # what can be heard since the last news

    @property
    def text(self) -> str:
        """One line for the person who waits."""
        if not self.step:
            return "Getting ready …"
        if self.step >= self.total:
            return "Turning the spectrogram into sound …"
        left = "" if self.seconds_left is None else f", about {max(1, round(self.seconds_left))} s left"
        return f"Step {self.step} of {self.total}{left}"


@dataclass(frozen=True)
class Done(Generic[Result]):
    """What a job made, and how long that took."""

    result: Result
    seconds: float


class Jobs:
    """One device's worth of work: jobs run one after the other, each for whoever iterates over it.

    Args:
        wait: whether closing an iterator waits for the work to end, as a process should that gives its GPU back then.
    """

    def __init__(self, wait: bool = False) -> None:
        self._slot = threading.Lock()
        self._wait = wait

    def run(self, work: Callable[[OnStep], Result]) -> Iterator[Progress | Done[Result]]:
        """Do `work` in a thread. Yields `Progress` at every step and at least every quarter second, then one `Done`.

        Closing the iterator makes the next `on_step` raise `Cancelled`. What `work` raises is raised here.
        """
        news: queue.SimpleQueue[Progress | Done[Result] | BaseException] = queue.SimpleQueue()
        stop = threading.Event()
        thread = threading.Thread(target=self._work, args=(work, news, stop), name="maa-job", daemon=True)
        thread.start()
        latest: Progress = Progress(0, 0)
        try:
            while True:
                for item in _newest(news) or [replace(latest, mel=None, sound=())]:
                    if isinstance(item, BaseException):
                        raise item
                    yield item
                    if isinstance(item, Done):
                        return
                    latest = item
        finally:
            stop.set()
            if self._wait:  # elsewhere not: Gradio closes generators on its event loop, which must not wait for a step
                thread.join()

    def _work(
        self,
        work: Callable[[OnStep], Result],
        news: queue.SimpleQueue[Progress | Done[Result] | BaseException],
        stop: threading.Event,
    ) -> None:
        started = 0.0
        looking = Looking()
        now = Progress(0, 0)

        def on_step(step: int, total: int, preview: Preview) -> None:
            nonlocal now
            if stop.is_set():
                raise Cancelled("Stopped.")
            left = (time.monotonic() - started) / step * (total - step)
            now = Progress(step, total, left)
            news.put(replace(now, mel=looking.at(preview) if left > WORTH else None))

        def on_sound(first: int, wave: NDArray[np.float32], whole: int) -> None:
            if stop.is_set():
                raise Cancelled("Stopped.")
            news.put(replace(now, sound=(Stretch(first, wave, whole),)))

        with self._slot:
            if stop.is_set():
                return
            started = time.monotonic()
            try:
                news.put(Done(work(Listener(on_sound, on_step)), time.monotonic() - started))
            except Exception as error:  # noqa: BLE001 - raised again where the job is waited for
                news.put(error)


class Looking:
    """Decides which steps are worth a look: decoding a preview costs time that the sound itself could have."""

    def __init__(self) -> None:
        self._next = 0.0

    def at(self, preview: Preview) -> NDArray[np.float32] | None:
        """The mel of this step, or None when the last look was a moment ago."""
        before = time.monotonic()
        if before < self._next:
            return None
        mel: NDArray[np.float32] | None = preview()
        after = time.monotonic()
        self._next = after + max(PREVIEW_EVERY, (after - before) * (1 / PREVIEW_SHARE - 1))
        return mel


def _newest(news: queue.SimpleQueue[Any]) -> list[Any]:
    """What has come in, with progress that is already overtaken left out; nothing after one quiet beat.

    Of what is left out the picture goes on unless there is a newer one, and all that can be heard.
    """
    try:
        item = news.get(timeout=BEAT)
    except queue.Empty:
        return []
    while isinstance(item, Progress) and not news.empty():
        before, item = item, news.get_nowait()
        if not isinstance(item, Progress):
            return [before, item] if before.sound else [item]
        item = replace(item, mel=before.mel if item.mel is None else item.mel, sound=before.sound + item.sound)
    return [item]
