"""A stretch of a clip as a clip of its own: packets are copied, nothing is encoded again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maa.aside import aside
from maa.foreign import drawn, foreign
from maa.vision.mux import MAX_PACKETS, MuxPlan, container_for, copied, interleave
from maa.vision.video import begin, open_video

if TYPE_CHECKING:
    from av.packet import Packet

SHORTEST = 0.1  # seconds


def cut(source: Path, start: float, end: float, folder: Path) -> tuple[Path, float]:
    """Write what lies between two seconds of a clip, with its first sound track, into a folder.

    A picture can be shown from a key frame on, so the cut begins with the last one before `start`. It ends with what is
    shown just before `end`, and with the pictures that this is made from, which may be shown a little later.

    Args:
        source: the clip.
        start: seconds from its first frame.
        end: seconds, after `start`.
        folder: where the new file goes.

    Returns:
        The new file, and the second of the clip at which it begins.

    Raises:
        ValueError: not a clip, or nothing lies between the two seconds.
    """
    if not (math.isfinite(start) and math.isfinite(end)) or start < 0 or end - start < SHORTEST:
        raise ValueError("The cut is empty: its end should lie after its start, both in seconds from the beginning.")
    origin = begin(source)
    key = _key_before(source, origin + start)
    if key is None or key >= origin + end:
        raise ValueError(f"Nothing of {source.name!r} lies between {start:g} and {end:g} s.")
    target = folder / f"{source.stem}{container_for(source, 'keep')}"
    with foreign(f"{source.name!r} could not be cut; export it again."), aside(target) as temporary:
        _write(source, (key, origin + end), f"file:{temporary}", target.suffix)
    return target, key - origin


def _key_before(source: Path, second: float) -> float | None:
    """When the last key frame up to a second is shown, by the clip's own clock; the first one where none is before."""
    found: float | None = None
    with open_video(source) as (container, picture):
        tick = float(picture.time_base or 0)
        for packet in _packets(container, picture):
            if not packet.is_keyframe or packet.pts is None:
                continue
            shown = packet.pts * tick
            if found is not None and shown > second + 1e-6:
                break
            found = shown
    return found


def _write(source: Path, span: tuple[float, float], target: str, suffix: str) -> None:
    import av

    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if suffix in (".mp4", ".mov", ".m4v") else {})
    with open_video(source) as (_, picture), open_video(source) as (again, _):
        tracks = [picture, *again.streams.audio[:1]]
        with av.open(target, "w", format=None if suffix != ".mkv" else "matroska", container_options=options) as output:
            plan = MuxPlan(suffix, keep=True, tags=True)
            copies = [copied(output, track, plan) for track in tracks]
            interleave(output, [_between(track, copy, span) for track, copy in zip(tracks, copies, strict=True)])


def _between(track: Any, copy: Any, span: tuple[float, float]) -> Iterator[Packet[Any]]:
    """The packets of a track within a span, whose beginning becomes zero, and later ones that these need."""
    beyond: list[Packet[Any]] = []  # shown after the end; needed by what is decoded later and shown before it
    first, last = (round(second / float(track.time_base)) for second in span)
    for packet in _packets(track.container, track):
        if packet.pts is None or packet.pts < first:
            continue
        if (packet.pts if packet.dts is None else packet.dts) >= last:
            break
        late = packet.pts >= last
        packet.pts -= first
        packet.dts = None if packet.dts is None else packet.dts - first
        packet.stream = copy
        beyond.append(packet)
        if not late:
            yield from beyond
            beyond.clear()


def _packets(container: Any, track: Any) -> Iterator[Packet[Any]]:
    name = repr(Path(container.name).name)
    for count, packet in enumerate(drawn(container.demux(track), f"{name} is damaged; export it again.")):
        if packet.size == 0:  # the end
            return
        if count == MAX_PACKETS:
            raise ValueError(f"{name} has too many packets for a clip; use a shorter one.")
        yield packet
