"""A stand-in for Hugging Face's `spaces`: `GPU` runs a generator function in a forked process, like ZeroGPU's.

What goes over is pickled, an error that is not Gradio's own is hidden, and closing the iterator only sets an event that
the worker looks at between two items.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any

import torch

ASKED: list[float] = []  # seconds of every loan
context = multiprocessing.get_context("fork")


_wraps = [True]


def disable_gradio_auto_wrap() -> None:
    _wraps.clear()


def gradio_auto_wrap(handler: Any) -> Any:
    """Gradio hands every handler over; the real one may make each of them borrow a GPU."""
    if _wraps and handler is not None:
        raise RuntimeError("Every handler of the page would borrow a GPU.")
    return handler


def GPU(duration: Callable[..., float]) -> Callable[[Any], Any]:  # noqa: N802 - the real one's name
    """The decorator."""

    def decorate(task: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def worker(given: Any, results: Any, stop: Any) -> None:
            torch.set_num_threads(1)  # the threads that the parent computed with did not come along
            try:
                items = task(*given.get())
                for item in items:
                    results.put(("item", item))
                    if stop.is_set():
                        items.close()
                        break
                results.put(("end", None))
            except Exception as error:  # noqa: BLE001 - what the real one does
                results.put(("error", type(error).__name__))

        def asked(*args: Any) -> Iterator[Any]:
            ASKED.append(duration(*args))
            given, results, stop = context.Queue(), context.Queue(), context.Event()
            process = context.Process(target=worker, args=(given, results, stop), daemon=True)
            process.start()
            given.put(args)
            try:
                while True:
                    kind, value = results.get(timeout=60)
                    if kind == "error":
                        raise RuntimeError(f"ZeroGPU worker error: {value}")
                    if kind == "end":
                        break
                    try:
                        yield value
                    except GeneratorExit:
                        stop.set()
                        while results.get(timeout=60)[0] == "item":
                            pass
                        raise
            finally:
                process.join(10)
                process.kill()

        return asked

    return decorate
