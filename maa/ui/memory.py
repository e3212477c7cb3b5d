"""Memory that jobs have left goes back to the system, where the C library would keep it for later."""

from __future__ import annotations

import ctypes
import threading
import time
from contextlib import suppress

EVERY = 20.0  # seconds between two times at least


class Heap:
    """What this process has taken from the system and does not use. Every method may be called from any thread.

    Sounds, pictures and requests of many sizes leave holes in the heap of every thread; glibc keeps them all, and a
    server grows by a hundred MB and more over thousands of jobs though it holds nothing more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0.0  # seconds of `time.monotonic`; 0 = never

    def give_back(self) -> None:
        """Give it back, now and then; takes some milliseconds. Elsewhere than with glibc nothing is done."""
        with self._lock:
            if self._last and time.monotonic() - self._last < EVERY:
                return
            self._last = time.monotonic()
        with suppress(AttributeError, OSError, TypeError):
            ctypes.CDLL(None).malloc_trim(0)


HEAP = Heap()
