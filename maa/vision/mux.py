"""New sound onto a clip: the picture track is copied packet by packet, never re-encoded."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from maa.aside import aside
from maa.foreign import drawn, foreign
from maa.vision.own import RATE, own_sound
from maa.vision.video import begin, open_video

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet

Original = Literal["replace", "mix", "keep"]
ORIGINALS: tuple[Original, ...] = ("replace", "mix", "keep")

EXACT = Fraction(1, 10_000)  # seconds by which a kept track may be moved against the picture
PRIMING = 0.1  # seconds; sound codecs put a packet or two before their first sample
_TRIED = 8  # packets of each track that a container is asked to take
MAX_PACKETS = 1_000_000  # of one track
_MOV = (".mp4", ".m4v", ".mov")
_CODECS = {".mp4": "aac", ".m4v": "aac", ".mov": "aac", ".mkv": "aac", ".webm": "libopus"}
_BIT_RATE = {1: 160_000, 2: 256_000}
_IN_WEBM = ("vp8", "vp9", "av1")
_IN_MP4 = ("h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg")
_SOUND_IN_WEBM = ("opus", "vorbis")
_SOUND_IN_MP4 = ("aac", "mp3", "ac3", "eac3", "alac", "opus", "flac")
_BLOCK = 65_536  # samples handed to the encoder at once
_CONTAINER_WORDS = ("major_brand", "minor_version", "compatible_brands", "encoder")  # of the old file, not of the work


def container_for(video_path: str | Path, original: Original = "replace") -> str:
    """The suffix whose container takes this clip's picture as it is, found by asking: .webm, .mp4, .mov or .mkv.

    Where the clip's own sound is kept, its track has to fit, too.

    Raises:
        ValueError: no container that is written here takes them.
    """
    source = Path(video_path)
    with open_video(source) as (container, stream):
        codec = stream.codec_context.codec.canonical_name
        own = [track.codec_context.codec.canonical_name for track in container.streams.audio if track.codec_context]
    kept = own[0] if own and original == "keep" else None
    if codec == "vp8" or (codec in _IN_WEBM and source.suffix.lower() == ".webm"):
        likely = ".webm" if kept in (None, *_SOUND_IN_WEBM) else ".mkv"
    else:
        likely = ".mp4" if codec in _IN_MP4 and kept in (None, *_SOUND_IN_MP4) else ".mkv"
    for suffix in dict.fromkeys((likely, ".mp4", ".mov", ".mkv")):
        if _fitting(source, suffix, original) is not None:
            return suffix
    what = f"picture ({codec})" if kept is None else f"picture ({codec}) and own sound ({kept})"
    raise ValueError(
        f"The {what} of {source.name!r} fits into no file that is written here (.mp4, .mov, .mkv, .webm); save the "
        "sound alone as .wav, or convert the clip to H.264 in an .mp4 file first."
    )


def check_container(video_path: str | Path, suffix: str, original: Original = "replace") -> None:
    """Raise ValueError, naming a container that does, when the one with this suffix does not take the clip's tracks.

    Meant to be asked before a sound is made for the clip.
    """
    _fitting_or_refuse(Path(video_path), suffix.lower(), original)


def mux(
    video_path: str | Path,
    samples: NDArray[np.floating[Any]],
    rate: int,
    out_path: str | Path,
    original: Original = "replace",
    original_gain: float = 1.0,
    comment: str | None = None,
) -> Path:
    """Write the clip with new sound: all or nothing, equal requests give equal bytes.

    Args:
        video_path: the clip; its subtitles and data tracks are left out, and so is its sound but where `original` says.
        samples: [channels, n] (or [n]) within ±1, mono or stereo, beginning with the first frame.
        rate: Hz of the samples. The track is 48 kHz AAC (.mp4, .mov, .mkv) or Opus (.webm).
        original: "replace" the clip's own sound; "mix" it in up to the clip's end, multiplied by original_gain (a mix
            that would clip is turned down as a whole); or "keep" it as it is, packet by packet, as the first of two
            tracks.
        comment: text for the file's metadata, such as `maa.audio.tags.block` of the settings.

    Raises:
        ValueError: unreadable clip, wrong samples, or a picture codec that this container does not take.
    """
    source, target = Path(video_path), Path(out_path)
    suffix = target.suffix.lower()
    if suffix not in _CODECS:
        raise ValueError(f"{target.name!r} should end in {', '.join(_CODECS)}.")
    if target.is_dir() or not target.parent.is_dir():
        raise ValueError(f"{str(target)!r} is a folder, or lies in one that does not exist; choose another place.")
    sound = _at_track_rate(samples, rate)
    plan = replace(_fitting_or_refuse(source, suffix, original), comment=comment)
    if original == "mix":
        sound = _mixed(sound, source, original_gain)
    try:
        with aside(target) as temporary:
            _write(source, sound, f"file:{temporary}", plan)
    except Exception as error:
        if type(error) is ValueError:  # FFmpeg's own errors are kinds of it
            raise
        problem = getattr(error, "strerror", None) or error
        raise ValueError(f"{source.name!r} could not be copied into {target.name!r} ({problem}).") from error
    return target


@dataclass(frozen=True)
class MuxPlan:
    """How the tracks of a clip go into a file."""

    suffix: str
    keep: bool  # the clip's own sound as a track of its own
    tags: bool  # codec tags as they are in the source
    comment: str | None = None
    packets: int | None = None  # of each track; None = all


def _fitting(source: Path, suffix: str, original: Original) -> MuxPlan | None:
    """How a container takes the clip's tracks, by writing the beginning of it into memory; None when it does not."""
    silence = np.zeros((1, RATE // 10), np.float32)
    with open_video(source) as (_, picture):
        codec = picture.codec_context.codec.canonical_name
    for tags in (True, False):
        plan = MuxPlan(suffix, original == "keep", tags, packets=_TRIED)
        with suppress(ValueError), foreign("does not fit"):
            trial = BytesIO()
            trial.name = f"trial{suffix}"
            _write(source, silence, trial, plan)
            trial.seek(0)
            if _comes_back(trial, codec):
                return replace(plan, packets=None)
    return None


def _fitting_or_refuse(source: Path, suffix: str, original: Original) -> MuxPlan:
    plan = _fitting(source, suffix, original)
    if plan is None:
        fits = container_for(source, original)
        raise ValueError(f"The clip {source.name!r} does not fit into a {suffix} file; use {fits}.")
    return plan


def _comes_back(file: BytesIO, codec: str) -> bool:
    """True when a picture can be decoded from a file: a container may take what nothing then reads."""
    import av

    with av.open(file, "r") as container:
        track = container.streams.video[0]
        found = next(container.decode(track), None)
        return found is not None and track.codec_context.codec.canonical_name == codec


def _at_track_rate(samples: NDArray[np.floating[Any]], rate: int) -> NDArray[np.float32]:
    import soxr

    sound = np.atleast_2d(samples)
    if sound.ndim != 2 or len(sound) not in _BIT_RATE or sound.shape[1] == 0 or not np.isfinite(sound).all():
        raise ValueError(f"Sound of shape {list(sound.shape)} does not fit a clip; use finite mono or stereo samples.")
    sound = soxr.resample(np.ascontiguousarray(sound.T), rate, RATE, quality="VHQ").T
    return np.clip(sound, -1.0, 1.0).astype(np.float32)


def _mixed(sound: NDArray[np.float32], source: Path, gain: float) -> NDArray[np.float32]:
    """New and old sound together, [channels, n]; stereo when either is."""
    old = own_sound(source, sound.shape[1] / RATE)
    if old is None:
        return sound
    channels, count = max(len(sound), len(old)), max(sound.shape[1], old.shape[1])
    mix = np.zeros((channels, count), np.float32)
    mix[:, : sound.shape[1]] += sound
    mix[:, : old.shape[1]] += gain * old
    mix /= max(1.0, float(np.abs(mix).max()))
    return mix


def _write(source: Path, sound: NDArray[np.float32], target: str | BytesIO, plan: MuxPlan) -> None:
    """The picture, the clip's own sound if it is kept, and the new sound."""
    import av

    options = {"fflags": "+bitexact"}  # no random identifiers
    if plan.suffix in _MOV and plan.packets is None:
        options["movflags"] = "+faststart"  # browsers start before they have it all
    first = begin(source)
    with open_video(source) as (container, picture), open_video(source) as (again, _):
        words = {key: text for key, text in container.metadata.items() if key not in _CONTAINER_WORDS}
        own = again.streams.audio[0] if plan.keep and again.streams.audio else None
        # An .m4v file is what FFmpeg calls "ipod", which knows no newer codec than H.264.
        newer = plan.suffix == ".m4v" and picture.codec_context.codec.canonical_name not in ("h264", "mpeg4")
        with av.open(target, "w", format="mp4" if newer else None, container_options=options) as output:
            copies = [(track, copied(output, track, plan)) for track in (picture, own) if track is not None]
            output.metadata.update({**words, "comment": plan.comment} if plan.comment else words)
            layout = "mono" if len(sound) == 1 else "stereo"
            new = cast("AudioStream", output.add_stream(_CODECS[plan.suffix], rate=RATE, layout=layout))
            new.bit_rate = _BIT_RATE[len(sound)]
            packets = (_beginning(_shifted(*pair, first), plan.packets) for pair in copies)
            interleave(output, [*packets, _encoded(new, sound)])


def copied(output: OutputContainer, track: Any, plan: MuxPlan) -> Any:
    """A track of the new file that takes the packets of `track` as they are."""
    copy = output.add_stream_from_template(track, opaque=True)
    tag = _tag(track, plan)
    if tag:
        copy.codec_context.codec_tag = tag
    return copy


def _tag(track: Any, plan: MuxPlan) -> str | None:
    """The codec tag that a track should have; None = the container's own choice.

    Apple's players want HEVC with its parameters in the header, and called so: "hvc1". FFmpeg calls it "hev1".
    """
    if plan.suffix not in _MOV:
        return None
    try:
        tag = str(track.codec_context.codec_tag)
    except UnicodeDecodeError:
        tag = ""
    from_mov = "mov" in track.container.format.name.split(",") and tag.isprintable() and len(tag.strip()) == 4
    if track.codec_context.codec.canonical_name == "hevc" and track.codec_context.extradata:
        return tag if from_mov and tag == "dvh1" and plan.tags else "hvc1"
    return tag if from_mov and plan.tags else None


def _shifted(track: Any, copy: Any, first: float) -> Iterator[Packet[Any]]:
    """The packets of a track, untouched but for their clock: the first frame is shown at zero, where the sound begins.

    Sound from well before the first frame is left out. Where ticks are too long to say when the first frame is shown
    (sound in AVI files has ticks of 24 ms), they are divided.
    """
    begun = first / float(track.time_base)
    parts = 1 if abs(begun - round(begun)) * track.time_base < EXACT else math.ceil(track.time_base / EXACT)
    unit, begun = track.time_base / parts, round(begun * parts)
    for count, packet in enumerate(drawn(track.container.demux(track), f"{_name(track)} is damaged; export it again.")):
        if packet.size == 0:  # the end
            continue
        if count == MAX_PACKETS:
            raise ValueError(f"{_name(track)} has too many packets for a clip; use a shorter one.")
        packet.pts = None if packet.pts is None else packet.pts * parts - begun
        packet.dts = None if packet.dts is None else packet.dts * parts - begun
        packet.duration, packet.time_base = (packet.duration or 0) * parts, unit
        if track.type == "audio" and packet.pts is not None and packet.pts * unit < -PRIMING:
            continue
        packet.stream = copy
        yield packet


def _beginning(packets: Iterator[Packet[Any]], count: int | None) -> Iterator[Packet[Any]]:
    """Packets up to `count` of those that are shown: an edit list may hide the ones before; None = all."""
    shown = 0
    for packet in packets:
        yield packet
        shown += packet.pts is None or packet.pts >= 0
        if shown == count:
            return


def _name(track: Any) -> str:
    return repr(Path(track.container.name).name)


def _encoded(track: AudioStream, sound: NDArray[np.float32]) -> Iterator[Packet[AudioStream]]:
    from av.audio.frame import AudioFrame

    for at in range(0, sound.shape[1], _BLOCK):
        block = np.ascontiguousarray(sound[:, at : at + _BLOCK])
        frame = AudioFrame.from_ndarray(block, format="fltp", layout="mono" if len(block) == 1 else "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
        yield from track.encode(frame)
    yield from track.encode(None)


def interleave(output: OutputContainer, tracks: list[Iterator[Packet[Any]]]) -> None:
    """Write all tracks in the order of their decoding times, so that players need not jump about in the file."""
    first = next(tracks[0], None)
    if first is None:
        raise ValueError("The video has no frames; choose another one.")
    for packet in heapq.merge(chain([first], tracks[0]), *tracks[1:], key=_due):
        output.mux(packet)


def _due(packet: Packet[Any]) -> float:
    return float((packet.dts or 0) * packet.time_base)
