"""Which stretches of a long sound go through the model, so that a hole costs what it is long, not what the file is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """A stretch of the file that goes through the model at once, and the spans (in file frames) it makes new."""

    first: int
    last: int  # exclusive
    spans: tuple[tuple[int, int], ...]


def plan_windows(spans: list[tuple[int, int]], frames: int, size: int, cell: int = 8) -> list[Window]:
    """Windows of at most `size` frames around painted spans, in the order in which they should be made.

    A span longer than three quarters of a window is cut, so that every window hears known sound beside its hole; a
    cut span at the file's beginning is made from its end on, where there is something to hear. Windows begin at
    multiples of `cell` frames: latent cells lie on one grid over the whole file.
    """
    longest = 3 * size // 4
    groups: list[list[tuple[int, int]]] = []
    reversed_until = 0
    for start, end in spans:
        for a in range(start, end, longest):
            piece = (a, min(a + longest, end))
            if groups and piece[1] - groups[-1][0][0] <= longest:
                groups[-1].append(piece)
            else:
                groups.append([piece])
        if start == 0 and end < frames and end > longest:
            reversed_until = len(groups)
    windows = [_around(group, frames, size, cell) for group in groups]
    return windows[:reversed_until][::-1] + windows[reversed_until:]


def _around(group: list[tuple[int, int]], frames: int, size: int, cell: int) -> Window:
    middle = (group[0][0] + group[-1][1]) // 2
    latest = -(-max(0, frames - size) // cell) * cell  # a window may reach a little beyond the end, never miss it
    first = min(max(0, middle - size // 2) // cell * cell, latest)
    return Window(first, min(first + size, frames), tuple(group))
