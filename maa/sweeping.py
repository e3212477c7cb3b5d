"""Python's collector, out of the way while a program starts."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unswept() -> Iterator[None]:
    """Inside, nobody looks for what could be thrown away; what is there at the end is never looked at again.

    Importing PyTorch makes half a million objects that all stay. Looking at them time and again takes a sixth of that
    time, and once more as long when the program ends.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
