"""Where decoded sound belongs in time: silence for what time stamps leave out."""

from __future__ import annotations

from collections.abc import Sequence

GAP = 0.005  # seconds; where time stamps leave out more than that, it is silence
_AHEAD = 16  # packets that have to be late with one that is: time stamps of live recordings tremble
_BROKEN = 10.0  # seconds; a jump of more is no pause in formats whose clock may start anew, but a fault of the clock
_RESTARTING = ("mpeg", "mpegts", "ogg")


def pauses(times: Sequence[float | None], lengths: Sequence[int], rate: int, kind: str = "") -> list[int]:
    """Samples of silence in front of each block, so that every block is heard when its time stamp says.

    A clock that goes back starts anew: what follows is just joined on.

    Args:
        times: seconds of each block's first sample, None where it has no time stamp and just follows.
        lengths: samples of each block.
        rate: Hz.
        kind: FFmpeg's name of the format.
    """
    most = _BROKEN if kind in _RESTARTING else None
    late: list[float | None] = []  # seconds by which a block's time stamp is behind the samples so far
    at = 0.0
    for moment, length in zip(times, lengths, strict=True):
        late.append(None if moment is None else moment - at)
        at += length / rate
    done = next((lateness for lateness in late if lateness is not None), 0.0)
    gaps = []
    for index, lateness in enumerate(late):
        gap = 0.0
        if lateness is not None:
            coming = [x for x in late[index : index + _AHEAD] if x is not None]
            gap = min(coming) - done
            if lateness < done - GAP and max(coming) < done - GAP:  # the clock went back, for good
                done, gap = lateness, 0.0
            elif most is not None and gap > most:
                done, gap = done + gap, 0.0
        gaps.append(round(gap * rate) if gap > GAP and index > 0 else 0)
        done += gaps[-1] / rate
    return gaps
