"""What a caller hears after each denoising step, and how it stops the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# step (1..total), total, and a function that gives the mel [mels, T] (log10) as it would sound now
OnStep = Callable[[int, int, Callable[[], "NDArray[np.float32]"]], None]


class Cancelled(Exception):  # noqa: N818 - a signal from the caller, not an error
    """Raise from `on_step` to stop a generation within that step."""
