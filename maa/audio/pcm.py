"""Sample values: integers of a file to floats in ±1 and back, exactly.

A b-bit integer v is the float v / 2^(b-1). float32 holds that without rounding up to 24 bits, float64 beyond.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating[Any]]  # float32 or float64

BITS = {"PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}
FLOATS = ("FLOAT", "DOUBLE")
_BLOCK = 1 << 17  # samples a channel that are turned into bytes at once


@dataclass(frozen=True)
class Blocks:
    """Bytes that are made as they are written, once: a sound of 10 minutes should not lie about in several copies."""

    size: int
    made: Iterator[bytes]


WavePart = tuple[bytes, bytes | Blocks]  # name and payload of a chunk


def from_numbers(values: NDArray[Any]) -> tuple[Samples, str]:
    """Numbers as files and programs hand them over, any shape, to floats and the subtype that they came from.

    Takes uint8 (128 is silence), int16, int32 (24 bits when the lowest byte is always zero), float16, float32, float64.
    """
    name = values.dtype.name
    if name == "uint8":
        return (values.astype(np.float32) - 128) / 128, "PCM_U8"
    if name == "int16":
        return _divided(values.astype(np.float32), 2**15), "PCM_16"
    if name == "int32":
        if any((part & 0xFF).any() for part in _parts(values)):
            return _divided(values.astype(np.float64), 2.0**31), "PCM_32"
        return _divided(values.astype(np.float32), 2.0**31), "PCM_24"  # 24 bits fit, with nothing below them
    if name in ("float16", "float32"):
        return values.astype(np.float32, copy=False), "FLOAT"
    if name == "float64":
        return values, "DOUBLE"
    raise ValueError(f"Sound as an array of {name} cannot be read; use int16, int32, uint8 or float32 within ±1.")


def _divided(values: Samples, by: float) -> Samples:
    """The same array, divided: another one may be 256 MiB."""
    values /= values.dtype.type(by)
    return values


def _parts(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """An array in pieces along its last axis."""
    return (values[..., at : at + _BLOCK] for at in range(0, values.shape[-1], _BLOCK))


def to_integers(samples: Samples, bits: int) -> NDArray[np.int32]:
    """Floats, any shape, to the nearest `bits`-bit integers; what lies outside ±1 is clipped. No dither."""
    wide = samples if samples.dtype == np.float64 or bits <= 24 else samples.astype(np.float64)
    full = wide.dtype.type(2 ** (bits - 1))
    return np.clip(np.rint(wide * full), -full, full - 1).astype(np.int32)


def rounded(samples: Samples, subtype: str) -> Samples:
    """Floats, any shape, as a file of that subtype holds them."""
    if subtype in FLOATS:
        return samples
    bits = BITS[subtype]
    return _divided(to_integers(samples, bits).astype(samples.dtype), 2.0 ** (bits - 1))


def wave_chunks(samples: Samples, rate: int, subtype: str) -> tuple[bytes, list[WavePart]]:
    """The payload of the `fmt ` chunk of a WAV file holding samples [channels, n], and the `fact` and `data` chunks.

    Written here because libsndfile stamps the time of day into float files and rounds integers by 2^(b-1) - 1.
    """
    channels, count = samples.shape
    bits, floating = BITS[subtype], subtype in FLOATS
    width = channels * bits // 8  # bytes of one sample of all channels
    numbers = ((3 if floating else 1, 2), (channels, 2), (rate, 4), (rate * width, 4), (width, 2), (bits, 2))
    header = b"".join(value.to_bytes(size, "little") for value, size in numbers)
    parts: list[WavePart] = [(b"fact", count.to_bytes(4, "little"))] if floating else []
    data = (_data(np.ascontiguousarray(part.T), subtype) for part in _parts(samples))
    # An empty extension is due on floats.
    return header + b"\0\0" if floating else header, [*parts, (b"data", Blocks(count * width, data))]


def _data(interleaved: Samples, subtype: str) -> bytes:
    if subtype in FLOATS:
        return interleaved.astype("<f4" if subtype == "FLOAT" else "<f8", copy=False).tobytes()
    bits = BITS[subtype]
    values = to_integers(interleaved, bits)
    if bits == 8:
        return (values + 128).astype(np.uint8).tobytes()
    if bits == 24:
        return values.astype("<i4", copy=False).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return values.astype(f"<i{bits // 8}", copy=False).tobytes()
