"""Before and while a program imports PyTorch and reads a model."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds that one thread keeps Python to itself; a page that is loaded meanwhile is a hundred short answers.
TURN = 5e-4
# How often a thread of PyTorch's looks for the next piece of work before it sleeps: about a tenth of a millisecond.
LOOKS = 10_000


def stay_awake() -> None:
    """Let the threads that compute wait for each other awake, however many there are; before PyTorch is imported.

    Every thread that calls a network has helpers of its own. As soon as there are more of them than processors, GNU's
    OpenMP lets them sleep between any two operations, and a network of two thousand small ones takes a third longer:
    a server that answers in several threads would never have its processors' speed. What the environment says stays.
    """
    said = "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ
    if sys.platform == "linux" and not said:  # elsewhere PyTorch brings another OpenMP
        os.environ.update(OMP_WAIT_POLICY="ACTIVE", GOMP_SPINCOUNT=str(LOOKS))


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
