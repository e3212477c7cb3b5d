"""While a program imports PyTorch and reads a model."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds that one thread keeps Python to itself; a page that is loaded meanwhile is a hundred short answers.
TURN = 5e-4


@contextmanager
def starting() -> Iterator[None]:
    """Inside, nobody looks for what could be thrown away; what is there at the end is never looked at again.

    Importing PyTorch makes half a million objects that all stay. Looking at them time and again takes a sixth of that
    time, and once more as long when the program ends. Threads take short turns meanwhile.
    """
    turn = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(turn)
