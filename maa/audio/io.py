"""Sound files and arrays in, WAV and FLAC out; rate, channels and sample values stay as they came.

Integer samples that are read here and written back are the same integers, so an untouched part of a user's file can be
compared bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from maa.audio import pcm
from maa.audio.carried import NOTHING, Carried, carried
from maa.audio.chain import is_chain
from maa.audio.compressed import KINDS, numbered, write_compressed
from maa.audio.files import Corrected, cut_short, native, replacing, unsized, write_wave
from maa.audio.pcm import Samples
from maa.audio.sound import Audio, admit, check_audible, checked, resample
from maa.audio.tags import embed, wave_tags
from maa.foreign import foreign

__all__ = ["Audio", "check_audible", "read", "resample", "to_audio", "write"]

# How a file stores samples -> the subtype that holds the same values. What is not named here (MP3, Ogg) is FLOAT.
_SUBTYPES = {kept: kept for kept in pcm.BITS} | {
    "PCM_S8": "PCM_U8", "ULAW": "PCM_16", "ALAW": "PCM_16", "IMA_ADPCM": "PCM_16", "MS_ADPCM": "PCM_16",
    "ALAC_16": "PCM_16", "ALAC_20": "PCM_24", "ALAC_24": "PCM_24", "ALAC_32": "PCM_32",
}  # fmt: skip
WRITTEN = (".wav", ".flac", *KINDS)
_FLAC = {"PCM_U8": "PCM_S8", "PCM_16": "PCM_16", "PCM_24": "PCM_24"}
_LOSSY = ("MP3", "OGG")  # their headers may estimate the length
_LOOSE = 64  # samples that an AIFF header may promise too much
_BLOCK = 1 << 18  # samples a channel that are read at once


def read(path: str | Path) -> Audio:
    """Read a sound file, or the sound track of a video, at its own rate and channels.

    WAV, FLAC, AIFF, MP3, Ogg and their kin through libsndfile, everything else, and sounds that are joined in one file,
    through FFmpeg. Limits are checked on the header before anything is decoded, and again on what is decoded.

    Raises:
        ValueError: one sentence that says what is wrong with the file.
    """
    path = Path(path)
    name = path.name
    try:
        if not path.is_file():
            raise ValueError(f"There is no sound file {str(path)!r}; check the name.")
        if path.stat().st_size == 0:
            raise ValueError(f"{name!r} is empty (0 bytes); choose another file.")
        cut, more = cut_short(path), carried(path)
    except OSError as error:
        raise ValueError(f"{name!r} cannot be opened: {error.strerror or error}.") from error
    audio = _read_sndfile(path, cut) or _read_ffmpeg(path, cut)
    return checked(replace(audio, carried=more), repr(name))


def _read_sndfile(path: Path, cut: bool) -> Audio | None:
    """Through libsndfile; None when it does not know the format, the length, or all of what the file holds."""
    name = repr(path.name)
    with ExitStack() as stack:
        wrong = unsized(path)
        source: Any = native(path)
        if wrong is not None:
            source = Corrected(stack.enter_context(path.open("rb")), *wrong)
        try:
            file = stack.enter_context(soundfile.SoundFile(source))
        except Exception:  # noqa: BLE001  a foreign decoder: FFmpeg may know it, and has the last word
            return None
        if file.frames > 2**48:  # a FLAC from a pipe does not know its length
            return None
        admit(name, file.samplerate, file.channels, file.frames)
        _refuse_cut(cut, name)
        if is_chain(path, file.format, file.frames):
            return None
        subtype = _SUBTYPES.get(file.subtype, "FLOAT")
        values = _values(file, "float64" if subtype in ("PCM_32", "DOUBLE") else "float32", name)
        short = file.frames - values.shape[1]
        _refuse_cut(short > (_LOOSE if file.format == "AIFF" else 0) and file.format not in _LOSSY, name)
        return Audio(values, file.samplerate, subtype)


def _values(file: Any, dtype: str, name: str) -> Samples:
    """All samples [channels, n] of an open file, block by block, so that there is one copy of them."""
    with foreign(f"{name} is damaged or ends early; export it again."):
        values = np.empty((file.channels, file.frames), dtype)
        done = 0
        while done < file.frames:
            block = file.read(min(_BLOCK, file.frames - done), dtype=dtype, always_2d=True)
            if not len(block):
                break
            values[:, done : done + len(block)] = block.T
            done += len(block)
    return values if done == file.frames else np.ascontiguousarray(values[:, :done])


def _read_ffmpeg(path: Path, cut: bool) -> Audio:
    from maa.audio.decode import read_track

    samples, subtype, rate = read_track(path, partial(admit, repr(path.name)))
    _refuse_cut(cut, repr(path.name))
    return Audio(samples, rate, subtype)


def _refuse_cut(cut: bool, name: str) -> None:
    if cut:
        raise ValueError(f"{name} ends early: its header promises more sound than the file holds; export it again.")


def to_audio(source: str | Path | Audio | tuple[int, NDArray[Any]]) -> Audio:
    """Whatever a caller calls a sound, checked.

    Args:
        source: a file, an Audio, or (rate in Hz, array) with uint8, int16, int32 or float values. The array is [n] or
            two-dimensional with time along the longer axis ([n, channels] when both are equal).

    Raises:
        ValueError: nothing given, unreadable, beyond the limits, no samples, or NaN.
    """
    if isinstance(source, str | Path):
        return read(source)
    if isinstance(source, Audio):
        return checked(source, "The sound")
    if not (isinstance(source, tuple) and len(source) == 2):
        raise ValueError("No sound was given; choose a file, record one, or pass (sample rate, array).")
    rate, values = source[0], np.asarray(source[1])
    if not isinstance(rate, int | float | np.number) or rate % 1:
        raise ValueError(f"The sound has a sample rate of {rate} Hz; use a whole number.")
    if values.ndim not in (1, 2):
        raise ValueError(f"The sound is an array of shape {values.shape}; use [samples] or [samples, channels].")
    if values.size == 0:
        raise ValueError("The sound has no samples; choose a file with sound in it.")
    if values.ndim == 1:
        values = values[None]
    elif values.shape[0] >= values.shape[1]:
        values = values.T
    admit("The sound", int(rate), *values.shape)
    samples, subtype = pcm.from_numbers(values)
    return checked(Audio(np.ascontiguousarray(samples), int(rate), subtype), "The sound")


def write(
    path: str | Path,
    samples: Samples,
    sample_rate: int,
    subtype: str = "PCM_16",
    tags: Mapping[str, Any] | None = None,
    more: Carried = NOTHING,
) -> Path:
    """Write samples [channels, n] (or [n]): all or nothing, and the same request gives the same bytes.

    The ending says how: .wav, .flac, or the compressed .ogg and .mp3, which have no subtypes. Integer subtypes round to
    the nearest step and clip at full scale. `tags` are settings as in `maa.audio.tags`; a WAV file also takes `more`,
    what another file said beside its samples.
    """
    path = Path(path)
    suffix, samples = path.suffix.lower(), np.atleast_2d(samples)
    if suffix not in WRITTEN:
        raise ValueError(f"{path.name!r} should end in {', '.join(WRITTEN[:-1])} or {WRITTEN[-1]}.")
    if suffix not in KINDS and subtype not in (_FLAC if suffix == ".flac" else pcm.BITS):
        raise ValueError(f"A {suffix} file cannot hold {subtype} samples; use PCM_16 or PCM_24.")
    audio = checked(Audio(samples, sample_rate, subtype), "The sound to write")
    with replacing(path) as temporary:
        if suffix == ".wav":
            plain, rest = pcm.wave_chunks(audio.samples, sample_rate, subtype)
            parts = [*more.front, (b"fmt ", more.format_chunk(plain)), *rest, *more.behind]
            write_wave(temporary, [*parts, *(wave_tags(tags) if tags else [])])
            return path
        if suffix == ".flac":
            _write_flac(temporary, audio)
        else:
            write_compressed(temporary, audio, suffix)
        if tags:
            embed(temporary, tags)
        if suffix == ".ogg":
            numbered(temporary)
    return path


def _write_flac(path: Path, audio: Audio) -> None:
    bits = pcm.BITS[audio.subtype]
    left = pcm.to_integers(audio.samples.T, bits) << (32 - bits)  # libsndfile takes the upper bits of 32
    try:
        soundfile.write(native(path), left, audio.sample_rate, subtype=_FLAC[audio.subtype], format="FLAC")
    except soundfile.LibsndfileError as error:
        raise ValueError(f"FLAC cannot hold a rate of {audio.sample_rate} Hz; write a WAV file.") from error
