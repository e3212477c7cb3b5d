"""What a caller hears while a sound is made, and how it stops the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# step (1..total), total, and a function that gives the mel [mels, T] (log10) as it would sound now
OnStep = Callable[[int, int, Callable[[], "NDArray[np.float32]"]], None]
# first sample of a stretch, its waveform [n] at the model's rate, and the samples of the whole
OnSound = Callable[[int, "NDArray[np.float32]", int], None]


@dataclass(frozen=True)
class Listener:
    """An `on_step` that hears a long sound, too, while the rest of it is made.

    A sound longer than the model's own length (9.984 s) is made from left to right, in windows; each stretch is told as
    soon as nothing in it will change any more. They follow one another without a gap. What is heard is the first take,
    the one of the first seed, with its faded ends and before its finish as a whole: the take that is returned is the
    same times one gain, `gain_db` in its settings, and where a loudness was asked for its limiter may have worked
    besides. Of shorter sounds, of loops, and of events in time nothing is heard before they are done.

    Args:
        on_sound: called with every stretch: its first sample, its waveform float32 [n], and the samples of the whole.
        on_step: called after every denoising step.

    Both may raise `Cancelled`.
    """

    on_sound: OnSound
    on_step: OnStep | None = None

    def __call__(self, step: int, total: int, preview: Callable[[], NDArray[np.float32]]) -> None:
        if self.on_step is not None:
            self.on_step(step, total, preview)


class Cancelled(Exception):  # noqa: N818 - a signal from the caller, not an error
    """Raise from `on_step` or `on_sound` to stop a generation within that step."""
