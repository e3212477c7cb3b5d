"""New sound onto a clip: the picture track is copied packet by packet, never re-encoded."""

from __future__ import annotations

import heapq
import os
import secrets
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from maa.vision.video import begin, open_video

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

Original = Literal["replace", "mix", "keep"]
ORIGINALS: tuple[Original, ...] = ("replace", "mix", "keep")

PRIMING = 0.1  # seconds; sound codecs put a packet or two before their first sample
RATE = 48_000  # Hz of every sound track written here
_CODECS = {".mp4": "aac", ".m4v": "aac", ".mov": "aac", ".mkv": "aac", ".webm": "libopus"}
_BIT_RATE = {1: 160_000, 2: 256_000}
_IN_WEBM = ("vp8", "vp9", "av1")
_IN_MP4 = ("h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg")
_SOUND_IN_WEBM = ("opus", "vorbis")
_SOUND_IN_MP4 = ("aac", "mp3", "ac3", "eac3", "alac", "opus", "flac")
_BLOCK = 65_536  # samples handed to the encoder at once
_CONTAINER_WORDS = ("major_brand", "minor_version", "compatible_brands", "encoder")  # of the old file, not of the work


def container_for(video_path: str | Path, original: Original = "replace") -> str:
    """The suffix whose container takes this clip's picture as it is: .webm, .mp4 where possible, else .mkv.

    Where the clip's own sound is kept, its track has to fit, too.
    """
    with open_video(video_path) as (container, stream):
        codec = stream.codec_context.codec.canonical_name
        own = [track.codec_context.codec.canonical_name for track in container.streams.audio if track.codec_context]
    kept = own[0] if own and original == "keep" else None
    if codec == "vp8" or (codec in _IN_WEBM and Path(video_path).suffix.lower() == ".webm"):
        return ".webm" if kept in (None, *_SOUND_IN_WEBM) else ".mkv"
    return ".mp4" if codec in _IN_MP4 and kept in (None, *_SOUND_IN_MP4) else ".mkv"


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
        video_path: the clip; its sound, subtitles and data tracks are left out.
        samples: [channels, n] (or [n]) within ±1, mono or stereo, beginning with the first frame.
        rate: Hz of the samples. The track is 48 kHz AAC (.mp4, .mov, .mkv) or Opus (.webm).
        original: "replace" the clip's own sound; "mix" it in, multiplied by original_gain (a mix that would clip is
            turned down as a whole); or "keep" it as it is, packet by packet, as the first of two tracks.
        comment: text for the file's metadata, such as `maa.audio.tags.block` of the settings.

    Raises:
        ValueError: unreadable clip, wrong samples, or a picture codec that this container does not take.
    """
    from av.error import FFmpegError

    source, target = Path(video_path), Path(out_path)
    suffix = target.suffix.lower()
    if suffix not in _CODECS:
        raise ValueError(f"{target.name!r} should end in {', '.join(_CODECS)}.")
    if target.is_dir() or not target.parent.is_dir():
        raise ValueError(f"{str(target)!r} is a folder, or lies in one that does not exist; choose another place.")
    sound = _at_track_rate(samples, rate)
    temporary = target.with_name(f".{secrets.token_hex(8)}{suffix}")
    try:
        if original == "mix":
            sound = _mixed(sound, source, original_gain)
        with open_video(source) as (container, picture):
            words = {key: text for key, text in container.metadata.items() if key not in _CONTAINER_WORDS}
            about = {**words, "comment": comment} if comment else words
            with open_video(source) as (again, _):
                own = again.streams.audio[0] if original == "keep" and again.streams.audio else None
                _write(picture, own, sound, temporary, about)
        os.replace(temporary, target)
    except (FFmpegError, OSError) as error:
        raise ValueError(
            f"{source.name!r} could not be copied into {target.name!r} ({error.strerror or error}); try .mkv."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _at_track_rate(samples: NDArray[np.floating[Any]], rate: int) -> NDArray[np.float32]:
    import soxr

    sound = np.atleast_2d(samples)
    if sound.ndim != 2 or len(sound) not in _BIT_RATE or sound.shape[1] == 0 or not np.isfinite(sound).all():
        raise ValueError(f"Sound of shape {list(sound.shape)} does not fit a clip; use finite mono or stereo samples.")
    sound = soxr.resample(np.ascontiguousarray(sound.T), rate, RATE, quality="VHQ").T
    return np.clip(sound, -1.0, 1.0).astype(np.float32)


def _mixed(sound: NDArray[np.float32], source: Path, gain: float) -> NDArray[np.float32]:
    """New and old sound together, [channels, n]; stereo when either is."""
    old = _own_sound(source)
    if old is None:
        return sound
    channels, count = max(len(sound), len(old)), max(sound.shape[1], old.shape[1])
    mix = np.zeros((channels, count), np.float32)
    mix[:, : sound.shape[1]] += sound
    mix[:, : old.shape[1]] += gain * old
    mix /= max(1.0, float(np.abs(mix).max()))
    return mix


def _own_sound(source: Path) -> NDArray[np.float32] | None:
    """The clip's sound at 48 kHz, mono or folded down to stereo, from its first frame on; None if it has none."""
    from av.audio.resampler import AudioResampler

    with open_video(source) as (container, picture):
        if not container.streams.audio:
            return None
        track = container.streams.audio[0]
        origin, late = begin(picture), None
        resampler = AudioResampler(format="fltp", layout="mono" if track.channels == 1 else "stereo", rate=RATE)
        blocks: list[NDArray[Any]] = []
        for frame in container.decode(track):
            late = (frame.time or 0.0) - origin if late is None else late
            blocks += [block.to_ndarray() for block in resampler.resample(frame)]
        blocks += [block.to_ndarray() for block in resampler.resample(None)]
    if late is None or not blocks:
        return None
    old, shift = np.concatenate(blocks, axis=1).astype(np.float32), round(late * RATE)
    return np.pad(old, ((0, 0), (shift, 0))) if shift >= 0 else old[:, -shift:]


