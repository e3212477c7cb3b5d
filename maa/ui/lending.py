"""A GPU that is lent for one job (Hugging Face ZeroGPU): the job then runs in a forked process.

There a flag in this process does not reach the work, so Stop closes the iterator; the worker's own iterator is closed
in turn, which raises `Cancelled` in its next step. What comes over has to be picklable, and the host hides every error
that is not a message, so mistakes travel as values.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

Run = Callable[..., Iterator[Any]]
START_SECONDS = 15  # to move the weights, decode and write
STEP_SECONDS = 0.12  # a generous guess for one step of one take of the paper's network


@dataclass(frozen=True)
class Refused:
    """A mistake of the person who asked, on its way out of the worker."""

    sentence: str


def lent() -> bool:
    """Whether the GPU is only there inside of a lent function."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true") and "spaces" in sys.modules


def seconds_of(steps: int, takes: int, windows: int = 1) -> int:
    """How long to ask for the GPU; asking for less gets it sooner."""
    return round(START_SECONDS + STEP_SECONDS * steps * takes * windows)


def borrowing(run: Run, seconds: Callable[..., int]) -> Run:
    """`run`, a generator function, with a GPU for as long as it lasts; where none is lent, `run` itself.

    Args:
        run: takes and yields what can be pickled. Its `ValueError`s arrive as they were.
        seconds: how long to ask for, from the same arguments.
    """
    if not lent():
        return run

    def worker(*given: Any) -> Iterator[Any]:
        try:
            yield from run(*given)
        except ValueError as error:
            yield Refused(str(error))

    gpu = sys.modules["spaces"].GPU(duration=seconds)(worker)

    def asked(*given: Any) -> Iterator[Any]:
        with closing(cast(Any, gpu(*given))) as items:
            for item in items:
                if isinstance(item, Refused):
                    raise ValueError(item.sentence)
                yield item

    return asked
