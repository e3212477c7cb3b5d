"""Files that are several sounds, one behind the other: MP3, Ogg and FLAC may be joined byte by byte.

Radio dumps and speech programs make them, and players play all of it; libsndfile reads the first sound, silently.
"""

from __future__ import annotations

import mmap
import time
from pathlib import Path

from maa.foreign import drawn, foreign

_LATE = 4  # packets of an MP3 that its header may leave out: the encoder's delay and what fills the last one
_SECONDS = 10.0  # that counting packets may take
_PAGE = b"OggS\0"


def is_chain(path: Path, kind: str, frames: int) -> bool:
    """True when a file holds more sound than its first part.

    Args:
        path: a file that libsndfile has opened.
        kind: its format as libsndfile names it.
        frames: samples a channel that libsndfile found.
    """
    if kind == "MP3":
        try:
            return _more_packets(path, frames)
        except ValueError:
            return False
    if kind not in ("OGG", "FLAC"):
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        # A FLAC stream begins with its mark and a block of 34 bytes; inside a frame nobody will meet these eight.
        if kind == "FLAC":
            return any(data.find(b"fLaC" + last + b"\0\0\x22", 4) > 0 for last in (b"\0", b"\x80"))
        return _second_beginning(data)


def _second_beginning(data: mmap.mmap) -> bool:
    """True when an Ogg stream begins (flag 2 of a page) behind a page that does not begin one."""
    at, running = 0, False
    while (at := data.find(_PAGE, at)) >= 0 and at + 27 <= len(data):
        begins = bool(data[at + 5] & 2)
        if begins and running:
            return True
        running = not begins
        segments = data[at + 26]
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
    return False


def _more_packets(path: Path, frames: int) -> bool:
    """True when an MP3's packets hold more than `frames` samples."""
    import av

    said = f"{path.name!r} is damaged or ends early; export it again."
    with foreign(said):
        container = av.open(f"file:{path}", options={"format_whitelist": "mp3", "protocol_whitelist": "file"})
    with container:
        if not container.streams.audio:
            return False
        stream = container.streams.audio[0]
        rate, unit = stream.sample_rate, stream.time_base
        if not rate or unit is None:
            return False
        ticks, longest, deadline = 0, 0, time.monotonic() + _SECONDS
        for packet in drawn(container.demux(stream), said):
            ticks += packet.duration or 0
            longest = max(longest, packet.duration or 0)
            if time.monotonic() > deadline:
                break
        return float(ticks * unit * rate) > frames + float(_LATE * longest * unit * rate)