def _write(
    picture: VideoStream, own: AudioStream | None, sound: NDArray[np.float32], path: Path, about: dict[str, str]
) -> None:
    """The picture, the clip's own sound if it is kept, and the new sound; `about` is the file's metadata."""
    import av

    suffix = path.suffix
    options = {"fflags": "+bitexact"}  # no random identifiers
    if suffix in (".mp4", ".m4v", ".mov"):
        options["movflags"] = "+faststart"  # browsers start before they have it all
    with av.open(str(path), "w", container_options=options) as output:
        copies = [(track, _copied(output, track, suffix)) for track in (picture, own) if track is not None]
        output.metadata.update(about)
        layout = "mono" if len(sound) == 1 else "stereo"
        new = cast("AudioStream", output.add_stream(_CODECS[suffix], rate=RATE, layout=layout))
        new.bit_rate = _BIT_RATE[len(sound)]
        _interleave(output, [*(_shifted(*pair, begin(picture)) for pair in copies), _encoded(new, sound)])


def _copied(output: OutputContainer, track: Any, suffix: str) -> Any:
    """A track of the new file that takes the packets of `track` as they are."""
    try:
        return output.add_stream_from_template(track, opaque=True)
    except ValueError as error:
        what = "picture" if track.type == "video" else "own sound"
        raise ValueError(
            f"The {what} of this clip ({track.codec_context.name}) does not fit into a {suffix} file; use .mkv."
        ) from error


def _shifted(track: Any, copy: Any, first: float) -> Iterator[Packet[Any]]:
    """The packets of a track, untouched but for their clock: the first frame is shown at zero, where the sound begins.

    Sound from well before the first frame is left out.
    """
    begun = round(first / track.time_base) if track.type == "audio" else (track.start_time or 0)
    for packet in track.container.demux(track):
        if packet.size == 0:  # the end
            continue
        packet.pts = None if packet.pts is None else packet.pts - begun
        packet.dts = None if packet.dts is None else packet.dts - begun
        if track.type == "audio" and packet.pts is not None and packet.pts * track.time_base < -PRIMING:
            continue
        packet.stream = copy
        yield packet


def _encoded(track: AudioStream, sound: NDArray[np.float32]) -> Iterator[Packet[AudioStream]]:
    from av.audio.frame import AudioFrame

    for at in range(0, sound.shape[1], _BLOCK):
        block = np.ascontiguousarray(sound[:, at : at + _BLOCK])
        frame = AudioFrame.from_ndarray(block, format="fltp", layout="mono" if len(block) == 1 else "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
        yield from track.encode(frame)
    yield from track.encode(None)


def _interleave(output: OutputContainer, tracks: list[Iterator[Packet[Any]]]) -> None:
    """Write all tracks in the order of their decoding times, so that players need not jump about in the file."""
    first = next(tracks[0], None)
    if first is None:
        raise ValueError("The video has no frames; choose another one.")
    for packet in heapq.merge(chain([first], tracks[0]), *tracks[1:], key=_due):
        output.mux(packet)


def _due(packet: Packet[Any]) -> float:
    return float((packet.dts or 0) * packet.time_base)
