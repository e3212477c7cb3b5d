"""Damage to good files, as disks, networks and enemies do it: decided by a number, so any file can be made again."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

SIZES = (0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFF0, 0xFFFF, 0xFFFF_FFFE)
WORDS = (b"-1", b"0", b"1e999", b"NaN", b"9" * 400, b'"x"', b"[]", b"null", b"99999999999", b"true", b"2.5", b"{}",
         b"1", b'"' + b"x" * 3000 + b'"', b"[" * 3000 + b"]" * 3000, b'{"path":"/etc/passwd"}', b"-1e308")  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(\.\d+)?")
_VALUE = re.compile(rb'(?<=:)\s*("[^"]*"|-?[\d.]+|true|false|null|\[\])')


def damaged(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """A copy of `data` with one to eight faults; `others` are good files of other kinds, to splice from."""
    held = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        if held:
            at = chance.randrange(len(held) if chance.random() < 0.5 else min(len(held), 300))
            chance.choice(WAYS)(held, at, chance, others)
    return bytes(held)


Way = Callable[[bytearray, int, random.Random, Sequence[bytes]], None]


def _bit(held: bytearray, at: int, chance: random.Random, _: Sequence[bytes]) -> None:
    held[at] ^= 1 << chance.randrange(8)


def _byte(held: bytearray, at: int, chance: random.Random, _: Sequence[bytes]) -> None:
    held[at] = chance.choice((0, 255, 127, 128, 1))


def _length(held: bytearray, at: int, chance: random.Random, _: Sequence[bytes]) -> None:
    order = "little" if chance.random() < 0.5 else "big"
    held[at : at + 4] = chance.choice((*SIZES, 1 << chance.randrange(32))).to_bytes(4, order)


def _long_length(held: bytearray, at: int, chance: random.Random, _: Sequence[bytes]) -> None:
    order = "little" if chance.random() < 0.5 else "big"
    held[at : at + 8] = chance.choice((0, 2**63 - 1, 2**63, 2**64 - 1, 1 << chance.randrange(64))).to_bytes(8, order)


def _cut(held: bytearray, at: int, chance: random.Random, _: Sequence[bytes]) -> None:
    del held[at:]


def _hole(held: bytearray, at: int, chance: random.Random, _: Sequence[bytes]) -> None:
    del held[at : at + chance.randrange(1, 200)]


def _repeat(held: bytearray, at: int, chance: random.Random, _: Sequence[bytes]) -> None:
    begin = chance.randrange(len(held))
    held[at:at] = held[begin : begin + chance.randrange(1, 300)] * chance.choice((1, 1, 1, 50))


def _noise(held: bytearray, at: int, chance: random.Random, _: Sequence[bytes]) -> None:
    held[at : at + chance.randrange(1, 64)] = chance.randbytes(chance.randrange(1, 64))


def _splice(held: bytearray, at: int, chance: random.Random, others: Sequence[bytes]) -> None:
    other = chance.choice(others)
    begin = chance.randrange(len(other))
    held[at : at + 40] = other[begin : begin + chance.randrange(1, 400)]


def _tail(held: bytearray, at: int, chance: random.Random, _: Sequence[bytes]) -> None:
    held += bytes(chance.randrange(1, 3000))


def _word(held: bytearray, at: int, chance: random.Random, _: Sequence[bytes]) -> None:
    """A number or value of a text becomes something else."""
    found = list((_VALUE if chance.random() < 0.5 else _NUMBER).finditer(bytes(held)))
    if found:
        one = chance.choice(found)
        held[one.start() : one.end()] = chance.choice(WORDS)


WAYS: tuple[Way, ...] = (
    _bit, _byte, _length, _long_length, _cut, _hole, _repeat, _noise, _splice, _tail, _word, _word,
)  # fmt: skip
