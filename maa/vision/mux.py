"""New sound onto a clip: the picture track is copied packet by packet, never re-encoded."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from maa.vision.video import begin, open_video

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

Original = Literal["replace", "mix"]

RATE = 48_000  # Hz of every sound track written here
_CODECS = {".mp4": "aac", ".m4v": "aac", ".mov": "aac", ".mkv": "aac", ".webm": "libopus"}
_BIT_RATE = {1: 160_000, 2: 256_000}
_IN_WEBM = ("vp8", "vp9", "av1")
_IN_MP4 = ("h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg")
_BLOCK = 65_536  # samples handed to the encoder at once
_CONTAINER_WORDS = ("major_brand", "minor_version", "compatible_brands", "encoder")  # of the old file, not of the work


def container_for(video_path: str | Path) -> str:
    """The suffix whose container takes this clip's picture as it is: .webm, .mp4 where possible, else .mkv."""
    with open_video(video_path) as (_, stream):
        codec = stream.codec_context.codec.canonical_name
    if codec == "vp8" or (codec in _IN_WEBM and Path(video_path).suffix.lower() == ".webm"):
        return ".webm"
    return ".mp4" if codec in _IN_MP4 else ".mkv"


def mux(
    video_path: str | Path,
    samples: NDArray[np.floating[Any]],
    rate: int,
    out_path: str | Path,
    original: Original = "replace",
    original_gain: float = 1.0,
) -> Path:
    """Write the clip with new sound: all or nothing, equal requests give equal bytes.

    Args:
        video_path: the clip; its sound, subtitles and data tracks are left out.
        samples: [channels, n] (or [n]) within ±1, mono or stereo, beginning with the first frame.
        rate: Hz of the samples. The track is 48 kHz AAC (.mp4, .mov, .mkv) or Opus (.webm).
        original: "replace" the clip's own sound, or "mix" it in, multiplied by original_gain. A mix that would clip is
            turned down as a whole.

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
            _write(container, picture, sound, temporary)
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


def _write(container: InputContainer, picture: VideoStream, sound: NDArray[np.float32], path: Path) -> None:
    import av

    suffix = path.suffix
    options = {"fflags": "+bitexact"}  # no random identifiers
    if suffix in (".mp4", ".m4v", ".mov"):
        options["movflags"] = "+faststart"  # browsers start before they have it all
    with av.open(str(path), "w", container_options=options) as output:
        try:
            copy = output.add_stream_from_template(picture, opaque=True)
        except ValueError as error:
            raise ValueError(
                f"The picture of {Path(container.name).name!r} ({picture.codec_context.name}) does not fit into a "
                f"{suffix} file; use .mkv."
            ) from error
        output.metadata.update({k: v for k, v in container.metadata.items() if k not in _CONTAINER_WORDS})
        layout = "mono" if len(sound) == 1 else "stereo"
        track = cast("AudioStream", output.add_stream(_CODECS[suffix], rate=RATE, layout=layout))
        track.bit_rate = _BIT_RATE[len(sound)]
        _interleave(output, _shifted(container, picture, copy), _encoded(track, sound))


def _shifted(container: InputContainer, picture: VideoStream, copy: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The picture packets, untouched but for their clock: the first frame is shown at zero, where the sound begins."""
    first = picture.start_time or 0
    for packet in container.demux(picture):
        if packet.size == 0:  # the end
            continue
        packet.pts = None if packet.pts is None else packet.pts - first
        packet.dts = None if packet.dts is None else packet.dts - first
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


def _interleave(output: OutputContainer, picture: Iterator[Packet[Any]], sound: Iterator[Packet[Any]]) -> None:
    """Write both tracks in the order of their decoding times, so that players need not jump about in the file."""

    def due(packet: Packet[Any] | None) -> float:
        if packet is None:
            return float("inf")
        return float((packet.dts or 0) * packet.time_base)

    seen, heard = next(picture, None), next(sound, None)
    if seen is None:
        raise ValueError("The video has no frames; choose another one.")
    while seen is not None or heard is not None:
        if seen is not None and due(seen) <= due(heard):
            output.mux(seen)
            seen = next(picture, None)
        elif heard is not None:
            output.mux(heard)
            heard = next(sound, None)
